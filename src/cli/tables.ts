/** The table of commands, for the README: what the commands say of themselves, nothing else. */
import type { Command } from 'commander';
import { table } from '../checks/tables.ts';
import { theProgram } from './program.ts';

/** Markdown: one row a command, in the order of `postern --help`. */
export function commandsTable(): string {
  return table(['command', 'of it', 'for'], theProgram().commands.map(rowOf));
}

function rowOf(command: Command): readonly string[] {
  const below = command.commands.map(one => `\`${one.name()}\``).join(', ');
  return [`\`postern ${command.name()}\``, below, command.description().replaceAll('<', '\\<')];
}

/** Arguments as people write them, put the way commander reads them: several values behind one flag, `help` before a command. */
import type { Command, Option } from 'commander';
import { Repeatable } from './command.ts';

/** `--ip A B acme mailer` becomes `--ip A --ip B acme mailer`; `help client add` becomes `client add --help`. */
export function spellOut(program: Command, args: readonly string[]): readonly string[] {
  if (args[0] === 'help') return [...args.slice(1), '--help'];
  const spelled: string[] = [];
  let command = program;
  for (let i = 0; i < args.length; i++) {
    const token = args[i] as string;
    if (token === '--') return [...spelled, ...args.slice(i)];
    spelled.push(token);
    if (!token.startsWith('-')) command = command.commands.find(one => one.name() === token) ?? command;
    const option = optionOf(program, command, token);
    if (option?.required !== true || i + 1 === args.length) continue;
    spelled.push(args[++i] as string);
    if (!(option instanceof Repeatable)) continue;
    for (let next = args[i + 1]; next !== undefined && !next.startsWith('-') && option.fits(next); next = args[i + 1]) {
      spelled.push(token, next);
      i += 1;
    }
  }
  return spelled;
}

function optionOf(program: Command, command: Command, token: string): Option | undefined {
  return [...command.options, ...program.options].find(({ long, short }) => token === long || token === short);
}

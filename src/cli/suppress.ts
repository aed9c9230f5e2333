/** `postern suppress`: puts a person on a scope's suppression list, or lifts them by a named person's explicit act (law 6). */
import type { Command } from 'commander';
import { command, type OnRecord, onRecord, whoOf, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { printJson, printLine } from './output.ts';
import { knownScope, personOf, reasonOf } from './settled.ts';

interface SuppressOptions extends OnRecord {
  readonly reason?: string;
  readonly lift?: boolean;
}

export function addSuppressCommand(program: Command): void {
  onRecord(command(program, 'suppress <scope> <address>', 'suppress a person (kept as a keyed digest), or lift a suppression'))
    .option('--reason <reason>', 'why: objection (default), opt-out, complaint, bounce, erasure, manual …')
    .option('--lift', 'take the person off again: needs --by and --why, and is on record')
    .action(suppress);
}

async function suppress(scopeText: string, addressText: string, options: SuppressOptions): Promise<void> {
  const address = personOf(addressText);
  const { lift = false, by, why } = options;
  if (lift && options.reason !== undefined) throw usage('--reason does not go with --lift; say --why');
  if (lift && (by === undefined || by.trim() === '' || why === undefined || why.trim() === '')) {
    throw usage('--lift needs --by NAME and --why TEXT: a lift is on record');
  }
  const reason = reasonOf(options.reason ?? 'objection');
  const who = whoOf(options);
  await withHouse(options, async house => {
    const scope = await knownScope(house, scopeText);
    const result = lift
      ? await house.lists.lift(scope, address, { by: by ?? '', why: why ?? '' })
      : await house.lists.suppress(scope, address, { reason, source: 'operator', by: who.by }, who);
    if (lift && result === 'absent') throw new CommandFailure(`nobody to lift: ${scopeText} does not list this person`);
    if (options.json === true) printJson({ scope: scopeText, result });
    else printLine(result);
  });
}

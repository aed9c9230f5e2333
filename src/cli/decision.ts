/** `postern decision show REF`: explains one refusal to the operator. */
import type { Command } from 'commander';
import { parseDecisionId } from '../journal/ref.ts';
import { type Common, command, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { isoTime, printJson, printLine } from './output.ts';

export function addDecisionCommands(program: Command): void {
  const group = program.command('decision').description('decisions: who was refused, when and why');
  command(group, 'show <ref>', "explain the decision whose id a reply's ref= names").action(show);
}

async function show(ref: string, options: Common): Promise<void> {
  const id = parseDecisionId(ref);
  if (id === undefined) throw usage(`'${ref}' is no decision id: give the 16 characters after ref= in the reply`);
  await withHouse(options, async house => {
    const clients = (await house.clients.list()).map(client => client.id);
    const decision = await house.decisions.show(id, clients);
    if (decision === undefined)
      throw new CommandFailure(`no decision ${id}; it may not be written yet, or lie before the journal's beginning`);
    const shown = { ...decision, at: isoTime(decision.at) };
    if (options.json === true) return printJson(shown);
    const { client, campaign, credential, recipient, pseudonym, check, token, reason, outcome, stage, reply, policy, transaction } = shown;
    const rows: readonly [string, string | undefined][] = [
      ['decision', id],
      ['time', shown.at],
      ['outcome', `${outcome} at ${stage}`],
      ['reply', reply],
      ['check', `${check} (${token})`],
      ['why', reason],
      [
        'recipient',
        recipient ??
          (pseudonym === undefined ? 'not kept: the person was erased, or the lists could not tell' : `${pseudonym} (erased since)`),
      ],
      ['client', campaign === undefined ? client : `${client}/${campaign}`],
      ['credential', credential],
      ['policy', policy],
      ['transaction', transaction],
    ];
    for (const [name, value] of rows) if (value !== undefined) printLine(`${name.padEnd(12)} ${value}`);
  });
}

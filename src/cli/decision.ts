/** `postern decision list|show`: who was refused, when and why; and one refusal explained to the operator. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { House } from '../app.ts';
import { unknownWords } from '../checks/grounds.ts';
import { type CampaignId, type DecisionId, GLOBAL } from '../ids.ts';
import type { Decision, Outcome } from '../journal/decision.ts';
import type { DecisionQuery } from '../journal/decisions.ts';
import { parseDecisionId } from '../journal/ref.ts';
import { OUTCOMES } from '../journal/stats.ts';
import { type Common, command, type OnRecord, onRecord, whoOf, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { LONGEST_PAGE, listing, tallied } from './exporting.ts';
import { isoTime, printJson, printJsonArray, printLine, printTable } from './output.ts';
import { knownClient, personOf } from './settled.ts';
import { SINCE, spanOf } from './since.ts';

interface ListOptions extends OnRecord {
  readonly campaign?: string;
  readonly check?: string;
  readonly token?: string;
  readonly outcome?: Outcome;
  readonly transaction?: string;
  readonly recipient?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

/** Of a listing of any length, read at once. */
const PAGE = 1_000;

export function addDecisionCommands(program: Command): void {
  const group = program.command('decision').description('decisions: who was refused, when and why');
  onRecord(command(group, 'list [client]', `newest first; of one client's mail, or of everybody's; on record where over ${LONGEST_PAGE}`))
    .option('--campaign <id>', 'of this campaign')
    .option('--check <name>', 'of this check')
    .option('--token <token>', "with this token, as in the reply's brackets")
    .addOption(new Option('--outcome <outcome>', 'with this outcome').choices(OUTCOMES.filter(outcome => outcome !== 'relayed')))
    .option('--transaction <id>', 'of this transaction')
    .option('--recipient <address>', 'about this person')
    .option('--from <time>', `from this time on: ${SINCE}`)
    .option('--to <time>', 'and before this time')
    .option('--limit <number>', 'at most so many', count, 100)
    .action(list);
  command(group, 'show <ref>', "explain the decision whose id a reply's ref= names").action(show);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 on');
  return Number(text);
}

async function list(client: string | undefined, options: ListOptions): Promise<void> {
  await withHouse(options, async house => {
    const { check, token, outcome, transaction, limit } = options;
    const owners = client === undefined ? await house.clients.list() : [await knownClient(house, client)];
    const unknown = await unknownWords(options, owners, house.decisions);
    if (unknown.length > 0) throw usage(unknown.map(({ field, message, fix }) => `--${field} ${message}; ${fix}`).join('; '));
    const query: Omit<DecisionQuery, 'limit'> = {
      clients: owners.map(({ id }) => id),
      campaign: options.campaign as CampaignId | undefined,
      check,
      token,
      outcome,
      transaction,
      recipient: options.recipient === undefined ? undefined : personOf(options.recipient),
      ...spanOf(options, house.clock.now()),
    };
    const about = { journal: 'decisions', limit };
    await listing(house, { owner: client ?? GLOBAL, who: whoOf(options), about }, limit, tally =>
      print(tallied(pages(house, query, limit), tally), options),
    );
  });
}

async function print(found: ReturnType<typeof pages>, options: Common): Promise<void> {
  if (options.json === true) return printJsonArray(found);
  const rows: string[][] = [];
  for await (const { id, at, client: of, campaign, outcome: became, check: by, token: told, recipient, pseudonym } of found) {
    rows.push([id, at, campaign === undefined ? of : `${of}/${campaign}`, became, `${by} (${told})`, recipient ?? pseudonym ?? '']);
  }
  printTable(['decision', 'time', 'client', 'outcome', 'check', 'recipient'], rows);
}

async function* pages(
  house: Pick<House, 'decisions'>,
  query: Omit<DecisionQuery, 'limit'>,
  limit: number,
): AsyncIterable<ReturnType<typeof timed>> {
  let after: DecisionId | undefined;
  let left = limit;
  do {
    const page = await house.decisions.list({ ...query, after, limit: Math.min(PAGE, left) });
    yield* page.items.map(timed);
    left -= page.items.length;
    after = page.next;
  } while (after !== undefined && left > 0);
}

function timed(decision: Decision): Omit<Decision, 'at'> & { readonly at: string } {
  return { ...decision, at: isoTime(decision.at) };
}

async function show(ref: string, options: Common): Promise<void> {
  const id = parseDecisionId(ref);
  if (id === undefined) throw usage(`'${ref}' is no decision id: give the 16 characters after ref= in the reply`);
  await withHouse(options, async house => {
    const clients = (await house.clients.list()).map(client => client.id);
    const decision = await house.decisions.show(id, clients);
    if (decision === undefined)
      throw new CommandFailure(`no decision ${id}; it may not be written yet, or lie before the journal's beginning`);
    const shown = timed(decision);
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

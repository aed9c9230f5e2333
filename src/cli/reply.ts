/** `postern reply list|show|decide`: the log of what came back, and the queue of what a person must look at. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { House } from '../app.ts';
import { GLOBAL } from '../ids.ts';
import { decide as decideReply } from '../inbound/deciding.ts';
import { KINDS } from '../inbound/finding.ts';
import type { LogPlace } from '../inbound/processor.ts';
import { parseDecisionId } from '../journal/ref.ts';
import type { LoggedReply, ReplyDecision, ReplyQuery } from '../journal/reply.ts';
import { type Common, command, type OnRecord, onRecord, whoOf, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { LONGEST_PAGE, listing, tallied } from './exporting.ts';
import { isoTime, printJson, printJsonArray, printLine, printTable } from './output.ts';
import { knownClient, knownScope, personOf } from './settled.ts';
import { SINCE, spanOf } from './since.ts';

interface ListOptions extends OnRecord {
  readonly open?: boolean;
  readonly kind?: string;
  readonly campaign?: string;
  readonly address?: string;
  readonly from?: string;
  readonly since?: string;
  readonly to?: string;
  readonly limit: number;
}

interface DecideOptions extends Common {
  readonly as: ReplyDecision['as'];
  readonly by: string;
  readonly why: string;
}

const DECISIONS: readonly ReplyDecision['as'][] = ['opt-out', 'reply', 'nothing'];

export function addReplyCommands(program: Command): void {
  const group = program.command('reply').description('what came back: the log, and what waits for a decision');
  const whose = `owner: a client, or global for what is no known client's; without one, all; on record where over ${LONGEST_PAGE}`;
  onRecord(command(group, 'list [owner]', `what came back, newest first; ${whose}`))
    .option('--open', 'only what waits for a decision')
    .addOption(new Option('--kind <kind>', 'only what was taken for this').choices(KINDS))
    .option('--campaign <id>', 'only what is certainly of this campaign')
    .option('--address <address>', 'only what is about this person')
    .option('--from <time>', `received from this time on: ${SINCE}`)
    .option('--since <time>', 'the same as --from')
    .option('--to <time>', 'and before this time')
    .option('--limit <number>', 'at most so many', count, 100)
    .action(list);
  command(group, 'show <id>', 'one message that came back, and what followed')
    .option('--message', 'the message itself, where it was kept because nobody took the copy')
    .action(show);
  command(group, 'decide <id>', 'say what a message in doubt is; until then its writer is not mailed')
    .addOption(new Option('--as <what>', 'what it is').choices(DECISIONS).makeOptionMandatory())
    .requiredOption('--by <name>', 'who decides')
    .requiredOption('--why <text>', 'and why; both are kept')
    .action(decide);
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 on');
  return Number(text);
}

async function list(owner: string | undefined, options: ListOptions): Promise<void> {
  if (owner === undefined) return listAll(options);
  await withHouse(options, async house => {
    const { campaign, limit } = options;
    const known = owner === GLOBAL ? GLOBAL : (await knownClient(house, owner)).id;
    if (campaign !== undefined) await knownScope(house, `${owner}/${campaign}`);
    const query = queryOf(house, options);
    const about = { journal: 'replies', limit };
    await listing(house, { owner: known, who: whoOf(options), about }, limit, async tally => {
      const found = tallied(house.replies.list(known, query), tally);
      if (options.json === true) return printJsonArray(mapped(found, shown));
      const rows: (readonly string[])[] = [];
      for await (const reply of found) rows.push([reply.id, ...cells(reply)]);
      printTable(['reply', ...COLUMNS], rows);
    });
  });
}

/** No longer than a page, so that no client's trail has to say who took it away. */
async function listAll(options: ListOptions): Promise<void> {
  const { campaign, limit } = options;
  if (campaign !== undefined) throw usage('--campaign: name its client, too');
  if (limit > LONGEST_PAGE) throw usage(`--limit: at most ${LONGEST_PAGE} of all; name a client for more of its own`);
  await withHouse(options, async house => {
    let newest: readonly LoggedReply[] = [];
    for (const owner of [GLOBAL, ...(await house.clients.ids())] as const) {
      const found = [...newest];
      for await (const reply of house.replies.list(owner, queryOf(house, options))) found.push(reply);
      newest = found.sort((a, b) => b.receivedAt - a.receivedAt).slice(0, limit);
    }
    if (options.json === true) return printJson(newest.map(shown));
    const rows = newest.map(reply => [reply.id, reply.owner, ...cells(reply)]);
    printTable(['reply', 'owner', ...COLUMNS], rows);
  });
}

function queryOf(house: House, { kind, campaign, address, limit, open, ...span }: ListOptions): ReplyQuery {
  return {
    ...spanOf(span, house.clock.now()),
    ...(open === true ? { state: 'open' as const } : {}),
    ...(address === undefined ? {} : { person: personOf(address) }),
    kind,
    campaign,
    limit,
  };
}

const COLUMNS = ['received', 'kind', 'state', 'campaign', 'people', 'what followed'];

function cells({ receivedAt, kind, state, campaign, people, actions, request }: LoggedReply): readonly string[] {
  const followed = [...actions, ...(request === undefined ? [] : [due(request)])];
  return [isoTime(receivedAt), kind, state, campaign ?? '', people.join(' '), followed.join('; ')];
}

async function* mapped<T, U>(values: AsyncIterable<T>, change: (value: T) => U): AsyncIterable<U> {
  for await (const value of values) yield change(value);
}

async function show(text: string, options: Common & { readonly message?: boolean }): Promise<void> {
  await withHouse(options, async house => {
    const reply = await known(house, text);
    if (options.message === true) {
      const octets = await house.replies.kept(reply.owner, reply.id);
      if (octets === undefined) throw new CommandFailure(`the message of ${reply.id} was not kept: only what nobody takes a copy of is`);
      process.stdout.write(octets);
      return;
    }
    if (options.json === true) return printJson(shown(reply));
    const { campaign, kind, rule, language, decision, forwarded } = reply;
    const rows: readonly [string, string | undefined][] = [
      ['reply', reply.id],
      ['client', campaign === undefined ? reply.owner : `${reply.owner}/${campaign}`],
      ['people', reply.people.join(' ') || 'not kept: erased since'],
      ['received', `${isoTime(reply.receivedAt)} by ${reply.via}`],
      ['enforced', isoTime(reply.enforcedAt)],
      ['kind', kind],
      ['why', rule && `${rule}${language === undefined ? '' : ` (${language})`}${reply.span === undefined ? '' : `: ${reply.span}`}`],
      ['matched by', reply.matchedBy],
      ['followed', reply.actions.join('; ')],
      ['request', reply.request && due(reply.request)],
      ['state', reply.state],
      ['decided', decision && `as ${decision.as} by ${decision.by} at ${isoTime(decision.at)}: ${decision.why}`],
      ['copy', forwarded],
    ];
    for (const [name, value] of rows) if (value !== undefined) printLine(`${name.padEnd(12)} ${value}`);
    if (reply.text !== undefined && reply.text !== '') printLine(`\n${reply.text}`);
  });
}

async function decide(text: string, options: DecideOptions): Promise<void> {
  const { as, by, why } = options;
  if (by.trim() === '' || why.trim() === '') throw usage('--by and --why must say something: the decision is on record');
  await withHouse(options, async house => {
    const { owner, id } = await known(house, text);
    const place: LogPlace = { owner, id };
    const outcome = await decideReply(house, place, { as, by: by.trim(), from: 'cli', why: why.trim() });
    if (outcome === 'missing') throw new CommandFailure(`no reply ${id}`);
    if (outcome === 'closed')
      throw new CommandFailure(`${id} waits for no decision: it never did, or was decided otherwise; postern reply show ${id} says`);
    if (options.json === true) return printJson(shown(await known(house, id)));
    printLine(`${id} ${outcome === 'repeated' ? 'was decided so before' : `decided: ${as}`}`);
  });
}

async function known(house: House, text: string): Promise<LoggedReply> {
  const id = parseDecisionId(text);
  if (id === undefined) throw usage(`'${text}' is no id of a reply: it has 16 characters; postern reply list shows them`);
  const reply = await house.replies.show(id, [...(await house.clients.list()).map(client => client.id), GLOBAL]);
  if (reply === undefined) throw new CommandFailure(`no reply ${id}; postern reply list shows what came back`);
  return reply;
}

function due({ kind, dueAt }: NonNullable<LoggedReply['request']>): string {
  return `request for ${kind}, due ${isoTime(dueAt)}`;
}

function shown({ receivedAt, processedAt, enforcedAt, decision, request, ...reply }: LoggedReply) {
  return {
    ...reply,
    receivedAt: isoTime(receivedAt),
    processedAt: isoTime(processedAt),
    enforcedAt: isoTime(enforcedAt),
    ...(request === undefined ? {} : { request: { ...request, dueAt: isoTime(request.dueAt) } }),
    ...(decision === undefined ? {} : { decision: { ...decision, at: isoTime(decision.at) } }),
  };
}

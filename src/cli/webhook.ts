/** `postern webhook add|list|show|update|rotate|remove|test|deliveries|replay`: where a client's platform is told of what happens. */
import type { Command } from 'commander';
import type { House } from '../app.ts';
import { type Endpoint, MAX_ENDPOINTS, type Missed } from '../hooks/endpoints.ts';
import { EVENT_TYPES, type EventType } from '../hooks/event.ts';
import type { Standing } from '../hooks/standing.ts';
import type { ClientId } from '../ids.ts';
import { type Common, command, type OnRecord, onRecord, Repeatable, whole, whoOf, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { isoTime, printJson, printLine, printTable } from './output.ts';
import { knownClient } from './settled.ts';

interface TypeOptions extends OnRecord {
  readonly type?: string[];
}
interface UpdateOptions extends TypeOptions {
  readonly on?: boolean;
  readonly off?: boolean;
}
interface DeliveryOptions extends Common {
  readonly waiting?: boolean;
  readonly limit: number;
}

const looksLikeType = (text: string): boolean => /^[a-z]+\.[a-z]+$/.test(text);
const typeOption = (doc: string): Repeatable => new Repeatable('--type <type>', `${doc}: ${EVENT_TYPES.join(', ')}`, looksLikeType);

export function addWebhookCommands(program: Command): void {
  const group = program.command('webhook').description("webhooks: where a client's platform is told of what happens");
  onRecord(command(group, 'add <client> <url>', 'tell this https:// URL; its secret is printed this once'))
    .addOption(typeOption('what it is told of (default: all)'))
    .action(add);
  command(group, 'list <client>', "a client's webhooks, and what is kept for each").action(list);
  command(group, 'show <client> <webhook>', 'one webhook, without its secret').action(show);
  onRecord(command(group, 'update <client> <webhook>', 'change what it is told of, or switch it off and on'))
    .addOption(typeOption('what it is told of from now on'))
    .option('--off', 'tell it nothing')
    .option('--on', 'tell it again')
    .action(update);
  onRecord(command(group, 'rotate <client> <webhook>', 'a new secret, printed this once; the one before signs beside it for a day')).action(
    rotate,
  );
  onRecord(command(group, 'remove <client> <webhook>', 'remove it, and whatever it was still to be told')).action(remove);
  onRecord(command(group, 'test <client> <webhook>', 'send it an event webhook.test, on the way that all others take')).action(test);
  command(group, 'deliveries <client> <webhook>', 'events that were given up, the oldest first')
    .option('--waiting', 'those that wait instead')
    .option('--limit <number>', 'at most so many', whole, 100)
    .action(deliveries);
  onRecord(command(group, 'replay <client> <webhook> [event]', 'send once more what was given up'))
    .option('--all', 'all of it, instead of one event')
    .action(replay);
}

async function add(text: string, url: string, options: TypeOptions): Promise<void> {
  const types = typesOf(options.type) ?? EVENT_TYPES;
  await withHouse(options, async house => {
    const { id: client } = await knownClient(house, text);
    const made = await house.endpoints.add(client, url, types, whoOf(options));
    if (made === 'full') throw new CommandFailure(`client ${client} has ${MAX_ENDPOINTS} webhooks, and no more; remove one first`);
    if ('problem' in made) throw usage(`the URL ${made.problem}`);
    await printSecret(house, made, options);
  });
}

async function list(text: string, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const { id: client } = await knownClient(house, text);
    const all = await house.endpoints.of(client);
    const standings = await house.standings.of(all.map(({ id }) => id));
    const rows = all.map((endpoint, index) => shown(endpoint, standings[index]));
    if (options.json === true) return printJson(rows);
    printTable(
      ['webhook', 'url', 'types', 'waiting', 'dead', 'dropped', 'state'],
      rows.map(({ id, url, types, waiting, dead, dropped, disabled, failingSince }) => {
        const failing = failingSince === undefined ? 'on' : `fails since ${failingSince}`;
        return [
          id,
          url,
          types.length === EVENT_TYPES.length ? 'all' : types.join(' '),
          waiting,
          dead,
          dropped,
          disabled ? `off: ${disabled}` : failing,
        ];
      }),
    );
  });
}

async function show(text: string, id: string, options: Common): Promise<void> {
  await withHouse(options, async house => {
    const { id: client } = await knownClient(house, text);
    const endpoint = await known(house, client, id);
    const fields = shown(endpoint, (await house.standings.of([id]))[0]);
    if (options.json === true) return printJson(fields);
    for (const [name, value] of Object.entries(fields))
      if (value !== undefined) printLine(`${name.padEnd(16)} ${Array.isArray(value) ? value.join(' ') : value}`);
  });
}

async function update(text: string, id: string, options: UpdateOptions): Promise<void> {
  const { on, off } = options;
  const types = typesOf(options.type);
  if (on === true && off === true) throw usage('--on or --off, not both');
  const disabled = off === true ? true : on === true ? false : undefined;
  if (types === undefined && disabled === undefined) throw usage('nothing to change: name --type, --on or --off');
  const change = { ...(types === undefined ? {} : { types }), ...(disabled === undefined ? {} : { disabled }) };
  await withHouse(options, async house => {
    const { id: client } = await knownClient(house, text);
    const changed = there(client, id, await house.endpoints.update(client, id, change, whoOf(options)));
    if (options.json === true) printJson(shown(changed, (await house.standings.of([id]))[0]));
    else printLine(`webhook ${id} changed`);
  });
}

async function rotate(text: string, id: string, options: OnRecord): Promise<void> {
  await withHouse(options, async house => {
    const { id: client } = await knownClient(house, text);
    await printSecret(house, there(client, id, await house.endpoints.rotate(client, id, whoOf(options))), options);
  });
}

async function remove(text: string, id: string, options: OnRecord): Promise<void> {
  await withHouse(options, async house => {
    const { id: client } = await knownClient(house, text);
    there(client, id, await house.endpoints.remove(client, id, whoOf(options)));
    await house.outbox.clear(client, id);
    if (options.json === true) printJson({ id, removed: true });
    else printLine(`webhook ${id} removed`);
  });
}

async function test(text: string, id: string, options: OnRecord): Promise<void> {
  await withHouse(options, async house => {
    const { id: client } = await knownClient(house, text);
    const endpoint = await known(house, client, id);
    await house.audit.record(client, { ...whoOf(options), what: 'webhook.test', about: { webhook: id } });
    const event = await house.outbox.test(client, endpoint);
    if (options.json === true) printJson({ id: event });
    else printLine(`event ${event} is sent by the gate that runs`);
  });
}

async function deliveries(text: string, id: string, options: DeliveryOptions): Promise<void> {
  const { waiting = false, limit } = options;
  await withHouse(options, async house => {
    const { id: client } = await knownClient(house, text);
    await known(house, client, id);
    const { items } = await house.outbox.page(client, id, waiting ? 'waiting' : 'dead', { limit });
    const events = items.map(({ event }) => ({
      id: event.id,
      type: event.type,
      happenedAt: isoTime(event.at),
      attempts: event.attempts,
      last: event.last ?? null,
    }));
    if (options.json === true) return printJson(events);
    const rows = events.map(one => [one.id, one.type, one.happenedAt, one.attempts, one.last ?? '']);
    printTable(['event', 'type', 'happened', 'attempts', 'last attempt'], rows);
  });
}

async function replay(text: string, id: string, event: string | undefined, options: OnRecord & { readonly all?: boolean }): Promise<void> {
  if ((event === undefined) !== (options.all === true)) throw usage('name one event, or --all');
  await withHouse(options, async house => {
    const { id: client } = await knownClient(house, text);
    await known(house, client, id);
    const replayed = await house.outbox.replay(client, id, event, Number.POSITIVE_INFINITY);
    if (event !== undefined && replayed === 0)
      throw new CommandFailure(`no dead event '${event}'; postern webhook deliveries ${client} ${id} names them`);
    await house.audit.record(client, { ...whoOf(options), what: 'webhook.replay', about: { webhook: id, events: replayed } });
    if (options.json === true) printJson({ replayed });
    else printLine(`${replayed} to be sent once more`);
  });
}

function typesOf(texts: readonly string[] | undefined): readonly EventType[] | undefined {
  return texts?.map(text => {
    const type = EVENT_TYPES.find(name => name === text);
    if (type === undefined) throw usage(`--type '${text}' is none; use some of ${EVENT_TYPES.join(', ')}`);
    return type;
  });
}

async function known(house: House, client: ClientId, id: string): Promise<Endpoint> {
  return there(client, id, (await house.endpoints.find(client, id)) ?? 'missing');
}

/** The endpoint, unless it is none. */
function there<T>(client: ClientId, id: string, found: T | Missed): T {
  if (found === 'missing' || found === 'changed')
    throw new CommandFailure(`client ${client} has no webhook '${id}'; postern webhook list ${client} names them`);
  return found;
}

async function printSecret(house: House, endpoint: Endpoint, options: Common): Promise<void> {
  const secret = endpoint.secrets[0]?.secret;
  if (options.json === true) printJson({ ...shown(endpoint, (await house.standings.of([endpoint.id]))[0]), secret });
  else printLine(`webhook ${endpoint.id}\nsecret  ${secret}\nShown this once: verify signatures with it (Standard Webhooks).`);
}

/** An endpoint as it may be shown: without its secrets. */
function shown({ id, url, types, disabled, createdAt }: Endpoint, standing: Standing = {}) {
  const { failingSince, waiting = 0, dead = 0, oldestAt, dropped = 0, droppedSince } = standing;
  const iso = (at: number | undefined): string | undefined => (at === undefined ? undefined : isoTime(at));
  return {
    ...{ id, url, types, disabled, createdAt: isoTime(createdAt), failingSince: iso(failingSince) },
    ...{ waiting, dead, oldestWaitingAt: iso(oldestAt), dropped, droppedSince: iso(droppedSince) },
  };
}

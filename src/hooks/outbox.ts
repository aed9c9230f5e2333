/** The outbox: each event once for each endpoint that wants it, kept with what it tells of until it is delivered or given up. */
import { randomBytes } from 'node:crypto';
import { type ClientId, GLOBAL } from '../ids.ts';
import type { Vault } from '../keys/vault.ts';
import type { Clock } from '../ops/clock.ts';
import type { Change, RecordKey, Store, Value } from '../store/store.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import type { EventData, NewEvent, SentType } from './event.ts';

/** An event on its way to one endpoint. */
export interface Queued {
  /** The same for all endpoints and attempts: `webhook-id`. Sorts by time. */
  readonly id: string;
  readonly type: SentType;
  /** When it happened, ms since 1970 UTC. */
  readonly at: number;
  readonly data: EventData;
  /** Attempts that failed. */
  readonly attempts: number;
  /** What became of the last one: a status, or why there was none. */
  readonly last?: string | undefined;
}

export interface OutboxParts {
  readonly store: Store;
  readonly vault: Pick<Vault, 'sealer'>;
  readonly endpoints: Endpoints;
  readonly clock: Clock;
}

export type State = 'waiting' | 'dead';

const LOGS: Readonly<Record<State, string>> = { waiting: 'hooks-due', dead: 'hooks-dead' };
const TIME_DIGITS = 12;

/** Every method throws StoreUnavailable (VaultUnavailable included) where no answer came. */
export class Outbox {
  readonly #parts: OutboxParts;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** What to write, in one apply with what the events tell of. Nothing where nobody wants to know. All of the owner. */
  async changes(owner: ClientId | typeof GLOBAL, events: readonly NewEvent[]): Promise<readonly Change[]> {
    if (owner === GLOBAL || events.length === 0) return [];
    const endpoints = (await this.#parts.endpoints.of(owner)).filter(({ disabled }) => disabled === undefined);
    if (!endpoints.some(({ types }) => events.some(({ type }) => types.includes(type)))) return [];
    const at = this.#parts.clock.now();
    const queued = events.map(event => ({ ...event, id: newEventId(at), at, attempts: 0 }));
    const changes: Change[] = [];
    for (const endpoint of endpoints) {
      for (const one of queued) if (endpoint.types.includes(one.type)) changes.push(await this.#put(owner, endpoint.id, one, at));
    }
    return changes;
  }

  /** Puts one event into the outbox by itself, to one endpoint whatever it wants. The event's id. */
  async test(client: ClientId, { id }: Endpoint): Promise<string> {
    const at = this.#parts.clock.now();
    const event: Queued = { id: newEventId(at), type: 'webhook.test', at, data: {}, attempts: 0 };
    await this.#parts.store.apply([await this.#put(client, id, event, at)]);
    return event.id;
  }

  /** Puts events into the outbox by themselves. */
  async tell(client: ClientId, events: readonly NewEvent[]): Promise<void> {
    const changes = await this.changes(client, events);
    if (changes.length > 0) await this.#parts.store.apply(changes);
  }

  /** What is due by `now`, or dead, oldest first; at most `limit`. What cannot be opened any more is left out. */
  async list(
    client: ClientId,
    endpoint: string,
    state: State,
    limit: number,
    now = Number.POSITIVE_INFINITY,
  ): Promise<readonly { key: RecordKey; event: Queued }[]> {
    const range = { owner: client, log: logOf(state, endpoint), limit };
    const to = Number.isFinite(now) ? { to: time(now + 1) } : {};
    const sealer = await this.#parts.vault.sealer(client);
    const found: { key: RecordKey; event: Queued }[] = [];
    for await (const [key, value] of this.#parts.store.scan({ ...range, ...to })) {
      if (!('log' in key)) continue;
      const opened = sealer?.open(value, aad(client, endpoint, eventOf(key)));
      if (opened !== undefined) found.push({ key, event: JSON.parse(opened.toString()) as Queued });
    }
    return found;
  }

  /** It was delivered: nothing of it is kept. */
  async delivered(key: RecordKey): Promise<void> {
    await this.#parts.store.apply([{ key, value: undefined }]);
  }

  /** To be tried again at `due` (ms since 1970 UTC); undefined: never, it is dead. */
  async again(client: ClientId, endpoint: string, key: RecordKey, event: Queued, due: number | undefined): Promise<void> {
    const { store } = this.#parts;
    const [value] = await store.find([key]);
    // Gone meanwhile with its endpoint.
    if (value === undefined) return;
    await store.apply([{ key, value: undefined }, await this.#put(client, endpoint, event, due)], [{ key, value }]);
  }

  /** A dead event, or all of the endpoint's, once more from the first attempt on. How many. */
  async replay(client: ClientId, endpoint: string, id?: string): Promise<number> {
    const dead = (await this.list(client, endpoint, 'dead', REPLAYED)).filter(({ event }) => id === undefined || event.id === id);
    for (const { key, event } of dead) await this.again(client, endpoint, key, { ...event, attempts: 0 }, this.#parts.clock.now());
    return dead.length;
  }

  /** Forgets what is dead since before `before` (ms since 1970 UTC); of an endpoint that is no more, everything. */
  async purge(client: ClientId, endpoint: string, before?: number): Promise<void> {
    const ranges =
      before === undefined
        ? [{ log: logOf('waiting', endpoint) }, { log: logOf('dead', endpoint) }]
        : [{ log: logOf('dead', endpoint), to: time(before) }];
    for (const range of ranges) {
      let keys: RecordKey[] = [];
      for await (const [key] of this.#parts.store.scan({ owner: client, ...range })) {
        if ('log' in key) keys.push(key);
        if (keys.length === PURGED_AT_ONCE) {
          await this.#parts.store.apply(keys.map(gone => ({ key: gone, value: undefined })));
          keys = [];
        }
      }
      if (keys.length > 0) await this.#parts.store.apply(keys.map(gone => ({ key: gone, value: undefined })));
    }
  }

  async #put(client: ClientId, endpoint: string, event: Queued, due: number | undefined): Promise<Change> {
    const sealer = await this.#parts.vault.sealer(client);
    // Shredded with its client's key: nobody is left to be told.
    const value: Value | undefined = sealer?.seal(JSON.stringify(event), aad(client, endpoint, event.id));
    const [state, at] = due === undefined ? (['dead', this.#parts.clock.now()] as const) : (['waiting', due] as const);
    return { key: { owner: client, log: logOf(state, endpoint), id: `${time(at)}-${event.id}` }, value };
  }
}

const REPLAYED = 1_000;
const PURGED_AT_ONCE = 1_000;

function newEventId(at: number): string {
  return `evt_${time(at)}${randomBytes(8).toString('hex')}`;
}

function logOf(state: State, endpoint: string): string {
  return `${LOGS[state]}-${endpoint}`;
}

function eventOf({ id }: RecordKey): string {
  return id.slice(TIME_DIGITS + 1);
}

function time(at: number): string {
  return Math.max(0, Math.floor(at)).toString(16).padStart(TIME_DIGITS, '0');
}

function aad(client: ClientId, endpoint: string, event: string): string {
  return `${client}/hooks/${endpoint}/${event}`;
}

/** The outbox: each event once for each endpoint that wants it, kept with what it tells of until it is delivered or given up. */
import { randomBytes } from 'node:crypto';
import { type ClientId, GLOBAL } from '../ids.ts';
import type { Vault } from '../keys/vault.ts';
import type { Clock } from '../ops/clock.ts';
import { inTurns } from '../ops/turns.ts';
import { type Change, isEntryKey, type RecordKey, type Store, type Value } from '../store/store.ts';
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

export interface Page {
  readonly items: readonly { readonly key: RecordKey; readonly event: Queued }[];
  /** The id to go on after; undefined where nothing follows. */
  readonly next: string | undefined;
}

/** When each of the events happened that are kept, ms since 1970 UTC. */
export interface Kept extends Readonly<Record<State, readonly number[]>> {
  /** Of those that wait. */
  readonly oldestAt: number | undefined;
}

const LOGS: Readonly<Record<State, string>> = { waiting: 'hooks-due', dead: 'hooks-dead' };
const STATES = ['waiting', 'dead'] as const;
const TIME_DIGITS = 12;
const EVENT = 'evt_';

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
    const wanted = endpoints.flatMap(({ id, types }) => queued.flatMap(one => (types.includes(one.type) ? [{ id, one }] : [])));
    return inTurns(wanted, AT_A_TURN, piece => Promise.all(piece.map(({ id, one }) => this.#put(owner, id, one, at))));
  }

  /** Puts one event into the outbox by itself, to one endpoint whatever it wants. The event's id. */
  async test(client: ClientId, { id }: Endpoint): Promise<string> {
    const at = this.#parts.clock.now();
    const event: Queued = { id: newEventId(at), type: 'webhook.test', at, data: {}, attempts: 0 };
    await this.#parts.store.apply([await this.#put(client, id, event, at)]);
    return event.id;
  }

  /** Puts events into the outbox by themselves. */
  async tell(owner: ClientId | typeof GLOBAL, events: readonly NewEvent[]): Promise<void> {
    const changes = await this.changes(owner, events);
    if (changes.length > 0) await this.#parts.store.apply(changes);
  }

  /** What is due by `dueBy` (ms since 1970 UTC), or dead, in that order; those after the id `after`. What cannot be opened any more is left out. */
  async page(
    client: ClientId,
    endpoint: string,
    state: State,
    { limit, dueBy, after }: { readonly limit: number; readonly dueBy?: number; readonly after?: string | undefined },
  ): Promise<Page> {
    const range = { owner: client, log: logOf(state, endpoint), limit: limit + 1 };
    const to = dueBy === undefined ? {} : { to: time(dueBy + 1) };
    // The first that is greater.
    const from = after === undefined ? {} : { from: `${after}!` };
    const sealer = await this.#parts.vault.sealer(client);
    const items: Page['items'][number][] = [];
    let last: string | undefined;
    let seen = 0;
    for await (const [key, value] of this.#parts.store.scan({ ...range, ...from, ...to })) {
      if (isEntryKey(key)) continue;
      seen += 1;
      if (seen > limit) return { items, next: last };
      last = key.id;
      const opened = sealer?.open(value, aad(client, endpoint, eventOf(key)));
      if (opened !== undefined) items.push({ key, event: JSON.parse(opened.toString()) as Queued });
    }
    return { items, next: undefined };
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

  /** A dead event, or all of them up to `most`, once more from the first attempt on. How many. */
  async replay(client: ClientId, endpoint: string, id?: string, most = AT_ONCE): Promise<number> {
    // What dies again meanwhile is not sent a third time.
    const now = this.#parts.clock.now();
    let replayed = 0;
    for (let after: string | undefined, more = true; more && replayed < most; more = after !== undefined) {
      const page = await this.page(client, endpoint, 'dead', { limit: Math.min(AT_ONCE, most - replayed), dueBy: now, after });
      for (const { key, event } of page.items.filter(({ event }) => id === undefined || event.id === id)) {
        await this.again(client, endpoint, key, { ...event, attempts: 0 }, now);
        replayed += 1;
      }
      if (id !== undefined && replayed > 0) break;
      after = page.next;
    }
    return replayed;
  }

  /** What is kept for the endpoint: reads all of it. */
  async count(client: ClientId, endpoint: string): Promise<Kept> {
    const at: Record<State, number[]> = { waiting: [], dead: [] };
    for (const state of STATES) {
      for await (const [key] of this.#parts.store.scan({ owner: client, log: logOf(state, endpoint) }))
        if (!isEntryKey(key)) at[state].push(happened(key));
    }
    const oldestAt = at.waiting.reduce((oldest, one) => Math.min(oldest, one), Number.POSITIVE_INFINITY);
    return { ...at, oldestAt: Number.isFinite(oldestAt) ? oldestAt : undefined };
  }

  /** Drops `n` events of those that happened at `until` (ms since 1970 UTC) or before, dead ones first. How many there were. */
  async drop(client: ClientId, endpoint: string, n: number, until: number): Promise<number> {
    let dropped = 0;
    for (const state of ['dead', 'waiting'] as const)
      dropped += await this.#forget(client, { log: logOf(state, endpoint) }, n - dropped, key => happened(key) <= until);
    return dropped;
  }

  /** Forgets what is dead since before `before` (ms since 1970 UTC), or waits since then. */
  async purge(client: ClientId, endpoint: string, states: readonly State[], before: number): Promise<void> {
    for (const state of states) await this.#forget(client, { log: logOf(state, endpoint), to: time(before) });
  }

  /** Forgets everything of an endpoint that is no more. */
  async clear(client: ClientId, endpoint: string): Promise<void> {
    for (const state of STATES) await this.#forget(client, { log: logOf(state, endpoint) });
  }

  async #forget(
    client: ClientId,
    range: { readonly log: string; readonly to?: string },
    most = Number.POSITIVE_INFINITY,
    which: (key: RecordKey) => boolean = () => true,
  ): Promise<number> {
    const { store } = this.#parts;
    let forgotten = 0;
    let keys: RecordKey[] = [];
    const forget = async (): Promise<void> => {
      if (keys.length > 0) await store.apply(keys.map(key => ({ key, value: undefined })));
      forgotten += keys.length;
      keys = [];
    };
    for await (const [key] of store.scan({ owner: client, ...range })) {
      if (forgotten + keys.length >= most) break;
      if (!isEntryKey(key) && which(key)) keys.push(key);
      if (keys.length === AT_ONCE) await forget();
    }
    await forget();
    return forgotten;
  }

  async #put(client: ClientId, endpoint: string, event: Queued, due: number | undefined): Promise<Change> {
    const sealer = await this.#parts.vault.sealer(client);
    // Shredded with its client's key: nobody is left to be told.
    const value: Value | undefined = sealer?.seal(JSON.stringify(event), aad(client, endpoint, event.id));
    const [state, at] = due === undefined ? (['dead', this.#parts.clock.now()] as const) : (['waiting', due] as const);
    return { key: { owner: client, log: logOf(state, endpoint), id: `${time(at)}-${event.id}` }, value };
  }
}

const AT_ONCE = 1_000;
/** Events sealed in one turn: a millisecond. */
const AT_A_TURN = 100;

function newEventId(at: number): string {
  return `${EVENT}${time(at)}${randomBytes(8).toString('hex')}`;
}

function logOf(state: State, endpoint: string): string {
  return `${LOGS[state]}-${endpoint}`;
}

function eventOf({ id }: RecordKey): string {
  return id.slice(TIME_DIGITS + 1);
}

/** When the event of this record happened, ms since 1970 UTC. */
function happened(key: RecordKey): number {
  return Number.parseInt(eventOf(key).slice(EVENT.length, EVENT.length + TIME_DIGITS), 16);
}

function time(at: number): string {
  return Math.max(0, Math.floor(at)).toString(16).padStart(TIME_DIGITS, '0');
}

function aad(client: ClientId, endpoint: string, event: string): string {
  return `${client}/hooks/${endpoint}/${event}`;
}

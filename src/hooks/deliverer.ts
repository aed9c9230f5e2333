/** Delivers what is due: a few requests at once for each endpoint, again with growing pauses for some three days, then dead. */
import { setMaxListeners } from 'node:events';
import type { ClientId } from '../ids.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { regularly } from '../ops/regularly.ts';
import type { RecordKey, Store } from '../store/store.ts';
import { Census } from './census.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import { Lease } from './lease.ts';
import type { WebhookOptions } from './options.ts';
import type { Outbox, Page, Queued } from './outbox.ts';
import { parseEndpoint, post } from './post.ts';
import type { Standings } from './standing.ts';
import { isSlow, type Turn, Turns } from './turns.ts';

export interface DelivererParts {
  readonly store: Store;
  readonly endpoints: Endpoints;
  readonly outbox: Outbox;
  readonly standings: Standings;
  readonly options: WebhookOptions;
  /** Whether the person (`local@domain`) was erased for that client. */
  readonly erased: (client: ClientId, recipient: string) => Promise<boolean>;
  /** Told of each attempt: `delivered`, `failed`, or `dead` where it was the last; and of events that were `dropped`. */
  readonly count: (result: 'delivered' | 'failed' | 'dead' | 'dropped', n?: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Pauses before each further attempt, as Standard Webhooks proposes: 76 hours in all. */
export const PAUSES: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
/** A pause is up to so much longer or shorter, so that what failed together does not come back together. */
const JITTER = 0.2;

const LOOK_MS = 500;
const COUNT_MS = 5 * SECOND;
/** Requests at once to an endpoint that answers; one to another. */
const ABREAST = 4;
const TAKEN = 64;
/** A turn takes no more events after so long: others wait. */
const TURN_MS = 2 * SECOND;
/** That it still fails is written down no more often. */
const NOTED_MS = HOUR;
/** Who was not asked for so long has not been failing all the time. */
const GAP_MS = 36 * HOUR;

export class Deliverer {
  readonly #parts: DelivererParts;
  readonly #lease: Lease;
  readonly #census: Census;
  readonly #turns = new Turns();
  readonly #stopping = new AbortController();
  readonly #serving = new Set<Promise<void>>();
  readonly #looking: { stop(): Promise<void> };
  readonly #counting: { stop(): Promise<void> };

  /** Begins at once. */
  constructor(parts: DelivererParts) {
    const { log } = parts;
    this.#parts = parts;
    // Each request listens.
    setMaxListeners(0, this.#stopping.signal);
    this.#lease = new Lease(parts.store, parts.clock);
    this.#census = new Census(parts);
    this.#looking = regularly(LOOK_MS, 'delivering webhooks', log, () => this.#look());
    this.#counting = regularly(COUNT_MS, 'counting webhooks', log, async () => {
      if (await this.#goesOn()) await this.#census.take(() => this.#goesOn());
    });
  }

  /** Breaks off what is under way: it is sent again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#looking.stop(), this.#counting.stop()]);
    await Promise.all(this.#serving);
    await this.#lease.release().catch(() => undefined);
  }

  async #goesOn(): Promise<boolean> {
    return !this.#stopping.signal.aborted && this.#lease.hold();
  }

  async #look(): Promise<void> {
    const { endpoints, outbox, clock } = this.#parts;
    if (!(await this.#goesOn())) return;
    const all: { readonly id: string; readonly client: ClientId; readonly endpoint: Endpoint }[] = [];
    for (const client of await endpoints.clients()) {
      for (const endpoint of await endpoints.of(client))
        if (endpoint.disabled === undefined) all.push({ id: endpoint.id, client, endpoint });
    }
    for (const { id, client, endpoint } of this.#turns.order(all, performance.now())) {
      if (!this.#turns.hasRoom(id, performance.now())) continue;
      const { items } = await outbox.page(client, id, 'waiting', { limit: TAKEN, dueBy: clock.now() });
      if (items.length === 0) continue;
      if (!(await this.#goesOn())) return;
      const serving: Promise<void> = this.#serve(client, endpoint, items).finally(() => this.#serving.delete(serving));
      this.#serving.add(serving);
    }
  }

  /** What is due now, and no more: the endpoint may have been changed when the next is. */
  async #serve(client: ClientId, endpoint: Endpoint, due: Page['items']): Promise<void> {
    const { outbox, clock, log } = this.#parts;
    const { id } = endpoint;
    const begun = performance.now();
    const turn = this.#turns.begin(id, begun);
    let well = false;
    try {
      for (let items = due; items.length > 0; ) {
        const taken = await this.#ask(client, endpoint, turn, items);
        well ||= taken > 0;
        if (taken === 0 || performance.now() - begun > TURN_MS || this.#stopping.signal.aborted) break;
        ({ items } = await outbox.page(client, id, 'waiting', { limit: TAKEN, dueBy: clock.now() }));
      }
      if (!this.#stopping.signal.aborted) await this.#note(client, endpoint, well);
    } catch (error) {
      log.warn({ client, endpoint: id, err: error }, 'delivering to an endpoint broke off and is tried again');
    } finally {
      this.#turns.end(id, well, performance.now());
    }
  }

  /** How many of these were taken. None is asked any more where several were refused, or one was not answered. */
  async #ask(client: ClientId, endpoint: Endpoint, turn: Turn, items: Page['items']): Promise<number> {
    const left = [...items];
    const begun = performance.now();
    let taken = 0;
    let refused = 0;
    const goesOn = (): boolean => {
      if (this.#stopping.signal.aborted || performance.now() - begun > TURN_MS) return false;
      return taken > 0 || (refused < ABREAST && !isSlow(turn, performance.now()));
    };
    const one = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined && goesOn(); next = left.shift()) {
        if (await this.#deliver(client, endpoint, next.key, next.event)) taken += 1;
        else refused += 1;
        turn.answeredAt = performance.now();
      }
    };
    await Promise.all(Array.from({ length: this.#turns.isFailing(endpoint.id) ? 1 : ABREAST }, one));
    return taken;
  }

  /** Writes down since when nothing reaches it, and switches it off where that was long ago. */
  async #note(client: ClientId, { id, onSince = 0 }: Endpoint, well: boolean): Promise<void> {
    const { endpoints, standings, options, clock, log } = this.#parts;
    const before = await standings.failing(id);
    if (well) {
      if (before !== undefined) await standings.noted(id, undefined);
      return;
    }
    const now = clock.now();
    const goesOn = before !== undefined && before.since >= onSince && now - before.last < GAP_MS;
    if (!goesOn) return standings.noted(id, { since: now, last: now });
    if (now - before.last > NOTED_MS) await standings.noted(id, { ...before, last: now });
    if (now - before.since < options.failingDays * DAY || !(await endpoints.switchOff(client, id, 'failing'))) return;
    log.error({ alarm: 'webhook-off', client, endpoint: id, because: 'failing' }, 'a webhook failed for days and is switched off');
  }

  async #deliver(client: ClientId, endpoint: Endpoint, key: RecordKey, event: Queued): Promise<boolean> {
    const { outbox, endpoints, options, clock, log, count } = this.#parts;
    const url = parseEndpoint(endpoint.url, options.loopback);
    const answer =
      'problem' in url
        ? url.problem
        : await post({
            url,
            id: event.id,
            secrets: endpoints.signing(endpoint),
            body: await this.#body(client, event),
            timeoutMs: options.timeoutSeconds * SECOND,
            signal: this.#stopping.signal,
          });
    // What was broken off here counts for nothing.
    if (this.#stopping.signal.aborted && typeof answer === 'string') return false;
    if (typeof answer === 'number' && answer >= 200 && answer < 300) {
      await outbox.delivered(key);
      count('delivered');
      return true;
    }
    const pause = answer === 410 ? undefined : PAUSES[event.attempts];
    const due = pause === undefined ? undefined : clock.now() + pause * (1 + JITTER * (2 * Math.random() - 1));
    const last = typeof answer === 'number' ? `status ${answer}` : answer;
    await outbox.again(client, endpoint.id, key, { ...event, attempts: event.attempts + 1, last }, due);
    count(due === undefined ? 'dead' : 'failed');
    if (answer === 410) {
      if (await endpoints.switchOff(client, endpoint.id, 'gone'))
        log.error({ alarm: 'webhook-off', client, endpoint: endpoint.id, because: 'gone' }, 'a webhook answered 410 and is switched off');
    } else if (due === undefined) {
      log.warn({ client, endpoint: endpoint.id, event: event.id, last }, 'an event could not be delivered and is given up');
    }
    return false;
  }

  async #body(client: ClientId, { type, at, data: { recipient, digest, ...data } }: Queued): Promise<string> {
    // The digest would lead to an erased person as well.
    const named = recipient !== undefined && (await this.#parts.erased(client, recipient)) ? {} : { digest, recipient };
    return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data: { client, ...data, ...named } });
  }
}

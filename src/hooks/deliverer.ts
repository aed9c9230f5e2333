/** Delivers what is due: a few requests at once for each endpoint, again with growing pauses for some three days, then dead. */
import type { ClientId } from '../ids.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { regularly } from '../ops/regularly.ts';
import type { RecordKey, Store } from '../store/store.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import { Lease } from './lease.ts';
import type { WebhookOptions } from './options.ts';
import type { Outbox, Queued } from './outbox.ts';
import { parseEndpoint, post } from './post.ts';

export interface DelivererParts {
  readonly store: Store;
  readonly endpoints: Endpoints;
  readonly outbox: Outbox;
  readonly options: WebhookOptions;
  /** Whether the person (`local@domain`) was erased for that client. */
  readonly erased: (client: ClientId, recipient: string) => Promise<boolean>;
  /** Told of each attempt: `delivered`, `failed`, or `dead` where it was the last. */
  readonly count: (result: 'delivered' | 'failed' | 'dead') => void;
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
const ABREAST = 4;
/** Endpoints that are served at once. */
const MAX_SERVED = 16;
const TAKEN = 64;
/** An endpoint of which nothing was taken is left alone for so long, whatever is due. */
const REST_MS = 2 * SECOND;

export class Deliverer {
  readonly #parts: DelivererParts;
  readonly #lease: Lease;
  readonly #stopping = new AbortController();
  /** By endpoint. */
  readonly #serving = new Map<string, Promise<void>>();
  readonly #resting = new Map<string, number>();
  readonly #looking: { stop(): Promise<void> };
  readonly #purging: { stop(): Promise<void> };

  /** Begins at once. */
  constructor(parts: DelivererParts) {
    const { log } = parts;
    this.#parts = parts;
    this.#lease = new Lease(parts.store, parts.clock);
    this.#looking = regularly(LOOK_MS, 'delivering webhooks', log, () => this.#look());
    this.#purging = regularly(HOUR, 'forgetting dead webhooks', log, () => this.#purge());
  }

  /** Breaks off what is under way: it is sent again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#looking.stop(), this.#purging.stop(), ...this.#serving.values()]);
    await this.#lease.release().catch(() => undefined);
  }

  async #look(): Promise<void> {
    const { endpoints, clock, log } = this.#parts;
    if (!(await this.#lease.hold())) return;
    for (const client of await endpoints.clients()) {
      for (const endpoint of await endpoints.of(client)) {
        const { id } = endpoint;
        const idle = !this.#serving.has(id) && (this.#resting.get(id) ?? 0) <= clock.now();
        if (endpoint.disabled !== undefined || !idle || this.#serving.size >= MAX_SERVED || this.#stopping.signal.aborted) continue;
        const serving = this.#serve(client, endpoint)
          .catch(error => log.warn({ client, endpoint: id, err: error }, 'delivering to an endpoint broke off and is tried again'))
          .finally(() => this.#serving.delete(id));
        this.#serving.set(id, serving);
      }
    }
  }

  /** What is due now, and no more: the endpoint may have been changed when the next is. */
  async #serve(client: ClientId, endpoint: Endpoint): Promise<void> {
    const { outbox, clock } = this.#parts;
    const due = [...(await outbox.list(client, endpoint.id, 'waiting', TAKEN, clock.now()))];
    if (due.length === 0) return;
    let taken = 0;
    let refused = 0;
    const one = async (): Promise<void> => {
      for (let next = due.shift(); next !== undefined; next = due.shift()) {
        if (this.#stopping.signal.aborted || (refused >= ABREAST && taken === 0)) return;
        if (await this.#deliver(client, endpoint, next.key, next.event)) taken += 1;
        else refused += 1;
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, one));
    if (taken === 0) this.#resting.set(endpoint.id, clock.now() + REST_MS);
    else this.#resting.delete(endpoint.id);
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
      const gone = (all: readonly Endpoint[]) =>
        all.map(other => (other.id === endpoint.id ? ({ ...other, disabled: 'gone' } as const) : other));
      await endpoints.change(client, gone);
      log.warn({ client, endpoint: endpoint.id }, 'an endpoint answered 410 and is switched off');
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

  async #purge(): Promise<void> {
    const { endpoints, outbox, options, clock } = this.#parts;
    if (!(await this.#lease.hold())) return;
    for (const client of await endpoints.clients()) {
      for (const { id } of await endpoints.of(client)) await outbox.purge(client, id, clock.now() - options.deadDays * DAY);
    }
  }
}

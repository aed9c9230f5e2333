/** Counts what is kept for each endpoint, and keeps it within bounds: nothing that a platform does not take can fill the store. */
import type { ClientId } from '../ids.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { Endpoint, Endpoints } from './endpoints.ts';
import type { WebhookOptions } from './options.ts';
import type { Outbox } from './outbox.ts';
import type { Count, Standings } from './standing.ts';

export interface CensusParts {
  readonly endpoints: Endpoints;
  readonly outbox: Outbox;
  readonly standings: Standings;
  readonly options: Pick<WebhookOptions, 'deadDays' | 'maxQueued'>;
  readonly count: (result: 'dropped', n: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

const DAY = 86_400_000;
/** What counting costs: an endpoint with a hundred thousand events is counted every minute or two, one with few each time. */
const PAUSE_PER_EVENT_MS = 1;
/** Of an endpoint that is no more, for so long something may still be written by who had read it before. */
const LINGERS_MS = 60_000;

export class Census {
  readonly #parts: CensusParts;
  /** By endpoint: when it is to be counted again. */
  readonly #next = new Map<string, number>();
  /** Of these it was said that events are dropped. */
  readonly #full = new Set<string>();
  /** Endpoints that are no more, and when that was seen. */
  readonly #gone = new Map<string, number>();

  constructor(parts: CensusParts) {
    this.#parts = parts;
  }

  /** One round over all endpoints. `goesOn` is asked before each. @throws StoreUnavailable */
  async take(goesOn: () => Promise<boolean>): Promise<void> {
    const { endpoints, standings, clock } = this.#parts;
    const seen = new Set<string>();
    for (const client of await endpoints.clients()) {
      for (const endpoint of await endpoints.of(client)) {
        seen.add(endpoint.id);
        if ((this.#next.get(endpoint.id) ?? 0) > clock.now()) continue;
        if (!(await goesOn())) return;
        await this.#count(client, endpoint);
      }
    }
    for await (const [id, { client }] of standings.counts()) if (!seen.has(id)) await this.#forget(client, id);
  }

  async #count(client: ClientId, { id, disabled }: Endpoint): Promise<void> {
    const { outbox, standings, options, clock } = this.#parts;
    const now = clock.now();
    await outbox.purge(client, id, disabled === undefined ? ['dead'] : ['waiting', 'dead'], now - options.deadDays * DAY);
    const kept = await outbox.count(client, id);
    const all = kept.waiting.length + kept.dead.length;
    const dropped = await this.#drop(client, id, all - options.maxQueued, [...kept.waiting, ...kept.dead]);
    const { waiting, dead, oldestAt } = dropped === 0 ? kept : await outbox.count(client, id);
    const before = await standings.count(id);
    const count: Count = {
      client,
      waiting: waiting.length,
      dead: dead.length,
      ...(oldestAt === undefined ? {} : { oldestAt }),
      ...(disabled === undefined ? {} : { off: true }),
      ...(dropped > 0 || before?.dropped !== undefined
        ? { dropped: (before?.dropped ?? 0) + dropped, droppedSince: before?.droppedSince ?? now }
        : {}),
    };
    if (JSON.stringify(count) !== JSON.stringify(before)) await standings.counted(id, count);
    this.#next.set(id, now + all * PAUSE_PER_EVENT_MS);
  }

  async #drop(client: ClientId, id: string, over: number, times: readonly number[]): Promise<number> {
    const { outbox, count, log } = this.#parts;
    if (over <= 0) {
      this.#full.delete(id);
      return 0;
    }
    const until = Float64Array.from(times).sort()[over - 1] ?? 0;
    const dropped = await outbox.drop(client, id, over, until);
    count('dropped', dropped);
    if (!this.#full.has(id))
      log.error({ alarm: 'webhook-overflow', client, endpoint: id }, 'too many events are kept for a webhook: the oldest are dropped');
    this.#full.add(id);
    return dropped;
  }

  /** What is written for it once more by whoever read it before it was removed is forgotten, too. */
  async #forget(client: ClientId, id: string): Promise<void> {
    const { outbox, standings, clock } = this.#parts;
    const since = this.#gone.get(id) ?? clock.now();
    this.#gone.set(id, since);
    await outbox.clear(client, id);
    if (clock.now() - since < LINGERS_MS) return;
    await standings.forget(id);
    for (const known of [this.#gone, this.#next, this.#full]) known.delete(id);
  }
}

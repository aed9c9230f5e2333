/** How it stands with each endpoint: what is kept for it, and since when nothing reaches it. Written by whoever delivers, read by all. */
import { type ClientId, GLOBAL } from '../ids.ts';
import { isEntryKey, type RecordKey, type Store } from '../store/store.ts';

/** As it was when it was last counted: within a minute or so. */
export interface Count {
  readonly client: ClientId;
  readonly waiting: number;
  readonly dead: number;
  /** When the oldest of those that wait happened, ms since 1970 UTC. */
  readonly oldestAt?: number | undefined;
  /** Whether it is switched off: then nothing is late. */
  readonly off?: boolean | undefined;
  /** Events dropped because there were too many, and when the first was. */
  readonly dropped?: number | undefined;
  readonly droppedSince?: number | undefined;
}

/** Since when every attempt failed, and the last of them; ms since 1970 UTC. */
export interface Failing {
  readonly since: number;
  readonly last: number;
}

export interface Standing extends Partial<Omit<Count, 'client'>> {
  readonly failingSince?: number | undefined;
}

const COUNTS = 'webhook-counts';
const FAILING = 'webhook-failing';

/** Every method throws StoreUnavailable where no answer came. */
export class Standings {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** In the order of the endpoints. */
  async of(endpoints: readonly string[]): Promise<readonly Standing[]> {
    const values = await this.#store.find(endpoints.flatMap(id => [keyOf(COUNTS, id), keyOf(FAILING, id)]));
    return endpoints.map((_, index) => {
      const [count, failing] = [values[2 * index], values[2 * index + 1]];
      return {
        ...(count === undefined ? {} : (JSON.parse(count.toString()) as Count)),
        failingSince: failing && (JSON.parse(failing.toString()) as Failing).since,
      };
    });
  }

  /** Of all endpoints that were ever counted and are not forgotten. */
  async *counts(): AsyncIterable<readonly [string, Count]> {
    for await (const [key, value] of this.#store.scan({ owner: GLOBAL, log: COUNTS }))
      if (!isEntryKey(key)) yield [key.id, JSON.parse(value.toString()) as Count];
  }

  async count(endpoint: string): Promise<Count | undefined> {
    const [value] = await this.#store.find([keyOf(COUNTS, endpoint)]);
    return value && (JSON.parse(value.toString()) as Count);
  }

  async counted(endpoint: string, count: Count): Promise<void> {
    await this.#store.apply([{ key: keyOf(COUNTS, endpoint), value: Buffer.from(JSON.stringify(count)) }]);
  }

  async failing(endpoint: string): Promise<Failing | undefined> {
    const [value] = await this.#store.find([keyOf(FAILING, endpoint)]);
    return value && (JSON.parse(value.toString()) as Failing);
  }

  /** Undefined: it was reached. */
  async noted(endpoint: string, failing: Failing | undefined): Promise<void> {
    await this.#store.apply([{ key: keyOf(FAILING, endpoint), value: failing && Buffer.from(JSON.stringify(failing)) }]);
  }

  /** There is no such endpoint any more. */
  async forget(endpoint: string): Promise<void> {
    await this.#store.apply([COUNTS, FAILING].map(log => ({ key: keyOf(log, endpoint), value: undefined })));
  }
}

function keyOf(log: string, id: string): RecordKey {
  return { owner: GLOBAL, log, id };
}

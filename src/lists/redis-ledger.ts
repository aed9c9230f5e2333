/** A ledger in a Redis of its own: one stream, whose times are the server's and never run backwards. */
import type { Redis } from 'ioredis';
import { openDurableRedis, RedisUnfit, redisFault } from '../keys/durable-redis.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type LedgerLine, type LedgerMedium, LedgerProblem } from './ledger-medium.ts';

const HEADER = 'postern:{ledger}:header';
const LOG = 'postern:{ledger}:log';
const FIELD = 'r';
const PAGE = 256;

export class RedisLedger implements LedgerMedium {
  readonly name: string;
  readonly #redis: Redis;

  private constructor(redis: Redis, name: string) {
    this.#redis = redis;
    this.name = name;
  }

  /** @throws LedgerProblem where it may evict or keeps nothing on disk; StoreUnavailable where it does not answer */
  static async open(url: string): Promise<RedisLedger> {
    try {
      const { redis, name } = await openDurableRedis(url);
      return new RedisLedger(redis, `ledger ${name}`);
    } catch (error) {
      if (!(error instanceof RedisUnfit)) throw error;
      throw error.away ? new StoreUnavailable(`ledger ${error.message}`) : new LedgerProblem(`ledger.url: ${error.message}`);
    }
  }

  async header(): Promise<string | undefined> {
    const [header, lines] = await this.#attempt(() => Promise.all([this.#redis.get(HEADER), this.#redis.exists(LOG)]));
    if (header === null && lines > 0) throw new LedgerProblem(`${this.name} lost its header; restore it from its backup`);
    return header ?? undefined;
  }

  create(header: string): Promise<string> {
    return this.#attempt(async () => {
      await this.#redis.set(HEADER, header, 'NX');
      return (await this.#redis.get(HEADER)) ?? header;
    });
  }

  append(payload: Buffer): Promise<number> {
    return this.#attempt(async () => timeOf(await this.#redis.xadd(LOG, '*', FIELD, payload)));
  }

  async *read(from: number): AsyncIterable<LedgerLine> {
    for (let start = String(from); ; ) {
      const page = await this.#attempt(() => this.#redis.xrangeBuffer(LOG, start, '+', 'COUNT', PAGE));
      for (const [id, [, payload]] of page) {
        if (payload === undefined) throw new LedgerProblem(`${this.name} holds a line that is none; restore it from its backup`);
        yield { time: timeOf(id.toString()), payload };
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      start = `(${last[0].toString()}`;
    }
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new StoreUnavailable(`${this.name} does not answer (${redisFault(error)})`);
    }
  }
}

function timeOf(id: string | null): number {
  return Number((id ?? '').split('-', 1)[0]);
}

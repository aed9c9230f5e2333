/** A ledger in a Redis of its own: one stream, whose times are the server's and never run backwards. */
import { DurableRedis, type Unfit } from '../keys/durable-redis.ts';
import { StoreRefused, StoreUnavailable } from '../store/store.ts';
import { type LedgerLine, type LedgerMedium, LedgerProblem } from './ledger-medium.ts';

const HEADER = 'postern:{ledger}:header';
const LOG = 'postern:{ledger}:log';
const FIELD = 'r';
const PAGE = 256;

export class RedisLedger implements LedgerMedium {
  readonly name: string;
  readonly #redis: DurableRedis;

  /** Nothing is connected yet. @throws StoreRefused where `url` is none */
  constructor(url: string) {
    this.#redis = new DurableRedis(url, errorOf);
    this.name = `ledger ${this.#redis.name}`;
  }

  async header(): Promise<string | undefined> {
    const [header, lines] = await this.#redis.ask(redis => Promise.all([redis.get(HEADER), redis.exists(LOG)]));
    if (header === null && lines > 0) throw new LedgerProblem(`${this.name} lost its header; restore it from its backup`);
    return header ?? undefined;
  }

  create(header: string): Promise<string> {
    return this.#redis.ask(async redis => {
      await redis.set(HEADER, header, 'NX');
      return (await redis.get(HEADER)) ?? header;
    });
  }

  append(payload: Buffer): Promise<number> {
    return this.#redis.ask(async redis => timeOf(await redis.xadd(LOG, '*', FIELD, payload)));
  }

  async *read(from: number, after?: string): AsyncIterable<LedgerLine> {
    const behind = after !== undefined && (await this.#redis.ask(redis => redis.xrange(LOG, after, after))).length > 0;
    for (let start = behind ? `(${after}` : String(from); ; ) {
      const page = await this.#redis.ask(redis => redis.xrangeBuffer(LOG, start, '+', 'COUNT', PAGE));
      for (const [id, [, payload]] of page) {
        if (payload === undefined) throw new LedgerProblem(`${this.name} holds a line that is none; restore it from its backup`);
        yield { time: timeOf(id.toString()), payload, place: id.toString() };
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      start = `(${last[0].toString()}`;
    }
  }

  async close(): Promise<void> {
    this.#redis.close();
  }
}

function errorOf({ text, away }: Unfit): StoreUnavailable | StoreRefused {
  return away ? new StoreUnavailable(`ledger ${text}`) : new StoreRefused(`ledger.url: ${text}`);
}

function timeOf(id: string | null): number {
  return Number((id ?? '').split('-', 1)[0]);
}

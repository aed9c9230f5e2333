/** A vault in a Redis of its own: one key per owner, and a list per owner of what is noted. */
import { DurableRedis, type Unfit } from './durable-redis.ts';
import { type Shelf, VaultRefused, VaultUnavailable } from './vault-shelf.ts';

/** Lines in one answer. */
const PAGE = 5_000;
/** No owner's id: it has a colon. */
const NOTED = 'postern:{vault}::noted';

export class RedisShelf implements Shelf {
  readonly name: string;
  readonly #redis: DurableRedis;

  /** Nothing is connected yet. @throws VaultRefused where `url` is none */
  constructor(url: string) {
    this.#redis = new DurableRedis(url, errorOf);
    this.name = `vault ${this.#redis.name}`;
  }

  read(owner: string): Promise<Buffer | undefined> {
    return this.#redis.ask(async redis => (await redis.getBuffer(keyOf(owner))) ?? undefined);
  }

  add(owner: string, wrapped: Buffer): Promise<Buffer> {
    return this.#redis.ask(async redis => {
      await redis.set(keyOf(owner), wrapped, 'NX');
      const kept = await redis.getBuffer(keyOf(owner));
      if (kept === null) throw new Error('destroyed meanwhile');
      return kept;
    });
  }

  remove(owner: string): Promise<boolean> {
    return this.#redis.ask(async redis => (await redis.del(keyOf(owner))) > 0);
  }

  note(owner: string, line: string): Promise<void> {
    return this.#redis.ask(async redis => {
      await redis.sadd(NOTED, owner);
      await redis.rpush(notesOf(owner), line);
    });
  }

  async notes(owner: string): Promise<readonly string[]> {
    const lines: string[] = [];
    for (;;) {
      const page = await this.#redis.ask(redis => redis.lrange(notesOf(owner), lines.length, lines.length + PAGE - 1));
      lines.push(...page);
      if (page.length < PAGE) return lines;
    }
  }

  noted(): Promise<readonly string[]> {
    return this.#redis.ask(redis => redis.smembers(NOTED));
  }

  async close(): Promise<void> {
    this.#redis.close();
  }
}

function errorOf({ text, away }: Unfit): VaultUnavailable {
  return away ? new VaultUnavailable(`vault ${text}`) : new VaultRefused(`keys.vault: ${text}`);
}

function keyOf(owner: string): string {
  return `postern:{vault}:${owner}`;
}

function notesOf(owner: string): string {
  return `${keyOf(owner)}:notes`;
}

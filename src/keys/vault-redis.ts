/** A vault in a Redis of its own: one key per owner. */
import type { Redis } from 'ioredis';
import { openDurableRedis, RedisUnfit, redisFault } from './durable-redis.ts';
import { type Shelf, VaultUnavailable } from './vault-shelf.ts';

export class RedisShelf implements Shelf {
  readonly name: string;
  readonly #redis: Redis;

  private constructor(redis: Redis, name: string) {
    this.#redis = redis;
    this.name = name;
  }

  /** @throws VaultUnavailable where it does not answer, may evict, or keeps nothing on disk */
  static async open(url: string): Promise<RedisShelf> {
    try {
      const { redis, name } = await openDurableRedis(url);
      return new RedisShelf(redis, `vault ${name}`);
    } catch (error) {
      throw error instanceof RedisUnfit ? new VaultUnavailable(`keys.vault: ${error.message}`) : error;
    }
  }

  read(owner: string): Promise<Buffer | undefined> {
    return this.#attempt(async () => (await this.#redis.getBuffer(keyOf(owner))) ?? undefined);
  }

  add(owner: string, wrapped: Buffer): Promise<Buffer> {
    return this.#attempt(async () => {
      await this.#redis.set(keyOf(owner), wrapped, 'NX');
      const kept = await this.#redis.getBuffer(keyOf(owner));
      if (kept === null) throw new Error('destroyed meanwhile');
      return kept;
    });
  }

  remove(owner: string): Promise<boolean> {
    return this.#attempt(async () => (await this.#redis.del(keyOf(owner))) > 0);
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new VaultUnavailable(`${this.name} does not answer (${redisFault(error)})`);
    }
  }
}

function keyOf(owner: string): string {
  return `postern:{vault}:${owner}`;
}

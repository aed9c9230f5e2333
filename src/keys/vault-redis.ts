/** A vault in a Redis of its own: one key per owner. */
import { DurableRedis, type Unfit } from './durable-redis.ts';
import { type Shelf, VaultRefused, VaultUnavailable } from './vault-shelf.ts';

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

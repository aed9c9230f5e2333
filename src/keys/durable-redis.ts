/** A Redis that must not forget what it was told: what holds keys or objections apart from the store. */
import { Redis, type RedisOptions } from 'ioredis';

/** Why it is of no use. The text names it without credentials, and the setting to change. */
export interface Unfit {
  readonly text: string;
  /** It did not answer, and may later on; otherwise it is not as it must be. */
  readonly away: boolean;
}

const TIMEOUT_MS = 250;
const CONNECT_MS = 2_000;

const OPTIONS = {
  lazyConnect: true,
  protocol: 2,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  commandTimeout: TIMEOUT_MS,
  connectTimeout: CONNECT_MS,
  // Its timer outlives close() where the connection is refused, and would keep a command from ending.
  disconnectTimeout: 100,
  retryStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, 2_000),
} satisfies RedisOptions & { disconnectTimeout: number };

/**
 * Connects when it is first asked and goes on reconnecting by itself; while nobody answers, a question fails within 250 ms rather than
 * wait (ioredis waits by default), but the first, which gives the connection two seconds. Every connection is judged before it is used.
 */
export class DurableRedis {
  /** `redis://host:port`, without credentials. */
  readonly name: string;
  readonly #redis: Redis;
  readonly #error: (unfit: Unfit) => Error;
  /** Of the present connection; undefined while it has to be judged. */
  #fit: Promise<string | undefined> | undefined;
  /** Why the last connection failed. */
  #trouble: unknown;

  /** `error` makes what is thrown, here where `url` is none. */
  constructor(url: string, error: (unfit: Unfit) => Error) {
    this.#error = error;
    // Node's own error would repeat the URL, password and all.
    if (!URL.canParse(url)) throw error({ text: 'not a URL; wants redis://[user:password@]host[:port][/db]', away: false });
    const { protocol, hostname, port, pathname } = new URL(url);
    this.name = `${protocol}//${hostname}:${port || '6379'}${pathname}`;
    this.#redis = new Redis(url, OPTIONS);
    // Every command answers for itself; without a listener the first lost connection would end the process.
    this.#redis.on('error', error => {
      this.#trouble = error;
    });
    this.#redis.on('close', () => {
      this.#fit = undefined;
    });
  }

  /** What `work` resolves to. Throws where no answer came, keys may be evicted, or nothing is kept on disk. */
  async ask<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    this.#fit ??= this.#judge();
    const problem = await this.#fit;
    if (problem !== undefined) {
      // Asked again next time: it may have been mended without a restart.
      this.#fit = undefined;
      throw this.#error({ text: `${this.name} ${problem}`, away: false });
    }
    try {
      return await work(this.#redis);
    } catch (error) {
      throw this.#away(error);
    }
  }

  close(): void {
    this.#redis.disconnect();
  }

  /** What is wrong with the present connection's Redis. */
  async #judge(): Promise<string | undefined> {
    try {
      if (this.#redis.status === 'wait') await this.#redis.connect();
      const [persistence, memory] = await Promise.all([this.#redis.info('persistence'), this.#redis.info('memory')]);
      return forgetful(persistence, memory);
    } catch (error) {
      this.#fit = undefined;
      throw this.#away(this.#redis.status === 'ready' ? error : (this.#trouble ?? error));
    }
  }

  #away(error: unknown): Error {
    return this.#error({ text: `${this.name} does not answer (${faultOf(error)})`, away: true });
  }
}

/** Why a command failed, in one word (`ECONNREFUSED`, `WRONGPASS`): the whole message may hold the command's arguments. */
function faultOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message.split(' ', 1)[0] ?? 'unknown fault';
}

function forgetful(persistence: string, memory: string): string | undefined {
  if (/^aof_enabled:0/m.test(persistence)) return 'keeps nothing on disk; set appendonly yes';
  const unbounded = /^maxmemory:0\s/m.test(memory) || /^maxmemory_policy:noeviction/m.test(memory);
  return unbounded ? undefined : 'may evict keys; set maxmemory-policy noeviction';
}

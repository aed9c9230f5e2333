/** A Redis that must not forget what it was told: what holds keys or objections apart from the store. */
import { Redis } from 'ioredis';

/** It gave no answer, or it may forget. The message names it without credentials, and the setting to change. */
export class RedisUnfit extends Error {
  override readonly name = 'RedisUnfit';
  /** It did not answer, and may later on. */
  readonly away: boolean;
  constructor(message: string, away = false) {
    super(message);
    this.away = away;
  }
}

export interface DurableRedis {
  readonly redis: Redis;
  /** `redis://host:port`, without credentials. */
  readonly name: string;
}

const TIMEOUT_MS = 250;
const CONNECT_MS = 2_000;

/**
 * Connects; goes on reconnecting by itself, while commands fail within 250 ms rather than wait (ioredis waits by default).
 * @throws RedisUnfit where nobody answers, keys may be evicted, or nothing is kept on disk
 */
export async function openDurableRedis(url: string): Promise<DurableRedis> {
  // Node's own error would repeat the URL, password and all.
  if (!URL.canParse(url)) throw new RedisUnfit('not a URL; wants redis://[user:password@]host[:port][/db]');
  const { protocol, hostname, port, pathname } = new URL(url);
  const name = `${protocol}//${hostname}:${port || '6379'}${pathname}`;
  const redis = new Redis(url, {
    lazyConnect: true,
    protocol: 2,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: TIMEOUT_MS,
    connectTimeout: CONNECT_MS,
    retryStrategy: attempt => Math.min(50 * 2 ** attempt, 2_000),
  });
  // Every command answers for itself; without a listener the first lost connection would end the process.
  let last: unknown;
  redis.on('error', error => {
    last = error;
  });
  try {
    await redis.connect();
    const problem = forgetful(await redis.info('persistence'), await redis.info('memory'));
    if (problem !== undefined) throw new RedisUnfit(`${name} ${problem}`);
  } catch (error) {
    redis.disconnect();
    throw error instanceof RedisUnfit ? error : new RedisUnfit(`${name} does not answer (${redisFault(last ?? error)})`, true);
  }
  return { redis, name };
}

/** Why a command failed, in one word (`ECONNREFUSED`, `WRONGPASS`): the whole message may hold the command's arguments. */
export function redisFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message.split(' ', 1)[0] ?? 'unknown fault';
}

function forgetful(persistence: string, memory: string): string | undefined {
  if (/^aof_enabled:0/m.test(persistence)) return 'keeps nothing on disk; set appendonly yes';
  const unbounded = /^maxmemory:0\s/m.test(memory) || /^maxmemory_policy:noeviction/m.test(memory);
  return unbounded ? undefined : 'may evict keys; set maxmemory-policy noeviction';
}

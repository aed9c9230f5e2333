/** The name of a store → its engine, behind the gate that admits it. */
import { resolve } from 'node:path';
import type { Logger } from '../ops/log.ts';
import { type Admission, admitted, type Link } from './admission.ts';
import { openLmdb } from './lmdb.ts';
import { RedisStore } from './redis.ts';
import { RedisLink } from './redis-link.ts';
import { parseRedisUrl } from './redis-url.ts';
import { type Store, StoreRefused } from './store.ts';

/** Longest wait for an answer of Redis, in milliseconds (DESIGN §4: a decision during an outage is made within 300). */
const REDIS_TIMEOUT_MS = 250;

export interface OpenOptions {
  /** Whether a store that is not there may be created. */
  readonly create: boolean;
  /** A server is patient: a Redis that is down at start is waited for, and find and apply throw StoreUnavailable meanwhile. */
  readonly patient: boolean;
  /** What a relative path in the URL starts at; the working directory where absent. */
  readonly baseDir?: string;
  readonly log: Logger;
  /**
   * Run with the bare store whenever a connection is (re)established, before anything else is answered; may run more than once.
   * A throw keeps the store unavailable and is tried again; at start of a store that is not patient, it fails openStore.
   */
  readonly admit: (store: Store) => Promise<void>;
  /** Longest wait for an answer of Redis to a small question; 250 ms where absent. */
  readonly timeoutMs?: number;
}

/**
 * Opens the store that `url` names (see store/options.ts for the forms) and admits it.
 * @throws StoreMissing where there is none and `create` is false; StoreRefused for a URL of no known form or a Redis that may forget;
 *   StoreUnavailable where it does not answer (not for a patient Redis).
 */
export async function openStore(url: string, options: OpenOptions): Promise<Store> {
  const { create, patient, log, admit } = options;
  const admission: Admission = { create, patient, log, admit };
  if (url.startsWith('lmdb:') && url.length > 5) {
    const path = resolve(options.baseDir ?? '.', url.slice(5));
    return admitted(openLmdb(path, create), alwaysThere(`lmdb:${path}`), admission);
  }
  if (/^rediss?[:+]/i.test(url)) {
    const link = new RedisLink(redisAddress(url), options.timeoutMs ?? REDIS_TIMEOUT_MS);
    return admitted(new RedisStore(link, log), link, admission);
  }
  throw new StoreRefused('store.url must begin with lmdb:, redis://, rediss://, redis+sentinel:// or redis+cluster://');
}

function redisAddress(url: string): ReturnType<typeof parseRedisUrl> {
  try {
    return parseRedisUrl(url);
  } catch (error) {
    throw new StoreRefused(`store.url: ${error instanceof Error ? error.message : error}`);
  }
}

/** The link of an engine in this process. */
function alwaysThere(label: string): Link {
  return { label, guard: async () => undefined, onLost: () => undefined };
}

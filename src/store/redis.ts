/** The engine for fleets: Redis, where every gate sees the same lists. Layout in redis-keys.ts, Lua in redis-scripts.ts. */
import type { Logger } from '../ops/log.ts';
import { assertKey, assertRange, byOwner, limitOf, type OwnerChanges } from './limits.ts';
import { durability, parseInfo } from './redis-guard.ts';
import { BUCKETS, bucketKey, bucketOf, decodeMember, logKey, PREFIX, redisKey } from './redis-keys.ts';
import type { RedisLink } from './redis-link.ts';
import { APPLY, FIND, READ_BUCKETS, type Script } from './redis-scripts.ts';
import {
  type Change,
  type Expectation,
  type Finding,
  isEntryKey,
  type Key,
  type Range,
  type Store,
  StoreUnavailable,
  type Value,
} from './store.ts';

/** Records in one page of a scan. */
const PAGE = 128;
/** Buckets in one step of a scan, and how many entries end the step early. */
const SCAN_BUCKETS = 256;
const SCAN_ENTRIES = 1_024;
const WAIT_MS = 100;

type Argument = string | number | Buffer;

export class RedisStore implements Store {
  readonly #link: RedisLink;
  readonly #log: Logger;
  readonly #waitForReplicas: () => Promise<void>;
  readonly #running = new Set<Promise<unknown>>();
  #closed = false;
  #lagging = false;

  constructor(link: RedisLink, log: Logger) {
    this.#link = link;
    this.#log = log;
    this.#waitForReplicas = shared(() => this.#wait());
  }

  async find(keys: readonly Key[]): Promise<readonly (Value | undefined)[]> {
    this.#assertOpen();
    const owners = new Map<string, number[]>();
    for (const [index, key] of keys.entries()) {
      assertKey(key);
      const own = owners.get(key.owner);
      if (own) own.push(index);
      else owners.set(key.owner, [index]);
    }
    const found = new Array<Value | undefined>(keys.length).fill(undefined);
    // Sent together; one script an owner, because a cluster keeps owners on different nodes.
    await Promise.all(
      [...owners.values()].map(async indexes => {
        const own = indexes.map(index => keys[index] as Key);
        const values = (await this.#run('read', FIND, own.map(redisKey), own.flatMap(lookup))) as (Buffer | null)[];
        for (const [at, index] of indexes.entries()) found[index] = values[at] ?? undefined;
      }),
    );
    return found;
  }

  async apply(changes: readonly Change[], expect: readonly Expectation[] = []): Promise<boolean> {
    this.#assertOpen();
    const [first, ...others] = byOwner(changes, expect);
    if (first === undefined) return true;
    const applying = this.#applyOwners(first, others);
    this.#running.add(applying);
    try {
      return await applying;
    } finally {
      this.#running.delete(applying);
    }
  }

  async *scan(range: Range): AsyncIterable<readonly [Key, Value]> {
    assertRange(range);
    yield* 'set' in range ? this.#scanSet(range) : this.#scanLog(range);
  }

  async isEmpty(): Promise<boolean> {
    this.#assertOpen();
    const empty = await Promise.all(this.#link.masters('reads').map(master => this.#holdsNothing(master)));
    return empty.every(Boolean);
  }

  async inspect(): Promise<readonly Finding[]> {
    this.#assertOpen();
    const findings = await Promise.all(
      this.#link.masters('reads').map(async master => {
        const info = parseInfo(String(await this.#link.ask(master, 'info', [])));
        const setting = (await this.#link.ask(master, 'config', ['GET', 'appendfsync']).catch(() => [])) as Buffer[];
        return durability(info, setting[1]?.toString());
      }),
    );
    return findings.flat();
  }

  async ping(): Promise<void> {
    this.#assertOpen();
    await Promise.all([...this.#link.masters('reads'), ...this.#link.masters('writes')].map(master => this.#link.ask(master, 'ping', [])));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#running);
    this.#link.close();
  }

  async #applyOwners(first: OwnerChanges, others: readonly OwnerChanges[]): Promise<boolean> {
    if (!(await this.#applyOwner(first))) return false;
    await Promise.all(others.map(own => this.#applyOwner(own)));
    if (this.#link.replicated) await this.#waitForReplicas();
    return true;
  }

  async #applyOwner({ changes, expect }: OwnerChanges): Promise<boolean> {
    const steps = [...expect.map(step => encodeStep(step, '=', '!')), ...changes.map(step => encodeStep(step, '+', '-'))];
    const keys = [...expect, ...changes].map(step => redisKey(step.key));
    return (await this.#run('write', APPLY, keys, steps.flat())) === 1;
  }

  async *#scanSet({ owner, set, after }: Extract<Range, { set: string }>): AsyncIterable<readonly [Key, Value]> {
    for (let bucket = after === undefined ? 0 : bucketOf(after); bucket < BUCKETS; ) {
      this.#assertOpen();
      const keys = Array.from({ length: Math.min(SCAN_BUCKETS, BUCKETS - bucket) }, (_, at) => bucketKey(owner, set, bucket + at));
      const [read, flat] = (await this.#run('read', READ_BUCKETS, keys, [SCAN_ENTRIES])) as [number, Buffer[]];
      const entries: [Key & { id: Buffer }, Value][] = [];
      for (let at = 0; at + 1 < flat.length; at += 2) entries.push([{ owner, set, id: flat[at] as Buffer }, flat[at + 1] as Buffer]);
      // Buckets follow the ids' first bits, so what is in order within them is in order altogether.
      entries.sort(([one], [other]) => one.id.compare(other.id));
      for (const entry of entries) if (after === undefined || entry[0].id.compare(after) > 0) yield entry;
      bucket += read;
    }
  }

  async *#scanLog(range: Extract<Range, { log: string }>): AsyncIterable<readonly [Key, Value]> {
    const { owner, log, reverse = false } = range;
    const key = logKey(owner, log);
    // A member is `id NUL value`: it sorts after its id and before anything longer that begins with it.
    let low = range.from === undefined ? '-' : `[${range.from}`;
    let high = range.to === undefined ? '+' : `(${range.to}`;
    for (let left = limitOf(range); left > 0; ) {
      this.#assertOpen();
      const count = Math.min(PAGE, left);
      const limit: Argument[] = ['LIMIT', 0, count];
      const page = (await (reverse
        ? this.#link.read('zrevrangebylex', [key, high, low, ...limit])
        : this.#link.read('zrangebylex', [key, low, high, ...limit]))) as Buffer[];
      const records = page.map(member => decodeMember(owner, log, member));
      yield* records;
      const last = records.at(-1)?.[0].id;
      if (last === undefined || page.length < count) return;
      left -= page.length;
      if (reverse) high = `(${last}`;
      else low = `(${last}\x01`;
    }
  }

  async #holdsNothing(master: Parameters<RedisLink['ask']>[0]): Promise<boolean> {
    for (let cursor = '0'; ; ) {
      const args = [cursor, 'MATCH', `${PREFIX}*`, 'COUNT', 1_000];
      const [next, keys] = (await this.#link.ask(master, 'scan', args)) as [Buffer, Buffer[]];
      if (keys.length > 0) return false;
      cursor = String(next);
      if (cursor === '0') return true;
    }
  }

  async #run(way: 'read' | 'write', script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await this.#link[way]('evalsha', [script.sha, ...rest]);
    } catch (error) {
      // A Redis that was restarted or failed over has not met the script yet; it has done nothing.
      if (!(error instanceof Error && error.message.includes('NOSCRIPT'))) throw error;
      return this.#link[way]('eval', [script.text, ...rest]);
    }
  }

  /** Waits until one replica of every master has this connection's changes; the ledger covers for replicas that are too slow. */
  async #wait(): Promise<void> {
    const counts = await Promise.all(this.#link.masters('writes').map(master => this.#link.ask(master, 'wait', [1, WAIT_MS])));
    const lagging = counts.some(count => Number(count) < 1);
    if (lagging && !this.#lagging) this.#log.warn({ store: this.#link.label }, `no replica confirmed a change within ${WAIT_MS} ms`);
    this.#lagging = lagging;
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreUnavailable('The store is closed');
  }
}

function lookup(key: Key): Argument[] {
  return isEntryKey(key) ? ['e', key.id] : ['r', key.id];
}

function encodeStep({ key, value }: Change | Expectation, withValue: string, without: string): Argument[] {
  return [`${value === undefined ? without : withValue}${isEntryKey(key) ? 'e' : 'r'}`, key.id, value ?? ''];
}

/** `run`, shared: callers that come while it runs share the next run, because the present one may have begun too early for them. */
function shared(run: () => Promise<void>): () => Promise<void> {
  let present: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    const mine = run().finally(() => {
      if (present === mine) present = undefined;
    });
    present = mine;
    return mine;
  };
  return () => {
    if (present === undefined) return begin();
    next ??= present.then(begin, begin);
    return next;
  };
}

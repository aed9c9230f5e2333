/** The embedded engine: LMDB in one directory, shared by the server and the CLI, every acknowledged write on disk. */
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { within } from './deadline.ts';
import { assertKey, assertRange, byOwner, limitOf } from './limits.ts';
import { bounds, encodeKey, keyOf } from './lmdb-keys.ts';
import {
  type Change,
  type Expectation,
  type Finding,
  type Key,
  type Range,
  type Store,
  StoreMissing,
  StoreUnavailable,
  type Value,
} from './store.ts';

/** Records and entries read between two yields of a scan; a snapshot is held no longer, so that a slow reader does not make the file grow. */
const PAGE = 256;
/** Changes written in one transaction, of several applies: the file is locked that long (a few ms), which other processes wait for. */
const MAX_BATCH = 500;
/** Longest wait for the disk, or for another process that is stopped while it holds the write lock. */
const APPLY_MS = 10_000;
const LOW_DISK = 512 * 1024 * 1024;

interface Job {
  readonly puts: readonly (readonly [Buffer, Value | undefined])[];
  readonly expect: readonly (readonly [Buffer, Value | undefined])[];
  readonly resolve: (written: boolean) => void;
  readonly reject: (error: StoreUnavailable) => void;
}

/**
 * Opens the store in the folder `path`; creates it (0700, files 0600) where there is none and `create` says so.
 * @throws StoreMissing, or StoreUnavailable where the folder cannot be used.
 */
export function openLmdb(path: string, create: boolean): Store {
  if (!create && !holdsStore(path)) {
    throw new StoreMissing(`There is no store at lmdb:${path}; \`postern serve\` or \`postern client add\` creates one`);
  }
  try {
    return new LmdbStore(path, openOnce(path));
  } catch (error) {
    throw new StoreUnavailable(`The store at lmdb:${path} cannot be opened: ${reason(error)}`);
  }
}

function holdsStore(path: string): boolean {
  try {
    return statSync(join(path, 'data.mdb')).size > 0;
  } catch (error) {
    // One that may not be looked at is not missing: whoever is told that would make another beside it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new StoreUnavailable(`The store at lmdb:${path} cannot be opened: ${reason(error)}`);
    return false;
  }
}

/** The files of one store as this process has them open, for all who opened it. */
interface Shared {
  readonly db: RootDatabase<Buffer, Buffer>;
  readonly file: string;
  users: number;
}

/** By file. */
const openFilesOf = new Map<string, Shared>();

/**
 * Opens the files, or shares them where this process has them open already: LMDB opens by a transaction on this thread, which would wait for
 * ever behind one that is being written, for that waits for this thread.
 */
function openOnce(path: string): Shared {
  makeFiles(path);
  const { dev, ino } = statSync(join(path, 'data.mdb'));
  const file = `${dev}:${ino}`;
  const one = openFilesOf.get(file) ?? { db: openFiles(path), file, users: 0 };
  one.users += 1;
  openFilesOf.set(file, one);
  return one;
}

async function closeLast(one: Shared): Promise<void> {
  one.users -= 1;
  if (one.users > 0) return;
  openFilesOf.delete(one.file);
  await one.db.close();
}

function makeFiles(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const name of ['data.mdb', 'lock.mdb']) {
    // Made here because LMDB would make them readable by everyone.
    const file = join(path, name);
    closeSync(openSync(file, 'a', 0o600));
    chmodSync(file, 0o600);
  }
}

function openFiles(path: string): RootDatabase<Buffer, Buffer> {
  return open<Buffer, Buffer>({
    path,
    noSubdir: false,
    maxDbs: 1,
    encoding: 'binary',
    keyEncoding: 'binary',
    // A transaction resolves when it is synced, not before: as fast as the overlapping mode here, because applies share transactions.
    overlappingSync: false,
    // With turn batching, a failed commit (disk full) rejects a promise that nobody holds, which ends the process.
    eventTurnBatching: false,
  });
}

class LmdbStore implements Store {
  readonly #path: string;
  readonly #shared: Shared;
  readonly #db: RootDatabase<Buffer, Buffer>;
  #queue: Job[] = [];
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(path: string, shared: Shared) {
    this.#path = path;
    this.#shared = shared;
    this.#db = shared.db;
  }

  async find(keys: readonly Key[]): Promise<readonly (Value | undefined)[]> {
    for (const key of keys) assertKey(key);
    return this.#read(db => keys.map(key => db.getBinary(encodeKey(key))));
  }

  async apply(changes: readonly Change[], expect: readonly Expectation[] = []): Promise<boolean> {
    byOwner(changes, expect);
    this.#assertOpen();
    if (changes.length === 0) return true;
    const written = new Promise<boolean>((resolve, reject) => {
      const puts = changes.map(({ key, value }) => [encodeKey(key), value] as const);
      // Mostly expected of the very keys that are written.
      const of = (key: Key, i: number) => (changes[i]?.key === key ? (puts[i]?.[0] as Buffer) : encodeKey(key));
      this.#queue.push({ puts, expect: expect.map(({ key, value }, i) => [of(key, i), value] as const), resolve, reject });
      this.#writing ??= this.#drain();
    });
    return within(APPLY_MS, written);
  }

  async *scan(range: Range): AsyncIterable<readonly [Key, Value]> {
    assertRange(range);
    const { from, to, idAt } = bounds(range);
    const reverse = 'log' in range && range.reverse === true;
    let last = 'set' in range && range.after !== undefined ? encodeKey({ ...range, id: range.after }) : undefined;
    for (let left = limitOf(range); left > 0; ) {
      const limit = Math.min(PAGE, left);
      const options = reverse
        ? { start: last ?? to, exclusiveStart: true, end: from, inclusiveEnd: true, reverse, limit }
        : { start: last ?? from, exclusiveStart: last !== undefined, end: to, limit };
      const page = this.#read(db => [...db.getRange(options)]);
      for (const { key, value } of page) yield [keyOf(range, Buffer.from(key.subarray(idAt))), value];
      last = page.at(-1)?.key;
      if (last === undefined || page.length < limit) return;
      left -= page.length;
    }
  }

  async isEmpty(): Promise<boolean> {
    return this.#read(db => [...db.getKeys({ limit: 1 })].length === 0);
  }

  async inspect(): Promise<readonly Finding[]> {
    this.#assertOpen();
    const [folder, disk] = await Promise.all([stat(this.#path), statfs(this.#path)]);
    const free = disk.bavail * disk.bsize;
    const findings: Finding[] = [
      { level: 'ok', text: 'LMDB: no acknowledged write is lost by a crash or a power cut; one machine holds it all' },
    ];
    if (folder.mode & 0o077) findings.push({ level: 'warn', text: 'the folder of the store is open to other users: chmod 700' });
    const room = `${Math.floor(free / 1024 / 1024)} MiB free on the disk of the store`;
    findings.push({ level: free < LOW_DISK ? 'warn' : 'ok', text: room });
    return findings;
  }

  async ping(): Promise<void> {
    this.#read(db => db.doesExist(Buffer.from('ping')));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await closeLast(this.#shared);
  }

  /** Reads from a snapshot taken now: within one busy tick LMDB would go on reading an older one (law 4). */
  #read<T>(read: (db: RootDatabase<Buffer, Buffer>) => T): T {
    this.#assertOpen();
    try {
      this.#db.resetReadTxn();
      return read(this.#db);
    } catch (error) {
      throw new StoreUnavailable(`The store cannot be read: ${reason(error)}`);
    }
  }

  /** Group commit: whatever arrives while one transaction is being synced shares the next one. */
  async #drain(): Promise<void> {
    await undefined; // let the applies of this tick join
    while (this.#queue.length > 0) {
      const jobs = this.#takeBatch();
      try {
        // A child transaction, because only that is undone as a whole when something in it throws.
        const written = await this.#db.childTransaction(() => jobs.map(job => this.#write(job)));
        for (const [index, job] of jobs.entries()) job.resolve(written[index] === true);
      } catch (error) {
        const why = await commitError(error);
        for (const job of jobs) job.reject(new StoreUnavailable(`The store cannot be written: ${why}`));
      }
    }
    this.#writing = undefined;
  }

  #takeBatch(): Job[] {
    let end = 0;
    for (let size = 0; end < this.#queue.length && (end === 0 || size < MAX_BATCH); end++) size += this.#queue[end]?.puts.length ?? 0;
    return this.#queue.splice(0, end);
  }

  #write(job: Job): boolean {
    for (const [key, expected] of job.expect) {
      const held = this.#db.getBinary(key);
      if (expected === undefined ? held !== undefined : held === undefined || !held.equals(expected)) return false;
    }
    for (const [key, value] of job.puts) {
      if (value === undefined) this.#db.remove(key);
      else this.#db.put(key, value);
    }
    return true;
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreUnavailable('The store is closed');
  }
}

/** The true cause of a failed commit, which LMDB hands over as a second, rejected promise. */
async function commitError(error: unknown): Promise<string> {
  const cause = error instanceof Error && 'commitError' in error ? (error.commitError as Promise<never>) : undefined;
  return cause === undefined ? reason(error) : cause.catch(reason);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

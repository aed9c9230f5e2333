/** Head records: each owner's proof that this store is whole and ours, and the version that caches hold for (DESIGN §5). */
import { LRUCache } from 'lru-cache';
import { GLOBAL } from '../ids.ts';
import { type Change, type Expectation, type RecordKey, type Store, StoreUnavailable, type Value } from './store.ts';

export interface Head {
  /** Of the key ring that this store was created with. */
  readonly fingerprint: string;
  /** Grows by one with every change of client, credential, campaign or hash algorithms of this owner. */
  readonly version: number;
  /** Algorithms of imported hashes by campaign; the owner's own under the empty name. Has no prototype: any campaign id is safe to ask for. */
  readonly hashes: Readonly<Record<string, readonly string[]>>;
  /** Ids of the digest keys, beside the oldest of the ring, that entries of this owner were made under: whoever lacks one cannot look up. */
  readonly keys?: readonly string[];
}

/** What an edit of a head does: the new head (its version is counted for you) and what must change with it. */
export interface HeadEdit {
  readonly head: Head;
  readonly changes: readonly Change[];
  /** What must hold beside the head being what was read; where it does not, the edit starts over. */
  readonly expect?: readonly Expectation[];
  /** Called when it has happened. */
  readonly settle?: () => Promise<void>;
}

/** Conflicting writers of one owner are few people at a CLI: this many lost races in a row mean that something is wrong. */
const MAX_ATTEMPTS = 100;

export function headKey(owner: string): RecordKey {
  return { owner, log: 'head', id: 'head' };
}

/** The first head of an owner. */
export function newHead(fingerprint: string): Head {
  return { fingerprint, version: 1, hashes: Object.create(null) as Head['hashes'] };
}

export function encodeHead(head: Head): Value {
  return Buffer.from(JSON.stringify({ fingerprint: head.fingerprint, version: head.version, hashes: head.hashes, keys: head.keys }));
}

/** Heads read lately by their text: each is read several times for every message and changes once in a week. */
const decoded = new LRUCache<string, Head>({ max: 1_000 });

/** The head in `value`, or undefined where it holds none. */
export function decodeHead(value: Value): Head | undefined {
  const text = value.toString();
  const known = decoded.get(text);
  if (known !== undefined) return known;
  const head = parseHead(text);
  if (head !== undefined) decoded.set(text, head);
  return head;
}

function parseHead(text: string): Head | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { fingerprint, version, hashes, keys } = parsed as Record<string, unknown>;
  if (typeof fingerprint !== 'string' || !Number.isSafeInteger(version) || typeof hashes !== 'object' || hashes === null) return undefined;
  const own = Object.create(null) as Record<string, readonly string[]>;
  for (const [campaign, algorithms] of Object.entries(hashes)) {
    if (!isNames(algorithms)) return undefined;
    own[campaign] = algorithms;
  }
  if (keys !== undefined && !isNames(keys)) return undefined;
  return { fingerprint, version: version as number, hashes: own, ...(keys === undefined ? {} : { keys }) };
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(name => typeof name === 'string');
}

/**
 * The head in `value`, which must be ours.
 * @throws StoreUnavailable where it is absent, unreadable or another key ring's: an empty, foreign or half-restored store is no answer (law 1).
 */
export function checkHead(value: Value | undefined, fingerprint: string): Head {
  if (value === undefined) throw new StoreUnavailable('The store holds no head record here: it is empty or incomplete');
  const head = decodeHead(value);
  if (head === undefined) throw new StoreUnavailable('The head record of the store cannot be read');
  if (head.fingerprint !== fingerprint) throw new StoreUnavailable('The head record of the store belongs to another key ring');
  return head;
}

/** @throws StoreUnavailable where entries were made under a key that is not among `known`, the ids of this ring's digest keys */
export function checkKeys({ keys }: Head, known: ReadonlySet<string>): void {
  if (keys?.some(id => !known.has(id)) !== true) return;
  throw new StoreUnavailable('The store holds entries made under a newer key than this key ring has: load the key ring again (restart)');
}

/**
 * Changes an owner's head, and whatever changes with it, in one apply; starts over where somebody else was faster.
 * `edit` may be called several times and returns undefined to leave everything as it is.
 * @returns whether anything was changed.
 * @throws StoreUnavailable where the head is absent or foreign, or the store gave no answer.
 */
export async function changeHead(
  store: Store,
  owner: string,
  fingerprint: string,
  edit: (head: Head) => HeadEdit | undefined | Promise<HeadEdit | undefined>,
): Promise<boolean> {
  const key = headKey(owner);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const [value] = await store.find([key]);
    const head = checkHead(value, fingerprint);
    const edited = await edit(head);
    if (edited === undefined) return false;
    const next = encodeHead({ ...edited.head, fingerprint, version: head.version + 1 });
    if (!(await store.apply([{ key, value: next }, ...edited.changes], [{ key, value }, ...(edited.expect ?? [])]))) continue;
    await edited.settle?.();
    return true;
  }
  throw new StoreUnavailable('The head record keeps changing under us');
}

/** Whether the store was never used: no global head and no key of ours at all. Keys without a head are a broken store, not a new one. */
export async function storeIsNew(store: Store): Promise<boolean> {
  const [head] = await store.find([headKey(GLOBAL)]);
  return head === undefined && (await store.isEmpty());
}

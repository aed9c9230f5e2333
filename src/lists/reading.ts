/** Reading entries: one of them, a scope's one after the other, or a page at a time; nobody's address stands in a suppression. */
import { setImmediate as turn } from 'node:timers/promises';
import { headKey } from '../store/head.ts';
import { type EntryKey, isEntryKey, type Store, type Value } from '../store/store.ts';
import { type Entries, type EntryAct, entryKey, type ListName, setName } from './entry.ts';
import type { Heads } from './heads.ts';
import type { Scope } from './standing.ts';

/** An entry as an operator or its client may see it. */
export interface ListEntry {
  /** The keyed digest in 32 hexadecimal digits: what names the entry within its scope and list. */
  readonly id: string;
  readonly list: ListName;
  readonly match: 'address' | 'domain' | 'hash';
  /** Of an exclusion: `local@domain` or the domain; undefined where it cannot be read. */
  readonly target?: string;
  /** First 12 hexadecimal digits of the keyed digest. */
  readonly digest: string;
  /** Empty where the entry cannot be read; it lists all the same. */
  readonly acts: readonly Omit<EntryAct, 'ids'>[];
}

/** Entries in the order of their ids, and where to read on; `next` undefined: there are no more. */
export interface EntryPage<T> {
  readonly entries: readonly T[];
  readonly next: string | undefined;
}

export interface PageOptions<T> {
  /** Id after which to begin. */
  readonly after?: string | undefined;
  /** Most entries of the page. */
  readonly limit: number;
  /** What becomes of an entry; undefined: it is left out. */
  readonly pick: (entry: ListEntry) => T | undefined;
}

export interface ReadingParts {
  readonly store: Store;
  readonly entries: Entries;
  readonly heads: Heads;
}

/** Entries looked at for one page: it may be short, or empty, where few are picked, and still have a next one. */
const LOOKED_AT = 2_500;
/** Entries read at a stretch: the embedded store answers at once, and mail must not wait for a whole list. */
const STRETCH = 200;

/** The scope's entries of one list in the order of their ids; in constant memory. @throws StoreUnavailable */
export async function* readEntries(parts: ReadingParts, scope: Scope, list: ListName, after?: string): AsyncIterable<ListEntry> {
  await checkOwner(parts, scope);
  const range = { owner: scope.owner, set: setName(scope, list) };
  let read = 0;
  for await (const [key, value] of parts.store.scan(after === undefined ? range : { ...range, after: Buffer.from(after, 'hex') })) {
    if (isEntryKey(key)) yield entryOf(parts, list, key, value);
    read += 1;
    if (read % STRETCH === 0) await turn();
  }
}

/** A page of the scope's entries of one list. @throws StoreUnavailable */
export async function readPage<T>(
  parts: ReadingParts,
  scope: Scope,
  list: ListName,
  { after, limit, pick }: PageOptions<T>,
): Promise<EntryPage<T>> {
  const entries: T[] = [];
  let looked = 0;
  let last: string | undefined;
  for await (const entry of readEntries(parts, scope, list, after)) {
    if (entries.length === limit || looked === LOOKED_AT) return { entries, next: last };
    looked += 1;
    last = entry.id;
    const picked = pick(entry);
    if (picked !== undefined) entries.push(picked);
  }
  return { entries, next: undefined };
}

/** Those of the ids that the scope lists, in their order. @throws StoreUnavailable */
export async function findEntries(
  parts: ReadingParts,
  scope: Scope,
  list: ListName,
  ids: readonly Buffer[],
): Promise<readonly ListEntry[]> {
  const keys = ids.map(id => entryKey(scope, list, id));
  const [head, ...values] = await parts.store.find([headKey(scope.owner), ...keys]);
  parts.heads.check(scope.owner, head);
  const found: ListEntry[] = [];
  for (const [i, key] of keys.entries()) {
    const value = values[i];
    if (value !== undefined) found.push(await entryOf(parts, list, key, value));
  }
  return found;
}

async function checkOwner({ store, heads }: ReadingParts, { owner }: Scope): Promise<void> {
  const [head] = await store.find([headKey(owner)]);
  heads.check(owner, head);
}

async function entryOf({ entries }: ReadingParts, list: ListName, key: EntryKey, value: Value): Promise<ListEntry> {
  const { target, hash, acts = [] } = (await entries.open(key, value)) ?? {};
  const id = key.id.toString('hex');
  return {
    id,
    list,
    match: hash !== undefined ? 'hash' : list === 'exclusion' && target?.includes('@') === false ? 'domain' : 'address',
    ...(target === undefined ? {} : { target }),
    digest: id.slice(0, 12),
    acts: acts.map(({ ids: _, ...act }) => act),
  };
}

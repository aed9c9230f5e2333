/** Reading a trail: pages of lines, newest first, by what was done, to whom, by whom and when; each page looks at so many lines only. */
import { setImmediate as turn } from 'node:timers/promises';
import { isEntryKey, type Store } from '../store/store.ts';
import type { AuditLine } from './act.ts';
import { type Chain, LOG, numberOf, recordKey } from './chain.ts';

/** Lines looked at for one page: what keeps a page fast where few fit. */
const LOOKED_AT = 2_000;
/** Lines read at a stretch, a few ms' worth: mail has its turn between them. */
const STRETCH = 200;

export interface AuditQuery {
  /** From this moment on, and before that one; ms since 1970 UTC. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** What was done; everything of a kind where it ends in a dot: `client.`. */
  readonly what?: string | undefined;
  /** Who did it, as the line has it. */
  readonly by?: string | undefined;
  /** Digests of a person or a domain, in hexadecimal digits: only lines that name one of them. Lines of many at once name nobody. */
  readonly whom?: readonly string[] | undefined;
  /** Only lines before the one with this number. */
  readonly before?: number | undefined;
}

export interface AuditPage {
  readonly items: readonly AuditLine[];
  /** The `before` of the next page; undefined where there is none. */
  readonly next: number | undefined;
}

interface Trail {
  readonly store: Store;
  readonly chain: Chain;
  readonly owner: string;
}

/**
 * At most `limit` lines. A page may hold fewer, or none, and still have a `next`. A line that cannot be read is left out: `verify` names it.
 * @throws StoreUnavailable
 */
export async function readPage(trail: Trail, { from = 0, to, what, by, whom, before }: AuditQuery, limit: number): Promise<AuditPage> {
  const { store, chain, owner } = trail;
  const fits = (line: AuditLine): boolean =>
    (by === undefined || line.by === by) &&
    (to === undefined || line.at < to) &&
    (whom === undefined || whom.some(digest => digest === line.about?.whom)) &&
    (what === undefined || (what.endsWith('.') ? line.what.startsWith(what) : line.what === what));
  const items: AuditLine[] = [];
  const first = Math.min(before ?? Number.POSITIVE_INFINITY, to === undefined ? Number.POSITIVE_INFINITY : await firstSince(trail, to));
  let until = first === Number.POSITIVE_INFINITY ? undefined : recordKey(owner, first).id;
  let next: number | undefined;
  let lookedAt = 0;
  while (lookedAt < LOOKED_AT) {
    if (lookedAt > 0) await turn();
    let read = 0;
    const range = { owner, log: LOG, ...(until === undefined ? {} : { to: until }), reverse: true, limit: STRETCH };
    for await (const [key, value] of store.scan(range)) {
      read += 1;
      if (isEntryKey(key)) continue;
      until = key.id;
      const n = numberOf(key.id);
      // What is no record of a trail has no number to go on from.
      if (n === undefined) continue;
      lookedAt += 1;
      const line = chain.read(key, value)?.line;
      // Times never run backwards along a trail.
      if (line !== undefined && line.at < from) return { items, next: undefined };
      if (line !== undefined && fits(line)) {
        if (items.length === limit) return { items, next };
        items.push(line);
      }
      next = n;
    }
    if (read < STRETCH) return { items, next: undefined };
  }
  return { items, next };
}

/** The number of the first line at or after a moment, found by halving; Infinity where a line on the way cannot be read: then all are looked at. */
async function firstSince({ store, chain, owner }: Trail, at: number): Promise<number> {
  let [low, high] = [1, 1];
  for await (const [key] of store.scan({ owner, log: LOG, reverse: true, limit: 1 })) {
    high = (isEntryKey(key) ? undefined : numberOf(key.id)) ?? Number.NaN;
  }
  if (Number.isNaN(high)) return Number.POSITIVE_INFINITY;
  high += 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const key = recordKey(owner, middle);
    const [value] = await store.find([key]);
    const line = value && chain.read(key, value)?.line;
    if (line === undefined) return Number.POSITIVE_INFINITY;
    if (line.at < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

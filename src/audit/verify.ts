/**
 * Verifies a trail: finds every record that was edited, removed, put in, moved or replayed, and a trail that was cut or rolled back.
 *
 * What it cannot find: records after the last anchor that were cut together with the head going back (an anchor is noted right after each
 * line, so this is what a crash or a vault that was away left without one); and anything that was done with both the key ring and the
 * vault's notes in hand. A store restored from an older copy, and a Redis that forgot its last second, look like a cut, and are one:
 * a named person may accept that on record (`acceptance.ts`), and from then on it is told as accepted, every time.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import type { Vault } from '../keys/vault.ts';
import { isEntryKey, type RecordKey, type Store } from '../store/store.ts';
import type { AuditLine } from './act.ts';
import { ACCEPT, type Acceptance, readAcceptance, readAnchor } from './anchor.ts';
import { type AuditRecord, type Chain, headKey, LOG, numberOf, recordKey, type Tail } from './chain.ts';

export interface AuditFinding {
  /**
   * `altered`: a record was edited, or stands where another belongs. `missing`: records are gone. `foreign`: what no trail holds.
   * `unlinked`: genuine, but not the successor of the record before it. `head`: the head was removed or altered. `cut`: the trail once
   * was longer. `replaced`: genuine, but not what was anchored: the trail was rolled back and written anew.
   */
  readonly what: 'altered' | 'missing' | 'foreign' | 'unlinked' | 'head' | 'cut' | 'replaced';
  /** Number of the (first) record; absent of what has none. */
  readonly from?: number;
  readonly to?: number;
  readonly text: string;
}

/** Records that are lost (a restore left them behind), which a named person accepted on record. */
export interface AcceptedLoss {
  readonly from: number;
  readonly to: number;
  /** Number of the record that says so. */
  readonly n: number;
  readonly at: number;
  readonly by: string;
  readonly why: string;
}

export interface Verification {
  readonly owner: string;
  /** How many were read. */
  readonly records: number;
  /** The last record of which an anchor says that it was there. */
  readonly anchored: number;
  readonly findings: readonly AuditFinding[];
  readonly accepted: readonly AcceptedLoss[];
}

export interface VerifyParts {
  readonly store: Store;
  readonly chain: Chain;
  readonly vault: Pick<Vault, 'notes'>;
}

/** Records read before others get a turn: mail passes while a long trail is verified. */
const AT_ONCE = 50;

/**
 * Reads the trail, at the pace of the store: the whole of it, or its `last` records only, whose number is what head and anchors say.
 * @throws StoreUnavailable, VaultUnavailable
 */
export async function verifyTrail(parts: VerifyParts, owner: string, last = Number.POSITIVE_INFINITY): Promise<Verification> {
  const { store, chain } = parts;
  // In this order: what is written meanwhile makes the trail longer than its anchors and its head, never shorter.
  const { anchors, accepted } = await notedOf(parts, owner);
  const head = await headOf(store, chain, owner);
  const anchored = lastOf(anchors);
  const first = Math.max(1, Math.max(anchored, head?.count ?? 0) - last + 1);
  const trail = new Trail(anchors, head, first);
  let read = 0;
  for await (const [key, value] of store.scan({ owner, log: LOG, from: recordKey(owner, first).id })) {
    if (isEntryKey(key)) continue;
    trail.next(key, chain.read(key, value));
    read += 1;
    if (read % AT_ONCE === 0) await immediate();
  }
  const later = trail.last > (head?.count ?? 0) ? await headOf(store, chain, owner) : head;
  trail.end(later);
  return { owner, records: trail.records, anchored, findings: trail.findings, accepted };
}

/** The links that were anchored, by number; more than one where the trail was written anew. */
type Anchors = ReadonlyMap<number, ReadonlySet<string>>;

async function notedOf(
  parts: VerifyParts,
  owner: string,
): Promise<{ readonly anchors: Anchors; readonly accepted: readonly AcceptedLoss[] }> {
  const anchors = new Map<number, Set<string>>();
  const accepted: AcceptedLoss[] = [];
  for (const noted of await parts.vault.notes(owner)) {
    const acceptance = readAcceptance(noted);
    const line = acceptance && (await lineOf(parts, owner, acceptance));
    if (acceptance !== undefined && line !== undefined) {
      const { from, to, n } = acceptance;
      for (const count of anchors.keys()) if (count >= from && count <= to) anchors.delete(count);
      accepted.push({ from, to, n, at: line.at, by: line.by, why: line.why ?? '' });
    }
    // An acceptance is an anchor of its own record, too.
    const anchor = acceptance === undefined ? readAnchor(noted) : { count: acceptance.n, link: acceptance.link };
    if (anchor === undefined) continue;
    const links = anchors.get(anchor.count);
    if (links === undefined) anchors.set(anchor.count, new Set([anchor.link]));
    else links.add(anchor.link);
  }
  return { anchors, accepted };
}

function lastOf(anchors: Anchors): number {
  let last = 0;
  for (const count of anchors.keys()) last = Math.max(last, count);
  return last;
}

/** The record that an acceptance names, where it is there, genuine, and says the same: else nothing is accepted. */
async function lineOf({ store, chain }: VerifyParts, owner: string, { from, to, n, link }: Acceptance): Promise<AuditLine | undefined> {
  const key = recordKey(owner, n);
  const [value] = await store.find([key]);
  const record = value && chain.read(key, value);
  if (record === undefined || !record.genuine || record.link !== link || record.line.what !== ACCEPT) return undefined;
  const { about } = record.line;
  return about?.from === from && about.to === to ? record.line : undefined;
}

/** `null`: there is none; undefined: it does not open. */
async function headOf(store: Store, chain: Chain, owner: string): Promise<Tail | null | undefined> {
  const [value] = await store.find([headKey(owner)]);
  return value === undefined ? null : chain.readHead(owner, value);
}

/** A trail as it is read, record by record. */
class Trail {
  readonly findings: AuditFinding[] = [];
  records = 0;
  /** Number of the record read last. */
  last: number;
  readonly #anchors: Anchors;
  readonly #head: Tail | null | undefined;
  /** Of the record read last; undefined where that cannot be told. */
  #link: string | undefined;
  /** Of the record that the head names, where it was read. */
  #atHead: string | undefined;

  /** `first`: number of the first record that will be read. */
  constructor(anchors: Anchors, head: Tail | null | undefined, first: number) {
    this.#anchors = anchors;
    this.#head = head;
    this.last = first - 1;
    this.#link = first === 1 ? '' : undefined;
  }

  next(key: RecordKey, record: AuditRecord | undefined): void {
    const n = numberOf(key.id);
    if (n === undefined || n === 0) {
      this.#found({ what: 'foreign', text: 'a record whose id is no number of this trail' });
      return;
    }
    this.records += 1;
    if (n > this.last + 1) {
      this.#missing(this.last + 1, n - 1);
      this.#link = undefined;
    }
    if (record === undefined || !record.genuine) {
      this.#found({ what: 'altered', from: n, text: `record ${n} was altered, or is another's; or this key ring lacks an older key` });
    } else {
      if (this.#link !== undefined && record.before !== this.#link) {
        this.#found({ what: 'unlinked', from: n, text: `record ${n} does not follow record ${n - 1}` });
      }
      this.#checkAnchor(n, record.link);
    }
    this.last = n;
    this.#link = record?.genuine === true ? record.link : undefined;
    if (n === this.#head?.count) this.#atHead = this.#link;
  }

  /** `head` as it is when all records were read. */
  end(head: Tail | null | undefined): void {
    const anchored = lastOf(this.#anchors);
    if (head === undefined) this.#found({ what: 'head', text: 'the head was altered' });
    else if (head === null && (this.last > 0 || anchored > 0)) this.#found({ what: 'head', text: 'the head is gone' });
    const { count = 0, link = '' } = this.#head ?? {};
    if (this.#atHead !== undefined && this.#atHead !== link) {
      this.#found({ what: 'unlinked', from: count, text: `record ${count} is not the one that the head names` });
    }
    if (head && this.records > 0 && head.count < this.last) {
      this.#found({
        what: 'head',
        from: head.count,
        text: `the head says ${head.count} records, and there are records up to ${this.last}`,
      });
    }
    const known = Math.max(count, anchored);
    if (known > this.last) {
      const text = `records ${this.last + 1} to ${known} were there and are gone: cut off, or the store is an older copy or forgot them`;
      this.#found({ what: 'cut', from: this.last + 1, to: known, text });
    }
  }

  #checkAnchor(n: number, link: string): void {
    const links = this.#anchors.get(n);
    if (links === undefined || (links.size === 1 && links.has(link))) return;
    this.#found({ what: 'replaced', from: n, text: `another record ${n} was anchored: the trail was rolled back and written anew` });
  }

  #missing(from: number, to: number): void {
    this.#found({ what: 'missing', from, to, text: from === to ? `record ${from} is missing` : `records ${from} to ${to} are missing` });
  }

  #found(finding: AuditFinding): void {
    this.findings.push(finding);
  }
}

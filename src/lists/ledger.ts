/**
 * The objection ledger: every objection and every lift once more, outside the store, so that neither a store which forgets its last
 * second nor one restored from an old copy forgets an objection that was acknowledged (DESIGN §5).
 *
 * Order of an objection: append, store.apply, settle, acknowledge. Of a lift: store.apply, append, settle, acknowledge. So what a crash
 * in between leaves behind is an objection too many, never one too few.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { GLOBAL } from '../ids.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Sealer } from '../keys/seal.ts';
import type { Vault } from '../keys/vault.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { checkHead, headKey } from '../store/head.ts';
import type { RecordKey, Store, Value } from '../store/store.ts';
import { Entries } from './entry.ts';
import { FileLedger } from './file-ledger.ts';
import { type LedgerLine, type LedgerMedium, LedgerProblem } from './ledger-medium.ts';
import { decodeRecord, encodeRecord, type LedgerRecord } from './ledger-record.ts';
import { RedisLedger } from './redis-ledger.ts';
import { type RecordsOf, type Replayed, replayRecords } from './replay.ts';

/** An appended record of which it is not certain yet that the store has it: the mark must not pass it. */
export interface Receipt {
  /** Of its line; before that, a time that its line cannot be earlier than. */
  time: number;
  appended: boolean;
}

export interface LedgerParts {
  readonly keyring: Keyring;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Logger;
  /** Relative file paths start here. */
  readonly baseDir: string;
  /** Whether a ledger that is missing may be begun; even so only for a store that has not had one in this place. */
  readonly create: boolean;
  /** Names this gate among those that share the store and have ledgers of their own. By default host name and path; for an embedded store say `embedded`. */
  readonly place?: string;
  /** The store never forgets what it acknowledged, as an embedded one. Default: it may forget its last seconds. */
  readonly lasting?: boolean;
}

const FORMAT = 'postern-ledger 1';
const MARKS = 'ledger';
const SEEN = 'ledger-seen';
/** A store may forget its last seconds, with the mark or without; servers' clocks may differ. */
const MARGIN_MS = 10 * 60_000;
/** Appends after which the mark is moved, so that a replay after a crash reads no more than these and the margin; entries read that the next replay shall not read again. */
const MARK_EVERY = 1_000;

interface Mark {
  /** Everything in the ledger up to this time is in the store. */
  readonly time: number;
  readonly place: string;
}

/**
 * A line up to which a replay has found the store to hold everything, whoever wrote it: unlike the mark it needs no margin, so that a
 * million objections of one file do not have each start and each command compare them all again.
 */
interface Seen {
  readonly time: number;
  readonly place: string;
}

/**
 * The ledger at `file:<path>` or `redis://…`. Nothing is asked of it yet: whether it is there and ours, `replay` finds out.
 * @throws StoreRefused where the URL is none
 */
export function openLedger(url: string, parts: LedgerParts): Ledger {
  const file = () => new FileLedger(resolve(parts.baseDir, url.replace(/^file:(?:\/\/(?=\/))?/, '')), parts.clock);
  return new Ledger(/^rediss?:/.test(url) ? new RedisLedger(url) : file(), parts);
}

export class Ledger {
  readonly #medium: LedgerMedium;
  readonly #parts: LedgerParts;
  readonly #entries: Entries;
  readonly #sealer: Sealer;
  readonly #place: string;
  /** As the last replay found it; undefined until the first, which begins a ledger where there may be a new one. */
  #id: string | undefined;
  /** Time of the latest line that we know of. */
  #latest = 0;
  /** What the mark in the store says; undefined while there is none. */
  #marked: number | undefined;
  #sinceMark = 0;
  readonly #unsettled = new Set<Receipt>();

  constructor(medium: LedgerMedium, parts: LedgerParts) {
    this.#medium = medium;
    this.#parts = parts;
    this.#entries = new Entries(parts.vault, parts.keyring);
    this.#sealer = parts.keyring.sealer('ledger');
    this.#place = parts.place ?? `${hostname()} ${medium.name}`;
  }

  /** For messages; without credentials. */
  get name(): string {
    return this.#medium.name;
  }

  /** Durable when it resolves. Hand the receipt to `settle` when the store has the change. @throws StoreUnavailable */
  async append(record: LedgerRecord): Promise<Receipt> {
    const id = this.#begun();
    const receipt: Receipt = { time: this.#latest, appended: false };
    this.#unsettled.add(receipt);
    try {
      receipt.time = await this.#medium.append(this.#sealer.seal(encodeRecord(record), aadOf(id)));
      receipt.appended = true;
      this.#latest = Math.max(this.#latest, receipt.time);
      return receipt;
    } catch (error) {
      // Nobody will be told that it is kept.
      this.#unsettled.delete(receipt);
      throw error;
    }
  }

  /** The store has what was appended. */
  async settle(receipt: Receipt, store: Store): Promise<void> {
    this.#unsettled.delete(receipt);
    this.#sinceMark += 1;
    if (this.#marked === undefined || this.#sinceMark >= MARK_EVERY) await this.#moveMark(store);
  }

  /** Whether there is a ledger: one outlives its store. @throws LedgerProblem where it is another key ring's; StoreUnavailable */
  async exists(): Promise<boolean> {
    const header = await this.#medium.header();
    if (header !== undefined) this.#idIn(header);
    return header !== undefined;
  }

  /**
   * Puts into the store what it lacks. To be awaited before any answer of a store that was just connected to is believed.
   * @throws LedgerProblem where the ledger was there before and is missing, or is another key ring's; StoreRefused where it (a Redis) may
   *   forget; StoreUnavailable where it gives no answer, or the store has no head of ours
   */
  async replay(store: Store): Promise<Replayed> {
    const [head] = await store.find([headKey(GLOBAL)]);
    checkHead(head, this.#parts.keyring.fingerprint);
    const header = await this.#medium.header();
    const id = this.#idIn(header ?? (await this.#begin(store)));
    this.#id = id;
    const [markThere, seenThere] = await store.find([markKey(id), seenKey(id)]);
    const [mark, seen] = [decode<Mark>(markThere), decode<Seen>(seenThere)];
    this.#marked = mark?.time;
    this.#latest = Math.max(this.#latest, mark?.time ?? 0, seen?.time ?? 0);
    const from = Math.max(0, (mark?.time ?? 0) - MARGIN_MS);
    const after = seen !== undefined && seen.time >= from ? seen.place : undefined;
    const before = [...this.#unsettled].filter(({ appended }) => appended);
    const { lasting = false, clock } = this.#parts;
    const until = lasting ? Number.POSITIVE_INFINITY : clock.now() - MARGIN_MS;
    let reached: Seen | undefined;
    const records: RecordsOf = kind =>
      this.#records(id, kind, this.#medium.read(from, after), ({ time, place }) => {
        // The lifts are read first: what is appended after that may be one more, at which nobody looked.
        if (kind === 'lift' && time <= until) reached = { time, place };
      });
    const replayed = await replayRecords(records, store, this.#entries);
    for (const receipt of before) this.#unsettled.delete(receipt);
    if (mark === undefined || replayed.restored > 0 || replayed.read >= MARK_EVERY) await this.#writeMark(store, this.#appliedUpTo());
    // What was brought back this moment may be forgotten once more.
    const certain = lasting || replayed.restored === 0;
    if (replayed.read >= MARK_EVERY && certain && reached !== undefined) await write(store, seenKey(id), reached);
    if (replayed.restored > 0) this.#parts.log.warn({ ...replayed }, 'the store lacked objections; the ledger has brought them back');
    return replayed;
  }

  /** Moves the mark where a store is given, and lets go of the ledger. */
  async close(store?: Store): Promise<void> {
    if (store !== undefined && this.#id !== undefined && this.#appliedUpTo() > (this.#marked ?? 0)) await this.#moveMark(store);
    await this.#medium.close();
  }

  async *#records(
    id: string,
    kind: LedgerRecord['kind'],
    lines: AsyncIterable<LedgerLine>,
    reached: (line: LedgerLine) => void,
  ): AsyncIterable<LedgerRecord> {
    for await (const line of lines) {
      const plain = this.#sealer.open(line.payload, aadOf(id));
      if (plain === undefined) {
        throw new LedgerProblem(
          `${this.name} holds a line that this key ring does not open: it was altered, or the key ring is another; restore the right one`,
        );
      }
      this.#latest = Math.max(this.#latest, line.time);
      reached(line);
      const record = decodeRecord(plain, kind);
      if (record !== undefined) yield record;
    }
  }

  #appliedUpTo(): number {
    const oldest = Math.min(...[...this.#unsettled].map(({ time }) => time - 1));
    return Math.min(this.#latest, oldest);
  }

  /** A mark that stays behind costs time at the next replay and nothing else. */
  async #moveMark(store: Store): Promise<void> {
    try {
      await this.#writeMark(store, this.#appliedUpTo());
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'the mark of the ledger could not be moved');
    }
  }

  async #writeMark(store: Store, time: number): Promise<void> {
    const mark: Mark = { time: Math.max(time, 0), place: this.#place };
    this.#sinceMark = 0;
    await write(store, markKey(this.#begun()), mark);
    this.#marked = mark.time;
  }

  async #begin(store: Store): Promise<string> {
    if (!this.#parts.create) throw missing(this.#medium);
    const marks: Mark[] = [];
    for await (const [, value] of store.scan({ owner: GLOBAL, log: MARKS })) marks.push(JSON.parse(value.toString()) as Mark);
    if (marks.some(({ place }) => place === this.#place)) throw missing(this.#medium);
    if (marks.length > 0) this.#parts.log.warn({ ledger: this.name }, 'a ledger is begun beside those of other gates of this store');
    return this.#medium.create(`${FORMAT} ${randomBytes(9).toString('base64url')} ${this.#parts.keyring.fingerprint}`);
  }

  #begun(): string {
    if (this.#id === undefined) throw new Error('the ledger is not begun: replay comes before append');
    return this.#id;
  }

  #idIn(header: string): string {
    const [, id, fingerprint] = /^postern-ledger 1 (\S+) (\S+)$/.exec(header) ?? [];
    if (id === undefined) throw new LedgerProblem(`${this.name} is no ledger; set ledger.url, or restore it from its backup`);
    if (fingerprint !== this.#parts.keyring.fingerprint) {
      throw new LedgerProblem(`${this.name} belongs to another key ring; set keys.file or ledger.url to the ones that belong together`);
    }
    return id;
  }
}

function missing(medium: LedgerMedium): LedgerProblem {
  return new LedgerProblem(`${medium.name} is missing or empty; put it back or set ledger.url: objections may stand nowhere else`);
}

function aadOf(id: string): string {
  return `ledger ${id}`;
}

function markKey(id: string): RecordKey {
  return { owner: GLOBAL, log: MARKS, id };
}

function seenKey(id: string): RecordKey {
  return { owner: GLOBAL, log: SEEN, id };
}

function decode<T extends Mark | Seen>(value: Value | undefined): T | undefined {
  return value === undefined ? undefined : (JSON.parse(value.toString()) as T);
}

async function write(store: Store, key: RecordKey, mark: Mark | Seen): Promise<void> {
  await store.apply([{ key, value: Buffer.from(JSON.stringify(mark)) }]);
}

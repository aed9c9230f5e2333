/**
 * The contract of a store engine. An engine is dumb: it hashes nothing, expires nothing, decides nothing.
 *
 * Everything belongs to an owner, a client's id or `global`, and has one of two shapes: an *entry* is a point look-up in a set
 * (a digest → a small value), evenly spread; a *record* stands in a log whose order means something (time). Both are read in the order
 * of their ids' octets.
 */

export interface EntryKey {
  readonly owner: string;
  /** Name of the set, printable ASCII without `{}` and NUL, 1–150 characters. */
  readonly set: string;
  /** 1–64 octets; evenly spread (a digest), because engines bucket by its first octets. */
  readonly id: Buffer;
}

export interface RecordKey {
  readonly owner: string;
  /** Name of the log, same alphabet as a set's name. */
  readonly log: string;
  /** 1–200 octets of printable ASCII; the log is ordered by it, octet by octet. */
  readonly id: string;
}

export type Key = EntryKey | RecordKey;
export type Value = Buffer;

/** A write: the value that replaces whatever the key held, or undefined to delete. */
export interface Change {
  readonly key: Key;
  readonly value: Value | undefined;
}

/** What a key must hold for an apply to write anything: exactly this value, or nothing. */
export interface Expectation {
  readonly key: Key;
  readonly value: Value | undefined;
}

/** A set's entries, of those that follow the id `after` where one is named, or a log's records between two ids: `from` inclusive, `to` exclusive, at most `limit`. */
export type Range =
  | { readonly owner: string; readonly set: string; readonly after?: Buffer }
  | {
      readonly owner: string;
      readonly log: string;
      readonly from?: string;
      readonly to?: string;
      readonly reverse?: boolean;
      readonly limit?: number;
    };

/** There is no store at the address, and the caller may not create one. */
export class StoreMissing extends Error {
  override readonly name = 'StoreMissing';
}

/** A store is there, but it may forget or cannot be used as it is set up. The message names the setting to change. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** The store gave no answer: down, frozen, out of disk, or not admitted yet. Never means "not found". Deserves 451 4.3.0. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

export interface Store {
  /**
   * Values in the order of the keys. One round trip; sees every apply that resolved anywhere before it was called.
   * @throws StoreUnavailable where no answer came within 250 ms, longer for thousands of keys.
   */
  find(keys: readonly Key[]): Promise<readonly (Value | undefined)[]>;
  /**
   * Per owner all or none, at most MAX_CHANGES a call; durable when it resolves; idempotent. False: an expectation failed and nothing was written.
   * Every expectation's owner must be the owner of some change. With changes of several owners, expectations may name one owner only,
   * and that owner's changes are written first.
   * @throws RangeError where the call breaks these rules (a programming error).
   * @throws StoreUnavailable where the outcome is unknown (it may still have happened).
   */
  apply(changes: readonly Change[], expect?: readonly Expectation[]): Promise<boolean>;
  /** Streams in constant memory, in the order of the ids' octets; what is written meanwhile may or may not appear. */
  scan(range: Range): AsyncIterable<readonly [Key, Value]>;
  /** Whether no key of Postern's is here at all: a store that was never used. */
  isEmpty(): Promise<boolean>;
  /** What an operator should know: what could be lost and why. For `doctor`; never on the mail path. */
  inspect(): Promise<readonly Finding[]>;
  ping(): Promise<void>;
  /** Waits for what is being written. After it every method throws StoreUnavailable. */
  close(): Promise<void>;
}

/** One line of an inspection; `fail` means that the store must not be relied on as it stands. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly text: string;
}

/** Most changes (and most expectations) one apply may hold: what Redis runs as one script without keeping others waiting. */
export const MAX_CHANGES = 10_000;

export function isEntryKey(key: Key): key is EntryKey {
  return 'set' in key;
}

/** What a ledger is written on: something that lines are appended to for good, apart from the store. */
import { StoreRefused } from '../store/store.ts';

/** The ledger cannot be relied on as it stands: missing, damaged, of another key ring, or it knows more than the store. The message names the fix. */
export class LedgerProblem extends StoreRefused {}

export interface LedgerLine {
  /** Milliseconds since 1970 UTC; hardly ever less than the line's before it, whatever the clock does. */
  readonly time: number;
  readonly payload: Buffer;
  /** Where it stands, in the medium's own words; printable, and not for anything but `read`. */
  readonly place: string;
}

export interface LedgerMedium {
  /** For messages; without credentials. */
  readonly name: string;
  /** The first line, or undefined where there is no ledger yet. */
  header(): Promise<string | undefined>;
  /** Begins the ledger and gives its header: another process's, where that was first. */
  create(header: string): Promise<string>;
  /** Durable when it resolves to the line's time. @throws StoreUnavailable where it may not be */
  append(payload: Buffer): Promise<number>;
  /**
   * The lines behind the one at the place `after`, or those from the time `from` on where that line is not there (any more): in order, as
   * far as they were written when asked. @throws LedgerProblem at a line that is none
   */
  read(from: number, after?: string): AsyncIterable<LedgerLine>;
  close(): Promise<void>;
}

/** What a vault stands on: a place that keeps one small wrapped key per owner, and lines that are noted of owners. */

/** The vault gave no answer. Never means "no such key". Deserves 451 4.3.0. */
export class VaultUnavailable extends Error {
  override readonly name: string = 'VaultUnavailable';
}

/** It is there, but may forget or cannot be used as it is set up. The message names the setting to change. */
export class VaultRefused extends VaultUnavailable {
  override readonly name = 'VaultRefused';
}

export interface Shelf {
  /** For messages; without credentials. */
  readonly name: string;
  read(owner: string): Promise<Buffer | undefined>;
  /** Keeps the key unless the owner has one; resolves, when it is durable, to the key the owner has then. */
  add(owner: string, wrapped: Buffer): Promise<Buffer>;
  remove(owner: string): Promise<boolean>;
  /** Adds a line of printable ASCII to the owner's notes; durable when it resolves. */
  note(owner: string, line: string): Promise<void>;
  /** All lines noted of the owner, the oldest first; what a crash left of a line may stand among them. */
  notes(owner: string): Promise<readonly string[]>;
  /** Owners of whom anything is noted. */
  noted(): Promise<readonly string[]>;
  close(): Promise<void>;
}

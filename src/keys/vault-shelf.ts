/** What a vault stands on: a place that keeps one small wrapped key per owner. */

/** The vault gave no answer. Never means "no such key". Deserves 451 4.3.0. */
export class VaultUnavailable extends Error {
  override readonly name = 'VaultUnavailable';
}

export interface Shelf {
  /** For messages; without credentials. */
  readonly name: string;
  read(owner: string): Promise<Buffer | undefined>;
  /** Keeps the key unless the owner has one; resolves, when it is durable, to the key the owner has then. */
  add(owner: string, wrapped: Buffer): Promise<Buffer>;
  remove(owner: string): Promise<boolean>;
  close(): Promise<void>;
}

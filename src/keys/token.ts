/** Tokens: what stands behind the plus of a return path or Reply-To; unforgeable, and names a relayed message. */
import type { Keyring } from './keyring.ts';

/** What a token says. It is ours: nobody without the key makes one. */
export interface Token {
  /** Id of the relayed message in its client's log of sends. */
  readonly send: string;
  /** When it was made, ms since 1970 UTC. */
  readonly at: number;
  /** True for the client that it was made for. */
  isOf(client: string): boolean;
}

export class Tokens {
  constructor(_keyring: Keyring) {}
  /** A token for a relayed message: at most 44 characters of a-z, 2-7, so that it survives whatever changes case. */
  make(_client: string, _send: string): string {
    throw new Error('not built yet');
  }
  /** undefined: none of ours. Upper case is read, too. Whether it is too old is the caller's to say. */
  read(_text: string): Token | undefined {
    throw new Error('not built yet');
  }
}

/** The Peer that a session shows its gate: one object for as long as the client stays the same. */
import type { Peer } from './gate.ts';

export class SessionPeer implements Peer {
  readonly id: string;
  readonly remoteAddress: string;
  secure: string | undefined;
  helo = '';
  /** Greeted with EHLO. */
  extended = false;
  authenticated = false;

  constructor(id: string, remoteAddress: string, secure: string | undefined) {
    this.id = id;
    this.remoteAddress = remoteAddress;
    this.secure = secure;
  }

  /** RFC 3848 registers variants of ESMTP only. */
  get protocol(): string {
    if (!this.extended) return 'SMTP';
    return `ESMTP${this.secure === undefined ? '' : 'S'}${this.authenticated ? 'A' : ''}`;
  }

  /** What the client said so far counts no longer (RFC 3207 §4.2). */
  forget(): void {
    this.helo = '';
    this.extended = false;
    this.authenticated = false;
  }
}

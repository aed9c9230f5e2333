/** The Received field that is put before every message: who handed it over, by what protocol, when (RFC 5321 §4.4). */
import { isIP } from 'node:net';
import { parseDomain } from './domain.ts';

export interface Receipt {
  /** Our own name. */
  readonly by: string;
  /** What the peer called itself: a stranger's text. */
  readonly helo: string;
  readonly remoteAddress: string;
  /** `ESMTPSA` and its kin (RFC 3848). */
  readonly protocol: string;
  readonly id: string;
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
}

/** One folded field with its CRLF. It names no envelope address (no FOR clause): one recipient must not learn of another. */
export function receivedField({ by, helo, remoteAddress, protocol, id, at }: Receipt): Buffer {
  const literal = addressLiteral(remoteAddress);
  return Buffer.from(
    [`Received: from ${heloName(helo) ?? literal} (${literal})`, `\tby ${by} with ${protocol} id ${id};`, `\t${mailDate(at)}`, ''].join(
      '\r\n',
    ),
    'latin1',
  );
}

/** RFC 5322 §3.3 date-time in UTC, of milliseconds since 1970. */
export function mailDate(at: number): string {
  return new Date(at).toUTCString().replace('GMT', '+0000');
}

/** The peer's name where it is one: a domain, a bare host name or an address literal. Anything else could write a clause of its own. */
function heloName(helo: string): string | undefined {
  const domain = parseDomain(helo);
  if (domain !== undefined) return domain;
  return /^[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,9}$|^\[[A-Za-z0-9.:]{2,60}\]$/.test(helo) ? helo : undefined;
}

/** RFC 5321 §4.1.3. */
function addressLiteral(address: string): string {
  const version = isIP(address);
  if (version === 0) return 'unknown';
  return version === 6 ? `[IPv6:${address}]` : `[${address}]`;
}

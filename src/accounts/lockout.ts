/** Lock-out: whoever failed too often has to wait, told alike for accounts that exist and that do not; bounded in memory. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../ops/clock.ts';

const MINUTE_MS = 60_000;
/** Failures within the window before a wait: for one account from one address, and for one address whatever it tries. */
const LIMITS = { account: 5, address: 30 } as const;
const WINDOW_MS = 15 * MINUTE_MS;
const KEPT = 20_000;

interface Failures {
  readonly since: number;
  count: number;
}

/** By account and address together, so that a stranger cannot lock a person out from where that person works. */
export class Lockout {
  readonly #clock: Clock;
  readonly #failures = new LRUCache<string, Failures>({ max: KEPT });

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Seconds to wait; 0 where nobody has to. */
  wait(account: string, from: string): number {
    const address = networkOf(from);
    return Math.max(this.#wait(`${address} ${account}`, LIMITS.account), this.#wait(address, LIMITS.address));
  }

  /** Counts a failure. True where this one closed the door. */
  fail(account: string, from: string): boolean {
    const address = networkOf(from);
    const before = this.wait(account, from);
    for (const key of [`${address} ${account}`, address]) {
      const known = this.#current(key);
      if (known === undefined) this.#failures.set(key, { since: this.#clock.now(), count: 1 });
      else known.count += 1;
    }
    return before === 0 && this.wait(account, from) > 0;
  }

  /** The person was let in: what failed for that account from there is forgotten. */
  succeed(account: string, from: string): void {
    this.#failures.delete(`${networkOf(from)} ${account}`);
  }

  #wait(key: string, limit: number): number {
    const known = this.#current(key);
    return known === undefined || known.count < limit ? 0 : Math.ceil((known.since + WINDOW_MS - this.#clock.now()) / 1_000);
  }

  #current(key: string): Failures | undefined {
    const known = this.#failures.get(key);
    const now = this.#clock.now();
    // A clock that was set back must not keep anybody out.
    return known === undefined || now < known.since || now - known.since >= WINDOW_MS ? undefined : known;
  }
}

/** What one customer has: of IPv6 the /64 (RFC 6177), whose addresses one machine can change for every attempt; of IPv4 the address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [front = '', back] = address.split('::');
  const groups = [front, back ?? ''].map(part => (part === '' ? [] : part.split(':')));
  const [first = [], last = []] = groups;
  const zeros = back === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  return [...first, ...new Array<string>(zeros).fill('0'), ...last].slice(0, 4).join(':');
}

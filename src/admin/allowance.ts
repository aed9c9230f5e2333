/** Requests a minute, by whom: bounded in memory, told in seconds to wait. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../ops/clock.ts';

const MINUTE_MS = 60_000;
const KEPT = 20_000;

interface Count {
  readonly since: number;
  count: number;
}

export class Allowance {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #counts = new LRUCache<string, Count>({ max: KEPT });

  /** `most`: a minute. */
  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  /** Counts one. */
  count(who: string): void {
    const known = this.#current(who);
    if (known === undefined) this.#counts.set(who, { since: this.#clock.now(), count: 1 });
    else known.count += 1;
  }

  /** Seconds until there may be another; 0: now. */
  wait(who: string): number {
    const known = this.#current(who);
    if (known === undefined || known.count < this.#most) return 0;
    return Math.max(1, Math.ceil((known.since + MINUTE_MS - this.#clock.now()) / 1_000));
  }

  #current(who: string): Count | undefined {
    const known = this.#counts.get(who);
    const now = this.#clock.now();
    // A clock that was set back must not keep anybody out.
    return known === undefined || now < known.since || now - known.since >= MINUTE_MS ? undefined : known;
  }
}

/** How many messages a minute one sender may have taken: a loop of two robots, or a flood under one name, must not fill the log. */
import { LRUCache } from 'lru-cache';
import type { Clock } from '../ops/clock.ts';

const MINUTE = 60_000;
/** Senders remembered at once; whoever is forgotten begins anew. */
const SENDERS = 20_000;

export class Rate {
  readonly #perMinute: number;
  readonly #clock: Clock;
  readonly #counts = new LRUCache<string, { readonly minute: number; count: number }>({ max: SENDERS });

  /** 0 = no limit. */
  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute;
    this.#clock = clock;
  }

  /** Counts one message. `flood`: the first beyond the limit in this minute; `more`: another one. */
  take(sender: string): 'granted' | 'flood' | 'more' {
    if (this.#perMinute === 0) return 'granted';
    const minute = Math.floor(this.#clock.now() / MINUTE);
    let use = this.#counts.get(sender);
    if (use?.minute !== minute) {
      use = { minute, count: 0 };
      this.#counts.set(sender, use);
    }
    use.count += 1;
    if (use.count <= this.#perMinute) return 'granted';
    return use.count === this.#perMinute + 1 ? 'flood' : 'more';
  }
}

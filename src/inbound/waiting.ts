/** What had to be deferred and has not come again: for how long people have been waiting at this door (A17). */
import type { Clock } from '../ops/clock.ts';

/** Sending servers give up by then (RFC 5321 §4.5.4.1). */
const FORGOTTEN_MS = 5 * 24 * 3_600_000;
/** Those who came first are the ones that count. */
const MOST = 10_000;

export class Waiting {
  readonly #clock: Clock;
  /** Message → when it first came, the oldest first. */
  readonly #since = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When this message first came: now, unless it was deferred before. ms since 1970 UTC. */
  since(message: string): number {
    this.#forget();
    return this.#since.get(message) ?? this.#clock.now();
  }

  deferred(message: string, since: number): void {
    if (this.#since.size < MOST && !this.#since.has(message)) this.#since.set(message, since);
  }

  enforced(message: string): void {
    this.#since.delete(message);
  }

  /** When the oldest came; undefined where nobody waits. */
  oldest(): number | undefined {
    this.#forget();
    const [first] = this.#since.values();
    return first;
  }

  #forget(): void {
    const before = this.#clock.now() - FORGOTTEN_MS;
    for (const [message, since] of this.#since) {
      if (since >= before) return;
      this.#since.delete(message);
    }
  }
}

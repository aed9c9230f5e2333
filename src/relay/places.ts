/** Counts who may use a connection at once, and lets others wait in turn for a bounded time. */

interface Waiter {
  readonly settle: (granted: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * `limit` places. A transaction that waits for consent lends its place; lent places are for DSNs only, so that one can always go out whose
 * sending the consent waits for, and there are never more than twice `limit` users.
 */
export class Places {
  readonly #limit: number;
  readonly #waitMs: number;
  readonly #waiting = { dsn: new Set<Waiter>(), other: new Set<Waiter>() };
  #used = 0;
  #lent = 0;
  #closed = false;

  /** `waitMs`: how long `take` waits at most. */
  constructor(limit: number, waitMs: number) {
    this.#limit = limit;
    this.#waitMs = waitMs;
  }

  get used(): number {
    return this.#used;
  }

  /** True with a place, to be given back by `free`; false where none came free in time or the places are closed. */
  async take(dsn: boolean): Promise<boolean> {
    if (this.#closed) return false;
    if (this.#used < this.#limit + (dsn ? this.#lent : 0)) {
      this.#used += 1;
      return true;
    }
    const queue = dsn ? this.#waiting.dsn : this.#waiting.other;
    return new Promise(resolve => {
      const settle = (granted: boolean): void => {
        clearTimeout(waiter.timer);
        queue.delete(waiter);
        resolve(granted);
      };
      const waiter: Waiter = { settle, timer: setTimeout(() => settle(false), this.#waitMs) };
      queue.add(waiter);
    });
  }

  free(): void {
    this.#used -= 1;
    this.#serve();
  }

  /** Lends the caller's place to DSNs while `work` runs. */
  async lend<T>(work: () => Promise<T>): Promise<T> {
    this.#lent += 1;
    this.#serve();
    try {
      return await work();
    } finally {
      this.#lent -= 1;
    }
  }

  /** Nobody gets a place any more; those who wait are told so. */
  close(): void {
    this.#closed = true;
    for (const queue of [this.#waiting.dsn, this.#waiting.other]) for (const { settle } of queue) settle(false);
  }

  #serve(): void {
    const { dsn, other } = this.#waiting;
    this.#grant(dsn, this.#limit + this.#lent);
    this.#grant(other, this.#limit);
  }

  #grant(queue: Set<Waiter>, limit: number): void {
    for (const { settle } of queue) {
      if (this.#used >= limit) return;
      this.#used += 1;
      settle(true);
    }
  }
}

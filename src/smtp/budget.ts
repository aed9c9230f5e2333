/** The memory that all messages in work may take together: 1,000 sessions of 1 MB held whole would be 1 GB. */

/** One message's share. */
export interface Reservation {
  /** Makes the share at least `bytes`; false where the budget is exhausted, and the share is then as it was. */
  atLeast(bytes: number): boolean;
  /** Gives the whole share back. May be called again. */
  free(): void;
}

/** Counts octets; it allocates nothing itself. */
export class ByteBudget {
  readonly limit: number;
  #used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Octets reserved at the moment. */
  get used(): number {
    return this.#used;
  }

  /** A share of nothing, that can grow. */
  open(): Reservation {
    let held = 0;
    return {
      atLeast: bytes => {
        const more = bytes - held;
        if (more <= 0) return true;
        if (this.#used + more > this.limit) return false;
        this.#used += more;
        held = bytes;
        return true;
      },
      free: () => {
        this.#used -= held;
        held = 0;
      },
    };
  }
}

/** What was opened, one after the other, and is closed in the opposite order: in a start that fails half-way, and at the end. */

/** Closes a part; a part that may take its time to end takes so many milliseconds at most. */
export type Close = (limitMs: number) => unknown;

export class Opened {
  readonly #closing: Close[] = [];

  /** To be called as soon as there is something to close. */
  keep(close: Close): void {
    this.#closing.push(close);
  }

  /** Closes the last first; every one, whatever fails. @throws the first failure, when all is done */
  async close(limitMs: number): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closing.splice(0).reverse()) {
      try {
        await close(limitMs);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

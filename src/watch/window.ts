/** Counts within a sliding window of time: a ring of slices, so that a count costs nothing that grows. */

const SLICES = 20;

/** Several counts of one thing at once; what is older than the window, to a twentieth of it, no longer counts. */
export class Window {
  readonly #sliceMs: number;
  readonly #counts: number;
  readonly #ring: Float64Array;
  /** Number of the slice that is counted in now. */
  #slice = 0;

  constructor(windowMs: number, counts: number) {
    this.#sliceMs = windowMs / SLICES;
    this.#counts = counts;
    this.#ring = new Float64Array(SLICES * counts);
  }

  /** Adds to each count; `now` in ms since 1970 UTC. A clock that was set back counts into the latest slice. */
  add(now: number, amounts: readonly number[]): void {
    this.#advance(now);
    const at = (this.#slice % SLICES) * this.#counts;
    for (const [i, amount] of amounts.entries()) this.#ring[at + i] = (this.#ring[at + i] ?? 0) + amount;
  }

  sums(now: number): readonly number[] {
    this.#advance(now);
    const sums = new Array<number>(this.#counts).fill(0);
    for (const [at, count] of this.#ring.entries()) sums[at % this.#counts] = (sums[at % this.#counts] ?? 0) + count;
    return sums;
  }

  #advance(now: number): void {
    const slice = Math.floor(now / this.#sliceMs);
    const passed = slice - this.#slice;
    if (passed <= 0) return;
    for (let i = 1; i <= Math.min(passed, SLICES); i++) {
      const at = ((this.#slice + i) % SLICES) * this.#counts;
      this.#ring.fill(0, at, at + this.#counts);
    }
    this.#slice = slice;
  }
}

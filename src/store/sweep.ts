/** Sweeping: what ran out is deleted once an hour, in short turns, so that mail beside is not held up however much there is. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../ops/clock.ts';
import type { Change, Key, Range, Store, Value } from './store.ts';

const EVERY_MS = 60 * 60_000;
const AT_A_TURN = 100;
const DELETED_AT_ONCE = 1_000;

export class Sweep {
  readonly #store: Store;
  readonly #range: Range;
  readonly #clock: Clock;
  #sweptAt = 0;

  constructor(store: Store, range: Range, clock: Clock) {
    this.#store = store;
    this.#range = range;
    this.#clock = clock;
  }

  /** Deletes what `isOver`; does nothing within an hour of the last time. @throws StoreUnavailable */
  async run(isOver: (key: Key, value: Value) => boolean): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#sweptAt < EVERY_MS) return;
    this.#sweptAt = now;
    let over: Change[] = [];
    let read = 0;
    for await (const [key, value] of this.#store.scan(this.#range)) {
      if (++read % AT_A_TURN === 0) await turn();
      if (!isOver(key, value)) continue;
      over.push({ key, value: undefined });
      if (over.length < DELETED_AT_ONCE) continue;
      await this.#store.apply(over);
      over = [];
    }
    if (over.length > 0) await this.#store.apply(over);
  }
}

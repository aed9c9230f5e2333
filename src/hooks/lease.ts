/** The lease: of all gates of a store one delivers. Where it dies another takes over within seconds; an event may then be sent twice. */
import { randomUUID } from 'node:crypto';
import { GLOBAL } from '../ids.ts';
import type { Clock } from '../ops/clock.ts';
import type { RecordKey, Store, Value } from '../store/store.ts';

const KEY: RecordKey = { owner: GLOBAL, log: 'webhook-lease', id: 'lease' };
const LEASE_MS = 10_000;

interface Held {
  readonly holder: string;
  readonly until: number;
}

export class Lease {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #holder = randomUUID();
  #until = 0;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Whether this process delivers now; to be asked every few seconds. @throws StoreUnavailable */
  async hold(): Promise<boolean> {
    const now = this.#clock.now();
    if (this.#until - now > LEASE_MS / 2) return true;
    const [value] = await this.#store.find([KEY]);
    const held = value === undefined ? undefined : (JSON.parse(value.toString()) as Held);
    // A lease that lasts longer than any was given by a clock that has been set back since.
    const others = held !== undefined && held.holder !== this.#holder && held.until > now && held.until <= now + LEASE_MS;
    if (others || !(await this.#write(value, { holder: this.#holder, until: now + LEASE_MS }))) return false;
    this.#until = now + LEASE_MS;
    return true;
  }

  /** Lets another process have it at once. @throws StoreUnavailable */
  async release(): Promise<void> {
    if (this.#until <= this.#clock.now()) return;
    this.#until = 0;
    const [value] = await this.#store.find([KEY]);
    if (value !== undefined && (JSON.parse(value.toString()) as Held).holder === this.#holder) await this.#write(value, undefined);
  }

  #write(before: Value | undefined, held: Held | undefined): Promise<boolean> {
    const value = held === undefined ? undefined : Buffer.from(JSON.stringify(held));
    return this.#store.apply([{ key: KEY, value }], [{ key: KEY, value: before }]);
  }
}

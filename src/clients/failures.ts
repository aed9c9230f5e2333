/** Failed log-ins by SMTP, counted in the store: one minute's guesses are few, however many gates and processes they are spread over (A30). */
import { GLOBAL } from '../ids.ts';
import { checkHead, headKey } from '../store/head.ts';
import { type EntryKey, type Key, StoreUnavailable, type Value } from '../store/store.ts';
import { Sweep } from '../store/sweep.ts';
import { networkOf } from './addresses.ts';
import type { ClientParts } from './parts.ts';
import type { SealedRecords } from './records.ts';

const WINDOW_MS = 60_000;
/** Failures within the window before anyone has to wait: from one network for one name, and from one network. */
const LIMITS = [10, 60] as const;
/** Clocks of gates differ; what began later than this from now did so before a clock was set back, and keeps nobody out. */
const SKEW_MS = 5 * WINDOW_MS;
/** More than what may fail before all is closed and nothing is counted: of failures at once, one gets through each time. */
const MAX_ATTEMPTS = 100;
const FAILURES = { owner: GLOBAL, set: 'smtp-login-failures' } as const;

interface Window {
  /** When the first of them was, in ms since 1970 UTC. */
  readonly since: number;
  readonly count: number;
}

interface Count {
  readonly key: EntryKey;
  readonly value: Value | undefined;
  readonly window: Window | undefined;
  readonly limit: number;
}

/** Everything may throw StoreUnavailable. */
export class Failures {
  readonly #parts: Pick<ClientParts, 'store' | 'keyring' | 'digests' | 'clock'>;
  readonly #records: SealedRecords;
  readonly #swept: Sweep;

  constructor(parts: Pick<ClientParts, 'store' | 'keyring' | 'digests' | 'clock'>, records: SealedRecords) {
    this.#parts = parts;
    this.#records = records;
    this.#swept = new Sweep(parts.store, FAILURES, parts.clock);
  }

  /** Whether too many log-ins failed of late, from there for this name or from there at all. One round trip. */
  async areTooMany(username: string, address: string): Promise<boolean> {
    return (await this.#counts(username, address)).some(isFull);
  }

  /** Counts one more. What is full already does not count on: nobody makes work for the store by guessing on. */
  async add(username: string, address: string): Promise<void> {
    const { store, clock } = this.#parts;
    await this.#swept.run((key, value) => this.#current(key, value) === undefined);
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
      const open = (await this.#counts(username, address)).filter(count => !isFull(count));
      const changes = open.map(({ key, window = { since: clock.now(), count: 0 } }) =>
        this.#records.put(key, { ...window, count: window.count + 1 }),
      );
      const expect = open.map(({ key, value }) => ({ key, value }));
      if (changes.length === 0 || (await store.apply(changes, expect))) return;
    }
    throw new StoreUnavailable('The count of failed log-ins keeps changing under us');
  }

  async #counts(username: string, address: string): Promise<readonly Count[]> {
    const { store, keyring, digests } = this.#parts;
    const network = networkOf(address);
    const keys = [`${network} ${username}`, network].map((text): EntryKey => {
      const [id] = digests.name('smtp-login-failures', text);
      return { ...FAILURES, id: id as Buffer };
    });
    const [head, ...values] = await store.find([headKey(GLOBAL), ...keys]);
    checkHead(head, keyring.fingerprint);
    return keys.map((key, i) => {
      const value = values[i];
      return { key, value, window: value && this.#current(key, value), limit: LIMITS[i] as number };
    });
  }

  #current(key: Key, value: Value): Window | undefined {
    const window = this.#records.get<Window>(key, value);
    const now = this.#parts.clock.now();
    return now - window.since >= WINDOW_MS || window.since > now + SKEW_MS ? undefined : window;
  }
}

function isFull({ window, limit }: Count): boolean {
  return window !== undefined && window.count >= limit;
}

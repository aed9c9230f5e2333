/** Failures that may pass: counted by person and day, because many on one day say no more than one. */
import type { Digests } from '../keys/digest.ts';
import { type Address, basePerson } from '../mail/address.ts';
import { type Change, type EntryKey, type Expectation, isEntryKey, type Store } from '../store/store.ts';
import type { Owner } from './pseudonyms.ts';

const SET = 'soft-bounces';
const DAY_MS = 86_400_000;
/** Entries that one purge deletes at once. */
const BATCH = 500;

/** What there is to write for one more failure of some people. */
export interface Tally {
  /** Who has failed on `limit` days within the window. */
  readonly over: readonly Address[];
  readonly changes: readonly Change[];
  readonly expect: readonly Expectation[];
}

export interface Threshold {
  /** So many different days … */
  readonly limit: number;
  /** … within so many days. */
  readonly days: number;
}

export class SoftBounces {
  readonly #store: Store;
  readonly #digests: Digests;

  constructor(store: Store, digests: Digests) {
    this.#store = store;
    this.#digests = digests;
  }

  /** Counts the day of `at` (ms since 1970 UTC) for each of them, and says who is over the threshold. Writes nothing. @throws StoreUnavailable */
  async tally(owner: Owner, people: readonly Address[], at: number, { limit, days }: Threshold): Promise<Tally> {
    const today = Math.floor(at / DAY_MS);
    const once = [...new Map(people.map(person => [basePerson(person), person])).values()];
    const over: Address[] = [];
    const changes: Change[] = [];
    const expect: Expectation[] = [];
    for (const person of once) {
      const keys = this.#digests.person(person).map((id): EntryKey => ({ owner, set: SET, id }));
      const values = await this.#store.find(keys);
      const known = values.flatMap(value => (value === undefined ? [] : (JSON.parse(value.toString()) as number[])));
      const failed = [...new Set([...known, today])].filter(day => day > today - days).sort((a, b) => a - b);
      if (failed.length >= limit) over.push(person);
      const key = keys[0] as EntryKey;
      changes.push({ key, value: Buffer.from(JSON.stringify(failed)) });
      expect.push({ key, value: values[0] });
    }
    return { over, changes, expect };
  }

  /** Forgets whoever did not fail on or after the day of `before` (ms since 1970 UTC). Resolves to how many. @throws StoreUnavailable */
  async purge(owner: Owner, before: number): Promise<number> {
    const first = Math.floor(before / DAY_MS);
    let purged = 0;
    let stale: Expectation[] = [];
    const forget = async (): Promise<void> => {
      // Where one failed again meanwhile, the next purge sees to the rest.
      const gone = stale.map(({ key }): Change => ({ key, value: undefined }));
      if (stale.length > 0 && (await this.#store.apply(gone, stale))) purged += stale.length;
      stale = [];
    };
    for await (const [key, value] of this.#store.scan({ owner, set: SET })) {
      if (!isEntryKey(key) || (JSON.parse(value.toString()) as number[]).some(day => day >= first)) continue;
      stale.push({ key, value });
      if (stale.length >= BATCH) await forget();
    }
    await forget();
    return purged;
  }
}

/** Which lines of the reply log wait for a decision: found without reading the log, and counted by person. */
import type { Digests } from '../keys/digest.ts';
import { type Address, basePerson } from '../mail/address.ts';
import type { Change, EntryKey, Expectation, RecordKey, Store } from '../store/store.ts';
import type { Owner } from './pseudonyms.ts';

const LOG = 'replies-open';
/** person's digest → how many lines about them are open; nothing where none is */
const COUNTS = 'open-reviews';

/** To be applied as a whole. */
export interface OpenEdit {
  readonly changes: readonly Change[];
  readonly expect: readonly Expectation[];
}

export class OpenReviews {
  readonly #store: Store;
  readonly #digests: Digests;
  /** The log whose ids are those of the open lines. */
  readonly log = LOG;

  constructor(store: Store, digests: Digests) {
    this.#store = store;
    this.#digests = digests;
  }

  /** One more line about these people is open. @throws StoreUnavailable */
  async opened(owner: Owner, id: string, people: readonly Address[]): Promise<OpenEdit> {
    return this.#edit(owner, people, 1, { key: openKey(owner, id), value: Buffer.from('open') });
  }

  /** One less. @throws StoreUnavailable */
  async closed(owner: Owner, id: string, people: readonly Address[]): Promise<OpenEdit> {
    return this.#edit(owner, people, -1, { key: openKey(owner, id), value: undefined });
  }

  /** Holds while no line about the person is open. */
  none(owner: Owner, person: Address): readonly Expectation[] {
    return this.#keys(owner, person).map(key => ({ key, value: undefined }));
  }

  async #edit(owner: Owner, people: readonly Address[], by: 1 | -1, change: Change): Promise<OpenEdit> {
    const once = [...new Map(people.map(person => [basePerson(person), person])).values()];
    const edits = await Promise.all(
      once.map(async (person): Promise<OpenEdit> => {
        const keys = this.#keys(owner, person);
        const values = await this.#store.find(keys);
        // What was opened under an older digest key is closed there.
        const at = Math.max(by < 0 ? values.findIndex(value => value !== undefined) : 0, 0);
        const key = keys[at] as EntryKey;
        const count = Number(values[at]?.toString() ?? 0) + by;
        return {
          changes: [{ key, value: count > 0 ? Buffer.from(String(count)) : undefined }],
          expect: [{ key, value: values[at] }],
        };
      }),
    );
    return { changes: [change, ...edits.flatMap(({ changes }) => changes)], expect: edits.flatMap(({ expect }) => expect) };
  }

  #keys(owner: Owner, person: Address): readonly EntryKey[] {
    return this.#digests.person(person).map(id => ({ owner, set: COUNTS, id }));
  }
}

function openKey(owner: Owner, id: string): RecordKey {
  return { owner, log: LOG, id };
}

/** Open lines are counted up to here: who has so many has too many, and must not wait for their sum. */
export const MOST_COUNTED = 1_000;

export interface OpenCount {
  /** At most MOST_COUNTED. */
  readonly open: number;
  /** Whether there are more. */
  readonly more: boolean;
}

/** How many lines of these owners wait for a decision. @throws StoreUnavailable */
export async function countOpen(store: Store, owners: readonly Owner[]): Promise<OpenCount> {
  let open = 0;
  for (const owner of owners) {
    for await (const _ of store.scan({ owner, log: LOG, limit: MOST_COUNTED + 1 - open })) open += 1;
    if (open > MOST_COUNTED) return { open: MOST_COUNTED, more: true };
  }
  return { open, more: false };
}

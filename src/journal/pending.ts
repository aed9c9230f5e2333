/** What came back and is not enforced yet: the clock that the promise of 24 hours is measured by (A17). */
import { GLOBAL } from '../ids.ts';
import type { Clock } from '../ops/clock.ts';
import type { RecordKey, Store, Value } from '../store/store.ts';

/** One way in: `smtp <run>` or `mailbox:<name>`. */
export interface PendingSource {
  readonly source: string;
  /** When the oldest message was received that is not enforced yet; undefined where nothing waits. ms since 1970 UTC. */
  readonly oldestAt: number | undefined;
  /** Since when a mailbox cannot be read: what lies in it counts as pending. */
  readonly unreadableSince: number | undefined;
  /** When this was noted. */
  readonly notedAt: number;
}

/** All throw StoreUnavailable where no answer came. */
export interface Pending {
  /** `source`: 1–200 printable ASCII characters. */
  note(source: string, state: Pick<PendingSource, 'oldestAt' | 'unreadableSince'>): Promise<void>;
  /** Every source that counts, in no order. A mailbox that nobody has read for an hour is unreadable since it last was. */
  read(): Promise<readonly PendingSource[]>;
  /** Drops sources: mailboxes that are no longer configured. */
  forget(sources: readonly string[]): Promise<void>;
}

/** A promise of 24 hours is in danger when something has waited for half of them (A17). */
export const ALARM_MS = 12 * 3_600_000;

/** Not noted for so long: whoever noted it is gone. */
export const SILENT_MS = 3_600_000;
/** What a dead run had not enforced, its sender keeps and offers again (RFC 5321 §4.5.4.1: every half hour, as a rule), to another run. */
const RETRIED_MS = 24 * 3_600_000;

const LOG = 'pending';

/** Since when a source keeps somebody waiting; undefined where nobody waits. */
export function waitingSince({ oldestAt, unreadableSince }: Pick<PendingSource, 'oldestAt' | 'unreadableSince'>): number | undefined {
  return oldestAt === undefined ? unreadableSince : Math.min(oldestAt, unreadableSince ?? oldestAt);
}

/** The source that stands for a mailbox. */
export function mailboxSource(name: string): string {
  return `mailbox:${name}`;
}

/** The pending sources of all gates, in one log of the store. It holds no address: names, times, no more. */
export class StoredPending implements Pending {
  readonly #store: Store;
  readonly #clock: Clock;

  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  async note(source: string, { oldestAt, unreadableSince }: Pick<PendingSource, 'oldestAt' | 'unreadableSince'>): Promise<void> {
    const line = { oldestAt, unreadableSince, notedAt: this.#clock.now() };
    await this.#store.apply([{ key: keyOf(source), value: Buffer.from(JSON.stringify(line)) }]);
  }

  async read(): Promise<readonly PendingSource[]> {
    const now = this.#clock.now();
    const counting: PendingSource[] = [];
    const gone: string[] = [];
    for await (const [{ id }, value] of this.#store.scan({ owner: GLOBAL, log: LOG })) {
      const noted = sourceOf(String(id), value);
      const silent = now - noted.notedAt;
      if (noted.source.startsWith('mailbox:')) {
        counting.push(silent < SILENT_MS ? noted : { ...noted, unreadableSince: noted.unreadableSince ?? noted.notedAt });
      } else if (silent < (noted.oldestAt === undefined ? SILENT_MS : RETRIED_MS)) {
        counting.push(noted);
      } else {
        gone.push(noted.source);
      }
    }
    if (gone.length > 0) await this.forget(gone);
    return counting;
  }

  async forget(sources: readonly string[]): Promise<void> {
    if (sources.length > 0) await this.#store.apply(sources.map(source => ({ key: keyOf(source), value: undefined })));
  }
}

function sourceOf(source: string, value: Value): PendingSource {
  // JSON leaves out what is undefined; whoever reads it must find every field.
  const { oldestAt, unreadableSince, notedAt } = JSON.parse(value.toString()) as Omit<PendingSource, 'source'>;
  return { source, oldestAt, unreadableSince, notedAt };
}

function keyOf(source: string): RecordKey {
  return { owner: GLOBAL, log: LOG, id: source };
}

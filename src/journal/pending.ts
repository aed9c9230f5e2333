/** What came back and is not enforced yet: the clock that the promise of 24 hours is measured by (A17). */

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

/** Both throw StoreUnavailable where no answer came. */
export interface Pending {
  note(source: string, state: Pick<PendingSource, 'oldestAt' | 'unreadableSince'>): Promise<void>;
  read(): Promise<readonly PendingSource[]>;
}

/** A promise of 24 hours is in danger when something has waited for half of them (A17). */
export const ALARM_MS = 12 * 3_600_000;

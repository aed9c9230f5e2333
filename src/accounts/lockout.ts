/** Lock-out: whoever failed too often has to wait, known names and unknown ones alike; counted in the store, so for all gates at once. */
import { networkOf } from '../clients/addresses.ts';
import { GLOBAL } from '../ids.ts';
import { checkHead, headKey } from '../store/head.ts';
import { type Change, type EntryKey, StoreUnavailable, type Value } from '../store/store.ts';
import { Sweep } from '../store/sweep.ts';
import { type AccountParts, firstOf } from './records.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Failures within the window before a wait: for one account from one network, and for one network whatever it tries. */
const LIMITS = { pair: 5, network: 30 } as const;
const WINDOW_MS = 15 * MINUTE_MS;
/** For one account from wherever, since the last log-in that was right. */
const ACCOUNT_FREE = 50;
const ACCOUNT_KEPT_MS = 30 * DAY_MS;
/** Clocks of gates differ; whoever failed later than this from now did so before a clock was set back, and is not kept out for it. */
const SKEW_MS = 5 * MINUTE_MS;
/** More than what may fail before all is closed and nothing is counted: of failures at once, one gets through each time. */
const MAX_ATTEMPTS = 100;
/** Counts that are kept beyond a sweep; names that nobody has must not fill the store. */
const MAX_KEPT = 100_000;
const FAILURES = { owner: GLOBAL, set: 'login-failures' } as const;

interface Failures {
  readonly count: number;
  /** When the first and the last of them were, in ms since 1970 UTC. */
  readonly since: number;
  readonly last: number;
  /** When they are forgotten. */
  readonly until: number;
}

/** One count, and what follows from it. */
interface Door {
  readonly key: EntryKey;
  readonly value: Value | undefined;
  readonly failures: Failures | undefined;
  readonly closedUntil: (failures: Failures) => number;
  readonly forgottenAt: (failures: Pick<Failures, 'since' | 'last'>) => number;
}

/** Who tries: the account's name as it would be spelled, and an address without a zone. */
export interface Attempt {
  readonly account: string;
  readonly from: string;
}

/** What a failure closed: the account for this network, the account for all networks that it does not know. */
export interface Closed {
  readonly here: boolean;
  readonly everywhere: boolean;
}

/**
 * How long to wait after so many failures in a row, in ms: not at all for the first `free`, then a minute, doubling up to a day. NIST
 * SP 800-63B §5.2.2 allows 100 in a row and names growing waits; 50 free ones and this leave fewer than 100 in a month.
 */
export function pauseAfter(count: number, free: number): number {
  return count < free ? 0 : Math.min(DAY_MS, MINUTE_MS * 2 ** (count - free));
}

/**
 * By account and network together, so that a stranger cannot lock a person out from where that person works. A wait for the account
 * wherever one comes from slows down those who have many networks; `isFamiliar` (a person's own networks) is spared that one.
 * Everything may throw StoreUnavailable.
 */
export class Lockout {
  readonly #parts: AccountParts;
  readonly #swept: Sweep;

  constructor(parts: AccountParts) {
    this.#parts = parts;
    this.#swept = new Sweep(parts.store, FAILURES, parts.clock);
  }

  /** Seconds to wait; 0 where nobody has to. */
  async wait(attempt: Attempt, isFamiliar: boolean): Promise<number> {
    const [pair, network, account] = await this.#doors(attempt);
    const doors = isFamiliar ? [pair, network] : [pair, network, account];
    return Math.max(0, ...doors.map(door => Math.ceil((closedUntil(door) - this.#parts.clock.now()) / 1_000)));
  }

  /** Counts a failure. What is closed already does not count on: failures that were on their way lengthen no wait. */
  async fail(attempt: Attempt): Promise<Closed> {
    const { store, records, clock } = this.#parts;
    await this.#sweep();
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
      const doors = await this.#doors(attempt);
      const now = clock.now();
      const open = doors.filter(door => closedUntil(door) <= now);
      const counted = new Map(open.map(door => [door, oneMore(door, now)]));
      const changes = [...counted].map(([{ key }, failures]) => records.put(key, failures));
      const expect = open.map(({ key, value }) => ({ key, value }));
      if (changes.length > 0 && !(await store.apply(changes, expect))) continue;
      const hasClosed = (door: Door): boolean => {
        const failures = counted.get(door);
        return failures !== undefined && door.closedUntil(failures) > now;
      };
      return { here: hasClosed(doors[0]), everywhere: hasClosed(doors[2]) };
    }
    throw new StoreUnavailable('The count of failed log-ins keeps changing under us');
  }

  /** The person was let in: what failed for that account, from there and in a row from anywhere, is forgotten. */
  async succeed(attempt: Attempt): Promise<void> {
    const [pair, , account] = await this.#doors(attempt);
    await this.#forget([pair, account]);
  }

  /** Lets an account in again from networks that it does not know: an admin has seen to it. */
  async reopen(account: string): Promise<void> {
    const [, , door] = await this.#doors({ account, from: '' });
    await this.#forget([door]);
  }

  async #forget(doors: readonly Door[]): Promise<void> {
    const changes = doors.flatMap(({ key, value }): Change[] => (value === undefined ? [] : [{ key, value: undefined }]));
    if (changes.length > 0) await this.#parts.store.apply(changes);
  }

  async #doors({ account, from }: Attempt): Promise<readonly [Door, Door, Door]> {
    const { store, keyring, digests, records, clock } = this.#parts;
    const network = networkOf(from);
    const keys = [`pair ${network} ${account}`, `network ${network}`, `account ${account}`].map(text =>
      firstOf(digests.name('login-failures', text).map(id => ({ ...FAILURES, id }))),
    ) as [EntryKey, EntryKey, EntryKey];
    const [head, ...values] = await store.find([headKey(GLOBAL), ...keys]);
    checkHead(head, keyring.fingerprint);
    const door = (index: 0 | 1 | 2, rules: Pick<Door, 'closedUntil' | 'forgottenAt'>): Door => {
      const [key, value] = [keys[index], values[index]];
      const failures = value && current(records.get<Failures>(key, value), clock.now());
      return { key, value, failures, ...rules };
    };
    return [door(0, withinWindow(LIMITS.pair)), door(1, withinWindow(LIMITS.network)), door(2, IN_A_ROW)];
  }

  /** Deletes what is forgotten; of too many, also counts that are low. */
  async #sweep(): Promise<void> {
    const { records, clock } = this.#parts;
    const now = clock.now();
    let kept = 0;
    await this.#swept.run((key, value) => {
      const failures = current(records.get<Failures>(key, value), now);
      return failures === undefined || (++kept > MAX_KEPT && failures.count < ACCOUNT_FREE);
    });
  }
}

const withinWindow = (limit: number): Pick<Door, 'closedUntil' | 'forgottenAt'> => ({
  closedUntil: ({ count, since }) => (count < limit ? 0 : since + WINDOW_MS),
  forgottenAt: ({ since }) => since + WINDOW_MS,
});

const IN_A_ROW: Pick<Door, 'closedUntil' | 'forgottenAt'> = {
  closedUntil: ({ count, last }) => (count < ACCOUNT_FREE ? 0 : last + pauseAfter(count, ACCOUNT_FREE)),
  forgottenAt: ({ last }) => last + ACCOUNT_KEPT_MS,
};

function closedUntil({ failures, closedUntil: until }: Door): number {
  return failures === undefined ? 0 : until(failures);
}

function oneMore({ failures, forgottenAt }: Door, now: number): Failures {
  const next = { count: (failures?.count ?? 0) + 1, since: failures?.since ?? now, last: now };
  return { ...next, until: forgottenAt(next) };
}

function current(failures: Failures, now: number): Failures | undefined {
  return now >= failures.until || failures.last > now + SKEW_MS ? undefined : failures;
}

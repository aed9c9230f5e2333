/** What is remembered of mailboxes, in the store: how far each folder was read, and which process reads at the moment. Numbers and names, no address. */
import { randomBytes } from 'node:crypto';
import { GLOBAL } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Clock } from '../ops/clock.ts';
import type { RecordKey, Store, Value } from '../store/store.ts';

const LOG = 'mailboxes';

/** How far a folder was read. */
export interface FolderState {
  /** The numbering that the rest is true of (RFC 3501 §2.3.1.1). */
  readonly uidValidity: string;
  /** Messages received before it do not count. ms since 1970 UTC. */
  readonly since: number;
  /** Every message up to this UID was processed or does not count, but for those of `open`. */
  readonly through: number;
  /** Could not be processed, and are tried again. */
  readonly open: readonly number[];
}

/** Whose folder it is: a mailbox that moves to another server or user is another mailbox, though its name stays. */
export interface FolderName {
  readonly mailbox: string;
  readonly host: string;
  readonly user: string;
  readonly folder: string;
}

/** Both throw StoreUnavailable. */
export class FolderStates {
  readonly #store: Store;
  readonly #digests: Digests;

  constructor({ store, digests }: { readonly store: Store; readonly digests: Digests }) {
    this.#store = store;
    this.#digests = digests;
  }

  async read(name: FolderName): Promise<FolderState | undefined> {
    const values = await this.#store.find(this.#keys(name));
    const value = values.find(found => found !== undefined);
    return value === undefined ? undefined : (JSON.parse(value.toString()) as FolderState);
  }

  async write(name: FolderName, state: FolderState): Promise<void> {
    const [key] = this.#keys(name);
    if (key !== undefined) await this.#store.apply([{ key, value: Buffer.from(JSON.stringify(state)) }]);
  }

  /** The current key's first. A user name is an address, as a rule: only its digest is kept. */
  #keys({ mailbox, host, user, folder }: FolderName): readonly RecordKey[] {
    const digests = this.#digests.name('mailbox', JSON.stringify([host, user, folder]));
    return digests.map(digest => ({ owner: GLOBAL, log: LOG, id: `${mailbox}/${digest.toString('hex')}` }));
  }
}

/** The right to read a mailbox, which one process has at a time. Nothing would double without it; it saves doing all work twice. */
export class Lease {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #key: RecordKey;
  readonly #ms: number;
  readonly #run = randomBytes(8).toString('hex');
  #held: Value | undefined;
  #renewAt = 0;

  /** `ms`: how long a process may be silent before another one takes over. */
  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }, mailbox: string, ms: number) {
    this.#store = store;
    this.#clock = clock;
    this.#key = { owner: GLOBAL, log: LOG, id: `${mailbox}/lease` };
    this.#ms = ms;
  }

  /** Takes or renews it, asking the store only where that is due. False: another process has it. @throws StoreUnavailable */
  async take(): Promise<boolean> {
    const now = this.#clock.now();
    if (this.#held !== undefined && now < this.#renewAt) return true;
    const [found] = await this.#store.find([this.#key]);
    if (found !== undefined) {
      const { run, until } = JSON.parse(found.toString()) as { readonly run: string; readonly until: number };
      // A clock that stood far ahead must not keep everybody out for long.
      if (run !== this.#run && until > now && until <= now + 2 * this.#ms) return this.#lost();
    }
    const value = Buffer.from(JSON.stringify({ run: this.#run, until: now + this.#ms }));
    if (!(await this.#store.apply([{ key: this.#key, value }], [{ key: this.#key, value: found }]))) return this.#lost();
    this.#held = value;
    this.#renewAt = now + this.#ms / 3;
    return true;
  }

  /** Lets the next one have it at once. @throws StoreUnavailable */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) await this.#store.apply([{ key: this.#key, value: undefined }], [{ key: this.#key, value: held }]);
  }

  #lost(): false {
    this.#held = undefined;
    return false;
  }
}

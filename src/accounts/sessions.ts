/** Sessions of browsers: 32 random octets in a cookie, kept as a digest; they end by idling, by age, by logout, and with the account. */
import { randomBytes } from 'node:crypto';
import { GLOBAL } from '../ids.ts';
import { checkHead, headKey } from '../store/head.ts';
import type { Key, Value } from '../store/store.ts';
import { Sweep } from '../store/sweep.ts';
import type { Directory } from './directory.ts';
import { type AccountParts, firstOf, SESSIONS, type StoredAccount, sessionKeys } from './records.ts';

const MINUTE_MS = 60_000;
export const IDLE_MS = 30 * MINUTE_MS;
export const ABSOLUTE_MS = 12 * 60 * MINUTE_MS;
/** Being used is written down once a minute: a session is not worth a write a request. */
const SEEN_MS = MINUTE_MS;

export interface StoredSession {
  /** Id of the account. */
  readonly account: string;
  /** The account's epoch when it began; another one ends it. */
  readonly epoch: number;
  /** What an unsafe request must show in a header: another site's page can send the cookie, but not read this. */
  readonly csrf: string;
  readonly createdAt: number;
  readonly seenAt: number;
}

export interface OpenedSession {
  /** The cookie's value. */
  readonly secret: string;
  readonly session: StoredSession;
}

/** Everything may throw StoreUnavailable. */
export class Sessions {
  readonly #parts: AccountParts;
  readonly #directory: Directory;
  readonly #swept: Sweep;

  constructor(parts: AccountParts, directory: Directory) {
    this.#parts = parts;
    this.#swept = new Sweep(parts.store, SESSIONS, parts.clock);
    this.#directory = directory;
  }

  async open({ id, epoch }: StoredAccount): Promise<OpenedSession> {
    const { store, digests, records, clock } = this.#parts;
    await this.#swept.run((key, value) => this.#isOver(records.get<StoredSession>(key, value)));
    const secret = randomBytes(32).toString('base64url');
    const now = clock.now();
    const session = { account: id, epoch, csrf: randomBytes(18).toString('base64url'), createdAt: now, seenAt: now };
    await store.apply([records.put(firstOf(sessionKeys(digests, secret)), session)]);
    return { secret, session };
  }

  /** The session and its account, whatever the account may do; undefined where it is none, or over. */
  async resolve(secret: string): Promise<{ readonly session: StoredSession; readonly holder: StoredAccount } | undefined> {
    const found = await this.#find(secret);
    if (found === undefined) return undefined;
    const { key, value, session } = found;
    const { store, records, clock } = this.#parts;
    const holder = this.#isOver(session) ? undefined : await this.#directory.byId(session.account);
    if (holder === undefined || holder.epoch !== session.epoch || holder.disabled) {
      await store.apply([{ key, value: undefined }]);
      return undefined;
    }
    const now = clock.now();
    // Only over what was read: a log-out that was faster must not be written over.
    if (now - session.seenAt >= SEEN_MS) await store.apply([records.put(key, { ...session, seenAt: now })], [{ key, value }]);
    return { session, holder };
  }

  async close(secret: string): Promise<void> {
    const found = await this.#find(secret);
    if (found !== undefined) await this.#parts.store.apply([{ key: found.key, value: undefined }]);
  }

  async #find(secret: string): Promise<{ readonly key: Key; readonly value: Value; readonly session: StoredSession } | undefined> {
    if (!/^[A-Za-z0-9_-]{43}$/.test(secret)) return undefined;
    const { store, keyring, digests, records } = this.#parts;
    const keys = sessionKeys(digests, secret);
    const [head, ...values] = await store.find([headKey(GLOBAL), ...keys]);
    checkHead(head, keyring.fingerprint);
    const index = values.findIndex(value => value !== undefined);
    const [key, value] = [keys[index], values[index]];
    return key === undefined || value === undefined ? undefined : { key, value, session: records.get<StoredSession>(key, value) };
  }

  #isOver({ createdAt, seenAt }: StoredSession): boolean {
    const now = this.#parts.clock.now();
    return now - seenAt >= IDLE_MS || now - createdAt >= ABSOLUTE_MS;
  }
}

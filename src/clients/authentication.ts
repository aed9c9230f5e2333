/** Who logs in: password and IP address, both; one answer for everything that is wrong, and no way to make us work for nothing (A30, A31). */
import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../ops/clock.ts';
import { OneByOne } from '../ops/one-by-one.ts';
import { isFrom, networkOf, normalizeAddress } from './addresses.ts';
import type { Failures } from './failures.ts';
import type { CredentialLookup, Loaded } from './lookup.ts';
import { AuthenticationBusy, type Passwords } from './password.ts';
import type { Credential } from './profile.ts';

/** `bad`: wrong password, unknown name or wrong address, told alike (535 5.7.8). `disabled`: only to who knows the password (525 5.7.13). */
export type Authentication = { readonly credential: Credential } | 'bad' | 'disabled';

const VERIFIED_MS = 60_000;
const VERIFIED_KEPT = 10_000;

export class Authenticator {
  readonly #lookup: CredentialLookup;
  readonly #passwords: Passwords;
  readonly #failures: Failures;
  readonly #clock: Clock;
  // Of this process only: what is remembered of a password is worth nothing elsewhere.
  readonly #key = randomBytes(32);
  readonly #verified = new LRUCache<string, { readonly hash: string; readonly until: number }>({ max: VERIFIED_KEPT });

  // By network and username, as failures count: else more guesses than are free could be looked at before the first of them is counted,
  // and a platform that opens fifty connections at once would have one password hashed fifty times.
  readonly #attempts = new OneByOne();

  constructor(lookup: CredentialLookup, passwords: Passwords, failures: Failures, clock: Clock) {
    this.#lookup = lookup;
    this.#passwords = passwords;
    this.#failures = failures;
    this.#clock = clock;
  }

  /**
   * A password that was right within the last minute is not hashed again, as long as the credential still has the hash that it was
   * right for; whether the credential may log in, and from where, is read each time. Failures are asked for where it must be hashed only.
   * @throws StoreUnavailable; AuthenticationBusy where this name or network failed too often of late, or too many wait (454 4.7.0)
   */
  async authenticate(username: string, password: string, remoteAddress: string): Promise<Authentication> {
    const address = normalizeAddress(remoteAddress);
    const fingerprint = createHmac('sha256', this.#key).update(`${username}\0${password}`).digest('base64');
    const found = await this.#lookup.load(username);
    const loaded = this.#isKnown(fingerprint, found)
      ? found
      : await this.#attempts.run(`${networkOf(address)} ${username}`, () => this.#verify(username, password, address, fingerprint));
    if (loaded === undefined) return 'bad';
    if (!isFrom(loaded.blocks, address)) {
      await this.#failures.add(username, address);
      return 'bad';
    }
    return loaded.credential.disabled ? 'disabled' : { credential: loaded.credential };
  }

  /** The credential as it is by now, whose password it is; undefined where it is another one, or there is none. */
  async #verify(username: string, password: string, address: string, fingerprint: string): Promise<Loaded | undefined> {
    const loaded = await this.#lookup.load(username);
    if (this.#isKnown(fingerprint, loaded)) return loaded;
    if (await this.#failures.areTooMany(username, address)) throw new AuthenticationBusy('too many failed log-ins; try again in a minute');
    if (!(await this.#passwords.verify(loaded?.hash, password)) || loaded?.hash === undefined) {
      await this.#failures.add(username, address);
      return undefined;
    }
    this.#verified.set(fingerprint, { hash: loaded.hash, until: this.#clock.now() + VERIFIED_MS });
    return loaded;
  }

  #isKnown(fingerprint: string, loaded: Loaded | undefined): boolean {
    const known = this.#verified.get(fingerprint);
    return known !== undefined && known.until > this.#clock.now() && known.hash === loaded?.hash;
  }
}

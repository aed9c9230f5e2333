/** Who logs in: password and IP address, both; one answer for everything that is wrong, and no way to make us work for nothing (A30, A31). */
import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../ops/clock.ts';
import { isFrom, normalizeAddress } from './addresses.ts';
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
    const loaded = await this.#lookup.load(username);
    const right = await this.#isRight(loaded, username, password, address);
    if (loaded === undefined || !right) return 'bad';
    if (!isFrom(loaded.blocks, address)) {
      await this.#failures.add(username, address);
      return 'bad';
    }
    return loaded.credential.disabled ? 'disabled' : { credential: loaded.credential };
  }

  async #isRight(loaded: Loaded | undefined, username: string, password: string, address: string): Promise<boolean> {
    const fingerprint = createHmac('sha256', this.#key).update(`${username}\0${password}`).digest('base64');
    const known = this.#verified.get(fingerprint);
    if (known !== undefined && known.until > this.#clock.now() && known.hash === loaded?.hash) return true;
    if (await this.#failures.areTooMany(username, address)) throw new AuthenticationBusy('too many failed log-ins; try again in a minute');
    const right = await this.#passwords.verify(loaded?.hash, password);
    if (right && loaded?.hash !== undefined) this.#verified.set(fingerprint, { hash: loaded.hash, until: this.#clock.now() + VERIFIED_MS });
    else await this.#failures.add(username, address);
    return right;
  }
}

/** Who logs in: password and IP address, both; one answer for everything that is wrong, and no way to make us work for nothing (A30, A31). */
import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../ops/clock.ts';
import { isFrom, networkOf, normalizeAddress } from './addresses.ts';
import type { CredentialLookup, Loaded } from './lookup.ts';
import { AuthenticationBusy, type Passwords } from './password.ts';
import type { Credential } from './profile.ts';

/** `bad`: wrong password, unknown name or wrong address, told alike (535 5.7.8). `disabled`: only to who knows the password (525 5.7.13). */
export type Authentication = { readonly credential: Credential } | 'bad' | 'disabled';

const VERIFIED_MS = 60_000;
const VERIFIED_KEPT = 10_000;
const WINDOW_MS = 60_000;
/** Failures a minute before anyone has to wait: from one network for one name, and from one network. */
const MAX_FAILURES = { name: 10, network: 60 } as const;
const FAILURES_KEPT = 20_000;

interface Failures {
  readonly since: number;
  count: number;
}

export class Authenticator {
  readonly #lookup: CredentialLookup;
  readonly #passwords: Passwords;
  readonly #clock: Clock;
  // Of this process only: what is remembered of a password is worth nothing elsewhere.
  readonly #key = randomBytes(32);
  readonly #verified = new LRUCache<string, { readonly hash: string; readonly until: number }>({ max: VERIFIED_KEPT });
  readonly #failures = new LRUCache<string, Failures>({ max: FAILURES_KEPT });

  constructor(lookup: CredentialLookup, passwords: Passwords, clock: Clock) {
    this.#lookup = lookup;
    this.#passwords = passwords;
    this.#clock = clock;
  }

  /**
   * A password that was right within the last minute is not hashed again, as long as the credential still has the hash that it was
   * right for; whether the credential may log in, and from where, is read each time.
   * @throws StoreUnavailable; AuthenticationBusy where this name or network failed too often of late, or too many wait (454 4.7.0)
   */
  async authenticate(username: string, password: string, remoteAddress: string): Promise<Authentication> {
    const address = normalizeAddress(remoteAddress);
    const loaded = await this.#lookup.load(username);
    const right = await this.#isRight(loaded, username, password, address);
    if (loaded === undefined || !right) return 'bad';
    if (!isFrom(loaded.blocks, address)) {
      this.#fail(username, address);
      return 'bad';
    }
    return loaded.credential.disabled ? 'disabled' : { credential: loaded.credential };
  }

  async #isRight(loaded: Loaded | undefined, username: string, password: string, address: string): Promise<boolean> {
    const fingerprint = createHmac('sha256', this.#key).update(`${username}\0${password}`).digest('base64');
    const known = this.#verified.get(fingerprint);
    if (known !== undefined && known.until > this.#clock.now() && known.hash === loaded?.hash) return true;
    if (this.#failedTooOften(username, address)) throw new AuthenticationBusy('too many failed log-ins; try again in a minute');
    const right = await this.#passwords.verify(loaded?.hash, password);
    if (right && loaded?.hash !== undefined) this.#verified.set(fingerprint, { hash: loaded.hash, until: this.#clock.now() + VERIFIED_MS });
    else this.#fail(username, address);
    return right;
  }

  #failedTooOften(username: string, address: string): boolean {
    const network = networkOf(address);
    return this.#count(nameKey(username, network)) >= MAX_FAILURES.name || this.#count(network) >= MAX_FAILURES.network;
  }

  #count(key: string): number {
    const failures = this.#failures.get(key);
    return failures === undefined || this.#isOver(failures) ? 0 : failures.count;
  }

  #fail(username: string, address: string): void {
    const network = networkOf(address);
    for (const key of [nameKey(username, network), network]) {
      const failures = this.#failures.get(key);
      if (failures === undefined || this.#isOver(failures)) this.#failures.set(key, { since: this.#clock.now(), count: 1 });
      else failures.count += 1;
    }
  }

  #isOver({ since }: Failures): boolean {
    const now = this.#clock.now();
    // A clock that was set back must not keep anybody out.
    return now < since || now - since >= WINDOW_MS;
  }
}

function nameKey(username: string, network: string): string {
  return `${network} ${username}`;
}

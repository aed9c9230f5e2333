/** Accounts: the one door for the admin API (who is it, may they) and for the operator at the command line. */
import type { Who } from '../audit/act.ts';
import { networkOf, normalizeAddress, toBlocks } from '../clients/addresses.ts';
import { Passwords } from '../clients/password.ts';
import { SealedRecords } from '../clients/records.ts';
import { isRefusal, type Refusal, refuse } from '../clients/refusal.ts';
import { GLOBAL } from '../ids.ts';
import { OneByOne } from '../ops/one-by-one.ts';
import { type Actor, accountName } from './account.ts';
import { Directory } from './directory.ts';
import { Lockout, pauseAfter } from './lockout.ts';
import { prepared } from './password-rules.ts';
import type { AccountParts, StoredAccount } from './records.ts';
import { EVERYTHING, type Grant } from './scopes.ts';
import { type OpenedSession, Sessions } from './sessions.ts';
import { ApiTokens } from './tokens.ts';
import { type Enrolment, enrol, stepOf } from './totp.ts';

/** Who asks, and what this token or session may be used for. */
export interface Admitted {
  readonly actor: Actor;
  readonly holder: StoredAccount;
  readonly scopes: readonly Grant[];
  /** Of a session: what unsafe requests must show. */
  readonly csrf: string | undefined;
  /** Of a token: when it ends, in ms since 1970 UTC. */
  readonly until: number | undefined;
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** Of the second factor, where the account has one. */
  readonly code?: string | undefined;
}

/**
 * `bad`: wrong name, password, code or address, or a disabled account, told alike (A30). `code`: everything else was right.
 * `wait`: failed too often, in seconds.
 */
export type Login = (OpenedSession & { readonly holder: StoredAccount }) | 'bad' | 'code' | { readonly wait: number };

/** Of a password. */
type Verdict = 'right' | 'bad' | { readonly wait: number };

/** Wrong codes in a row before a wait. */
const CODES_FREE = 5;
/** Networks from which a person logged in so lately are that person's. */
const FAMILIAR_MS = 90 * 86_400_000;
const FAMILIAR_KEPT = 8;

/** Everything may throw StoreUnavailable. */
export class Accounts {
  readonly directory: Directory;
  readonly tokens: ApiTokens;
  readonly #sessions: Sessions;
  readonly #parts: AccountParts;
  readonly #passwords = new Passwords();
  readonly #lockout: Lockout;
  /** By network and account, as failures count: else more guesses than are free could be looked at before the first of them is counted. */
  readonly #attempts = new OneByOne();

  constructor(given: Omit<AccountParts, 'records'>) {
    this.#parts = { ...given, records: new SealedRecords(given.keyring) };
    this.#lockout = new Lockout(this.#parts);
    this.directory = new Directory(this.#parts, this.#passwords, this.#lockout);
    this.tokens = new ApiTokens(this.#parts, this.directory);
    this.#sessions = new Sessions(this.#parts, this.directory);
  }

  /** Who shows this API token from this address; undefined for whatever is wrong with either (A30: one answer). */
  async byToken(secret: string, remoteAddress: string): Promise<Admitted | undefined> {
    const found = await this.tokens.resolve(secret);
    if (found === undefined) return undefined;
    const { token, holder } = found;
    if (holder.disabled || !mayComeFrom(holder, remoteAddress)) return undefined;
    this.tokens.noteUse(token);
    return { actor: actorOf(holder, remoteAddress, 'token'), holder, scopes: token.scopes, csrf: undefined, until: token.expiresAt };
  }

  /** Who shows this session's cookie from this address. */
  async bySession(secret: string, remoteAddress: string): Promise<Admitted | undefined> {
    const found = await this.#sessions.resolve(secret);
    if (found === undefined || !mayComeFrom(found.holder, remoteAddress)) return undefined;
    const { holder, session } = found;
    return { actor: actorOf(holder, remoteAddress, 'session'), holder, scopes: EVERYTHING, csrf: session.csrf, until: undefined };
  }

  /** Begins a session. @throws AuthenticationBusy, too */
  async login({ name: given, password, code }: Credentials, remoteAddress: string): Promise<Login> {
    const ip = normalizeAddress(remoteAddress);
    // What is no name is counted with its address alone: it may be anything, of any length.
    const name = accountName(given) ?? '';
    const holder = await this.directory.find(name);
    const verdict = await this.#verify(holder, name, password, ip);
    if (verdict !== 'right') return verdict;
    const entered = await this.#enter(holder as StoredAccount, code, ip);
    if (entered === 'bad') return this.#fail(holder, name, ip);
    if (entered === 'code' || 'wait' in entered) return entered;
    await this.#lockout.succeed({ account: name, from: ip });
    const opened = await this.#sessions.open(entered);
    await this.#parts.audit.record(GLOBAL, { by: entered.name, from: ip, what: 'session.begin' });
    return { ...opened, holder: entered };
  }

  logout(secret: string): Promise<void> {
    return this.#sessions.close(secret);
  }

  /** Whether it is this account's password; failures count as those of a login do. @throws AuthenticationBusy, too */
  reauthenticate(holder: StoredAccount, password: string, ip: string): Promise<Verdict> {
    return this.#verify(holder, holder.name, password, ip);
  }

  /** Gives an account a second factor that counts once it is confirmed. Refused: exists. */
  async enrolTotp({ id, name }: StoredAccount, who: Who): Promise<Enrolment | Refusal> {
    const enrolment = enrol(name);
    const totp = { secret: enrolment.secret, confirmed: false, step: 0 };
    const changed = await this.directory.change(id, { ...who, what: 'account.totp.enrol', about: { account: name } }, stored =>
      stored.totp?.confirmed === true ? refuse('exists', 'totp: this account has one; an admin can remove it') : { ...stored, totp },
    );
    return isRefusal(changed) ? changed : enrolment;
  }

  /** From now on a code is asked for. Refused: unknown (nothing to confirm), invalid (wrong or used code). */
  confirmTotp({ id, name }: StoredAccount, code: string, who: Who): Promise<StoredAccount | Refusal> {
    return this.directory.change(id, { ...who, what: 'account.totp.confirm', about: { account: name } }, stored => {
      if (stored.totp === undefined || stored.totp.confirmed) return refuse('unknown', 'totp: there is nothing to confirm; enrol first');
      const step = stepOf(stored.totp, code, this.#parts.clock.now());
      if (step === undefined) return wrongCode();
      return { ...stored, totp: { ...stored.totp, confirmed: true, step } };
    });
  }

  /** Notes which version of the security policy the person agreed to (A32). */
  acceptPolicy({ id, name }: StoredAccount, version: string, who: Who): Promise<StoredAccount | Refusal> {
    const accepted = { version, at: this.#parts.clock.now() };
    return this.directory.change(id, { ...who, what: 'account.policy.accept', about: { account: name, version } }, stored => ({
      ...stored,
      accepted,
    }));
  }

  /** Whether this is the holder's password, and the holder may come from there. */
  #verify(holder: StoredAccount | undefined, name: string, password: string, ip: string): Promise<Verdict> {
    return this.#attempts.run(`${networkOf(ip)} ${name}`, () => this.#verifyNow(holder, name, password, ip));
  }

  async #verifyNow(holder: StoredAccount | undefined, name: string, password: string, ip: string): Promise<Verdict> {
    const attempt = { account: name, from: ip };
    const isFamiliar = holder !== undefined && isKnownNetwork(holder, ip, this.#parts.clock.now());
    const wait = await this.#lockout.wait(attempt, isFamiliar);
    if (wait > 0) return { wait };
    const right = await this.#passwords.verify(holder?.hash, prepared(password));
    // Guesses at other gates may have closed the door meanwhile; that counts for wrong ones as for the right one: else that one's wait
    // would tell it from the others.
    const late = await this.#lockout.wait(attempt, isFamiliar);
    if (late > 0) return { wait: late };
    if (holder === undefined || !right || holder.disabled || !mayComeFrom(holder, ip)) return this.#fail(holder, name, ip);
    return 'right';
  }

  /**
   * The second factor, where there is one, and a note of the log-in, in one apply: a code is good once (RFC 6238 §5.2), and wrong ones
   * count, for all gates together and wherever they come from: who guesses them has the password.
   */
  async #enter(
    { id, epoch }: StoredAccount,
    code: string | undefined,
    ip: string,
  ): Promise<StoredAccount | 'bad' | 'code' | { wait: number }> {
    const now = this.#parts.clock.now();
    let no: 'bad' | 'code' | { wait: number } | undefined;
    const noted = await this.directory.note(id, stored => {
      no = undefined;
      const refused = (answer: typeof no): Refusal => {
        no = answer;
        return refuse('invalid');
      };
      // Meanwhile it was disabled, or got another password.
      if (stored.epoch !== epoch || stored.disabled) return refused('bad');
      const { totp } = stored;
      if (totp?.confirmed !== true) return entered(stored, ip, now);
      if (code === undefined) return refused('code');
      const { count, last } = totp.wrong ?? { count: 0, last: 0 };
      const wait = Math.ceil((last + pauseAfter(count, CODES_FREE) - now) / 1_000);
      if (count >= CODES_FREE && wait > 0) return refused({ wait });
      const step = stepOf(totp, code, now);
      if (step !== undefined) return entered({ ...stored, totp: { ...totp, step, wrong: undefined } }, ip, now);
      no = 'bad';
      return { ...stored, totp: { ...totp, wrong: { count: count + 1, last: now } } };
    });
    if (isRefusal(noted)) return no ?? 'bad';
    if (no === undefined) return noted;
    if (noted.totp?.wrong?.count === CODES_FREE) {
      const { audit, log } = this.#parts;
      log.error(
        { alarm: 'wrong-codes', account: noted.name },
        'codes are wrong again and again behind a right password: give it a new one',
      );
      await audit.record(GLOBAL, { by: 'postern', from: ip, what: 'account.codes.lockout', about: { account: noted.name } });
    }
    return no;
  }

  async #fail(holder: StoredAccount | undefined, name: string, ip: string): Promise<'bad'> {
    const { here, everywhere } = await this.#lockout.fail({ account: name, from: ip });
    // One line where a door closes, and none a failure: a stranger must not be able to fill the trail.
    if (holder !== undefined && (here || everywhere)) {
      // Behind the answer, which must not take longer for names that exist.
      void this.#tellOfLockout(holder.name, ip, everywhere);
    }
    return 'bad';
  }

  /** Never rejects: nobody waits for it. */
  async #tellOfLockout(account: string, ip: string, everywhere: boolean): Promise<void> {
    const { audit, log } = this.#parts;
    if (everywhere)
      log.error({ alarm: 'failed-logins-account', account }, 'log-ins for one account fail again and again, from many networks');
    const about = { account, ...(everywhere ? { everywhere } : {}) };
    await audit
      .record(GLOBAL, { by: 'postern', from: ip, what: 'account.lockout', about })
      .catch(error => log.error({ err: error, account }, 'a lock-out could not be written to the audit trail'));
  }
}

function wrongCode(): Refusal {
  return refuse('invalid', 'code: is wrong, or was used before; wait for the next one');
}

/** As it is after a log-in from there. */
function entered(stored: StoredAccount, ip: string, now: number): StoredAccount {
  const network = networkOf(ip);
  const others = stored.familiar.filter(one => one.network !== network).slice(0, FAMILIAR_KEPT - 1);
  return { ...stored, lastLogin: { at: now, from: ip }, familiar: [{ network, at: now }, ...others] };
}

function isKnownNetwork({ familiar }: StoredAccount, ip: string, now: number): boolean {
  const network = networkOf(ip);
  return familiar.some(one => one.network === network && now - one.at < FAMILIAR_MS);
}

function mayComeFrom({ ips }: Pick<StoredAccount, 'ips'>, remoteAddress: string): boolean {
  return ips.length === 0 || toBlocks(ips).some(block => block.contains(remoteAddress));
}

function actorOf({ name, role, client }: StoredAccount, remoteAddress: string, via: Actor['via']): Actor {
  return { account: name, role, client, ip: normalizeAddress(remoteAddress), via };
}

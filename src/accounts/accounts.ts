/** Accounts: the one door for the admin API (who is it, may they) and for the operator at the command line. */
import type { Who } from '../audit/act.ts';
import { normalizeAddress, toBlocks } from '../clients/addresses.ts';
import { Passwords } from '../clients/password.ts';
import { SealedRecords } from '../clients/records.ts';
import { isRefusal, type Refusal, refuse } from '../clients/refusal.ts';
import { GLOBAL } from '../ids.ts';
import { type Actor, accountName } from './account.ts';
import { Directory } from './directory.ts';
import { Lockout } from './lockout.ts';
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

/** Everything may throw StoreUnavailable. */
export class Accounts {
  readonly directory: Directory;
  readonly tokens: ApiTokens;
  readonly #sessions: Sessions;
  readonly #parts: AccountParts;
  readonly #passwords = new Passwords();
  readonly #lockout: Lockout;

  constructor(given: Omit<AccountParts, 'records'>) {
    this.#parts = { ...given, records: new SealedRecords(given.keyring) };
    this.directory = new Directory(this.#parts, this.#passwords);
    this.tokens = new ApiTokens(this.#parts, this.directory);
    this.#sessions = new Sessions(this.#parts, this.directory);
    this.#lockout = new Lockout(given.clock);
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
    const wait = this.#lockout.wait(name, ip);
    if (wait > 0) return { wait };
    const holder = await this.directory.find(name);
    const right = await this.#passwords.verify(holder?.hash, password);
    if (holder === undefined || !right || holder.disabled || !mayComeFrom(holder, ip)) return this.#fail(holder, name, ip);
    if (holder.totp?.confirmed === true) {
      if (code === undefined) return 'code';
      if (isRefusal(await this.#useCode(holder, code))) return this.#fail(holder, name, ip);
    }
    this.#lockout.succeed(name, ip);
    const opened = await this.#sessions.open(holder);
    await this.#parts.audit.record(GLOBAL, { by: holder.name, from: ip, what: 'session.begin' });
    return { ...opened, holder };
  }

  logout(secret: string): Promise<void> {
    return this.#sessions.close(secret);
  }

  /** Whether it is this account's password; failures count as those of a login do. @throws AuthenticationBusy, too */
  async reauthenticate(holder: StoredAccount, password: string, ip: string): Promise<'right' | 'bad' | { readonly wait: number }> {
    const wait = this.#lockout.wait(holder.name, ip);
    if (wait > 0) return { wait };
    if (await this.#passwords.verify(holder.hash, password)) return 'right';
    await this.#fail(holder, holder.name, ip);
    return 'bad';
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

  /** A code is good once: the step that it stands for is kept with it, in one apply (RFC 6238 §5.2). */
  #useCode({ id }: StoredAccount, code: string): Promise<StoredAccount | Refusal> {
    return this.directory.note(id, stored => {
      const step = stored.totp && stepOf(stored.totp, code, this.#parts.clock.now());
      return stored.totp === undefined || step === undefined ? wrongCode() : { ...stored, totp: { ...stored.totp, step } };
    });
  }

  async #fail(holder: StoredAccount | undefined, name: string, ip: string): Promise<'bad'> {
    const { audit } = this.#parts;
    // One line where the door closes, and none a failure: a stranger must not be able to fill the trail.
    if (this.#lockout.fail(name, ip) && holder !== undefined) {
      await audit.record(GLOBAL, { by: 'postern', from: ip, what: 'account.lockout', about: { account: holder.name } });
    }
    return 'bad';
  }
}

function wrongCode(): Refusal {
  return refuse('invalid', 'code: is wrong, or was used before; wait for the next one');
}

function mayComeFrom({ ips }: Pick<StoredAccount, 'ips'>, remoteAddress: string): boolean {
  return ips.length === 0 || toBlocks(ips).some(block => block.contains(remoteAddress));
}

function actorOf({ name, role, client }: StoredAccount, remoteAddress: string, via: Actor['via']): Actor {
  return { account: name, role, client, ip: normalizeAddress(remoteAddress), via };
}

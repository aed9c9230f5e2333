/** The directory of accounts: makes, changes and finds them; one person, one login (A31). */
import { randomBytes } from 'node:crypto';
import type { AuditAct, Who } from '../audit/act.ts';
import type { Draft } from '../audit/audit.ts';
import { type Block, parseBlock } from '../clients/addresses.ts';
import { generatePassword, type Passwords } from '../clients/password.ts';
import { isRefusal, type Refusal, refuse } from '../clients/refusal.ts';
import { clientId, GLOBAL } from '../ids.ts';
import { checkHead, headKey } from '../store/head.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type Account, accountName, isRole, ROLES } from './account.ts';
import type { Lockout } from './lockout.ts';
import { passwordProblems, prepared } from './password-rules.ts';
import { ACCOUNTS, type AccountParts, accountKey, firstOf, nameKeys, readAccount, type StoredAccount, strip } from './records.ts';

export interface AccountInput {
  readonly name: string;
  readonly role: string;
  readonly client?: string | undefined;
  readonly ips?: readonly string[] | undefined;
  /** Made here where absent. */
  readonly password?: string | undefined;
}

export interface IssuedAccount {
  readonly account: Account;
  /** Only where it was made here; it cannot be read again. */
  readonly password: string | undefined;
}

/** What an update names; `client: null` takes it away. */
export interface AccountChange {
  readonly role?: string | undefined;
  readonly client?: string | null | undefined;
  readonly ips?: readonly string[] | undefined;
  readonly disabled?: boolean | undefined;
}

/** What becomes of a stored account; a Refusal writes nothing. */
export type Edit = (stored: StoredAccount) => StoredAccount | Refusal | Promise<StoredAccount | Refusal>;

const MAX_ATTEMPTS = 20;

/** Everything may throw StoreUnavailable. What a person got wrong is a Refusal. */
export class Directory {
  readonly #parts: AccountParts;
  readonly #passwords: Passwords;
  readonly #lockout: Pick<Lockout, 'reopen'>;

  constructor(parts: AccountParts, passwords: Passwords, lockout: Pick<Lockout, 'reopen'>) {
    this.#parts = parts;
    this.#passwords = passwords;
    this.#lockout = lockout;
  }

  /** Makes an account. Refused: invalid, unknown (client), exists. @throws AuthenticationBusy, too */
  async add(input: AccountInput, who: Who): Promise<IssuedAccount | Refusal> {
    const { store, digests, records, clock, audit } = this.#parts;
    const read = readInput(input);
    if (isRefusal(read)) return read;
    const missing = await this.#missingClient(read.client);
    if (missing !== undefined) return missing;
    if ((await this.find(read.name)) !== undefined) return taken();
    const made = input.password === undefined ? generatePassword() : undefined;
    const hash = await this.#passwords.hash(made ?? prepared(input.password as string));
    const id = randomBytes(12).toString('hex');
    const unused = { disabled: false, totp: undefined, accepted: undefined, lastLogin: undefined, familiar: [] };
    const stored: StoredAccount = { ...read, ...unused, id, hash, createdAt: clock.now(), version: 1, epoch: 1, tokenEpoch: 1 };
    const nameKey = firstOf(nameKeys(digests, read.name));
    const { name, role, client, ips } = read;
    return audit.together(GLOBAL, { ...who, what: 'account.add', about: { account: name, role, client, ips } }, async draft => {
      if ((await this.find(read.name)) !== undefined) return taken();
      const changes = [records.put(nameKey, { id }), records.put(accountKey(id), stored), ...draft.changes];
      const done = await store.apply(changes, [{ key: nameKey, value: undefined }, ...draft.expect]);
      return done ? { account: strip(stored), password: made } : undefined;
    });
  }

  /** The account of this name, disabled ones too. */
  async show(name: string): Promise<Account | undefined> {
    const stored = await this.find(name);
    return stored && strip(stored);
  }

  /** All accounts by name, disabled ones too. */
  async list(): Promise<readonly Account[]> {
    const { store, keyring, records } = this.#parts;
    const [head] = await store.find([headKey(GLOBAL)]);
    checkHead(head, keyring.fingerprint);
    const found: Account[] = [];
    for await (const [key, value] of store.scan(ACCOUNTS)) found.push(strip(readAccount(records, key, value)));
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Whether nobody has a login yet. */
  async isEmpty(): Promise<boolean> {
    for await (const _ of this.#parts.store.scan(ACCOUNTS)) return false;
    return true;
  }

  /** With what it is verified by. */
  async find(text: string): Promise<StoredAccount | undefined> {
    const name = accountName(text);
    if (name === undefined) return undefined;
    const { store, keyring, digests, records } = this.#parts;
    const keys = nameKeys(digests, name);
    const [head, ...values] = await store.find([headKey(GLOBAL), ...keys]);
    checkHead(head, keyring.fingerprint);
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      if (value !== undefined) return this.byId(records.get<{ id: string }>(key, value).id);
    }
    return undefined;
  }

  async byId(id: string): Promise<StoredAccount | undefined> {
    const { store, records } = this.#parts;
    const [value] = await store.find([accountKey(id)]);
    return value && readAccount(records, accountKey(id), value);
  }

  /**
   * Changes role, client, addresses or whether it is disabled; its sessions end, and with another role or client its API tokens do: they
   * were made for what it was. `disabled: false` also lets in again whom failed log-ins keep out. Refused: unknown, invalid, outdated, disabled (the last admin).
   */
  async update(name: string, input: AccountChange, who: Who, version?: number): Promise<Account | Refusal> {
    const holder = await this.find(name);
    if (holder === undefined) return unknownAccount();
    const missing = await this.#missingClient(input.client ?? undefined);
    if (missing !== undefined) return missing;
    const edit: Edit = async stored => {
      if (version !== undefined && stored.version !== version)
        return refuse('outdated', 'account: it was changed meanwhile; read it again');
      const { role = stored.role, disabled = stored.disabled, ips = stored.ips } = input;
      const client = input.client === undefined ? (role === 'client' ? stored.client : undefined) : (input.client ?? undefined);
      const read = readInput({ name: stored.name, role, client, ips });
      if (isRefusal(read)) return read;
      // Read in each attempt: two admins who disable each other at once are told apart by the audit line that only one of them gets.
      if (isAdmin(stored) && !isAdmin({ ...read, disabled }) && !(await this.list()).some(one => one.id !== stored.id && isAdmin(one))) {
        return refuse('disabled', 'account: it is the last admin; make another one first');
      }
      // Whoever may do less, or nothing, has to log in anew; so has who is told to come from elsewhere.
      const tokenEpoch = stored.tokenEpoch + (stored.role === read.role && stored.client === read.client ? 0 : 1);
      return { ...stored, ...read, disabled, epoch: stored.epoch + 1, tokenEpoch };
    };
    const changed = await this.change(holder.id, { ...who, what: 'account.update', about: { account: holder.name, ...input } }, edit);
    if (isRefusal(changed)) return changed;
    if (input.disabled === false) await this.#lockout.reopen(changed.name);
    return strip(changed);
  }

  /**
   * A new password, made here where none is named; every session of the account ends, and so do waits for failed log-ins. `revokeTokens`: so do its API tokens, which
   * otherwise live on, since programs hold them. Refused: unknown, invalid. @throws AuthenticationBusy, too
   */
  async setPassword(name: string, password: string | undefined, who: Who, revokeTokens = false): Promise<IssuedAccount | Refusal> {
    const holder = await this.find(name);
    if (holder === undefined) return unknownAccount();
    const texts = password === undefined ? [] : passwordProblems(password, holder.name);
    if (texts.length > 0) return refuse('invalid', ...texts);
    const made = password === undefined ? generatePassword() : undefined;
    const hash = await this.#passwords.hash(made ?? prepared(password as string));
    const act = { ...who, what: 'account.password', about: { account: holder.name, ...(revokeTokens ? { revokeTokens } : {}) } };
    const tokens = revokeTokens ? 1 : 0;
    const changed = await this.change(holder.id, act, stored => ({
      ...stored,
      hash,
      epoch: stored.epoch + 1,
      tokenEpoch: stored.tokenEpoch + tokens,
      totp: stored.totp && { ...stored.totp, wrong: undefined },
    }));
    if (isRefusal(changed)) return changed;
    await this.#lockout.reopen(changed.name);
    return { account: strip(changed), password: made };
  }

  /** Takes the second factor away: a phone was lost. Refused: unknown. */
  async dropTotp(name: string, who: Who): Promise<Account | Refusal> {
    const holder = await this.find(name);
    if (holder === undefined) return unknownAccount();
    const act = { ...who, what: 'account.totp.remove', about: { account: holder.name } };
    const changed = await this.change(holder.id, act, stored => ({ ...stored, totp: undefined }));
    return isRefusal(changed) ? changed : strip(changed);
  }

  /** Changes an account, with a line in global's audit trail. `edit` may be called several times; a Refusal writes nothing. */
  change(id: string, act: AuditAct, edit: Edit): Promise<StoredAccount | Refusal> {
    return this.#parts.audit.together<StoredAccount | Refusal>(GLOBAL, act, draft => this.#attempt(id, edit, draft));
  }

  /** The same without a line: for what is no change of the account but a note about its use. */
  async note(id: string, edit: Edit): Promise<StoredAccount | Refusal> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const outcome = await this.#attempt(id, edit);
      if (outcome !== undefined) return outcome;
    }
    throw new StoreUnavailable('The account keeps changing under us');
  }

  async #attempt(id: string, edit: Edit, draft?: Draft): Promise<StoredAccount | Refusal | undefined> {
    const { store, records } = this.#parts;
    const key = accountKey(id);
    const [value] = await store.find([key]);
    if (value === undefined) return unknownAccount();
    const before = readAccount(records, key, value);
    const edited = await edit(before);
    if (isRefusal(edited)) return edited;
    const next: StoredAccount = { ...edited, version: before.version + (draft === undefined ? 0 : 1) };
    const { changes, expect } = draft ?? { changes: [], expect: [] };
    return (await store.apply([records.put(key, next), ...changes], [{ key, value }, ...expect])) ? next : undefined;
  }

  async #missingClient(client: string | undefined): Promise<Refusal | undefined> {
    if (client === undefined) return undefined;
    const [head] = await this.#parts.store.find([headKey(client)]);
    return head === undefined ? refuse('unknown', `client: there is no client ${client}; add it first`) : undefined;
  }
}

function isAdmin({ role, disabled }: Pick<Account, 'role' | 'disabled'>): boolean {
  return role === 'admin' && !disabled;
}

export function unknownAccount(): Refusal {
  return refuse('unknown', 'account: there is no such account');
}

function taken(): Refusal {
  return refuse('exists', 'name: there is an account of this name; choose another');
}

type Read = Pick<Account, 'name' | 'role' | 'client' | 'ips'>;

/** What was given, canonical; or everything that is wrong with it. */
function readInput(input: AccountInput): Read | Refusal {
  const name = accountName(input.name);
  const client = input.client === undefined ? undefined : clientId(input.client);
  const blocks = readIps(input.ips ?? []);
  const texts = [
    ...(name === undefined ? ['name: 1 to 64 of a-z 0-9 . _ -; begin it with a letter or digit'] : []),
    ...(isRole(input.role) ? [] : [`role: there is no such role; use one of ${ROLES.join(', ')}`]),
    ...(input.role === 'client' && client === undefined ? ['client: an account of the role client needs one; name its client'] : []),
    ...(input.role !== 'client' && input.client !== undefined
      ? ['client: only accounts of the role client have one; leave it out or use the role client']
      : []),
    ...('texts' in blocks ? blocks.texts : []),
    ...(input.password === undefined ? [] : passwordProblems(input.password, name ?? '')),
  ];
  if (name === undefined || !isRole(input.role) || 'texts' in blocks || texts.length > 0) return refuse('invalid', ...texts);
  return { name, role: input.role, client, ips: blocks.map(({ text }) => text) };
}

function readIps(ips: readonly string[]): readonly Block[] | Refusal {
  const blocks = ips.map(text => parseBlock(text));
  if (blocks.includes(undefined)) return refuse('invalid', 'ips: not an address or block; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32');
  return blocks.filter(block => block !== undefined);
}

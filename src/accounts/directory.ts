/** The directory of accounts: makes, changes and finds them; one person, one login (A31). */
import { randomBytes } from 'node:crypto';
import { type Block, parseBlock } from '../clients/addresses.ts';
import { generatePassword, type Passwords } from '../clients/password.ts';
import { isRefusal, type Refusal, refuse } from '../clients/refusal.ts';
import { clientId, GLOBAL } from '../ids.ts';
import { checkHead, headKey } from '../store/head.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type Account, accountName, isRole, ROLES } from './account.ts';
import { ACCOUNTS, type AccountParts, accountKey, nameKeys, type StoredAccount, strip } from './records.ts';

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

/** NIST SP 800-63B §5.1.1.2 asks for 8 at least; what guards the lists of other people may ask for more. */
export const MIN_PASSWORD = 12;
export const MAX_PASSWORD = 256;
const MAX_ATTEMPTS = 20;

/** Everything may throw StoreUnavailable. What a person got wrong is a Refusal. */
export class Directory {
  readonly #parts: AccountParts;
  readonly #passwords: Passwords;

  constructor(parts: AccountParts, passwords: Passwords) {
    this.#parts = parts;
    this.#passwords = passwords;
  }

  /** Makes an account. Refused: invalid, unknown (client), exists. @throws AuthenticationBusy, too */
  async add(input: AccountInput): Promise<IssuedAccount | Refusal> {
    const { store, digests, records, clock } = this.#parts;
    const read = readInput(input);
    if (isRefusal(read)) return read;
    const missing = await this.#missingClient(read.client);
    if (missing !== undefined) return missing;
    if ((await this.find(read.name)) !== undefined) return taken();
    const made = input.password === undefined ? generatePassword() : undefined;
    const hash = await this.#passwords.hash(input.password ?? (made as string));
    const id = randomBytes(12).toString('hex');
    const fresh = { disabled: false, totp: undefined, accepted: undefined, createdAt: clock.now(), version: 1, epoch: 1 };
    const stored: StoredAccount = { ...read, ...fresh, id, hash };
    const [nameKey] = nameKeys(digests, read.name);
    if (nameKey === undefined) throw new RangeError('a key ring has a key');
    const changes = [records.put(nameKey, { id }), records.put(accountKey(id), stored)];
    if (!(await store.apply(changes, [{ key: nameKey, value: undefined }]))) return taken();
    return { account: strip(stored), password: made };
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
    for await (const [key, value] of store.scan(ACCOUNTS)) found.push(strip(records.get<StoredAccount>(key, value)));
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
    return value && records.get<StoredAccount>(accountKey(id), value);
  }

  /**
   * Changes an account in one step; starts over where somebody else was faster. `edit` may be called several times; what it returns
   * is written, a Refusal writes nothing.
   */
  async change(id: string, edit: (stored: StoredAccount) => StoredAccount | Refusal): Promise<StoredAccount | Refusal> {
    const { store, records } = this.#parts;
    const key = accountKey(id);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const [value] = await store.find([key]);
      if (value === undefined) return unknownAccount();
      const before = records.get<StoredAccount>(key, value);
      const edited = edit(before);
      if (isRefusal(edited)) return edited;
      const next: StoredAccount = { ...edited, version: before.version + 1 };
      if (await store.apply([records.put(key, next)], [{ key, value }])) return next;
    }
    throw new StoreUnavailable('The account keeps changing under us');
  }

  async #missingClient(client: string | undefined): Promise<Refusal | undefined> {
    if (client === undefined) return undefined;
    const [head] = await this.#parts.store.find([headKey(client)]);
    return head === undefined ? refuse('unknown', `client: there is no client ${client}; add it first`) : undefined;
  }
}

export function unknownAccount(): Refusal {
  return refuse('unknown', 'account: there is no such account');
}

function taken(): Refusal {
  return refuse('exists', 'name: there is an account of this name; choose another');
}

type Read = Pick<Account, 'name' | 'role' | 'client' | 'ips'>;

/** What was given, canonical; or everything that is wrong with it. */
export function readInput(input: AccountInput): Read | Refusal {
  const name = accountName(input.name);
  const client = input.client === undefined ? undefined : clientId(input.client);
  const blocks = readIps(input.ips ?? []);
  const texts = [
    ...(name === undefined ? ['name: 1 to 64 of a-z 0-9 . _ @ + -; begin it with a letter or digit'] : []),
    ...(isRole(input.role) ? [] : [`role: there is no such role; use one of ${ROLES.join(', ')}`]),
    ...(input.role === 'client' && client === undefined ? ['client: an account of the role client needs one; name its client'] : []),
    ...(input.role !== 'client' && input.client !== undefined
      ? ['client: only accounts of the role client have one; leave it out or use the role client']
      : []),
    ...('texts' in blocks ? blocks.texts : []),
    ...(input.password === undefined ? [] : passwordProblems(input.password)),
  ];
  if (name === undefined || !isRole(input.role) || 'texts' in blocks || texts.length > 0) return refuse('invalid', ...texts);
  return { name, role: input.role, client, ips: blocks.map(({ text }) => text) };
}

export function passwordProblems(password: string): readonly string[] {
  const octets = Buffer.byteLength(password);
  if (password.length >= MIN_PASSWORD && octets <= MAX_PASSWORD) return [];
  return [`password: has ${MIN_PASSWORD} characters at least and ${MAX_PASSWORD} octets at most; choose another`];
}

function readIps(ips: readonly string[]): readonly Block[] | Refusal {
  const blocks = ips.map(text => parseBlock(text));
  if (blocks.includes(undefined)) return refuse('invalid', 'ips: not an address or block; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32');
  return blocks.filter(block => block !== undefined);
}

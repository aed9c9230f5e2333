/** How accounts, API tokens and sessions are kept: which key holds what, all of it global's and sealed; names and secrets by digest. */
import type { Audit } from '../audit/audit.ts';
import type { SealedRecords } from '../clients/records.ts';
import { GLOBAL } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { EntryKey, Key, RecordKey, Store, Value } from '../store/store.ts';
import type { Account } from './account.ts';

/** What accounts are built from. */
export interface AccountParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly digests: Digests;
  readonly records: SealedRecords;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The first key is the current one. */
export function firstOf(keys: readonly EntryKey[]): EntryKey {
  const [key] = keys;
  if (key === undefined) throw new RangeError('a key ring has a key');
  return key;
}

/** A person's second factor (RFC 6238). */
export interface StoredTotp {
  /** Base32. */
  readonly secret: string;
  /** False until the person has shown a code made from it. */
  readonly confirmed: boolean;
  /** The time step of the last code that was taken: no code of it or of an earlier one is taken again (RFC 6238 §5.2). */
  readonly step: number;
  /** Wrong codes in a row after a right password, from wherever, and when the last one was; undefined: none. */
  readonly wrong?: { readonly count: number; readonly last: number } | undefined;
}

/** An account as it is kept. */
export interface StoredAccount extends Omit<Account, 'totp'> {
  readonly hash: string;
  /** Counts what ends sessions: changes of password, disabling. A session made under another number is over. */
  readonly epoch: number;
  /** Counts what ends API tokens. A token made under another number opens nothing. */
  readonly tokenEpoch: number;
  readonly totp: StoredTotp | undefined;
  /** The networks that the person logged in from of late, the latest first: no attacker elsewhere closes the account for them. */
  readonly familiar: readonly { readonly network: string; readonly at: number }[];
}

/** Of accounts, and of tokens, that were made before tokens had one. */
export const FIRST_TOKEN_EPOCH = 0;

export const ACCOUNTS = { owner: GLOBAL, log: 'accounts' } as const;
export const TOKENS = { owner: GLOBAL, set: 'api-tokens' } as const;
export const TOKEN_USES = { owner: GLOBAL, set: 'api-token-uses' } as const;
export const SESSIONS = { owner: GLOBAL, set: 'sessions' } as const;

export const accountKey = (id: string): RecordKey => ({ ...ACCOUNTS, id });

/** Under every digest key; writes use the first. */
export function nameKeys(digests: Digests, name: string): readonly EntryKey[] {
  return digests.name('account', name).map(id => ({ owner: GLOBAL, set: 'account-names', id }));
}

export function tokenKeys(digests: Digests, secret: string): readonly EntryKey[] {
  return digests.name('api-token', secret).map(id => ({ ...TOKENS, id }));
}

export function sessionKeys(digests: Digests, secret: string): readonly EntryKey[] {
  return digests.name('session', secret).map(id => ({ ...SESSIONS, id }));
}

export const useKey = (token: string): EntryKey => ({ ...TOKEN_USES, id: Buffer.from(token) });

/**
 * An account as it was kept; the first ones knew neither epochs of tokens nor networks.
 * @throws StoreUnavailable where it does not open
 */
export function readAccount(records: SealedRecords, key: Key, value: Value): StoredAccount {
  const stored = records.get<StoredAccount>(key, value);
  return { ...stored, tokenEpoch: stored.tokenEpoch ?? FIRST_TOKEN_EPOCH, familiar: stored.familiar ?? [] };
}

/** The account without what it is verified by. */
export function strip({ hash: _, epoch: _epoch, tokenEpoch: _tokenEpoch, familiar: _familiar, totp, ...account }: StoredAccount): Account {
  const { client, accepted, lastLogin } = account;
  return { ...account, client, accepted, lastLogin, totp: totp?.confirmed === true };
}

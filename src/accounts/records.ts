/** How accounts, API tokens and sessions are kept: which key holds what, all of it global's and sealed; names and secrets by digest. */
import type { Audit } from '../audit/audit.ts';
import type { SealedRecords } from '../clients/records.ts';
import { GLOBAL } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Clock } from '../ops/clock.ts';
import type { EntryKey, RecordKey, Store } from '../store/store.ts';
import type { Account } from './account.ts';

/** What accounts are built from. */
export interface AccountParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly digests: Digests;
  readonly records: SealedRecords;
  readonly audit: Audit;
  readonly clock: Clock;
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
}

/** An account as it is kept. */
export interface StoredAccount extends Omit<Account, 'totp'> {
  readonly hash: string;
  /** Counts what ends sessions: changes of password, disabling. A session made under another number is over. */
  readonly epoch: number;
  readonly totp: StoredTotp | undefined;
}

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

/** The account without what it is verified by. */
export function strip({ hash: _hash, epoch: _epoch, totp, ...account }: StoredAccount): Account {
  return { ...account, client: account.client, accepted: account.accepted, totp: totp?.confirmed === true };
}

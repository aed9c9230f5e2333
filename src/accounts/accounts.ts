/** Accounts: the one door for the admin API (who is it, may they) and for the operator at the command line. */
import { normalizeAddress, toBlocks } from '../clients/addresses.ts';
import { Passwords } from '../clients/password.ts';
import { SealedRecords } from '../clients/records.ts';
import type { Actor } from './account.ts';
import { Directory } from './directory.ts';
import type { AccountParts, StoredAccount } from './records.ts';
import type { Grant } from './scopes.ts';
import { ApiTokens } from './tokens.ts';

/** Who asks, and what this token or session may be used for. */
export interface Admitted {
  readonly actor: Actor;
  readonly holder: StoredAccount;
  readonly scopes: readonly Grant[];
}

/** Everything may throw StoreUnavailable. */
export class Accounts {
  readonly directory: Directory;
  readonly tokens: ApiTokens;

  constructor(given: Omit<AccountParts, 'records'>) {
    const parts = { ...given, records: new SealedRecords(given.keyring) };
    this.directory = new Directory(parts, new Passwords());
    this.tokens = new ApiTokens(parts, this.directory);
  }

  /** Who shows this API token from this address; undefined for whatever is wrong with either (A30: one answer). */
  async byToken(secret: string, remoteAddress: string): Promise<Admitted | undefined> {
    const found = await this.tokens.resolve(secret);
    if (found === undefined) return undefined;
    const { token, holder } = found;
    if (holder.disabled || !mayComeFrom(holder, remoteAddress)) return undefined;
    this.tokens.noteUse(token);
    return { actor: actorOf(holder, remoteAddress, 'token'), holder, scopes: token.scopes };
  }
}

export function mayComeFrom({ ips }: Pick<StoredAccount, 'ips'>, remoteAddress: string): boolean {
  return ips.length === 0 || toBlocks(ips).some(block => block.contains(remoteAddress));
}

export function actorOf({ name, role, client }: StoredAccount, remoteAddress: string, via: Actor['via']): Actor {
  return { account: name, role, client, ip: normalizeAddress(remoteAddress), via };
}

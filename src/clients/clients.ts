/** Clients, their campaigns and credentials: the one door for the mail path (who is it, what may it do) and for the operator. */
import type { Who } from '../audit/act.ts';
import type { CampaignId, ClientId, CredentialId } from '../ids.ts';
import { clientId } from '../ids.ts';
import type { Address } from '../mail/address.ts';
import { isFrom } from './addresses.ts';
import { type Authentication, Authenticator } from './authentication.ts';
import { CredentialChanges, type CredentialUpdate, type Issued } from './credential-changes.ts';
import { type CredentialInput, Credentials } from './credentials.ts';
import { Doors } from './doors.ts';
import { Failures } from './failures.ts';
import { CredentialLookup } from './lookup.ts';
import type { ClientParts } from './parts.ts';
import { Passwords } from './password.ts';
import type { Campaign, Credential, Profile } from './profile.ts';
import { SealedRecords } from './records.ts';
import type { Refusal } from './refusal.ts';
import { Registry } from './registry.ts';
import type { ClientInput } from './validation.ts';

export type { Authentication } from './authentication.ts';
export type { CredentialUpdate, Issued } from './credential-changes.ts';
export type { CredentialInput } from './credentials.ts';
export type { ClientParts } from './parts.ts';
export { AuthenticationBusy } from './password.ts';
export { isRefusal, type Refusal } from './refusal.ts';
export type { ClientInput, Rules } from './validation.ts';

/**
 * Everything may throw StoreUnavailable; what an operator got wrong is a Refusal. Whatever changes anything stands in the client's audit
 * trail, with who asked for it (by default the software itself).
 */
export class Clients {
  readonly #registry: Registry;
  readonly #credentials: Credentials;
  readonly #changes: CredentialChanges;
  readonly #lookup: CredentialLookup;
  readonly #authenticator: Authenticator;

  constructor(parts: ClientParts) {
    const records = new SealedRecords(parts.keyring);
    const passwords = new Passwords();
    this.#registry = new Registry(parts, records);
    this.#lookup = new CredentialLookup(parts, records);
    const doors = new Doors(parts.store, parts.keyring, records);
    this.#credentials = new Credentials(parts, records, this.#lookup, passwords, doors);
    this.#changes = new CredentialChanges(parts, records, this.#lookup, passwords, doors);
    this.#authenticator = new Authenticator(this.#lookup, passwords, new Failures(parts, records), parts.clock);
  }

  /** Makes a client, or brings a removed one back. Refused: exists, taken (a reply address), invalid. @throws VaultUnavailable, too */
  add(input: ClientInput, who?: Who): Promise<Profile | Refusal> {
    return this.#registry.add(input, who);
  }

  /**
   * Changes the settings that `input` names. Refused: unknown, disabled, taken (a reply address), invalid, and outdated where the profile
   * has another version than `version`.
   */
  update(id: string, input: Partial<Omit<ClientInput, 'id'>>, who?: Who, version?: number): Promise<Profile | Refusal> {
    return this.#registry.update(id, input, who, version);
  }

  /** Disables a client and all its credentials; its lists stay and bind. Refused: unknown, outdated. */
  remove(id: string, who?: Who, version?: number): Promise<Profile | Refusal> {
    return this.#registry.remove(id, who, version);
  }

  /** Ids of all clients, removed ones too, whatever became of their settings. */
  ids(): Promise<readonly ClientId[]> {
    return this.#registry.ids();
  }

  /** All clients, removed ones too. */
  list(): Promise<readonly Profile[]> {
    return this.#registry.list();
  }

  /** A client by what an operator typed; undefined where there is none. */
  async show(id: string): Promise<Profile | undefined> {
    const known = clientId(id);
    return known === undefined ? undefined : this.#registry.profile(known);
  }

  /** The client as it is now; asked for each transaction. Undefined where there is none. */
  profile(id: ClientId): Promise<Profile | undefined> {
    return this.#registry.profile(id);
  }

  /** Whose reply address it is, whatever stands behind its plus; removed clients keep theirs. */
  byReplyAddress(address: Address): Promise<ClientId | undefined> {
    return this.#registry.byReplyAddress(address);
  }

  /** Refused: exists, unknown, disabled, invalid. */
  addCampaign(client: string, id: string, targetDomains: readonly string[], who?: Who): Promise<Campaign | Refusal> {
    return this.#registry.addCampaign(client, id, targetDomains, who);
  }

  /** Changes the target domains. Refused: unknown, disabled, invalid, outdated. */
  updateCampaign(client: string, id: string, targetDomains: readonly string[], who?: Who, version?: number): Promise<Campaign | Refusal> {
    return this.#registry.updateCampaign(client, id, targetDomains, who, version);
  }

  /** Refused: unknown. */
  campaigns(client: string): Promise<readonly Campaign[] | Refusal> {
    return this.#registry.campaigns(client);
  }

  /** Undefined where there is no such client or campaign. */
  async campaign(client: string, id: string): Promise<Campaign | undefined> {
    return (await this.show(client))?.campaigns.get(id as CampaignId);
  }

  /** Makes a credential and its password. Refused: invalid, unknown, disabled, exists, taken. */
  addCredential(input: CredentialInput, who?: Who): Promise<Issued | Refusal> {
    return this.#credentials.add(input, who);
  }

  /** Refused: unknown. */
  credentials(client: string): Promise<readonly Credential[] | Refusal> {
    return this.#credentials.list(client);
  }

  /**
   * Changes addresses, campaign or policy. Refused: invalid, unknown (credential or campaign), disabled, taken (another's addresses), and
   * outdated where its client has another version than `version`.
   */
  updateCredential(username: string, update: CredentialUpdate, who?: Who, version?: number): Promise<Credential | Refusal> {
    return this.#changes.update(username, update, who, version);
  }

  /** Refused: unknown. */
  disableCredential(username: string, who?: Who): Promise<Credential | Refusal> {
    return this.#changes.disable(username, who);
  }

  /** A new password; the old one is dead at once. Refused: unknown, disabled, invalid. */
  rotateCredential(username: string, who?: Who): Promise<Issued | Refusal> {
    return this.#changes.rotate(username, who);
  }

  /** @throws AuthenticationBusy, too: 454 4.7.0 */
  authenticate(username: string, password: string, remoteAddress: string): Promise<Authentication> {
    return this.#authenticator.authenticate(username, password, remoteAddress);
  }

  /** The enabled credential that is its IP address alone. */
  byAddress(remoteAddress: string): Promise<Credential | undefined> {
    return this.#credentials.byAddress(remoteAddress);
  }

  /** The credential as it is now, disabled where its client is. */
  async current(id: CredentialId): Promise<Credential | undefined> {
    return (await this.#lookup.load(id))?.credential;
  }

  /** The same; asked at MAIL, from where its session is. */
  async currentFrom(id: CredentialId, remoteAddress: string): Promise<Credential | 'elsewhere' | undefined> {
    const loaded = await this.#lookup.load(id);
    if (loaded === undefined || isFrom(loaded.blocks, remoteAddress)) return loaded?.credential;
    return 'elsewhere';
  }

  /** The credential with the version of its client that it was read under. */
  async credential(id: CredentialId): Promise<{ readonly credential: Credential; readonly version: number } | undefined> {
    const loaded = await this.#lookup.load(id);
    return loaded && { credential: loaded.credential, version: loaded.versions.client };
  }
}

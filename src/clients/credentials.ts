/** Credentials: what a platform logs in with. Kept in their client's space; a username belongs to one client only. */
import { randomBytes } from 'node:crypto';
import { OURSELVES, type Who } from '../audit/act.ts';
import { type CredentialId, campaignId, clientId, credentialId, GLOBAL } from '../ids.ts';
import { changeHead, checkHead, headKey } from '../store/head.ts';
import type { Change, EntryKey } from '../store/store.ts';
import type { Block } from './addresses.ts';
import type { Issued } from './credential-changes.ts';
import { clash, removedClient, takenUsername, unknownCampaign, unknownClient } from './credential-refusals.ts';
import type { Doors } from './doors.ts';
import type { CredentialLookup } from './lookup.ts';
import type { ClientParts } from './parts.ts';
import { generatePassword, type Passwords } from './password.ts';
import type { Credential } from './profile.ts';
import {
  type Claim,
  campaignKey,
  claimKeys,
  clientKey,
  credentialKey,
  credentialsOf,
  type SealedRecords,
  type StoredCredential,
  strip,
} from './records.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import { policyProblems, readBlocks } from './validation.ts';

export interface CredentialInput {
  readonly client: string;
  readonly username: string;
  readonly campaign?: string | undefined;
  readonly policy?: string | undefined;
  /** CIDR blocks or addresses. */
  readonly ips?: readonly string[];
  /** False: no password; the IP address alone is the credential. */
  readonly password?: boolean;
}

export class Credentials {
  readonly #parts: ClientParts;
  readonly #records: SealedRecords;
  readonly #lookup: CredentialLookup;
  readonly #passwords: Passwords;
  readonly #doors: Doors;

  constructor(parts: ClientParts, records: SealedRecords, lookup: CredentialLookup, passwords: Passwords, doors: Doors) {
    this.#parts = parts;
    this.#records = records;
    this.#lookup = lookup;
    this.#passwords = passwords;
    this.#doors = doors;
  }

  /**
   * Makes a credential; one of the same client that was disabled comes back with the new settings and a new password.
   * Refused: invalid, unknown (client or campaign), disabled (client), exists, taken (another client's name or addresses).
   * @throws StoreUnavailable
   */
  async add(input: CredentialInput, who: Who = OURSELVES): Promise<Issued | Refusal> {
    const read = await this.#readInput(input);
    if (isRefusal(read)) return read;
    const password = read.credential.password ? generatePassword() : undefined;
    const hash = password === undefined ? undefined : await this.#passwords.hash(password);
    const stored: StoredCredential = { ...read.credential, hash };
    // The name is global's, the record its client's, and no apply is all or none over two owners: claim, write, confirm.
    const claimed = await this.#claimName(stored, read.blocks);
    if (isRefusal(claimed)) return claimed;
    const refusal = (await this.#write(claimed, stored, who)) ?? (await this.#confirm(claimed.claim, stored.id));
    return refusal ?? { credential: strip(stored), password };
  }

  /** The credentials of a client, in no order. Refused: unknown. @throws StoreUnavailable */
  async list(client: string): Promise<readonly Credential[] | Refusal> {
    const { store, keyring } = this.#parts;
    const id = clientId(client);
    if (id === undefined) return unknownClient(client);
    const [globalHead, head] = await store.find([headKey(GLOBAL), headKey(id)]);
    checkHead(globalHead, keyring.fingerprint);
    if (head === undefined) return unknownClient(client);
    const found: Credential[] = [];
    for await (const [key, value] of store.scan(credentialsOf(id))) found.push(strip(this.#records.get<StoredCredential>(key, value)));
    return found;
  }

  /** The enabled credential that needs no password from this address: the most specific block's. @throws StoreUnavailable */
  async byAddress(remoteAddress: string): Promise<Credential | undefined> {
    for (const username of await this.#doors.through(remoteAddress)) {
      const loaded = await this.#lookup.load(username);
      if (loaded === undefined || loaded.credential.disabled || loaded.credential.password) continue;
      if (loaded.blocks.some(block => block.contains(remoteAddress))) return loaded.credential;
    }
    return undefined;
  }

  async #readInput(input: CredentialInput): Promise<{ credential: Credential; blocks: readonly Block[] } | Refusal> {
    const { policy } = input;
    const client = clientId(input.client);
    if (client === undefined) return unknownClient(input.client);
    const campaign = input.campaign === undefined ? undefined : campaignId(input.campaign);
    if (input.campaign !== undefined && campaign === undefined) return unknownCampaign(input.campaign, client);
    const id = credentialId(input.username);
    const password = input.password ?? true;
    const blocks = readBlocks(input.ips ?? [], { alone: !password });
    const texts = [
      ...(id === undefined ? ['username: 1 to 128 printable ASCII characters without spaces'] : []),
      ...('texts' in blocks ? blocks.texts : []),
      ...(policy === undefined ? [] : policyProblems(policy, await this.#parts.rules(), { forClient: false })),
    ];
    if (id === undefined || 'texts' in blocks || texts.length > 0) return refuse('invalid', ...texts);
    const ips = blocks.map(({ text }) => text);
    return { credential: { id, client, campaign, policy, ips, password, disabled: false, createdAt: this.#parts.clock.now() }, blocks };
  }

  /** Makes the username this client's, and opens its door where it needs no password; or says what stands in the way. */
  async #claimName(stored: StoredCredential, blocks: readonly Block[]): Promise<Claimed | Refusal> {
    const { store, keyring, digests } = this.#parts;
    const [key] = claimKeys(digests, stored.id);
    // A record of its own for each attempt, so that whoever loses the name can take theirs back without touching the winner's.
    const claim: Claim = { client: stored.client, record: randomBytes(12).toString('hex') };
    let outcome: Claimed | Refusal = { claim, before: undefined };
    await changeHead(store, GLOBAL, keyring.fingerprint, async head => {
      const before = await this.#lookup.claim(stored.id);
      outcome = (await this.#obstacle(stored, blocks, before)) ?? { claim, before };
      if (isRefusal(outcome)) return undefined;
      const door = this.#doors.change(claim.record, stored.id, stored.password ? undefined : stored.ips);
      const shut = before === undefined ? [] : [this.#doors.change(before.record, stored.id, undefined)];
      return { head, changes: [this.#records.put(key as EntryKey, claim), door, ...shut] };
    });
    return outcome;
  }

  async #obstacle(stored: StoredCredential, blocks: readonly Block[], claim: Claim | undefined): Promise<Refusal | undefined> {
    const { store, keyring } = this.#parts;
    const { client, campaign } = stored;
    const campaignKeys = campaign === undefined ? [] : [campaignKey(client, campaign)];
    const [head, settings, registered] = await store.find([headKey(client), clientKey(client), ...campaignKeys]);
    if (head === undefined && settings === undefined) return unknownClient(client);
    checkHead(head, keyring.fingerprint);
    if (this.#lookup.isRemoved(client, settings)) return removedClient(client);
    if (campaign !== undefined && registered === undefined) return unknownCampaign(campaign, client);
    const [record] = claim === undefined ? [] : await store.find([credentialKey(claim)]);
    // A claim without a record is what a crash between the two leaves behind: it holds nobody.
    if (claim !== undefined && record !== undefined) {
      if (claim.client !== client) return takenUsername();
      const { disabled } = this.#records.get<StoredCredential>(credentialKey(claim), record);
      if (!disabled) return refuse('exists', `username: client ${client} has this credential; rotate it for a new password`);
    }
    return stored.password ? undefined : clash(this.#doors, this.#lookup, stored.id, blocks);
  }

  async #write({ claim, before }: Claimed, stored: StoredCredential, who: Who): Promise<Refusal | undefined> {
    const { store, keyring, audit } = this.#parts;
    const { client, campaign, id, policy, ips, password } = stored;
    let refusal: Refusal | undefined;
    await changeHead(store, client, keyring.fingerprint, async head => {
      const [settings] = await store.find([clientKey(client)]);
      refusal = this.#lookup.isRemoved(client, settings) ? removedClient(client) : undefined;
      if (refusal !== undefined) return undefined;
      const draft = await audit.append(client, {
        ...who,
        what: 'credential.add',
        about: { credential: id, campaign, policy, ips, password },
      });
      const old: Change[] = before?.client === client ? [{ key: credentialKey(before), value: undefined }] : [];
      const changes = [this.#records.put(credentialKey(claim), stored), ...old, ...draft.changes];
      return { head, ...draft, changes };
    });
    return refusal;
  }

  /**
   * Makes sure that nobody claimed the name before the record was there to be seen. It changes the global head, so that whoever was
   * about to claim it looks again.
   */
  async #confirm(claim: Claim, username: CredentialId): Promise<Refusal | undefined> {
    const { store, keyring } = this.#parts;
    const kept = await changeHead(store, GLOBAL, keyring.fingerprint, async head => {
      const holder = await this.#lookup.claim(username);
      return holder?.record === claim.record ? { head, changes: [] } : undefined;
    });
    if (kept) return undefined;
    await store.apply([{ key: credentialKey(claim), value: undefined }, this.#doors.change(claim.record, username, undefined)]);
    return takenUsername();
  }
}

/** A name that was claimed, and the claim that it replaced. */
interface Claimed {
  readonly claim: Claim;
  readonly before: Claim | undefined;
}

/** Clients and their campaigns: kept sealed in each client's own space, with an index so that they can be listed. */
import { LRUCache } from 'lru-cache';
import { OURSELVES, type Who } from '../audit/act.ts';
import { type CampaignId, type ClientId, clientId, GLOBAL } from '../ids.ts';
import type { Address } from '../mail/address.ts';
import { changeHead, checkHead, encodeHead, headKey, newHead } from '../store/head.ts';
import { type Change, StoreUnavailable } from '../store/store.ts';
import type { ClientParts } from './parts.ts';
import type { Campaign, Profile } from './profile.ts';
import {
  CLIENTS,
  campaignKey,
  campaignsOf,
  clientKey,
  credentialsOf,
  indexKey,
  replyAddressesKey,
  type SealedRecords,
  type StoredClient,
  type StoredCredential,
} from './records.ts';
import { isRefusal, type Refusal, refuse } from './refusal.ts';
import { ReplyAddresses } from './reply-addresses.ts';
import { differences, settingsOf } from './told.ts';
import { type ClientInput, readCampaign, readClient } from './validation.ts';

const PROFILES_KEPT = 10_000;
/** A profile is read in several steps; a change in between starts it over. */
const MAX_READS = 20;

export class Registry {
  readonly #parts: ClientParts;
  readonly #records: SealedRecords;
  readonly #replies: ReplyAddresses;
  readonly #profiles = new LRUCache<ClientId, Profile>({ max: PROFILES_KEPT });

  constructor(parts: ClientParts, records: SealedRecords) {
    this.#parts = parts;
    this.#records = records;
    this.#replies = new ReplyAddresses(parts, records);
  }

  /**
   * Makes a client, with its head record and data key; an id that was removed comes back with the new settings, and all that was
   * ever objected to under it still binds; so do its reply addresses, unless others are named. Refused: exists, taken, invalid.
   * @throws StoreUnavailable, VaultUnavailable
   */
  async add(input: ClientInput, who: Who = OURSELVES): Promise<Profile | Refusal> {
    const { store, keyring, vault, clock, rules, audit } = this.#parts;
    const settings = readClient(input, await rules());
    if ('texts' in settings) return refuse('invalid', ...settings.texts);
    const { replyAddresses, ...own } = settings;
    const { id } = own;
    const [globalHead, head] = await store.find([headKey(GLOBAL), headKey(id)]);
    checkHead(globalHead, keyring.fingerprint);
    const taken = await this.#replies.obstacle(id, replyAddresses);
    if (taken !== undefined) return taken;
    await vault.create(id);
    const index: Change = { key: indexKey(id), value: Buffer.from('{}') };
    const fresh: StoredClient = { ...own, disabled: false, createdAt: clock.now() };
    if (head === undefined) {
      const first = { key: headKey(id), value: encodeHead(newHead(keyring.fingerprint)) };
      const draft = await audit.append(id, { ...who, what: 'client.add', about: settingsOf(own) });
      const changes = [first, this.#records.put(clientKey(id), fresh), index, ...draft.changes];
      if (!(await store.apply(changes, [{ key: headKey(id), value: undefined }, ...draft.expect]))) return exists(id);
      await draft.settle();
      return this.#give(id, input.replyAddresses && replyAddresses);
    }
    // The index is of another owner, so a crash may have lost it: adding an existing client heals it.
    await store.apply([index]);
    const changed = await this.#change(id, who, stored => {
      if (stored?.disabled === false) return exists(id);
      return { client: { ...fresh, createdAt: stored?.createdAt ?? fresh.createdAt }, what: 'client.add', about: settingsOf(own) };
    });
    return isRefusal(changed) ? changed : this.#give(id, input.replyAddresses && replyAddresses);
  }

  /**
   * Changes settings of a client; what `input` leaves out stays. Refused: unknown, disabled, taken, invalid, and outdated where the client
   * is of another version than `version`. @throws StoreUnavailable
   */
  async update(id: string, input: Partial<Omit<ClientInput, 'id'>>, who: Who = OURSELVES, version?: number): Promise<Profile | Refusal> {
    let given: readonly string[] | undefined;
    const changed = await this.#change(
      id,
      who,
      async stored => {
        if (stored === undefined) return unknown(id);
        if (stored.disabled) return refuse('disabled', `id: client ${id} was removed; add it again`);
        const [list] = await this.#parts.store.find([replyAddressesKey(stored.id)]);
        const settings = readClient(
          { ...stored, replyAddresses: this.#replies.read(stored.id, list), ...input, id },
          await this.#parts.rules(),
        );
        if ('texts' in settings) return refuse('invalid', ...settings.texts);
        const { replyAddresses, ...own } = settings;
        given = input.replyAddresses && replyAddresses;
        const client = { ...stored, ...own };
        const about = { ...differences(stored, client), ...(given === undefined ? {} : { replyAddresses: 'given' }) };
        return (await this.#replies.obstacle(stored.id, given ?? [])) ?? { client, what: 'client.update', about };
      },
      version,
    );
    return isRefusal(changed) ? changed : this.#give(changed.id, given);
  }

  /**
   * Switches a client off, its credentials too: nothing of it may send, and a re-added id starts without log-ins. Its lists stay.
   * Refused: unknown, outdated. @throws StoreUnavailable
   */
  remove(id: string, who: Who = OURSELVES, version?: number): Promise<Profile | Refusal> {
    const edit = async (stored: StoredClient | undefined): Promise<Edit | Refusal> => {
      if (stored === undefined) return unknown(id);
      const changes: Change[] = [];
      for await (const [key, value] of this.#parts.store.scan(credentialsOf(id))) {
        const credential = this.#records.get<StoredCredential>(key, value);
        if (!credential.disabled) changes.push(this.#records.put(key, { ...credential, disabled: true }));
      }
      return { client: { ...stored, disabled: true }, changes, what: 'client.remove', about: { credentialsDisabled: changes.length } };
    };
    return this.#change(id, who, edit, version);
  }

  /** Ids of all clients, removed ones too, in their order, whatever became of their settings. @throws StoreUnavailable */
  async ids(): Promise<readonly ClientId[]> {
    const ids: ClientId[] = [];
    for await (const [key] of this.#parts.store.scan(CLIENTS)) {
      const id = 'log' in key ? clientId(key.id) : undefined;
      if (id !== undefined) ids.push(id);
    }
    return ids;
  }

  /** All clients, removed ones too, in the order of their ids. @throws StoreUnavailable */
  async list(): Promise<readonly Profile[]> {
    const { store, keyring } = this.#parts;
    const [globalHead] = await store.find([headKey(GLOBAL)]);
    checkHead(globalHead, keyring.fingerprint);
    const profiles: Profile[] = [];
    for (const id of await this.ids()) {
      const profile = await this.profile(id);
      if (profile !== undefined) profiles.push(profile);
    }
    return profiles;
  }

  /**
   * The client as it is now, read anew unless its head record says that nothing changed; undefined where there is none.
   * @throws StoreUnavailable where a head record is absent or foreign
   */
  async profile(id: ClientId): Promise<Profile | undefined> {
    const { store, keyring } = this.#parts;
    const known = this.#profiles.get(id);
    if (known !== undefined) {
      const [globalHead, head] = await store.find([headKey(GLOBAL), headKey(id)]);
      const { version } = checkHead(globalHead, keyring.fingerprint);
      if (checkHead(head, keyring.fingerprint).version === known.version && version === known.globalVersion) return known;
    }
    const read = await this.#read(id);
    if (read === undefined) this.#profiles.delete(id);
    else this.#profiles.set(id, read);
    return read;
  }

  /**
   * Whose reply address it is, with or without a tag; removed clients keep theirs.
   * @throws StoreUnavailable where the store is not ours, or nobody can tell
   */
  byReplyAddress(address: Address): Promise<ClientId | undefined> {
    return this.#replies.holder(address);
  }

  /** Registers a campaign. Refused: exists, unknown (no such client), disabled, invalid. @throws StoreUnavailable */
  async addCampaign(client: string, id: string, targetDomains: readonly string[], who: Who = OURSELVES): Promise<Campaign | Refusal> {
    const campaign = readCampaign(id, targetDomains);
    if ('texts' in campaign) return refuse('invalid', ...campaign.texts);
    const key = campaignKey(client, campaign.id);
    const changed = await this.#change(client, who, async stored => {
      if (stored === undefined) return unknown(client);
      if (stored.disabled) return refuse('disabled', `client: ${client} was removed; add it again`);
      const [there] = await this.#parts.store.find([key]);
      if (there !== undefined) return refuse('exists', `id: client ${client} has campaign ${campaign.id}; change it, or choose another id`);
      const about = { campaign: campaign.id, targetDomains: campaign.targetDomains };
      return { client: stored, changes: [this.#records.put(key, campaign)], what: 'campaign.add', about };
    });
    return isRefusal(changed) ? changed : campaign;
  }

  /**
   * Changes a campaign's target domains; none: no such limit. There is no removing: what a campaign's lists hold would bind nobody any
   * more (law 6). Refused: unknown (client or campaign), disabled, invalid, outdated. @throws StoreUnavailable
   */
  async updateCampaign(
    client: string,
    id: string,
    targetDomains: readonly string[],
    who: Who = OURSELVES,
    version?: number,
  ): Promise<Campaign | Refusal> {
    const campaign = readCampaign(id, targetDomains);
    if ('texts' in campaign) return refuse('invalid', ...campaign.texts);
    const key = campaignKey(client, campaign.id);
    const edit = async (stored: StoredClient | undefined): Promise<Edit | Refusal> => {
      if (stored === undefined) return unknown(client);
      if (stored.disabled) return refuse('disabled', `client: ${client} was removed; add it again`);
      const [there] = await this.#parts.store.find([key]);
      if (there === undefined) return refuse('unknown', `campaign: client ${client} has no campaign ${campaign.id}`);
      const from = this.#records.get<Campaign>(key, there).targetDomains;
      const about = { campaign: campaign.id, targetDomains: { from, to: campaign.targetDomains } };
      return { client: stored, changes: [this.#records.put(key, campaign)], what: 'campaign.update', about };
    };
    const changed = await this.#change(client, who, edit, version);
    return isRefusal(changed) ? changed : campaign;
  }

  /** The client's campaigns in the order of their ids. Refused: unknown. @throws StoreUnavailable */
  async campaigns(client: string): Promise<readonly Campaign[] | Refusal> {
    const id = clientId(client);
    const profile = id === undefined ? undefined : await this.profile(id);
    return profile === undefined ? unknown(client) : [...profile.campaigns.values()];
  }

  /**
   * Gives a client that was just written its reply addresses, where any were named. They are global's, so this is an apply of its own:
   * whoever loses one to another client meanwhile is told so, with everything else in place.
   */
  async #give(id: ClientId, addresses: readonly string[] | undefined): Promise<Profile | Refusal> {
    return (addresses && (await this.#replies.give(id, addresses))) ?? this.#existing(id);
  }

  async #existing(id: ClientId): Promise<Profile> {
    const profile = await this.profile(id);
    if (profile === undefined) throw new StoreUnavailable(`Client ${id} was written and is not there`);
    return profile;
  }

  async #change(
    id: string,
    who: Who,
    edit: (stored: StoredClient | undefined) => Promise<Edit | Refusal> | Edit | Refusal,
    version?: number,
  ): Promise<Profile | Refusal> {
    const { store, keyring, audit } = this.#parts;
    const client = clientId(id);
    if (client === undefined) return unknown(id);
    const key = clientKey(client);
    const [globalHead, head, indexed] = await store.find([headKey(GLOBAL), headKey(client), indexKey(client)]);
    checkHead(globalHead, keyring.fingerprint);
    if (head === undefined && indexed === undefined) return unknown(id);
    let refusal: Refusal | undefined;
    await changeHead(store, client, keyring.fingerprint, async current => {
      const [value] = await store.find([key]);
      const outdated = version !== undefined && version !== current.version;
      const edited = outdated
        ? refuse('outdated', `client: ${id} was changed meanwhile; read it again`)
        : await edit(value === undefined ? undefined : this.#records.get<StoredClient>(key, value));
      refusal = isRefusal(edited) ? edited : undefined;
      if (isRefusal(edited)) return undefined;
      const { what, about, changes = [] } = edited;
      const draft = await audit.append(client, { ...who, what, about });
      return { head: current, ...draft, changes: [this.#records.put(key, edited.client), ...changes, ...draft.changes] };
    });
    return refusal ?? this.#existing(client);
  }

  async #read(id: ClientId): Promise<Profile | undefined> {
    const { store, keyring } = this.#parts;
    for (let reads = 0; reads < MAX_READS; reads++) {
      const keys = [headKey(GLOBAL), headKey(id), indexKey(id), clientKey(id), replyAddressesKey(id)];
      const [globalHead, head, indexed, value, list] = await store.find(keys);
      const { version: globalVersion } = checkHead(globalHead, keyring.fingerprint);
      if (head === undefined && indexed === undefined && value === undefined) return undefined;
      const { version } = checkHead(head, keyring.fingerprint);
      if (value === undefined) throw new StoreUnavailable(`The settings of client ${id} are missing from the store`);
      const campaigns = new Map<CampaignId, Campaign>();
      for await (const [key, sealed] of store.scan(campaignsOf(id))) {
        const campaign = this.#records.get<Campaign>(key, sealed);
        campaigns.set(campaign.id, campaign);
      }
      const [after] = await store.find([headKey(id)]);
      if (checkHead(after, keyring.fingerprint).version !== version) continue;
      const stored = this.#records.get<StoredClient>(clientKey(id), value);
      // Clients of the time before replies were taken have no tagReplyTo.
      return {
        ...stored,
        tagReplyTo: stored.tagReplyTo ?? false,
        replyAddresses: this.#replies.read(id, list),
        campaigns,
        version,
        globalVersion,
      };
    }
    throw new StoreUnavailable(`Client ${id} keeps changing under us`);
  }
}

interface Edit {
  readonly client: StoredClient;
  readonly changes?: readonly Change[];
  /** For the audit trail. */
  readonly what: string;
  readonly about: Readonly<Record<string, unknown>>;
}

function unknown(id: string): Refusal {
  return refuse('unknown', `client: there is no client ${id}`);
}

function exists(id: string): Refusal {
  return refuse('exists', `id: client ${id} exists; change it, or choose another id`);
}

/** Looks a credential up by its username: from the name to the client that claimed it, from there to the record, as it is now. */
import { LRUCache } from 'lru-cache';
import { type ClientId, GLOBAL } from '../ids.ts';
import { checkHead, headKey } from '../store/head.ts';
import { StoreUnavailable, type Value } from '../store/store.ts';
import { type Block, toBlocks } from './addresses.ts';
import type { ClientParts } from './parts.ts';
import type { Credential } from './profile.ts';
import {
  type Claim,
  claimKeys,
  clientKey,
  credentialKey,
  type SealedRecords,
  type StoredClient,
  type StoredCredential,
  strip,
} from './records.ts';

/** A credential as it is now, with what it is verified by. */
export interface Loaded {
  /** Disabled where its client is, too. */
  readonly credential: Credential;
  readonly hash: string | undefined;
  readonly blocks: readonly Block[];
  /** Of the head records that it was read under: `global`'s and its client's. */
  readonly versions: { readonly global: number; readonly client: number };
}

const KEPT = 10_000;

export class CredentialLookup {
  readonly #parts: ClientParts;
  readonly #records: SealedRecords;
  readonly #known = new LRUCache<string, Loaded>({ max: KEPT });

  constructor(parts: ClientParts, records: SealedRecords) {
    this.#parts = parts;
    this.#records = records;
  }

  /**
   * The credential of this name, read anew unless the head records say that nothing changed.
   * @throws StoreUnavailable where a head record is absent or foreign
   */
  async load(username: string): Promise<Loaded | undefined> {
    const { store, keyring } = this.#parts;
    const known = this.#known.get(username);
    if (known !== undefined) {
      const [globalHead, head] = await store.find([headKey(GLOBAL), headKey(known.credential.client)]);
      const { version } = checkHead(globalHead, keyring.fingerprint);
      if (version === known.versions.global && checkHead(head, keyring.fingerprint).version === known.versions.client) return known;
    }
    const loaded = await this.#read(username);
    if (loaded === undefined) this.#known.delete(username);
    else this.#known.set(username, loaded);
    return loaded;
  }

  /** Who has the username. @throws StoreUnavailable where the store is not ours */
  async claim(username: string): Promise<Claim | undefined> {
    return (await this.#claim(username))?.claim;
  }

  /** Whether these settings are a removed client's. @throws StoreUnavailable where there are none */
  isRemoved(client: ClientId, settings: Value | undefined): boolean {
    if (settings === undefined) throw new StoreUnavailable(`The settings of client ${client} are missing from the store`);
    return this.#records.get<StoredClient>(clientKey(client), settings).disabled;
  }

  async #claim(username: string): Promise<{ readonly claim: Claim; readonly global: number } | undefined> {
    const { store, keyring, digests } = this.#parts;
    const keys = claimKeys(digests, username);
    const [globalHead, ...values] = await store.find([headKey(GLOBAL), ...keys]);
    const { version: global } = checkHead(globalHead, keyring.fingerprint);
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      if (value !== undefined) return { claim: this.#records.get<Claim>(key, value), global };
    }
    return undefined;
  }

  async #read(username: string): Promise<Loaded | undefined> {
    const { store, keyring } = this.#parts;
    const claimed = await this.#claim(username);
    if (claimed === undefined) return undefined;
    const { claim, global } = claimed;
    const [head, settings, record] = await store.find([headKey(claim.client), clientKey(claim.client), credentialKey(claim)]);
    const { version: client } = checkHead(head, keyring.fingerprint);
    if (record === undefined) return undefined;
    const stored = this.#records.get<StoredCredential>(credentialKey(claim), record);
    const credential = { ...strip(stored), disabled: stored.disabled || this.isRemoved(claim.client, settings) };
    return { credential, hash: stored.hash, blocks: toBlocks(stored.ips), versions: { global, client } };
  }
}

/** How clients, campaigns and credentials are kept: which key holds what, sealed so that nothing of it stands in clear (A29). */
import { GLOBAL } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Sealer } from '../keys/seal.ts';
import { type Change, type EntryKey, isEntryKey, type Key, type RecordKey, StoreUnavailable, type Value } from '../store/store.ts';
import type { Campaign, Credential, Profile } from './profile.ts';

/** A client as it is kept: what does not stand in the campaigns' records, among global's reply addresses or in the heads. */
export type StoredClient = Omit<Profile, 'campaigns' | 'replyAddresses' | 'version' | 'globalVersion'>;

/** A credential as it is kept; `hash` is absent where the IP address alone is the credential. */
export interface StoredCredential extends Credential {
  readonly hash: string | undefined;
}

/** Where a username leads. */
export interface Claim {
  readonly client: Credential['client'];
  /** Id of the credential's record: random, new for each time the name is claimed. */
  readonly record: string;
}

/** Whose IP blocks stand for a credential. */
export interface OpenDoor {
  readonly username: Credential['id'];
  readonly ips: readonly string[];
  /** Whose opening it is, while the credential's addresses are being changed. */
  readonly turn?: string | undefined;
}

export const CLIENTS = { owner: GLOBAL, log: 'clients' } as const;
export const OPEN_DOORS = { owner: GLOBAL, log: 'open-doors' } as const;

/** The index of clients: a client's own space cannot be listed by a store that knows no owners. */
export const indexKey = (client: string): RecordKey => ({ ...CLIENTS, id: client });
export const clientKey = (client: string): RecordKey => ({ owner: client, log: 'client', id: 'settings' });
export const replyAddressesKey = (client: string): RecordKey => ({ owner: GLOBAL, log: 'reply-addresses', id: client });
export const campaignsOf = (client: string) => ({ owner: client, log: 'campaigns' }) as const;
export const campaignKey = (client: string, campaign: Campaign['id']): RecordKey => ({ ...campaignsOf(client), id: campaign });
export const credentialsOf = (client: string) => ({ owner: client, log: 'credentials' }) as const;
export const credentialKey = ({ client, record }: Claim): RecordKey => ({ ...credentialsOf(client), id: record });
export const doorKey = (record: string): RecordKey => ({ ...OPEN_DOORS, id: record });

/** A username may look like an address, so it is looked up by digest like one. */
export function claimKeys(digests: Digests, username: string): readonly EntryKey[] {
  return digests.name('username', username).map(id => ({ owner: GLOBAL, set: 'usernames', id }));
}

/** Seals and opens under a key derived from the master key, so that every gate reads them. */
export class SealedRecords {
  readonly #sealer: Sealer;

  /** `purpose`: what is sealed for one does not open for another. */
  constructor(keyring: Keyring, purpose = 'clients') {
    this.#sealer = keyring.sealer(purpose);
  }

  /** The write that keeps `value` under `key`. */
  put(key: Key, value: object): Change {
    return { key, value: this.#sealer.seal(JSON.stringify(value), place(key)) };
  }

  /**
   * What was put.
   * @throws StoreUnavailable where it does not open: a record that cannot be read is no answer (law 1).
   */
  get<T extends object>(key: Key, value: Value): T {
    const plain = this.#sealer.open(value, place(key));
    if (plain === undefined) throw new StoreUnavailable(`A record of ${key.owner} cannot be opened with this key ring`);
    return JSON.parse(plain.toString()) as T;
  }
}

/** Binds a sealed value to its place: one that was moved elsewhere does not open. */
function place(key: Key): string {
  return isEntryKey(key) ? `${key.owner} set ${key.set} ${key.id.toString('hex')}` : `${key.owner} log ${key.log} ${key.id}`;
}

/** The credential without what it is verified by. */
export function strip({ hash: _hash, ...credential }: StoredCredential): Credential {
  return credential;
}

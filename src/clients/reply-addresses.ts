/** Reply addresses: which client's an address is. All are global's, so that one apply gives a client all that it asked for, or none. */
import { type ClientId, GLOBAL } from '../ids.ts';
import { type Address, basePerson, isAddress, parsePerson } from '../mail/address.ts';
import { changeHead, checkHead, checkKeys, type Head, headKey } from '../store/head.ts';
import { type Change, type EntryKey, StoreUnavailable, type Value } from '../store/store.ts';
import type { ClientParts } from './parts.ts';
import { replyAddressesKey, type SealedRecords } from './records.ts';
import { type Refusal, refuse } from './refusal.ts';

/** Whose an address is, as it is kept under the address's digest. */
interface Holder {
  readonly client: ClientId;
}

export class ReplyAddresses {
  readonly #parts: ClientParts;
  readonly #records: SealedRecords;

  constructor(parts: ClientParts, records: SealedRecords) {
    this.#parts = parts;
    this.#records = records;
  }

  /** The client's addresses in what the store holds under replyAddressesKey. */
  read(client: ClientId, value: Value | undefined): readonly string[] {
    return value === undefined ? [] : this.#records.get<readonly string[]>(replyAddressesKey(client), value);
  }

  /** Whose the address is, whatever its tag; removed clients keep theirs. @throws StoreUnavailable */
  async holder(address: Address): Promise<ClientId | undefined> {
    const { store, keyring } = this.#parts;
    const keys = this.#keys(address);
    const [globalHead, ...values] = await store.find([headKey(GLOBAL), ...keys]);
    const known = new Set(keyring.digestKeys.map(({ id }) => id));
    checkKeys(checkHead(globalHead, keyring.fingerprint), known);
    return this.#held(keys, values);
  }

  /** What stands against giving the client these addresses. @throws StoreUnavailable */
  async obstacle(client: ClientId, addresses: readonly string[]): Promise<Refusal | undefined> {
    const taken: string[] = [];
    for (const text of addresses) {
      const holder = await this.holder(addressOf(text));
      if (holder !== undefined && holder !== client)
        taken.push(`reply-address: ${text} is client ${holder}'s; take it from that client first`);
    }
    return taken.length === 0 ? undefined : refuse('taken', ...taken);
  }

  /** Makes these, as readClient read them, the client's addresses instead of those it had. Refused: taken. @throws StoreUnavailable */
  async give(client: ClientId, addresses: readonly string[]): Promise<Refusal | undefined> {
    const { store, keyring } = this.#parts;
    let refusal: Refusal | undefined;
    await changeHead(store, GLOBAL, keyring.fingerprint, async head => {
      refusal = await this.obstacle(client, addresses);
      if (refusal !== undefined) return undefined;
      const listKey = replyAddressesKey(client);
      const [list] = await store.find([listKey]);
      const given = addresses.map(text => this.#keys(addressOf(text))[0] as EntryKey);
      const kept = new Set(given.map(({ id }) => id.toString('hex')));
      const dropped = this.read(client, list)
        .flatMap(text => this.#keys(addressOf(text)))
        .filter(({ id }) => !kept.has(id.toString('hex')));
      const changes: readonly Change[] = [
        this.#records.put(listKey, addresses),
        ...given.map(key => this.#records.put(key, { client } satisfies Holder)),
        ...dropped.map(key => ({ key, value: undefined })),
      ];
      return { head: this.#announced(head), changes };
    });
    return refusal;
  }

  #keys(address: Address): readonly EntryKey[] {
    return this.#parts.digests.name('reply-address', basePerson(address)).map(id => ({ owner: GLOBAL, set: 'reply-addresses', id }));
  }

  #held(keys: readonly EntryKey[], values: readonly (Value | undefined)[]): ClientId | undefined {
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      if (value !== undefined) return this.#records.get<Holder>(key, value).client;
    }
    return undefined;
  }

  /** Says under which key new entries are made, for gates that do not have it yet. */
  #announced(head: Head): Head {
    const { digestKeys, oldestId } = this.#parts.keyring;
    const id = digestKeys[0]?.id as string;
    const keys = head.keys ?? [];
    return id === oldestId || keys.includes(id) ? head : { ...head, keys: [...keys, id] };
  }
}

/** An address that was read before and kept as text. */
function addressOf(text: string): Address {
  const address = parsePerson(text);
  if (!isAddress(address)) throw new StoreUnavailable(`A reply address in the store cannot be read: ${address.detail}`);
  return address;
}

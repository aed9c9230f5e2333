/** Pseudonyms: journal lines name a person by a random word; the sealed mapping behind it is what an erasure deletes (DESIGN §5). */
import { randomBytes } from 'node:crypto';
import type { ClientId, GLOBAL } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Vault } from '../keys/vault.ts';
import { VaultUnavailable } from '../keys/vault-shelf.ts';
import { type Address, basePerson } from '../mail/address.ts';
import { type Change, type EntryKey, type Expectation, type Store, StoreUnavailable, type Value } from '../store/store.ts';

/** person's digest → sealed pseudonym */
const PERSONS = 'persons';
/** pseudonym → sealed address */
const PSEUDONYMS = 'pseudonyms';
/** Each lost race means that another gate made some of these very people's at this moment. */
const ATTEMPTS = 20;

/** Whose journal a line stands in. */
export type Owner = ClientId | typeof GLOBAL;

interface Who {
  readonly client: Owner;
  readonly person: Address;
}

interface Named {
  readonly client: Owner;
  readonly pseudonym: string | undefined;
}

export interface PseudonymsFound {
  get(client: Owner, person: Address): string | undefined;
  /** Clients whose vault key could not be read now. */
  readonly failed: ReadonlyMap<Owner, VaultUnavailable>;
}

export class Pseudonyms {
  readonly #store: Store;
  readonly #digests: Digests;
  readonly #vault: Vault;

  constructor(store: Store, digests: Digests, vault: Vault) {
    this.#store = store;
    this.#digests = digests;
    this.#vault = vault;
  }

  /**
   * The pseudonyms of people, made where there is none yet. Somebody whose client has no vault key here gets none.
   * @throws StoreUnavailable
   */
  async of(people: readonly Who[]): Promise<PseudonymsFound> {
    const found = new Map<string, string>();
    const byClient = new Map<Owner, Map<string, Address>>();
    for (const { client, person } of people) {
      const group = byClient.get(client) ?? new Map<string, Address>();
      byClient.set(client, group.set(basePerson(person), person));
    }
    const failed = new Map<Owner, VaultUnavailable>();
    for (const [client, group] of byClient) {
      try {
        for (const [base, pseudonym] of await this.#ofClient(client, group)) found.set(`${client} ${base}`, pseudonym);
      } catch (error) {
        if (!(error instanceof VaultUnavailable)) throw error;
        failed.set(client, error);
      }
    }
    return { failed, get: (client, person) => found.get(`${client} ${basePerson(person)}`) };
  }

  /** The base form of the address behind a pseudonym; undefined after an erasure, or where the client's key is gone. */
  async person(client: Owner, pseudonym: string): Promise<string | undefined> {
    return (await this.people([{ client, pseudonym }]))[0];
  }

  /** The same for many at once, in their order; nobody stands behind no pseudonym. @throws StoreUnavailable, VaultUnavailable */
  async people(named: readonly Named[]): Promise<readonly (string | undefined)[]> {
    const asked = new Map<string, EntryKey>();
    for (const { client, pseudonym } of named) {
      if (pseudonym !== undefined) asked.set(`${client} ${pseudonym}`, pseudonymKey(client, pseudonym));
    }
    if (asked.size === 0) return named.map(() => undefined);
    const values = await this.#store.find([...asked.values()]);
    const people = new Map<string, string | undefined>();
    for (const [i, [name, key]] of [...asked].entries()) {
      const value = values[i];
      if (value !== undefined) people.set(name, (await this.#vault.sealer(key.owner))?.open(value, aad(key))?.toString());
    }
    return named.map(({ client, pseudonym }) => people.get(`${client} ${pseudonym}`));
  }

  /** The pseudonym of a person who has one. @throws StoreUnavailable, VaultUnavailable */
  async find(client: Owner, person: Address): Promise<string | undefined> {
    const keys = this.#digests.person(person).map(id => personKey(client, id));
    const values = await this.#store.find(keys);
    const at = values.findIndex(value => value !== undefined);
    if (at < 0) return undefined;
    return (await this.#vault.sealer(client))?.open(values[at] as Value, aad(keys[at] as EntryKey))?.toString();
  }

  async #ofClient(client: Owner, people: ReadonlyMap<string, Address>): Promise<ReadonlyMap<string, string>> {
    const sealer = await this.#vault.sealer(client);
    const result = new Map<string, string>();
    if (sealer === undefined) return result;
    // Another gate may be making the same person's mapping at this moment: whoever is first stays, the other reads it.
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const open = [...people].filter(([base]) => !result.has(base));
      if (open.length === 0) return result;
      const asked = open.flatMap(([base, person]) => this.#digests.person(person).map(id => ({ base, key: personKey(client, id) })));
      const values = await this.#store.find(asked.map(({ key }) => key));
      const held = new Map<string, Value>();
      for (const [i, { base, key }] of asked.entries()) {
        const value = values[i];
        if (value === undefined) continue;
        held.set(key.id.toString('hex'), value);
        const pseudonym = sealer.open(value, aad(key));
        if (pseudonym !== undefined) result.set(base, pseudonym.toString());
      }
      const changes: Change[] = [];
      const expect: Expectation[] = [];
      const made = new Map<string, string>();
      for (const [base, person] of open) {
        const newest = this.#digests.person(person)[0];
        if (result.has(base) || newest === undefined) continue;
        const pseudonym = randomBytes(12).toString('base64url');
        const forward = personKey(client, newest);
        const back = pseudonymKey(client, pseudonym);
        made.set(base, pseudonym);
        // What is there cannot be opened, or it were found: it was sealed under a key that was destroyed, and stands for nobody.
        expect.push({ key: forward, value: held.get(newest.toString('hex')) });
        changes.push({ key: forward, value: sealer.seal(pseudonym, aad(forward)) }, { key: back, value: sealer.seal(base, aad(back)) });
      }
      if (changes.length === 0 || (await this.#store.apply(changes, expect))) {
        for (const [base, pseudonym] of made) result.set(base, pseudonym);
        return result;
      }
    }
    throw new StoreUnavailable('The pseudonyms keep changing under us');
  }
}

function personKey(client: Owner, digest: Buffer): EntryKey {
  return { owner: client, set: PERSONS, id: digest };
}

function pseudonymKey(client: Owner, pseudonym: string): EntryKey {
  return { owner: client, set: PSEUDONYMS, id: Buffer.from(pseudonym, 'base64url') };
}

function aad(key: EntryKey): string {
  return `${key.owner}/${key.set}/${key.id.toString('hex')}`;
}

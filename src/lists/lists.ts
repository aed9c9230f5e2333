/** The lists: who may not be mailed, in which scope and why; the one door to exclusions, suppressions and their ledger. */

import type { CampaignId, ClientId } from '../ids.ts';
import { type Digests, HASH_ALGORITHMS, HASH_OCTETS, type HashAlgorithm } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Vault } from '../keys/vault.ts';
import { type Address, basePerson } from '../mail/address.ts';
import { isPublicSuffix } from '../mail/domain.ts';
import type { Clock } from '../ops/clock.ts';
import { headKey } from '../store/head.ts';
import { isEntryKey, type Store } from '../store/store.ts';
import { causedByRecipient, Entries, type EntryAct, type ListName, setName } from './entry.ts';
import { Heads } from './heads.ts';
import type { Ledger } from './ledger.ts';
import { lookUp } from './look-up.ts';
import { type Beside, type Item, type Merged, mergeItems } from './merging.ts';
import type { Reason, Scope, Source, Standing } from './standing.ts';
import {
  type LiftAct,
  type LiftOptions,
  liftObjections,
  type Removed,
  removeExclusion,
  type TakingBackParts,
  type Whom,
} from './taking-back.ts';

/** A person, or a domain (as parseDomain gives it) with its subdomains. */
export type Target = Address | { readonly domain: string; readonly local?: undefined };

/** Why somebody is listed, as the caller knows it. */
export interface NewAct {
  readonly reason: Reason;
  readonly source: Source;
  /** Operator or account. */
  readonly by?: string;
  /** Milliseconds since 1970 UTC; default and latest: now. */
  readonly at?: number;
}

export interface Refused {
  readonly problem: string;
}

export type AddResult = Merged | Refused;

export type { Beside, Item } from './merging.ts';

/** An entry as an operator or its client may see it: nobody's address stands in a suppression. */
export interface ListEntry {
  readonly list: ListName;
  readonly match: 'address' | 'domain' | 'hash';
  /** Of an exclusion: `local@domain` or the domain; undefined where it cannot be read. */
  readonly target?: string;
  /** First 12 hexadecimal digits of the keyed digest. */
  readonly digest: string;
  /** Empty where the entry cannot be read; it lists all the same. */
  readonly acts: readonly Omit<EntryAct, 'ids'>[];
}

export interface ListsParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly digests: Digests;
  readonly vault: Vault;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

/**
 * Every method throws StoreUnavailable where the store, the vault or the ledger gave no answer or the scope's owner has no head here;
 * those that write resolve when what they did is durable, and throw where the owner has no data key.
 */
export class Lists {
  readonly #parts: TakingBackParts & { readonly digests: Digests };

  constructor({ store, keyring, digests, vault, ledger, clock }: ListsParts) {
    const entries = new Entries(vault, keyring);
    // Under the ring, not under the owner's key: a client's end must not take with it who lifted what.
    this.#parts = { store, keyring, digests, ledger, clock, entries, heads: new Heads(keyring), audit: keyring.sealer('audit') };
  }

  /** What the lists say of a recipient of this client's mail: global, the client's own, and these campaigns'. Never cached. */
  standing(address: Address, client: ClientId, campaigns: readonly CampaignId[]): Promise<Standing> {
    return lookUp(this.#parts, address, client, campaigns);
  }

  /** Excludes a person or a domain. A public suffix is refused. What a recipient caused goes to the ledger first. */
  async add(scope: Scope, target: Target, act: NewAct): Promise<AddResult> {
    const [result] = await this.addMany(scope, [{ target, act }]);
    return result as AddResult;
  }

  /**
   * Excludes many, in batches; results in their order. Hand over some thousand at a time: each is held in memory.
   * `dryRun`: only says what would happen.
   */
  async addMany(
    scope: Scope,
    targets: readonly { readonly target: Target; readonly act: NewAct }[],
    options: { readonly dryRun?: boolean } = {},
  ): Promise<readonly AddResult[]> {
    return this.#addGood(
      scope,
      'exclusion',
      targets.map(({ target, act }) => this.item(target, act)),
      options,
    );
  }

  /** Takes back what operators and imports put on the exclusion list of exactly this scope. */
  async remove(scope: Scope, target: Target): Promise<Removed> {
    return removeExclusion(this.#parts, scope, this.#whom(target));
  }

  /** Suppresses a person: kept as a digest only, in the ledger first, and lifted only by a named person's act. */
  async suppress(scope: Scope, address: Address, act: NewAct): Promise<Merged> {
    const item: Item = { ids: this.#parts.digests.person(address), about: {}, act: this.#act(act) };
    const { merged } = await mergeItems(this.#parts, scope, 'suppression', [item], { ledgered: () => true });
    return merged[0] as Merged;
  }

  /**
   * Lists at least one person, and writes in the same apply what belongs beside it, even where everybody is listed already. `outdated`: what
   * was expected of the store does not hold (any more), and nothing was written beside; people may be listed all the same.
   */
  async enter(scope: Scope, list: ListName, people: readonly Address[], act: NewAct, beside: Beside): Promise<'entered' | 'outdated'> {
    const items = people.map((person): Item => {
      const about = list === 'exclusion' ? { target: basePerson(person) } : {};
      return { ids: this.#parts.digests.person(person), about, act: this.#act(act) };
    });
    const ledgered = list === 'suppression' ? () => true : causedByRecipient;
    const { outdated } = await mergeItems(this.#parts, scope, list, items, { ledgered, beside });
    return outdated ? 'outdated' : 'entered';
  }

  /** Suppresses whom a legacy list names by hash. A digest of another length than the algorithm's is refused. */
  async addHashes(
    scope: Scope,
    algorithm: HashAlgorithm,
    hashes: readonly Buffer[],
    { dryRun = false, by }: { readonly dryRun?: boolean; readonly by?: string } = {},
  ): Promise<readonly AddResult[]> {
    const act: NewAct = { reason: 'import', source: 'import', ...(by === undefined ? {} : { by }) };
    const items = hashes.map(hash => this.hashItem(algorithm, hash, act));
    return this.#addGood(scope, 'suppression', items, { dryRun });
  }

  /** What `addItems` puts on an exclusion list; asks nothing of the store. Refused: a public suffix. */
  item(target: Target, given: NewAct): Item | Refused {
    const { digests } = this.#parts;
    const problem = problemOf(target);
    if (problem !== undefined) return { problem };
    const act = this.#act(given);
    return target.local === undefined
      ? { ids: digests.domain(target.domain), about: { target: target.domain }, act }
      : { ids: digests.personOnce(target), about: { target: basePerson(target) }, act };
  }

  /** What `addItems` puts on a suppression list. Refused: a digest of another length than the algorithm's. */
  hashItem(algorithm: HashAlgorithm, hash: Buffer, given: NewAct): Item | Refused {
    if (hash.length !== HASH_OCTETS[algorithm]) return { problem: `not a digest by ${algorithm}` };
    return { ids: this.#parts.digests.imported(algorithm, hash), about: { hash: algorithm }, act: this.#act(given) };
  }

  /** Lists what `item` or `hashItem` made, as addMany does. What a recipient caused goes to the ledger first. */
  async addItems(
    scope: Scope,
    list: ListName,
    items: readonly Item[],
    { dryRun = false }: { readonly dryRun?: boolean } = {},
  ): Promise<readonly Merged[]> {
    const { store, heads } = this.#parts;
    const algorithms = new Set(items.flatMap(({ about }) => about.hash ?? []));
    // First the head: whoever looks up from now on asks for them.
    if (!dryRun) for (const algorithm of algorithms) await heads.announceHashes(store, scope, algorithm);
    return (await mergeItems(this.#parts, scope, list, items, { dryRun, ledgered: causedByRecipient })).merged;
  }

  /** Lifts what the recipient caused in exactly this scope, suppressions by imported hash included. Leaves an audit record. */
  async lift(scope: Scope, target: Target, act: LiftAct): Promise<'lifted' | 'absent'> {
    return (await liftObjections(this.#parts, scope, this.#whom(target), act)) === 'absent' ? 'absent' : 'lifted';
  }

  /** The same of some reasons only, and only while the store holds what is expected: no other objection is touched. */
  async liftOnly(
    scope: Scope,
    target: Target,
    act: LiftAct,
    only: Required<Pick<LiftOptions, 'reasons'>> & LiftOptions,
  ): Promise<'lifted' | 'absent' | 'outdated'> {
    return liftObjections(this.#parts, scope, this.#whom(target), act, only);
  }

  /** The entries of exactly this scope, exclusions first, otherwise in no order; in constant memory. */
  async *show(scope: Scope): AsyncIterable<ListEntry> {
    const { store, entries, heads } = this.#parts;
    const [head] = await store.find([headKey(scope.owner)]);
    heads.check(scope.owner, head);
    for (const list of ['exclusion', 'suppression'] as const) {
      for await (const [key, value] of store.scan({ owner: scope.owner, set: setName(scope, list) })) {
        if (!isEntryKey(key)) continue;
        const { target, hash, acts = [] } = (await entries.open(key, value)) ?? {};
        const match = hash !== undefined ? 'hash' : list === 'exclusion' && target?.includes('@') === false ? 'domain' : 'address';
        yield {
          list,
          match,
          ...(target === undefined ? {} : { target }),
          digest: key.id.toString('hex').slice(0, 12),
          acts: acts.map(({ ids: _, ...act }) => act),
        };
      }
    }
  }

  async #addGood(
    scope: Scope,
    list: ListName,
    items: readonly (Item | Refused)[],
    options: { readonly dryRun?: boolean },
  ): Promise<readonly AddResult[]> {
    const good = items.flatMap(item => ('problem' in item ? [] : [item]));
    const merged = await this.addItems(scope, list, good, options);
    let next = 0;
    return items.map(item => ('problem' in item ? item : (merged[next++] as Merged)));
  }

  #act({ reason, source, by, at }: NewAct): EntryAct {
    const now = this.#parts.clock.now();
    return { reason, source, at: at === undefined ? now : Math.min(at, now), ...(by === undefined ? {} : { by }) };
  }

  #whom(target: Target): Whom {
    const { digests } = this.#parts;
    if (target.local === undefined) return { person: digests.domain(target.domain), hashes: [] };
    // All algorithms: a few keys more, and no head to be read first.
    return { person: digests.person(target), hashes: HASH_ALGORITHMS.flatMap(algorithm => digests.importedOf(target, algorithm)) };
  }
}

function problemOf(target: Target): string | undefined {
  if (target.local !== undefined || !isPublicSuffix(target.domain)) return undefined;
  return 'a public suffix, under which anybody may register, cannot be listed';
}

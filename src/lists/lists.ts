/** The lists: who may not be mailed, in which scope and why; the one door to exclusions, suppressions and their ledger. */

import type { Who } from '../audit/act.ts';
import type { Audit } from '../audit/audit.ts';
import type { Outbox } from '../hooks/outbox.ts';
import type { CampaignId, ClientId } from '../ids.ts';
import { type Digests, HASH_OCTETS, type HashAlgorithm } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Vault } from '../keys/vault.ts';
import { type Address, basePerson } from '../mail/address.ts';
import type { Clock } from '../ops/clock.ts';
import { MAX_CHANGES, type Store } from '../store/store.ts';
import { causedByRecipient, Entries, type EntryAct, type ListName } from './entry.ts';
import { Heads } from './heads.ts';
import type { Ledger } from './ledger.ts';
import { lookUp } from './look-up.ts';
import { type Beside, type Item, type Merged, type MergeOptions, mergeItems, type NewEntry, putNew } from './merging.ts';
import { type EntryPage, findEntries, type ListEntry, type PageOptions, readEntries, readPage } from './reading.ts';
import { readTarget, targetProblem } from './row-entry.ts';
import { scopeName } from './scope.ts';
import type { Reason, Scope, Source, Standing, Target } from './standing.ts';
import {
  type EntryName,
  keptFrom,
  type LiftAct,
  type LiftOptions,
  liftObjections,
  objectionIn,
  type Removed,
  removeExclusion,
  type TakeBackOptions,
  type TakingBackParts,
  type Whom,
  whomOf,
} from './taking-back.ts';

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
export type { EntryPage, ListEntry, PageOptions } from './reading.ts';
export type { Target } from './standing.ts';
export type { EntryName } from './taking-back.ts';

/** Room in an apply for a line of the audit trail. */
const LINE_CHANGES = 8;

export interface AddOptions {
  /** Only says what would happen. */
  readonly dryRun?: boolean;
  /** All in one apply or none, so at most MAX_CHANGES. */
  readonly whole?: boolean;
  /** Who lists them, for the audit trail; absent: nobody who has to account for it. */
  readonly who?: Who | undefined;
}

export interface ListsParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly digests: Digests;
  readonly vault: Vault;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly audit: Audit;
  /** Tells clients' platforms of suppressions that come and go; absent: nobody is told. */
  readonly outbox?: Pick<Outbox, 'changes'> | undefined;
}

/**
 * Every method throws StoreUnavailable where the store, the vault or the ledger gave no answer or the scope's owner has no head here;
 * those that write resolve when what they did is durable, and throw where the owner has no data key.
 */
export class Lists {
  readonly #parts: TakingBackParts & { readonly digests: Digests };

  constructor({ store, keyring, digests, vault, ledger, clock, audit, outbox }: ListsParts) {
    const entries = new Entries(vault, keyring);
    this.#parts = { store, keyring, digests, ledger, clock, entries, heads: new Heads(keyring), audit, outbox };
  }

  /** What the lists say of a recipient of this client's mail: global, the client's own, and these campaigns'; no client: global alone. Never cached. */
  standing(address: Address, client: ClientId | undefined, campaigns: readonly CampaignId[]): Promise<Standing> {
    return lookUp(this.#parts, address, client, campaigns);
  }

  /** Excludes a person or a domain. A public suffix is refused. What a recipient caused goes to the ledger first. */
  async add(scope: Scope, target: Target, act: NewAct, who?: Who): Promise<AddResult> {
    const [result] = await this.addMany(scope, [{ target, act }], { who });
    return result as AddResult;
  }

  /**
   * Excludes many, in batches; results in their order. Hand over some thousand at a time: each is held in memory.
   * `dryRun`: only says what would happen.
   */
  async addMany(
    scope: Scope,
    targets: readonly { readonly target: Target; readonly act: NewAct }[],
    options: AddOptions = {},
  ): Promise<readonly AddResult[]> {
    return this.#addGood(
      scope,
      'exclusion',
      targets.map(({ target, act }) => this.item(target, act)),
      options,
    );
  }

  /** Takes back what operators and imports put on the exclusion list of exactly this scope. */
  async remove(scope: Scope, target: Target, who?: Who): Promise<Removed> {
    return removeExclusion(this.#parts, scope, this.#whom(target), who);
  }

  /** Suppresses a person: kept as a digest only, in the ledger first, and lifted only by a named person's act. */
  async suppress(scope: Scope, address: Address, act: NewAct, who?: Who): Promise<Merged> {
    const [merged] = await this.addItems(scope, 'suppression', [this.personItem(address, act)], { who });
    return merged as Merged;
  }

  /**
   * Lists at least one person, and writes in the same apply what belongs beside it, even where everybody is listed already. `outdated`: what
   * was expected of the store does not hold (any more), and nothing was written beside; people may be listed all the same.
   */
  async enter(scope: Scope, list: ListName, people: readonly Address[], act: NewAct, beside: Beside): Promise<'entered' | 'outdated'> {
    const items = people.map((person): Item => {
      const about = list === 'exclusion' ? { target: basePerson(person) } : {};
      return { ids: this.#parts.digests.person(person), about, act: this.#act(act), recipient: basePerson(person) };
    });
    const ledgered = list === 'suppression' ? () => true : causedByRecipient;
    const { outdated } = await mergeItems(this.#parts, scope, list, items, { ledgered, beside });
    return outdated ? 'outdated' : 'entered';
  }

  /** What `addItems` puts on a suppression list. */
  personItem(address: Address, given: NewAct): Item {
    return { ids: this.#parts.digests.personOnce(address), about: {}, act: this.#act(given), recipient: basePerson(address) };
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
    const problem = targetProblem(target);
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

  /**
   * Lists what `item`, `personItem` or `hashItem` made, as addMany does. What a recipient caused goes to the ledger first, and so does every
   * person of a suppression list. `whole`: all in one apply or none, so at most MAX_CHANGES of them.
   */
  async addItems(
    scope: Scope,
    list: ListName,
    items: readonly Item[],
    { dryRun = false, whole = false, who }: AddOptions = {},
  ): Promise<readonly Merged[]> {
    const { store, heads } = this.#parts;
    const algorithms = new Set(items.flatMap(({ about }) => about.hash ?? []));
    // First the head: whoever looks up from now on asks for them.
    if (!dryRun) for (const algorithm of algorithms) await heads.announceHashes(store, scope, algorithm);
    const ledgered = list === 'suppression' && algorithms.size === 0 ? () => true : causedByRecipient;
    const options = { dryRun, whole, ledgered };
    if (who === undefined || dryRun || items.length === 0) return (await mergeItems(this.#parts, scope, list, items, options)).merged;
    return this.#addOnRecord(scope, list, items, options, who);
  }

  /** One line for all of them, written with the last; one alone that changes nothing leaves none. */
  async #addOnRecord(scope: Scope, list: ListName, items: readonly Item[], options: MergeOptions, who: Who): Promise<readonly Merged[]> {
    const { audit } = this.#parts;
    const { owner } = scope;
    const reasons = [...new Set(items.map(({ act }) => act.reason))];
    const [first] = items;
    const which = items.length === 1 ? { whom: first?.ids[0]?.toString('hex') } : { entries: items.length };
    const act = { ...who, what: `${list}.add`, about: { scope: scopeName(scope), reasons, ...which } };
    if (options.whole === true && items.length > MAX_CHANGES - LINE_CHANGES) {
      const { merged } = await mergeItems(this.#parts, scope, list, items, options);
      await audit.record(owner, act);
      return merged;
    }
    const { merged, outdated } = await audit.together(owner, act, async ({ changes, expect }) => {
      const beside: Beside = { changes: () => changes, expect, onlyWithChanges: items.length === 1, apart: true };
      const result = await mergeItems(this.#parts, scope, list, items, { ...options, beside });
      return result.merged.length < items.length ? undefined : result;
    });
    // Listed, because the ledger had it already, while another gate's line came first.
    if (outdated) await audit.record(owner, act);
    return merged;
  }

  /**
   * The same for entries of which none seems to be listed, each of another id, and none of them caused by its recipient. False: one is
   * listed, and nothing was written. At most MAX_CHANGES ids.
   */
  async addNew(scope: Scope, list: ListName, entries: readonly NewEntry[]): Promise<boolean> {
    return putNew(this.#parts, scope, list, entries);
  }

  /** Makes sure that look-ups in this scope ask for hashes by the algorithm; first of all, before any is listed. */
  announceHashes(scope: Scope, algorithm: HashAlgorithm): Promise<void> {
    return this.#parts.heads.announceHashes(this.#parts.store, scope, algorithm);
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

  /**
   * Takes entries of this name back whole, from one list of exactly this scope. `objection`: a recipient caused it, or nobody can tell,
   * and `objections` does not say that a named person lifts it; `foreign`: somebody listed it of whom `own` says that it is not theirs to
   * take back. Nothing was changed then. A lift is on record.
   */
  async takeBack(
    scope: Scope,
    list: ListName,
    name: EntryName,
    act: LiftAct,
    options: TakeBackOptions,
  ): Promise<'removed' | 'absent' | 'objection' | 'foreign'> {
    const found = await this.#found(scope, list, name);
    if (found.length === 0) return 'absent';
    const kept = await keptFrom(found, options);
    if (kept !== undefined) return kept;
    // By whom it lists, where that can be read: the entry may stand under several digest keys.
    const target = found[0]?.target === undefined ? name : readTarget(found[0].target);
    const whom = this.#whom(typeof target === 'string' ? name : target);
    // Without an objection, those acts that were seen: what somebody else adds meanwhile stays.
    const reasons = objectionIn(found) ? {} : { reasons: found.flatMap(({ acts }) => acts.map(({ reason }) => reason)) };
    if (list === 'suppression' || objectionIn(found)) await liftObjections(this.#parts, scope, whom, act, { lists: [list], ...reasons });
    if (list === 'exclusion') await removeExclusion(this.#parts, scope, whom, { from: 'cli', ...act }, [list]);
    return 'removed';
  }

  /** The entry of this name in one list of exactly this scope; of a person also one that came as a hash. */
  async entry(scope: Scope, list: ListName, name: EntryName): Promise<ListEntry | undefined> {
    return (await this.#found(scope, list, name))[0];
  }

  /** A page of one list of exactly this scope, in the order of the entries' ids. */
  page<T>(scope: Scope, list: ListName, options: PageOptions<T>): Promise<EntryPage<T>> {
    return readPage(this.#parts, scope, list, options);
  }

  /** The entries of exactly this scope, exclusions first, in the order of their ids; in constant memory. */
  async *show(scope: Scope): AsyncIterable<ListEntry> {
    yield* readEntries(this.#parts, scope, 'exclusion');
    yield* readEntries(this.#parts, scope, 'suppression');
  }

  /** Those of one list. */
  read(scope: Scope, list: ListName): AsyncIterable<ListEntry> {
    return readEntries(this.#parts, scope, list);
  }

  /** By which digests, in hexadecimal digits, entries and audit lines may name them. */
  digestsOf(target: Target): readonly string[] {
    const { person, hashes } = this.#whom(target);
    return [...person, ...hashes].map(digest => digest.toString('hex'));
  }

  #found(scope: Scope, list: ListName, name: EntryName): Promise<readonly ListEntry[]> {
    const { person, hashes } = this.#whom(name);
    return findEntries(this.#parts, scope, list, list === 'suppression' ? [...person, ...hashes] : person);
  }

  async #addGood(scope: Scope, list: ListName, items: readonly (Item | Refused)[], options: AddOptions): Promise<readonly AddResult[]> {
    const good = items.flatMap(item => ('problem' in item ? [] : [item]));
    const merged = await this.addItems(scope, list, good, options);
    let next = 0;
    return items.map(item => ('problem' in item ? item : (merged[next++] as Merged)));
  }

  #act({ reason, source, by, at }: NewAct): EntryAct {
    const now = this.#parts.clock.now();
    return { reason, source, at: at === undefined ? now : Math.min(at, now), ...(by === undefined ? {} : { by }) };
  }

  #whom(target: EntryName): Whom {
    return whomOf(this.#parts.digests, target);
  }
}

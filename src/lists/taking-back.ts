/** Taking entries back: an operator removes what operators and imports put in; what a recipient caused only a named person lifts. */
import { OURSELVES, type Who } from '../audit/act.ts';
import type { Audit, Draft } from '../audit/audit.ts';
import { type Digests, HASH_ALGORITHMS } from '../keys/digest.ts';
import { basePerson } from '../mail/address.ts';
import type { Clock } from '../ops/clock.ts';
import { headKey } from '../store/head.ts';
import { type Change, type EntryKey, type Expectation, StoreUnavailable, type Value } from '../store/store.ts';
import { causedByRecipient, type Entry, type EntryAct, entryKey, type ListName, liftedKey, mergeActs, noteActs } from './entry.ts';
import type { LedgerChange } from './ledger-record.ts';
import { ATTEMPTS, type Beside, holds, type MergingParts, toldEntry } from './merging.ts';
import { scopeName } from './scope.ts';
import type { Reason, Scope, Target } from './standing.ts';

/** `kept`: reasons of what stays, because recipients caused it; empty where an entry cannot be read, so that nobody knows. */
export type Removed = 'removed' | 'absent' | { readonly kept: readonly Reason[] };

export interface LiftAct {
  /** Name of the person who lifts. */
  readonly by: string;
  /** IP address; default: `cli`. */
  readonly from?: string;
  readonly why: string;
}

export interface LiftOptions {
  /** Only acts of these reasons; what cannot be read stays, because nobody knows. Default: everything that a recipient caused. */
  readonly reasons?: readonly Reason[];
  /** Default: both. */
  readonly lists?: readonly ListName[];
  /** Nothing is lifted unless the store holds this, of the scope's owner, at the moment of the lift. */
  readonly expect?: Beside['expect'];
}

export interface TakeBackOptions {
  /** A named person lifts what recipients caused. */
  readonly objections: boolean;
  /** Whether what this account listed is theirs who take it back (undefined: nobody knows who listed it); default: everything is. */
  readonly own?: ((by: string | undefined) => Promise<boolean>) | undefined;
}

/** An entry by whom or what it lists, or by its own id. */
export type EntryName = Target | { readonly id: string };

/** Digests of whom it is about: `person` may stand on both lists, `hashes` in suppressions only. */
export interface Whom {
  /** `local@domain`, where it is known, for the client's platform. */
  readonly recipient?: string | undefined;
  readonly person: readonly Buffer[];
  readonly hashes: readonly Buffer[];
}

export function whomOf(digests: Digests, target: EntryName): Whom {
  if ('id' in target) return { person: [Buffer.from(target.id, 'hex')], hashes: [] };
  if (target.local === undefined) return { person: digests.domain(target.domain), hashes: [] };
  // All algorithms: a few keys more, and no head to be read first.
  const recipient = basePerson(target);
  return {
    recipient,
    person: digests.person(target),
    hashes: HASH_ALGORITHMS.flatMap(algorithm => digests.importedOf(target, algorithm)),
  };
}

export interface TakingBackParts extends MergingParts {
  readonly clock: Clock;
  readonly audit: Audit;
}

interface Found {
  readonly list: ListName;
  /** Entries of one group are the same entry under different digest keys. */
  readonly group: string;
  readonly key: EntryKey;
  readonly value: Value | undefined;
  /** undefined: nothing there, or unreadable. */
  readonly entry: Entry | undefined;
  readonly note: Value | undefined;
}

type Told = readonly { readonly acts: readonly Pick<EntryAct, 'reason' | 'by'>[] }[];

/** Whether a recipient caused one of the entries, or nobody can tell. */
export function objectionIn(found: Told): boolean {
  return found.some(({ acts }) => acts.length === 0 || acts.some(causedByRecipient));
}

/** Why these entries are not to be taken back; undefined: they may be. */
export async function keptFrom(found: Told, { objections, own }: TakeBackOptions): Promise<'objection' | 'foreign' | undefined> {
  if (objectionIn(found) && !objections) return 'objection';
  const authors = new Set(found.flatMap(({ acts }) => acts.map(({ by }) => by)));
  for (const by of authors) if (own !== undefined && !(await own(by))) return 'foreign';
  return undefined;
}

/**
 * Removes what operators and imports put on the exclusion list of exactly this scope, on record in the audit trail; says what stays on
 * `lists`. @throws StoreUnavailable
 */
export function removeExclusion(
  parts: TakingBackParts,
  scope: Scope,
  whom: Whom,
  who: Who = OURSELVES,
  lists?: readonly ListName[],
): Promise<Removed> {
  const { store, entries, audit } = parts;
  return audit.inTurn(scope.owner, async () => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = (await find(parts, scope, whom, lists)).filter(({ value }) => value !== undefined);
      const changes: Change[] = [];
      const expect: Expectation[] = [];
      const [kept, taken] = [new Set<Reason>(), new Set<Reason>()];
      let stays = false;
      for (const { list, key, value, entry } of found) {
        const left = list === 'exclusion' ? entry?.acts.filter(causedByRecipient) : entry?.acts;
        if (left === undefined || left.length > 0) stays = true;
        for (const { reason } of left ?? []) kept.add(reason);
        if (entry === undefined || left === undefined || left.length === entry.acts.length) continue;
        for (const { reason } of entry.acts) if (!kept.has(reason)) taken.add(reason);
        const rest = left.length === 0 ? undefined : entries.seal(await entries.sealer(scope.owner), key, { ...entry, acts: left });
        changes.push({ key, value: rest });
        expect.push({ key, value });
      }
      if (changes.length === 0) return stays ? { kept: [...kept] } : 'absent';
      const draft = await audit.append(scope.owner, { ...who, what: 'exclusion.remove', about: aboutWhom(scope, whom, taken) });
      if (!(await store.apply([...changes, ...draft.changes], [...expect, ...draft.expect]))) continue;
      await draft.settle();
      return stays ? { kept: [...kept] } : 'removed';
    }
    throw new StoreUnavailable('The list keeps changing under us');
  });
}

/**
 * Lifts what a recipient caused, in exactly this scope: the suppression, and on the exclusion list everything but operators' and
 * imports' acts. On record in the audit trail and in the ledger when it resolves. `outdated`: what was expected does not hold.
 * @throws StoreUnavailable
 */
export function liftObjections(
  parts: TakingBackParts,
  scope: Scope,
  whom: Whom,
  act: LiftAct,
  { reasons, lists, expect = [] }: LiftOptions = {},
): Promise<'lifted' | 'absent' | 'outdated'> {
  const { store, ledger, audit } = parts;
  const { by, why, from = 'cli' } = act;
  return audit.inTurn(scope.owner, async () => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (!holds(expect, await store.find(expect.map(({ key }) => key)))) return 'outdated';
      const found = await find(parts, scope, whom, lists);
      const lifted = liftable(found, reasons);
      if (lifted.length === 0) return 'absent';
      const writes = await writesOf(parts, scope, lifted, reasons);
      const about = aboutWhom(scope, whom, new Set(lifted.flatMap(({ change }) => change.acts.map(({ reason }) => reason))));
      const draft = await audit.append(scope.owner, { by, from, why, what: 'lift', about });
      const before = writes.map(({ before }) => before);
      const after = writes.map(({ after }) => after);
      const told = await toldOf(parts, scope, whom, lifted);
      if (!(await store.apply([...after, ...draft.changes, ...told], [...before, ...expect, ...draft.expect]))) continue;
      const record = { kind: 'lift', owner: scope.owner, changes: lifted.map(({ change }) => change) } as const;
      const receipt = await ledger.append(record).catch(async (error: unknown) => {
        // Not in the ledger, so not done: the next replay would bring it back anyhow.
        await undo(parts, scope, before, after, draft);
        throw error;
      });
      await draft.settle();
      await ledger.settle(receipt, store);
      return 'lifted';
    }
    throw new StoreUnavailable('The list keeps changing under us');
  });
}

/** What tells the client's platform that the person is suppressed no more. */
async function toldOf(
  { outbox }: TakingBackParts,
  { owner, campaign }: Scope,
  { recipient }: Whom,
  lifted: readonly Lifted[],
): Promise<readonly Change[]> {
  const gone = lifted.find(({ found: { list, value } }) => list === 'suppression' && value !== undefined);
  if (gone === undefined || outbox === undefined) return [];
  const reasons = gone.change.acts.map(({ reason }) => reason);
  const reason = reasons.includes('erasure') ? 'erasure' : reasons[0];
  const data = { campaign, source: 'operator', ...toldEntry(reason, gone.found.key.id, recipient) };
  return outbox.changes(owner, [{ type: 'suppression.deleted', data }]);
}

/** Puts back what was lifted, unless somebody changed it since. The trail keeps the line of the lift, and gets one that takes it back. */
async function undo(
  { store, audit }: TakingBackParts,
  { owner }: Scope,
  before: readonly Expectation[],
  after: readonly Change[],
  { line }: Draft,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (!holds(after, await store.find(after.map(({ key }) => key)))) return;
    const draft = await audit.append(owner, { ...OURSELVES, what: 'lift.undo', about: { n: line.n }, why: 'the ledger gave no answer' });
    if (!(await store.apply([...before, ...draft.changes], [...after, ...draft.expect]))) continue;
    return draft.settle();
  }
}

interface Lifted {
  readonly found: Found;
  readonly change: LedgerChange;
}

/** What is to be lifted of which entry. An entry under one digest key is noted under all: a ledger may hold it under an older one. */
function liftable(found: readonly Found[], reasons?: readonly Reason[]): readonly Lifted[] {
  const groups = new Map<string, Found[]>();
  for (const one of found) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return [...groups.values()].flatMap(group => {
    const acts = mergeActs(
      [],
      group.flatMap(one => actsToLift(one, reasons)),
    ).map(({ by: _, ...act }) => act);
    const unreadable = group.some(({ value, entry }) => value !== undefined && entry === undefined);
    if (acts.length === 0 && (!unreadable || reasons !== undefined)) return [];
    return group.map(one => ({
      found: one,
      change: { set: one.key.set, id: one.key.id, value: one.value ?? Buffer.alloc(0), acts },
    }));
  });
}

function actsToLift({ list, entry }: Found, reasons?: readonly Reason[]): readonly EntryAct[] {
  const acts = (entry?.acts ?? []).filter(({ reason }) => reasons?.includes(reason) ?? true);
  return list === 'exclusion' ? acts.filter(causedByRecipient) : acts;
}

async function writesOf({ entries }: TakingBackParts, scope: Scope, lifted: readonly Lifted[], reasons?: readonly Reason[]) {
  const writes: { readonly before: Expectation; readonly after: Change }[] = [];
  for (const { found: one, change } of lifted) {
    const { key, value, entry } = one;
    // Of some reasons only, what cannot be read stays.
    if (reasons !== undefined && entry === undefined && value !== undefined) continue;
    const going = actsToLift(one, reasons);
    const left = (entry?.acts ?? []).filter(act => !going.includes(act));
    // An entry that cannot be read goes whole: a named person says so.
    const rest = left.length === 0 ? undefined : entries.seal(await entries.sealer(scope.owner), key, { ...entry, acts: left });
    if (value !== undefined) writes.push({ before: { key, value }, after: { key, value: rest } });
    const noteKey = liftedKey(key);
    const noted = entries.openLifted(noteKey, one.note);
    const all = noteActs(noted, change.acts);
    if (all === noted) continue;
    writes.push({ before: { key: noteKey, value: one.note }, after: { key: noteKey, value: entries.sealLifted(noteKey, all) } });
  }
  return writes;
}

/** Of a person no more than the digest. */
function aboutWhom(scope: Scope, { person, hashes }: Whom, reasons: ReadonlySet<Reason>): Readonly<Record<string, unknown>> {
  return { scope: scopeName(scope), whom: (person[0] ?? hashes[0])?.toString('hex'), reasons: [...reasons] };
}

async function find(
  { store, heads, entries }: TakingBackParts,
  scope: Scope,
  { person, hashes }: Whom,
  lists: readonly ListName[] = ['exclusion', 'suppression'],
): Promise<readonly Found[]> {
  const places = [
    ...person.map(id => ({ list: 'exclusion' as const, group: 'exclusion', key: entryKey(scope, 'exclusion', id) })),
    ...person.map(id => ({ list: 'suppression' as const, group: 'suppression', key: entryKey(scope, 'suppression', id) })),
    ...hashes.map(id => ({ list: 'suppression' as const, group: id.toString('hex'), key: entryKey(scope, 'suppression', id) })),
  ].filter(({ list }) => lists.includes(list));
  const [head, ...values] = await store.find([headKey(scope.owner), ...places.flatMap(({ key }) => [key, liftedKey(key)])]);
  heads.check(scope.owner, head);
  const found: Found[] = [];
  for (const [i, place] of places.entries()) {
    const { key } = place;
    const value = values[2 * i];
    found.push({ ...place, value, entry: value === undefined ? undefined : await entries.open(key, value), note: values[2 * i + 1] });
  }
  return found;
}

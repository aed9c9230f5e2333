/** Taking entries back: an operator removes what operators and imports put in; what a recipient caused only a named person lifts. */
import { randomBytes } from 'node:crypto';
import type { Sealer } from '../keys/seal.ts';
import type { Clock } from '../ops/clock.ts';
import { headKey } from '../store/head.ts';
import { type Change, type EntryKey, type Expectation, type RecordKey, StoreUnavailable, type Value } from '../store/store.ts';
import { aadOf, causedByRecipient, type Entry, type EntryAct, entryKey, type ListName, liftedKey, mergeActs, noteActs } from './entry.ts';
import type { LedgerChange } from './ledger-record.ts';
import { ATTEMPTS, type Beside, holds, type MergingParts } from './merging.ts';
import { scopeName } from './scope.ts';
import type { Reason, Scope } from './standing.ts';

/** `kept`: reasons of what stays, because recipients caused it; empty where an entry cannot be read, so that nobody knows. */
export type Removed = 'removed' | 'absent' | { readonly kept: readonly Reason[] };

export interface LiftAct {
  /** Name of the person who lifts. */
  readonly by: string;
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

/** Digests of whom it is about: `person` may stand on both lists, `hashes` in suppressions only. */
export interface Whom {
  readonly person: readonly Buffer[];
  readonly hashes: readonly Buffer[];
}

export interface TakingBackParts extends MergingParts {
  readonly clock: Clock;
  readonly audit: Sealer;
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

/** Removes what operators and imports put on the exclusion list of exactly this scope; says what stays on `lists`. @throws StoreUnavailable */
export async function removeExclusion(parts: TakingBackParts, scope: Scope, whom: Whom, lists?: readonly ListName[]): Promise<Removed> {
  const { store, entries } = parts;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = (await find(parts, scope, whom, lists)).filter(({ value }) => value !== undefined);
    const changes: Change[] = [];
    const expect: Expectation[] = [];
    const kept = new Set<Reason>();
    let stays = false;
    for (const { list, key, value, entry } of found) {
      const left = list === 'exclusion' ? entry?.acts.filter(causedByRecipient) : entry?.acts;
      if (left === undefined || left.length > 0) stays = true;
      for (const { reason } of left ?? []) kept.add(reason);
      if (entry === undefined || left === undefined || left.length === entry.acts.length) continue;
      const rest = left.length === 0 ? undefined : entries.seal(await entries.sealer(scope.owner), key, { ...entry, acts: left });
      changes.push({ key, value: rest });
      expect.push({ key, value });
    }
    if (changes.length > 0 && !(await store.apply(changes, expect))) continue;
    if (stays) return { kept: [...kept] };
    return changes.length > 0 ? 'removed' : 'absent';
  }
  throw new StoreUnavailable('The list keeps changing under us');
}

/**
 * Lifts what a recipient caused, in exactly this scope: the suppression, and on the exclusion list everything but operators' and
 * imports' acts. On record in the audit log and in the ledger when it resolves. `outdated`: what was expected does not hold.
 * @throws StoreUnavailable
 */
export async function liftObjections(
  parts: TakingBackParts,
  scope: Scope,
  whom: Whom,
  act: LiftAct,
  { reasons, lists, expect = [] }: LiftOptions = {},
): Promise<'lifted' | 'absent' | 'outdated'> {
  const { store, ledger } = parts;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (!holds(expect, await store.find(expect.map(({ key }) => key)))) return 'outdated';
    const found = await find(parts, scope, whom, lists);
    const lifted = liftable(found, reasons);
    if (lifted.length === 0) return 'absent';
    const writes = await writesOf(parts, scope, lifted, reasons);
    const audit = auditOf(parts, scope, whom, act, lifted);
    const before = writes.map(({ before }) => before);
    if (!(await store.apply([...writes.map(({ after }) => after), audit], [...before, ...expect]))) continue;
    const record = { kind: 'lift', owner: scope.owner, changes: lifted.map(({ change }) => change) } as const;
    const receipt = await ledger.append(record).catch(async (error: unknown) => {
      // Not on record, so not done: the next replay would bring it back anyhow.
      const undo = [...before, { key: audit.key, value: undefined }];
      await store.apply(
        undo,
        writes.map(({ after }) => after),
      );
      throw error;
    });
    await ledger.settle(receipt, store);
    return 'lifted';
  }
  throw new StoreUnavailable('The list keeps changing under us');
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

function auditOf({ audit, clock }: TakingBackParts, scope: Scope, whom: Whom, { by, why }: LiftAct, lifted: readonly Lifted[]): Change {
  const at = clock.now();
  const key: RecordKey = { owner: scope.owner, log: 'audit', id: `${String(at).padStart(15, '0')}-${randomBytes(6).toString('hex')}` };
  const reasons = [...new Set(lifted.flatMap(({ change }) => change.acts.map(({ reason }) => reason)))];
  const line = { what: 'lift', at, by, why, scope: scopeName(scope), whom: whom.person[0]?.toString('hex'), reasons };
  return { key, value: audit.seal(JSON.stringify(line), aadOf(key)) };
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

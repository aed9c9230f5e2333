/**
 * Replay: puts into the store what the ledger knows and the store lacks. Idempotent, in constant memory, and without a write where
 * nothing is missing, because other gates go on working meanwhile.
 *
 * Lifts come first. They leave a note of what they lifted, and an objection noted there is passed over: so neither the order of the
 * ledger's lines nor another gate's ledger, which may hold the objection without its lift, brings back what a named person lifted.
 */
import type { Change, EntryKey, Expectation, Store, Value } from '../store/store.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type Entries, liftedKey, mergeActs, noteActs, withoutActs } from './entry.ts';
import { keyOfChange, type LedgerChange, type LedgerRecord } from './ledger-record.ts';

export interface Replayed {
  /** Entries that the ledger spoke of. */
  readonly read: number;
  /** Entries that had to be changed. */
  readonly restored: number;
}

const CHUNK = 500;
const ATTEMPTS = 50;

/** One entry and the note beside it, as found and as they shall be. */
interface Cell {
  readonly key: EntryKey;
  readonly found: Value | undefined;
  readonly foundNote: Value | undefined;
  entry: Value | undefined;
  note: Value | undefined;
}

/** What the ledger has of one kind, in its order. */
export type RecordsOf = (kind: LedgerRecord['kind']) => AsyncIterable<LedgerRecord>;

/** @throws StoreUnavailable */
export async function replayRecords(records: RecordsOf, store: Store, entries: Entries): Promise<Replayed> {
  let [read, restored] = [0, 0];
  for (const kind of ['lift', 'objection'] as const) {
    for await (const { owner, changes } of chunks(records(kind))) {
      read += changes.length;
      restored += await replayChunk(kind, owner, changes, store, entries);
    }
  }
  return { read, restored };
}

/** Changes of one owner that follow one another, as many as go well into one apply. */
async function* chunks(records: AsyncIterable<LedgerRecord>) {
  const open = new Map<string, LedgerChange[]>();
  let size = 0;
  for await (const record of records) {
    for (const change of record.changes) {
      const changes = open.get(record.owner);
      if (changes === undefined) open.set(record.owner, [change]);
      else changes.push(change);
      size += 1;
      if (size < CHUNK) continue;
      for (const [owner, full] of open) yield { owner, changes: full };
      open.clear();
      size = 0;
    }
  }
  for (const [owner, changes] of open) yield { owner, changes };
}

async function replayChunk(kind: LedgerRecord['kind'], owner: string, changes: readonly LedgerChange[], store: Store, entries: Entries) {
  const step = kind === 'lift' ? replayLift : replayObjection;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const cells = await findCells(store, owner, changes);
    for (const change of changes) await step(cells.get(nameOf(change)) as Cell, change, entries);
    const changed = [...cells.values()].filter(cell => cell.entry !== cell.found || cell.note !== cell.foundNote);
    if (changed.length === 0) return 0;
    if (await store.apply(changed.flatMap(writesOf), changed.flatMap(expectationsOf))) return changed.length;
  }
  throw new StoreUnavailable('The lists keep changing while the ledger is replayed');
}

async function replayObjection(cell: Cell, change: LedgerChange, entries: Entries): Promise<void> {
  if (cell.entry?.equals(change.value)) return;
  const lifted = entries.openLifted(liftedKey(cell.key), cell.note);
  const acts = withoutActs(change.acts, lifted);
  if (acts.length === 0) return;
  if (cell.entry === undefined && acts === change.acts) {
    cell.entry = change.value;
    return;
  }
  const current = await entries.open(cell.key, cell.entry ?? change.value);
  // What cannot be opened counts as listed as it is; where nothing is, the whole of it must do.
  if (current === undefined) cell.entry ??= change.value;
  else {
    const before = cell.entry === undefined ? [] : current.acts;
    const merged = mergeActs(before, acts);
    if (merged !== before) cell.entry = entries.seal(await entries.sealer(cell.key.owner), cell.key, { ...current, acts: merged });
  }
}

async function replayLift(cell: Cell, change: LedgerChange, entries: Entries): Promise<void> {
  const note = liftedKey(cell.key);
  const noted = entries.openLifted(note, cell.note);
  const all = noteActs(noted, change.acts);
  if (all !== noted) cell.note = entries.sealLifted(note, all);
  if (cell.entry === undefined) return;
  const current = await entries.open(cell.key, cell.entry);
  if (current === undefined) {
    if (cell.entry.equals(change.value)) cell.entry = undefined;
    return;
  }
  const left = withoutActs(current.acts, change.acts);
  if (left === current.acts) return;
  cell.entry = left.length === 0 ? undefined : entries.seal(await entries.sealer(cell.key.owner), cell.key, { ...current, acts: left });
}

async function findCells(store: Store, owner: string, changes: readonly LedgerChange[]): Promise<ReadonlyMap<string, Cell>> {
  const keys = new Map(changes.map(change => [nameOf(change), keyOfChange(owner, change)]));
  const found = await store.find([...keys.values()].flatMap(key => [key, liftedKey(key)]));
  return new Map(
    [...keys].map(([name, key], i) => {
      const [entry, note] = [found[2 * i], found[2 * i + 1]];
      return [name, { key, found: entry, foundNote: note, entry, note }];
    }),
  );
}

function writesOf({ key, found, entry, foundNote, note }: Cell): readonly Change[] {
  return [...(entry === found ? [] : [{ key, value: entry }]), ...(note === foundNote ? [] : [{ key: liftedKey(key), value: note }])];
}

function expectationsOf({ key, found, foundNote }: Cell): readonly Expectation[] {
  return [
    { key, value: found },
    { key: liftedKey(key), value: foundNote },
  ];
}

function nameOf({ set, id }: LedgerChange): string {
  return `${set} ${id.toString('hex')}`;
}

/** Putting acts into lists: what an entry already holds stays, whoever else writes at the same time. */
import type { EventData } from '../hooks/event.ts';
import type { Outbox } from '../hooks/outbox.ts';
import type { Keyring } from '../keys/keyring.ts';
import { fewRandom } from '../keys/random.ts';
import type { Sealer } from '../keys/seal.ts';
import { inTurns } from '../ops/turns.ts';
import { headKey } from '../store/head.ts';
import {
  type Change,
  type EntryKey,
  type Expectation,
  type Key,
  MAX_CHANGES,
  type Store,
  StoreUnavailable,
  type Value,
} from '../store/store.ts';
import { type Entries, type Entry, type EntryAct, encodeEntry, entryKey, type ListName, mergeActs } from './entry.ts';
import type { Heads } from './heads.ts';
import type { Ledger, Receipt } from './ledger.ts';
import type { LedgerChange } from './ledger-record.ts';
import type { Reason, Scope } from './standing.ts';

/** Somebody or something to be listed. */
export interface Item {
  /** One a digest key, the current one's first. */
  readonly ids: readonly Buffer[];
  readonly about: Omit<Entry, 'acts'>;
  readonly act: EntryAct;
  /** `local@domain`, for the client's platform; no entry holds it. */
  readonly recipient?: string | undefined;
}

/** `existing`: listed already; an act of a new reason was added to the entry all the same. */
export type Merged = 'added' | 'existing';

/** What is written in the same apply as entries, or as their lifting; all of the scope's owner. */
export interface Beside {
  /** Asked for right before the apply, when the ledger has what it must have. */
  changes(): readonly Change[];
  /** Not written where nothing of the items changes. */
  readonly onlyWithChanges?: boolean;
  /** Says nothing of entries that stay as they are, so these need not be held still for it. */
  readonly apart?: boolean;
  /** Where one of them does not hold (any more), nothing of it is written. */
  readonly expect: readonly Expectation[];
}

/** `outdated`: an expectation of what was to be written beside did not hold, so it was not; entries may be there all the same. */
export interface MergeResult {
  readonly merged: readonly Merged[];
  readonly outdated: boolean;
}

export interface MergingParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly entries: Entries;
  readonly heads: Heads;
  readonly ledger: Ledger;
  /** Tells the client's platform; absent: nobody is told. */
  readonly outbox?: Pick<Outbox, 'changes'> | undefined;
}

export interface MergeOptions {
  /** Which acts go to the ledger first. */
  readonly ledgered: (act: EntryAct) => boolean;
  /** Only say what would happen. */
  readonly dryRun?: boolean;
  /** All in one apply, so at most MAX_CHANGES items. */
  readonly whole?: boolean;
  /** Written with the last of the items, also where all of them are listed already. */
  readonly beside?: Beside;
}

/** Items of one apply. */
const BATCH = 1_000;
const LEDGER_RECORD = 500;
/** From so many entries on, sealing them at once costs less than one by one. */
const BULK = 12;
/** Entries opened, merged or sealed in one turn: half a millisecond. */
const AT_A_TURN = 50;
/** Keys asked for at once: most batches are one round trip. */
const ASKED = 1_100;
export const ATTEMPTS = 50;

/** An entry as found, and as it shall be. */
interface Cell {
  readonly key: EntryKey;
  readonly found: Value | undefined;
  /** undefined: nothing there; `sealed`: something that cannot be opened. */
  entry: Entry | 'sealed' | undefined;
  changed: boolean;
}

/** An act that no entry holds yet, and the entry it goes to. */
interface Fresh {
  readonly item: Item;
  readonly act: EntryAct;
  readonly cell: Cell;
}

/** Names under which items went to the ledger in earlier attempts. */
type Named = Map<Item, readonly string[]>;

/** Lists the items, in batches; outcomes in their order. Durable when it resolves. @throws StoreUnavailable */
export async function mergeItems(
  parts: MergingParts,
  scope: Scope,
  list: ListName,
  items: readonly Item[],
  options: MergeOptions,
): Promise<MergeResult> {
  const merged: Merged[] = [];
  let outdated = false;
  const size = options.whole === true ? items.length : BATCH;
  for (let i = 0; i < items.length; i += size) {
    const { beside, ...others } = options;
    const last = i + size >= items.length;
    const result = await mergeBatch(parts, scope, list, items.slice(i, i + size), last ? options : others);
    merged.push(...result.merged);
    outdated = result.outdated;
  }
  return { merged, outdated };
}

/** Whether the store holds what is expected, `values` being what it holds under their keys. */
export function holds(expect: readonly Expectation[], values: readonly (Value | undefined)[]): boolean {
  return expect.every(({ value }, i) => (value === undefined ? values[i] === undefined : values[i]?.equals(value) === true));
}

async function mergeBatch(
  parts: MergingParts,
  scope: Scope,
  list: ListName,
  items: readonly Item[],
  options: MergeOptions,
): Promise<MergeResult> {
  const { store, entries, heads, ledger } = parts;
  const { owner } = scope;
  const beside = options.beside?.expect ?? [];
  const sealer = await entries.sealer(owner);
  const receipts: Receipt[] = [];
  const named: Named = new Map();
  const keys = items.flatMap(({ ids }) => ids.map(id => entryKey(scope, list, id)));
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const asked: readonly Key[] = [headKey(owner), ...beside.map(({ key }) => key), ...keys];
    const values = await inTurns(asked, ASKED, piece => store.find(piece));
    const head = heads.check(owner, values[0]);
    const outdated = !holds(beside, values.slice(1));
    // What the ledger has by now must stand in the entry, too, or a lift would not lift it there.
    if (outdated && named.size === 0) return { merged: [], outdated };
    const cells = await cellsOf(entries, owner, keys, values.slice(1 + beside.length));
    const fresh: Fresh[] = [];
    const merged = await inTurns(items, AT_A_TURN, piece => piece.map(item => mergeItem(item, cells, fresh, named, options)));
    if (options.dryRun) return { merged, outdated };
    if (fresh.length > 0 && (await heads.announceKey(store, owner, head))) continue;

    const sealed = await sealAll(entries, sealer, cells.values());
    const ledgered = fresh.filter(({ act }) => act.ids !== undefined);
    const changes = await inTurns(ledgered, AT_A_TURN, piece =>
      piece.map(({ item, act, cell }): LedgerChange => {
        const { set, id } = cell.key;
        const alone = cell.found === undefined && (cell.entry as Entry).acts.length === 1;
        const value = (alone ? sealed.get(cell) : undefined) ?? entries.seal(sealer, cell.key, { ...item.about, acts: [act] });
        return { set, id, value, acts: [act] };
      }),
    );
    for (let i = 0; i < changes.length; i += LEDGER_RECORD) {
      receipts.push(await ledger.append({ kind: 'objection', owner, changes: changes.slice(i, i + LEDGER_RECORD) }));
    }
    for (const { item, act } of fresh) if (act.ids !== undefined) named.set(item, act.ids);

    const writes: Change[] = [...sealed].map(([{ key }, value]) => ({ key, value }));
    const idle = sealed.size === 0 && options.beside?.onlyWithChanges === true;
    const together = outdated || idle ? undefined : options.beside;
    // What stays beside an entry that is there already must not outlive a lift of it that is going on.
    const relied = together === undefined || together.apart === true ? [...sealed.keys()] : [...cells.values()];
    const expect: Expectation[] = relied.map(({ key, found }) => ({ key, value: found }));
    if (together !== undefined) {
      writes.push(...together.changes());
      expect.push(...beside);
    }
    const told = list === 'suppression' ? await toldOf(parts, scope, fresh) : [];
    const room = MAX_CHANGES - writes.length;
    if (writes.length > 0 && !(await store.apply([...writes, ...told.slice(0, room)], expect))) continue;
    for (let i = room; i < told.length; i += MAX_CHANGES) await store.apply(told.slice(i, i + MAX_CHANGES));
    for (const receipt of receipts) await ledger.settle(receipt, store);
    return { merged, outdated };
  }
  throw new StoreUnavailable('The list keeps changing under us');
}

/** What tells the client's platform of new suppressions. Imports tell of themselves when they are over. */
async function toldOf({ outbox }: MergingParts, { owner, campaign }: Scope, fresh: readonly Fresh[]): Promise<readonly Change[]> {
  if (outbox === undefined) return [];
  const created = fresh.filter(({ cell, act }) => cell.found === undefined && act.source !== 'import');
  const events = created.map(({ item: { recipient }, act: { reason, source }, cell }) => ({
    type: 'suppression.created' as const,
    data: { campaign, source, ...toldEntry(reason, cell.key.id, recipient) },
  }));
  return outbox.changes(owner, events);
}

/** Whoever was erased is told as one who objected, and by nothing that leads to the person: whom a client mails it can look up by digest. */
export function toldEntry(reason: Reason | undefined, id: Buffer, recipient: string | undefined): EventData {
  return reason === 'erasure' ? { reason: 'objection' } : { reason, digest: shortDigest(id), recipient };
}

/** As people are shown a digest. */
function shortDigest(id: Buffer): string {
  return id.toString('hex').slice(0, 12);
}

/** An entry to be, for which the store is not asked first. */
export interface NewEntry {
  /** One a digest key, the current one's first. */
  readonly ids: readonly Buffer[];
  /** As encodeEntry makes it; nothing of it may belong into the ledger. */
  readonly text: string;
}

/**
 * Lists all of them, each of another id, if none of them is listed: for imports, whose entries mostly are new, so that the apply says it
 * rather than a look before. False: one is listed, and nothing was written. At most MAX_CHANGES ids. @throws StoreUnavailable
 */
export async function putNew(
  { store, entries, heads }: MergingParts,
  scope: Scope,
  list: ListName,
  items: readonly NewEntry[],
): Promise<boolean> {
  const { owner } = scope;
  const sealer = await entries.sealer(owner);
  const [headValue] = await store.find([headKey(owner)]);
  await heads.announceKey(store, owner, heads.check(owner, headValue));
  const keys = items.map(({ ids }) => ids.map(id => entryKey(scope, list, id)));
  // LMDB has this thread write for it, and holds the lock that mail waits for until the thread comes to it.
  const writes = await inTurns(items, AT_A_TURN, (piece, from) => {
    const of = piece.map(({ text }, i) => [keys[from + i]?.[0] as EntryKey, text] as const);
    return entries.sealTexts(sealer, of).map((value, i): Change => ({ key: (of[i] as (typeof of)[number])[0], value }));
  });
  return store.apply(
    writes,
    keys.flat().map(key => ({ key, value: undefined })),
  );
}

/**
 * Adds the item's act to its newest entry unless one of its entries has the reason already; then it joins `fresh`. Somebody may have
 * been faster after our act went to the ledger: then the entry's act goes by our names, too, so that one lift lifts both.
 */
function mergeItem(item: Item, cells: ReadonlyMap<string, Cell>, fresh: Fresh[], named: Named, options: MergeOptions): Merged {
  const own = item.ids.map(id => cells.get(id.toString('latin1')) as Cell);
  const listed = own.filter(({ entry }) => entry !== undefined);
  const outcome = listed.length === 0 ? 'added' : 'existing';
  // What cannot be opened is left alone: it lists the person as it is, and nothing can be added to it.
  if (listed.some(({ entry }) => entry === 'sealed')) return outcome;
  const ids = named.get(item);
  const holder = listed.find(({ entry }) => (entry as Entry).acts.some(({ reason }) => reason === item.act.reason));
  if (holder !== undefined) {
    if (ids !== undefined) put(holder, item, { ...item.act, ids });
    return outcome;
  }
  // A name of its own for each attempt: what was in between may have been lifted.
  const act = options.ledgered(item.act) ? { ...item.act, ids: [...(ids ?? []), fewRandom(6).toString('base64url')] } : item.act;
  const newest = own[0] as Cell;
  put(newest, item, act);
  fresh.push({ item, act, cell: newest });
  return outcome;
}

function put(cell: Cell, item: Item, act: EntryAct): void {
  const before = cell.entry as Entry | undefined;
  const acts = mergeActs(before?.acts ?? [], [act]);
  if (acts === before?.acts) return;
  cell.entry = { ...(before ?? item.about), acts };
  cell.changed = true;
}

/** Those that changed, sealed. */
async function sealAll(entries: Entries, sealer: Sealer, cells: Iterable<Cell>): Promise<ReadonlyMap<Cell, Value>> {
  const changed = [...cells].filter(cell => cell.changed);
  const values = await inTurns(changed, AT_A_TURN, piece => {
    const pairs = piece.map(({ key, entry }) => [key, entry as Entry] as const);
    if (changed.length < BULK) return pairs.map(([key, entry]) => entries.seal(sealer, key, entry));
    return entries.sealTexts(
      sealer,
      pairs.map(([key, entry]) => [key, encodeEntry(entry, entry.acts)]),
    );
  });
  return new Map(changed.map((cell, i) => [cell, values[i] as Value]));
}

async function cellsOf(
  entries: Entries,
  owner: string,
  keys: readonly EntryKey[],
  values: readonly (Value | undefined)[],
): Promise<ReadonlyMap<string, Cell>> {
  const there = keys.flatMap((key, i) => (values[i] === undefined ? [] : [[key, values[i]] as const]));
  const opened = there.length === 0 ? [] : await inTurns(there, AT_A_TURN, piece => entries.openMany(owner, piece));
  const cells = new Map<string, Cell>();
  let next = 0;
  for (const [i, key] of keys.entries()) {
    const found = values[i];
    const entry = found === undefined ? undefined : (opened[next++] ?? 'sealed');
    const name = key.id.toString('latin1');
    if (!cells.has(name)) cells.set(name, { key, found, entry, changed: false });
  }
  return cells;
}

/**
 * Imports a list file into a scope, in constant memory, every bad row told by its line, and never weakening an objection.
 *
 * First the file is read to its end into a spool, then what it holds is merged in the order of the digests: so neighbours in the store
 * are written together, duplicates meet, a dry run counts what the real one would, and `strict` needs no second reading.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { DIGEST_OCTETS, type HashAlgorithm } from '../keys/digest.ts';
import { type Columns, columnsOf, columnsWithoutHeader, meaningOf, platformMeaning } from './columns.ts';
import { causedByRecipient, decodeEntry, type EntryAct, encodeEntry } from './entry.ts';
import type { Item, Lists, Refused } from './lists.ts';
import type { NewEntry } from './merging.ts';
import { entryCell, isRemark, readHash, readTarget } from './row-entry.ts';
import { type BrokenRow, type Row, readRows } from './rows.ts';
import { Spool, type Spooled } from './spool.ts';
import { REASONS, type Reason, type Scope } from './standing.ts';

export interface ImportOptions {
  /** The rows are digests by this algorithm. */
  readonly hash?: HashAlgorithm | undefined;
  /** Only say what would happen. */
  readonly dryRun?: boolean;
  /** Nothing is imported if any row is bad. */
  readonly strict?: boolean;
  /** Of every row, whatever the file says. */
  readonly reason?: Reason | undefined;
  /** The file is one of the client's own platform. */
  readonly platform?: boolean | undefined;
  /** Told now and then how many octets of the file are read. */
  readonly reading?: (octets: number) => void;
  /** Told now and then how many of the rows that were read are merged, and what came of them so far. */
  readonly merging?: (done: number, total: number, counts: Pick<ImportReport, 'added' | 'existing'>) => void;
  /** Ends the import early: while the file is read nothing goes in, afterwards what is being written still does. */
  readonly signal?: AbortSignal;
}

export interface RowError {
  readonly line: number;
  /** Never repeats the row. */
  readonly error: string;
}

export interface ImportReport {
  /** Rows with something in them, header and remarks not counted. */
  readonly read: number;
  readonly added: number;
  /** Listed already, or in the file before. */
  readonly existing: number;
  readonly invalid: number;
  /** The first MAX_ERRORS of the invalid ones. */
  readonly errors: readonly RowError[];
  /** It was ended before all of it was in. */
  readonly cancelled?: true;
}

export const MAX_ERRORS = 100_000;
/** Items of one merge, and merges at once: while one is being synced to disk, the next is sealed. More of either, and mail waits longer for the store. */
const BATCH = 250;
const AT_ONCE = 4;

/** Reads `chunks` to their end. @throws StoreUnavailable; what was imported before stays, and importing again changes nothing of it */
export async function importList(
  lists: Lists,
  scope: Scope,
  chunks: AsyncIterable<Buffer>,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const counts = { read: 0, added: 0, existing: 0, invalid: 0 };
  const errors: RowError[] = [];
  const invalid = (line: number, error: string): void => {
    counts.invalid += 1;
    if (errors.length < MAX_ERRORS) errors.push({ line, error });
  };
  const reader = new RowReader(lists, options);
  const recent = new Recent();
  let spool: Spool | undefined;
  try {
    for await (const rows of readRows(watched(chunks, options.reading))) {
      if (options.signal?.aborted === true) break;
      for (const row of rows) {
        const item = reader.read(row);
        if (item === undefined) continue;
        counts.read += 1;
        if ('problem' in item) {
          invalid(row.line, item.problem);
          continue;
        }
        const key = item.ids.length === 1 ? (item.ids[0] as Buffer) : Buffer.concat(item.ids);
        const text = encodeItem(item);
        if (recent.has(key, text)) {
          counts.existing += 1;
          continue;
        }
        spool ??= new Spool(key.length);
        const full = spool.add(key, text);
        if (full !== undefined) await full;
      }
    }
    const refused = options.strict === true && counts.invalid > 0 && options.dryRun !== true;
    if (options.signal?.aborted === true) return { ...counts, existing: 0, errors, cancelled: true };
    const whole = spool === undefined || refused || (await mergeSpool(lists, scope, spool, options, counts));
    return { ...counts, ...(refused ? { existing: 0 } : {}), errors, ...(whole ? {} : { cancelled: true }) };
  } finally {
    await spool?.close();
  }
}

async function* watched(chunks: AsyncIterable<Buffer>, tell: ImportOptions['reading']): AsyncIterable<Buffer> {
  let octets = 0;
  for await (const chunk of chunks) {
    octets += chunk.length;
    tell?.(octets);
    yield chunk;
  }
}

/** Rows that came not long ago, so that a file which says the same again and again does not end up in one partition of the spool. */
class Recent {
  /** By the first two octets of its key, the last one that had these, and the letter of its reason. */
  readonly #rows = Buffer.alloc(2 ** 16 * (DIGEST_OCTETS + 1));

  /** Whether it is the same again; remembers it if not. */
  has(key: Buffer, text: string): boolean {
    const at = key.readUInt16BE(0) * (DIGEST_OCTETS + 1);
    const letter = text.charCodeAt(0);
    let same = this.#rows[at + DIGEST_OCTETS] === letter;
    for (let i = 0; same && i < DIGEST_OCTETS; i++) same = this.#rows[at + i] === key[i];
    if (same) return true;
    for (let i = 0; i < DIGEST_OCTETS; i++) this.#rows[at + i] = key[i] as number;
    this.#rows[at + DIGEST_OCTETS] = letter;
    return false;
  }
}

/** Tells header, remarks and entries apart. */
class RowReader {
  readonly #lists: Lists;
  readonly #options: ImportOptions;
  #columns: Columns | undefined;

  constructor(lists: Lists, options: ImportOptions) {
    this.#lists = lists;
    this.#options = options;
  }

  /** undefined: nothing that counts. */
  read(row: Row | BrokenRow): Item | Refused | undefined {
    if ('broken' in row) return { problem: row.broken };
    const { cells } = row;
    if (cells.every(cell => cell.trim() === '') || isRemark(cells)) return undefined;
    if (this.#columns === undefined) {
      this.#columns = columnsOf(cells);
      if (this.#columns !== undefined) return undefined;
      const { hash } = this.#options;
      const entry = entryCell(cells, hash) ?? (cells.length === 1 ? 0 : undefined);
      // It may be a title or an unknown header: whatever the next row says.
      if (entry === undefined) return { problem: 'no address, domain or hash in this row, and no column name that is known' };
      this.#columns = columnsWithoutHeader(cells, entry, hash !== undefined);
    }
    return this.#item(cells, this.#columns);
  }

  #item(cells: readonly string[], columns: Columns): Item | Refused {
    const cell = (index: number | undefined): string => (index === undefined ? '' : (cells[index] ?? '').trim());
    const { hash, reason, platform } = this.#options;
    if (hash !== undefined) {
      const digest = readHash(cell(columns.hash ?? columns.address), hash);
      // Why somebody is on a list of hashes is told by an option only: most such files have no word of it.
      return typeof digest === 'string'
        ? { problem: digest }
        : this.#lists.hashItem(hash, digest, { reason: reason ?? 'import', source: 'import' });
    }
    const text = cell(columns.address) || cell(columns.domain);
    if (text === '') {
      return { problem: columns.hash === undefined ? 'no address or domain in this row' : 'holds a hash: name its algorithm with --hash' };
    }
    const target = readTarget(text);
    if (typeof target === 'string') return { problem: target };
    const said = meaningOf(cells, columns);
    const meaning = platform === true ? platformMeaning(said) : said;
    return this.#lists.item(target, reason === undefined ? meaning : { ...meaning, reason });
  }
}

/** False: it was ended early. */
async function mergeSpool(
  lists: Lists,
  scope: Scope,
  spool: Spool,
  { hash, dryRun = false, merging, signal }: ImportOptions,
  counts: { added: number; existing: number },
): Promise<boolean> {
  const list = hash === undefined ? 'exclusion' : 'suppression';
  if (hash !== undefined && !dryRun) await lists.announceHashes(scope, hash);
  const running = new Set<Promise<unknown>>();
  let done = 0;
  let likelyNew = !dryRun;
  const merge = async (batch: readonly Spooled[]): Promise<void> => {
    const distinct = likelyNew ? distinctEntries(batch) : undefined;
    if (distinct !== undefined && (await lists.addNew(scope, list, distinct))) {
      counts.added += distinct.length;
      counts.existing += batch.length - distinct.length;
    } else {
      const outcomes = await lists.addItems(scope, list, batch.map(decodeItem), { dryRun });
      for (const outcome of outcomes) counts[outcome] += 1;
      likelyNew = !dryRun && !outcomes.includes('existing');
    }
    done += batch.length;
    merging?.(done, spool.size, counts);
  };
  try {
    for await (const batch of spool.batches(BATCH)) {
      if (signal?.aborted === true) break;
      // One that failed stays, so that the wait for it tells.
      const one: Promise<unknown> = merge(batch).then(() => running.delete(one));
      one.catch(() => undefined);
      running.add(one);
      if (running.size >= AT_ONCE) await Promise.race(running);
      // So that the store's own turn comes between two batches.
      await turn();
    }
    await Promise.all(running);
    return done === spool.size;
  } finally {
    await Promise.allSettled(running);
  }
}

/** Each person once; undefined where that is not all: where somebody has two reasons, or one that goes to the ledger first. */
function distinctEntries(batch: readonly Spooled[]): readonly NewEntry[] | undefined {
  const entries: NewEntry[] = [];
  let last: Spooled | undefined;
  for (const one of batch) {
    if (causedByRecipient({ reason: reasonOf(one.text) })) return undefined;
    // A batch is in the order of the keys, and of one key the first stays.
    if (last?.key.equals(one.key) === true) {
      if (reasonOf(last.text) !== reasonOf(one.text)) return undefined;
      continue;
    }
    entries.push({ ids: idsOf(one.key), text: one.text.slice(1) });
    last = one;
  }
  return entries;
}

/** The entry as it will be if it is a new one, behind a letter for its reason. */
function encodeItem({ act, about }: Item): string {
  return LETTERS[act.reason] + encodeEntry(about, [act]);
}

const A = 65;
const LETTERS = Object.fromEntries(REASONS.map((reason, i) => [reason, String.fromCharCode(A + i)])) as Readonly<Record<Reason, string>>;

function reasonOf(text: string): Reason {
  return REASONS[text.charCodeAt(0) - A] as Reason;
}

function decodeItem({ key, text }: Spooled): Item {
  const { acts, ...about } = decodeEntry(text.slice(1));
  return { ids: idsOf(key), about, act: acts[0] as EntryAct };
}

function idsOf(key: Buffer): readonly Buffer[] {
  if (key.length === DIGEST_OCTETS) return [key];
  const ids: Buffer[] = [];
  for (let i = 0; i < key.length; i += DIGEST_OCTETS) ids.push(key.subarray(i, i + DIGEST_OCTETS));
  return ids;
}

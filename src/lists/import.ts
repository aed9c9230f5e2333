/** Imports a list file into a scope: in batches, in constant memory, every bad row told by its line, and never weakening an objection. */
import { HASH_OCTETS, type HashAlgorithm } from '../keys/digest.ts';
import { isAddress, parsePerson } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import { type Columns, columnsOf, columnsWithoutHeader, meaningOf } from './columns.ts';
import type { AddResult, Lists, NewAct, Target } from './lists.ts';
import { readRows } from './rows.ts';
import type { Reason, Scope } from './standing.ts';

export interface ImportOptions {
  /** The rows are digests by this algorithm. */
  readonly hash?: HashAlgorithm | undefined;
  /** Only say what would happen. */
  readonly dryRun?: boolean;
  /** Of every row, whatever the file says. */
  readonly reason?: Reason | undefined;
  /** Told after every batch, with the octets read so far. */
  readonly progress?: (octets: number) => void;
  /** Told of every bad row, as it is met. */
  readonly bad?: (error: RowError) => void;
}

export interface RowError {
  readonly line: number;
  /** Never repeats the row. */
  readonly error: string;
}

export interface ImportReport {
  /** Rows with something in them, the header not counted. */
  readonly read: number;
  readonly added: number;
  readonly existing: number;
  readonly invalid: number;
  /** The first MAX_ERRORS of the invalid ones. */
  readonly errors: readonly RowError[];
}

export const MAX_ERRORS = 10_000;
const BATCH = 5_000;

type Item = { readonly line: number } & ({ readonly target: Target; readonly act: NewAct } | { readonly hash: Buffer });

/** Reads `chunks` to their end. @throws StoreUnavailable; what was imported before stays, and importing again changes nothing of it */
export async function importList(
  lists: Lists,
  scope: Scope,
  chunks: AsyncIterable<Buffer>,
  options: ImportOptions = {},
): Promise<ImportReport> {
  let octets = 0;
  const counts = { read: 0, added: 0, existing: 0, invalid: 0 };
  const errors: RowError[] = [];
  let columns: Columns | undefined;
  let batch: Item[] = [];
  const invalid = (line: number, error: string): void => {
    counts.invalid += 1;
    if (errors.length < MAX_ERRORS) errors.push({ line, error });
    options.bad?.({ line, error });
  };
  const flush = async (): Promise<void> => {
    const items = batch;
    batch = [];
    const results = await write(lists, scope, items, options);
    for (const [i, result] of results.entries()) {
      if (typeof result === 'object') invalid(items[i]?.line ?? 0, result.problem);
      else counts[result] += 1;
    }
    options.progress?.(octets);
  };
  const counted = (async function* () {
    for await (const chunk of chunks) {
      octets += chunk.length;
      yield chunk;
    }
  })();

  for await (const row of readRows(counted)) {
    if ('broken' in row) {
      counts.read += 1;
      invalid(row.line, row.broken);
      continue;
    }
    const { line, cells } = row;
    if (cells.every(cell => cell.trim() === '') || /^\s*#/.test(cells[0] ?? '')) continue;
    if (columns === undefined) {
      columns = columnsOf(cells);
      if (columns !== undefined) continue;
      columns = columnsWithoutHeader(cells, options.hash !== undefined);
    }
    counts.read += 1;
    const item = readItem(cells, columns, options);
    if (typeof item === 'string') invalid(line, item);
    else if (batch.push({ line, ...item }) >= BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return { ...counts, errors };
}

function write(lists: Lists, scope: Scope, items: readonly Item[], { hash, dryRun = false }: ImportOptions): Promise<readonly AddResult[]> {
  if (hash !== undefined) {
    return lists.addHashes(
      scope,
      hash,
      items.flatMap(item => ('hash' in item ? [item.hash] : [])),
      { dryRun },
    );
  }
  return lists.addMany(
    scope,
    items.flatMap(item => ('target' in item ? [item] : [])),
    { dryRun },
  );
}

/** What a row holds, or what is wrong with it. */
function readItem(
  cells: readonly string[],
  columns: Columns,
  options: ImportOptions,
): { target: Target; act: NewAct } | { hash: Buffer } | string {
  const cell = (index: number | undefined): string => (index === undefined ? '' : (cells[index] ?? '').trim());
  if (options.hash !== undefined) return readHash(cell(columns.hash ?? columns.address), options.hash);
  const text = cell(columns.address) || cell(columns.domain);
  if (text === '') return columns.hash === undefined ? 'no address or domain in this row' : 'holds a hash: name its algorithm with --hash';
  const target = readTarget(text);
  if (typeof target === 'string') return target;
  const { reason, source, at } = meaningOf(cells, columns);
  return { target, act: { reason: options.reason ?? reason, source, ...(at === undefined ? {} : { at }) } };
}

/** An address (also `Name <address>`), a domain, `@domain` or `*.domain`. */
function readTarget(text: string): Target | string {
  const angle = /<([^<>]*)>\s*$/.exec(text)?.[1];
  const bare = (angle ?? text).trim().replace(/^mailto:/i, '');
  const domainText = bare.replace(/^(\*\.|\*?@)/, '');
  if (!domainText.includes('@')) {
    const domain = parseDomain(domainText);
    if (domain !== undefined) return { domain };
    return /^[0-9a-f]{32}$|^[0-9a-f]{40}$|^[0-9a-f]{64}$/i.test(bare)
      ? 'looks like a hash: name its algorithm with --hash'
      : 'neither an address nor a domain';
  }
  const address = parsePerson(bare);
  return isAddress(address) ? address : `not an address: ${address.detail}`;
}

/** A digest in hexadecimal, or (as data brokers' registries give it) in base64. */
function readHash(text: string, algorithm: HashAlgorithm): { hash: Buffer } | string {
  const octets = HASH_OCTETS[algorithm];
  if (/^[0-9a-f]+$/i.test(text) && text.length === octets * 2) return { hash: Buffer.from(text, 'hex') };
  const decoded = Buffer.from(text, 'base64');
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(text) && decoded.length === octets) return { hash: decoded };
  return `not a digest by ${algorithm}: ${octets * 2} hexadecimal digits are expected`;
}

/** Rows of a list file in constant memory: any of the usual encodings and line ends, plain lines, CSV or NDJSON, each row with its line number. */
import { pipeline } from 'node:stream';
import { TextDecoder } from 'node:util';
import { parse } from 'csv-parse';
import { COLUMN_NAMES, columnNamed, reasonByKind } from './columns.ts';

export interface Row {
  /** Line on which the row begins; the first is 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A row that is not even one, such as a quoted field that never ends. */
export interface BrokenRow {
  readonly line: number;
  readonly broken: string;
}

const DELIMITERS = [',', ';', '\t', '|'] as const;
/** Nobody's address or exported row is longer; a file without line ends must not fill the memory. */
const MAX_ROW = 65_536;

const COLUMNS = Object.keys(COLUMN_NAMES) as readonly (keyof typeof COLUMN_NAMES)[];
/** CSV rows handed on at once. */
const ROWS = 250;

/** Splits a file into rows, some at a time: one by one would cost more than reading them. Whether it is CSV, and with which delimiter, shows in its first line that is not empty. */
export async function* readRows(chunks: AsyncIterable<Buffer>): AsyncIterable<readonly (Row | BrokenRow)[]> {
  const texts = decode(chunks)[Symbol.asyncIterator]();
  let head = '';
  while (!/[^\r\n][\r\n]/.test(head) && head.length < MAX_ROW) {
    const next = await texts.next();
    if (next.done === true) break;
    head += next.value;
  }
  const first = /[^\r\n]+/.exec(head)?.[0] ?? '';
  const rest = (async function* () {
    yield head;
    for (;;) {
      const next = await texts.next();
      if (next.done === true) return;
      yield next.value;
    }
  })();
  if (first.trimStart().startsWith('{')) {
    yield* objects(lines(rest));
    return;
  }
  const delimiter = delimiterOf(first);
  yield* delimiter === undefined ? lines(rest) : csv(rest, delimiter);
}

/** UTF-8 with or without BOM, UTF-16 by its BOM or by the zero octets that Latin text has in it. */
async function* decode(chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  let decoder: TextDecoder | undefined;
  let start = Buffer.alloc(0);
  for await (const chunk of chunks) {
    // Two octets tell the encoding; a chunk may hold one.
    start = Buffer.concat([start, chunk]);
    if (decoder === undefined && start.length < 2) continue;
    decoder ??= new TextDecoder(encodingOf(start));
    yield decoder.decode(start, { stream: true });
    start = Buffer.alloc(0);
  }
  yield decoder === undefined ? start.toString() : decoder.decode(start);
}

function encodingOf(start: Buffer): string {
  const [a, b] = start;
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0)) return 'utf-16be';
  return 'utf-8';
}

function delimiterOf(line: string): string | undefined {
  const outside = line.replace(/"[^"]*"/g, '');
  const counted = DELIMITERS.map(delimiter => ({ delimiter, count: outside.split(delimiter).length - 1 }));
  const most = counted.reduce((best, one) => (one.count > best.count ? one : best));
  if (most.count > 0) return most.delimiter;
  // A single column in quotes is CSV too; `"john doe"@example.com` is not.
  return /^\s*"[^"]*"\s*$/.test(line) ? ',' : undefined;
}

async function* lines(texts: AsyncIterable<string>): AsyncIterable<readonly (Row | BrokenRow)[]> {
  let line = 1;
  let open = '';
  for await (const text of texts) {
    const pieces = (open + text).split(/\r\n|\n|\r(?!$)/);
    open = pieces.pop() ?? '';
    const first = line;
    line += pieces.length;
    yield pieces.map((piece, i) => ({ line: first + i, cells: [piece] }));
    if (open.length > MAX_ROW) {
      yield [{ line, broken: `longer than ${MAX_ROW} characters: is this a list with one entry a line?` }];
      return;
    }
  }
  const last = open.replace(/\r$/, '');
  if (last !== '') yield [{ line, cells: [last] }];
}

/** One JSON object a line: a header of all columns there are, and below it what each object says in them. */
async function* objects(texts: AsyncIterable<readonly (Row | BrokenRow)[]>): AsyncIterable<readonly (Row | BrokenRow)[]> {
  yield [{ line: 0, cells: COLUMNS }];
  for await (const rows of texts) yield rows.map(row => ('broken' in row || row.cells[0]?.trim() === '' ? row : objectRow(row)));
}

function objectRow({ line, cells }: Row): Row | BrokenRow {
  let said: unknown;
  try {
    said = JSON.parse(cells[0] ?? '');
  } catch {
    return { line, broken: 'not a JSON object' };
  }
  if (typeof said !== 'object' || said === null || Array.isArray(said)) return { line, broken: 'not a JSON object' };
  const found = new Map(Object.entries(said).map(([name, value]) => [columnNamed(name), value]));
  found.set('reason', reasonByKind(Object.keys(said), found.get('reason')));
  return {
    line,
    cells: COLUMNS.map(name => {
      const value: unknown = found.get(name);
      return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    }),
  };
}

async function* csv(texts: AsyncIterable<string>, delimiter: string): AsyncIterable<readonly (Row | BrokenRow)[]> {
  let rows: (Row | BrokenRow)[] = [];
  const parser = parse({
    delimiter,
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_records_with_error: true,
    max_record_size: MAX_ROW,
    on_skip: error => {
      rows.push({ line: Number(error?.lines ?? 0), broken: 'not a CSV row: check its quotes' });
      return undefined;
    },
  });
  // What ends the texts early ends the parser with it, and is thrown where the rows are read.
  pipeline(texts, parser, () => undefined);
  let line = 1;
  for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    rows.push({ line, cells: record });
    // `info.lines` counts the lines read so far, this row's last one included.
    line = info.lines + 1;
    if (rows.length >= ROWS) {
      yield rows;
      rows = [];
    }
  }
  yield rows;
}

/** What commands print: JSON for programs, lines and tables for people. Errors and progress go to stderr, never here. */
import { once } from 'node:events';

/** One JSON value, a line. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A table with aligned columns; numbers stand to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  process.stdout.write(`${formatTable(head, rows)}\n`);
}

export function formatTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => String(row[column] ?? '').length)));
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) =>
        typeof cell === 'number' ? String(cell).padStart(widths[column] ?? 0) : String(cell).padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/** Streams a JSON array, so that a list of any length needs no memory. */
export async function printJsonArray(values: AsyncIterable<unknown>): Promise<void> {
  let separator = '[';
  for await (const value of values) {
    await write(`${separator}${JSON.stringify(value)}`);
    separator = ',\n';
  }
  await write(separator === '[' ? '[]\n' : ']\n');
}

/** Writes text and waits while the reader is slower than we are. */
export function write(text: string): Promise<void> {
  return writeTo(process.stdout, text);
}

/** The same on stderr. */
export function writeError(text: string): Promise<void> {
  return writeTo(process.stderr, text);
}

async function writeTo(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

/** Milliseconds as ISO 8601 in UTC. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}

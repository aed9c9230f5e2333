/** The people of a list file, whatever its columns: what an import would read as an address, row by row. */
import type { Address } from '../mail/address.ts';
import { type Columns, columnsOf, columnsWithoutHeader } from './columns.ts';
import { entryCell, isRemark, readTarget } from './row-entry.ts';
import { readRows } from './rows.ts';

export interface PersonRow {
  /** The first is 1. */
  readonly line: number;
  /** Or what is wrong with the row, which is not repeated. */
  readonly person: Address | { readonly problem: string };
}

/** Reads `chunks` to their end; empty lines, remarks and the header are passed over. */
export async function* readPeople(chunks: AsyncIterable<Buffer>): AsyncIterable<readonly PersonRow[]> {
  let columns: Columns | undefined;
  const read = (cells: readonly string[]): PersonRow['person'] | undefined => {
    if (cells.every(cell => cell.trim() === '') || isRemark(cells)) return undefined;
    if (columns === undefined) {
      columns = columnsOf(cells);
      if (columns !== undefined) return undefined;
      const entry = entryCell(cells, undefined) ?? (cells.length === 1 ? 0 : undefined);
      if (entry === undefined) return { problem: 'no address in this row, and no column name that is known' };
      columns = columnsWithoutHeader(cells, entry, false);
    }
    return readPerson(cells[columns.address ?? -1] ?? '');
  };
  for await (const rows of readRows(chunks)) {
    yield rows.flatMap(row => {
      const person = 'broken' in row ? { problem: row.broken } : read(row.cells);
      return person === undefined ? [] : [{ line: row.line, person }];
    });
  }
}

/** The person in `text`, read as every list reads it. */
export function readPerson(text: string): PersonRow['person'] {
  if (text.trim() === '') return { problem: 'no address in this row' };
  const target = readTarget(text.trim());
  if (typeof target === 'string') return { problem: target };
  return target.local === undefined ? { problem: 'a domain, no address' } : target;
}

/** The tables of what comes back: ours in config/, and an admin's own of the same name beside them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Static, TSchema } from 'typebox';
import { parseTable, readTable } from '../ops/table.ts';

/**
 * The tables of that name, ours first: config/<name>.yaml, and <folder>/<name>.yaml where there is one. An admin's adds to ours, it takes nothing away.
 * @throws Error naming the file and the place in it, where one is damaged
 */
export function readTables<S extends TSchema>(name: string, schema: S, folder?: string): readonly Static<S>[] {
  const ours = readTable(name, schema);
  if (folder === undefined) return [ours];
  const own = join(folder, `${name}.yaml`);
  return existsSync(own) ? [ours, parseTable(own, readFileSync(own, 'utf8'), schema, 'correct it, or take it out of the folder')] : [ours];
}

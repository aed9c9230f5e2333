/** The tables of what comes back: ours in config/, and an admin's own of the same name beside them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Static, TSchema } from 'typebox';
import { parseTable, readTable } from '../ops/table.ts';

/**
 * The tables of that name, ours first: config/<name>.yaml, and <folder>/<name>.yaml where there is one. An admin's adds to ours, it takes nothing away.
 * @throws Error naming the folder, where it cannot be read, or the file and the place in it, where one is damaged
 */
export function readTables<S extends TSchema>(name: string, schema: S, folder?: string): readonly Static<S>[] {
  const ours = readTable(name, schema);
  if (folder === undefined) return [ours];
  if (!namesIn(folder).includes(`${name}.yaml`)) return [ours];
  const own = join(folder, `${name}.yaml`);
  return [ours, parseTable(own, readFileSync(own, 'utf8'), schema, 'correct it, or take it out of the folder')];
}

/** A folder that is not there holds no tables, and whoever named it would believe that theirs count. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new Error(`inbound.rules: ${folder} cannot be read (${(error as NodeJS.ErrnoException).code}); name a folder that is there`);
  }
}

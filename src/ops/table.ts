/** Data tables: the rules and phrases in config/*.yaml that the product ships, read once at start-up. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { parse } from 'yaml';

/** Where the tables lie: src and dist both stand one folder under the package's root. */
const FOLDER = new URL('../../config/', import.meta.url);

/**
 * The table config/<name>.yaml, of the shape that `schema` asks for.
 * @throws Error naming the file, the place in it and what to do, where it is missing, no YAML, or of another shape
 */
export function readTable<S extends TSchema>(name: string, schema: S): Static<S> {
  const file = fileURLToPath(new URL(`${name}.yaml`, FOLDER));
  return parseTable(file, readText(file), schema);
}

/** What to do about a table that the package ships. */
const RESTORE = 'correct it, or restore it from the package';

/** As readTable, on a text already read; `file` and `remedy` (what to do) are only for the message of an error. */
export function parseTable<S extends TSchema>(file: string, text: string, schema: S, remedy: string = RESTORE): Static<S> {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new Error(`${file} is not valid YAML (${firstLine(error)}): ${remedy}`);
  }
  const [fault] = Value.Errors(schema, content);
  if (fault !== undefined) {
    throw new Error(`${file}: ${fault.instancePath === '' ? 'the whole' : fault.instancePath} ${fault.message}: ${remedy}`);
  }
  return content as Static<S>;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read (${firstLine(error)}): it is part of the package; install the package again`);
  }
}

function firstLine(error: unknown): string {
  return (String(error instanceof Error ? error.message : error).split('\n')[0] ?? '').replace(/:$/, '');
}

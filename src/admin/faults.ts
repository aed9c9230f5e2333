/** What a schema finds wrong, told in milliseconds: collecting faults takes a thousand times as long as the check, so of long lists it has a few rows only. */
import type { TSchema } from 'typebox';
import type { Compile } from 'typebox/compile';

/** As TypeBox tells it. */
export interface Found {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

type Check = Pick<ReturnType<typeof Compile>, 'Check' | 'Errors'>;

/** Rows of a list in which faults are looked for at once. */
const ROWS = 50;

/** The faults of a value that does not pass the check: of a list, or the lists of an object, those of the first rows that hold any. */
export function faultsOf(check: Check, schema: TSchema, value: unknown): readonly Found[] {
  const longest = longestIn(schema);
  const lists = listsOf(value);
  const tooLong = lists.filter(([, list]) => list.length > longest);
  if (tooLong.length > 0) {
    const message = `must not have more than ${longest} items`;
    return tooLong.map(([path]) => ({ keyword: 'maxItems', schemaPath: '#', instancePath: path, message, params: {} }));
  }
  const rows = Math.max(0, ...lists.map(([, list]) => list.length));
  for (let from = 0; from < rows; from += ROWS) {
    const piece = pieceOf(value, from);
    if (check.Check(piece)) continue;
    return (check.Errors(piece) as unknown as Found[]).map(found => ({ ...found, instancePath: shifted(found.instancePath, lists, from) }));
  }
  return check.Errors(value) as unknown as Found[];
}

type Lists = readonly (readonly [path: string, list: readonly unknown[]])[];

/** Below a value, or the value itself. */
function listsOf(value: unknown): Lists {
  if (Array.isArray(value)) return [['', value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, list]): Lists => (Array.isArray(list) ? [[`/${name}`, list]] : []));
}

/** The value with so many rows of each of its lists. */
function pieceOf(value: unknown, from: number): unknown {
  const cut = (list: unknown): unknown => (Array.isArray(list) ? list.slice(from, from + ROWS) : list);
  if (Array.isArray(value)) return cut(value);
  return Object.fromEntries(Object.entries(value as object).map(([name, list]) => [name, cut(list)]));
}

/** `/entries/3` in a piece is `/entries/53` in the whole. */
function shifted(path: string, lists: Lists, from: number): string {
  const [list] = lists.find(([name]) => /^\/\d+(\/|$)/.test(path.slice(name.length)) && path.startsWith(name)) ?? [];
  if (list === undefined) return path;
  return list + path.slice(list.length).replace(/\d+/, row => String(Number(row) + from));
}

/** How long the longest list is that the schema allows; Infinity where it says of none. */
function longestIn(schema: unknown): number {
  const limits = limitsIn(schema);
  return limits.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...limits);
}

function limitsIn(schema: unknown): readonly number[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { maxItems } = schema as { readonly maxItems?: unknown };
  return [...(typeof maxItems === 'number' ? [maxItems] : []), ...Object.values(schema).flatMap(limitsIn)];
}

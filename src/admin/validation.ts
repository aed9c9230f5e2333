/** Validation: what the schemas say, and what a person is told where it does not hold: field, message, fix; never the value. */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';
import { type Found, faultsOf } from './faults.ts';
import type { FieldError } from './problem.ts';

/** Of the name of a field that nobody knows, so many characters are repeated. */
const MAX_NAME = 100;

// The branches of a union that were not meant use up the default, eight.
Settings.Set({ maxErrors: 50 });

/** What a schema found wrong. */
export class Invalid extends Error {
  override readonly name = 'Invalid';
  readonly errors: readonly FieldError[];
  constructor(errors: readonly FieldError[]) {
    super('the request is not valid');
    this.errors = errors;
  }
}

/**
 * Checks a part of the request. Texts of path and query become the numbers and truth values that the schema asks for; a body is taken
 * as it is. Defaults are filled in; fields that nobody knows are errors.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const fills = hasDefault(schema);
  return (given: unknown) => {
    const own = httpPart === 'body' ? given : Value.Convert(schema, { ...(given as object) });
    // Looking for what is to be filled in takes a thousand times as long as the check, of some thousand rows half a second.
    const value = fills ? Value.Default(schema, own) : own;
    if (check.Check(value)) return { value };
    return { error: new Invalid(described(faultsOf(check, schema, value), schema)) };
  };
};

function hasDefault(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false;
  return 'default' in schema || Object.values(schema).some(hasDefault);
}

function described(found: readonly Found[], schema: TSchema): readonly FieldError[] {
  const errors = new Map<string, FieldError>();
  for (const error of meant(found)) {
    for (const one of fieldErrors(error, schema)) if (!errors.has(one.field)) errors.set(one.field, one);
  }
  // Where a field is wrong, what is said of the whole that it stands in helps nobody.
  const fields = [...errors.keys()];
  return [...errors.values()]
    .filter(({ field }) => !fields.some(other => other !== field && (field === '' || other.startsWith(`${field}.`))))
    .slice(0, 50);
}

/**
 * Of each union what is wrong with the branch that was meant: the one that is wrong only deep inside, or in the fewest things, else the first of the right type.
 * Whoever follows what is said of the others mends what is not broken. Unions are found beyond `from` characters of a schema's path.
 */
function meant(found: readonly Found[], from = 0): readonly Found[] {
  const unions = new Map<string, Map<string, Found[]>>();
  for (const error of found) {
    const at = error.schemaPath.indexOf(UNION, from);
    const union = at < 0 ? '' : error.schemaPath.slice(0, at + UNION.length);
    const branch = at < 0 ? '' : (/^\d+/.exec(error.schemaPath.slice(union.length))?.[0] ?? '');
    const branches = unions.get(union) ?? new Map<string, Found[]>();
    unions.set(union, branches.set(branch, [...(branches.get(branch) ?? []), error]));
  }
  return [...unions].flatMap(([union, branches]) => {
    const [best = []] = [...branches.values()].sort((one, other) => soundness(other) - soundness(one) || one.length - other.length);
    return union === '' ? best : meant(best, union.length);
  });
}

const UNION = '/anyOf/';

/** How deep the first fault is, a wrong type being the worst of its depth. */
function soundness(errors: readonly Found[]): number {
  return Math.min(
    ...errors.map(({ keyword, instancePath }) => {
      const depth = 2 * instancePath.split('/').length;
      // A field that nobody knows is a fault of what it stands in.
      return keyword === 'type' ? depth - 1 : keyword === 'boolean' ? depth - 2 : depth;
    }),
  );
}

function fieldErrors({ keyword, schemaPath, instancePath, message, params }: Found, schema: TSchema): readonly FieldError[] {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const schemas = schemasAt(schema, schemaPath);
  const properties = (schemas.at(-1)?.properties ?? {}) as Readonly<Record<string, Described>>;
  const { requiredProperties, allowedValues } = params as { requiredProperties?: string[]; allowedValues?: unknown[] };
  // Both say again what is said of fields or branches.
  if (keyword === 'additionalProperties' || keyword === 'anyOf') return [];
  if (keyword === 'boolean') {
    const known = Object.keys(properties);
    const fix = known.length === 0 ? 'leave it out' : `leave it out; there are ${known.join(', ')}`;
    return [{ field: path.slice(0, MAX_NAME), message: 'is no field of this', fix }];
  }
  if (requiredProperties !== undefined) {
    return requiredProperties.map(name => ({ field: below(name), message: 'is missing', fix: hint([properties[name]]) ?? 'add it' }));
  }
  if (allowedValues !== undefined) return [{ field: path, message: 'is not one that there is', fix: `one of ${allowedValues.join(', ')}` }];
  const fix = hint(schemas) ?? (path === '' ? 'send the JSON that GET /openapi.json describes' : undefined);
  return [{ field: path, message, ...(fix === undefined ? {} : { fix }) }];
}

interface Described {
  readonly description?: unknown;
  readonly properties?: object;
}

/** What the innermost that says something says. */
function hint(schemas: readonly (Described | undefined)[]): string | undefined {
  return schemas.map(one => one?.description).findLast(text => typeof text === 'string');
}

/** All that a path such as `#/properties/entries/items` leads through. */
function schemasAt(schema: TSchema, path: string): readonly Described[] {
  const passed: Described[] = [];
  let at: unknown = schema;
  for (const step of [undefined, ...path.split('/').slice(1)]) {
    if (step !== undefined) at = (at as Readonly<Record<string, unknown>>)[step];
    if (typeof at !== 'object' || at === null) break;
    passed.push(at);
  }
  return passed;
}

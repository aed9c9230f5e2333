/** Validation: what the schemas say, and what a person is told where it does not hold: field, message, fix; never the value. */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import type { FieldError } from './problem.ts';

/** Of the name of a field that nobody knows, so many characters are repeated. */
const MAX_NAME = 100;

/** What a schema found wrong. */
export class Invalid extends Error {
  override readonly name = 'Invalid';
  readonly errors: readonly FieldError[];
  constructor(errors: readonly FieldError[]) {
    super('the request is not valid');
    this.errors = errors;
  }
}

interface Found {
  readonly keyword: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/**
 * Checks a part of the request. Texts of path and query become the numbers and truth values that the schema asks for; a body is taken
 * as it is. Defaults are filled in; fields that nobody knows are errors.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  return (given: unknown) => {
    const own = httpPart === 'body' ? given : Value.Convert(schema, { ...(given as object) });
    const value = Value.Default(schema, own);
    if (check.Check(value)) return { value };
    return { error: new Invalid(described(check.Errors(value) as unknown as Found[], schema)) };
  };
};

function described(found: readonly Found[], schema: TSchema): readonly FieldError[] {
  const errors = new Map<string, FieldError>();
  for (const error of found) {
    for (const one of fieldErrors(error, schema)) if (!errors.has(one.field)) errors.set(one.field, one);
  }
  // Where a field is wrong, what is said of the whole that it stands in (no branch of a union fits) helps nobody.
  const fields = [...errors.keys()];
  return [...errors.values()]
    .filter(({ field }) => !fields.some(other => other !== field && (field === '' || other.startsWith(`${field}.`))))
    .slice(0, 50);
}

function fieldErrors({ keyword, instancePath, message, params }: Found, schema: TSchema): readonly FieldError[] {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const { requiredProperties } = params as { requiredProperties?: string[] };
  // It says again what is said of each of the fields.
  if (keyword === 'additionalProperties') return [];
  if (keyword === 'boolean') {
    const parent = schemaAt(schema, path.split('.').slice(0, -1).join('.'));
    const known = Object.keys((parent as { properties?: object } | undefined)?.properties ?? {});
    const fix = known.length === 0 ? 'leave it out' : `leave it out; there are ${known.join(', ')}`;
    return [{ field: path.slice(0, MAX_NAME), message: 'is no field of this', fix }];
  }
  if (requiredProperties !== undefined) {
    return requiredProperties.map(name => ({ field: below(name), message: 'is missing', fix: hint(schema, below(name)) ?? 'add it' }));
  }
  const fix = hint(schema, path);
  return [{ field: path, message, ...(fix === undefined ? {} : { fix }) }];
}

function hint(schema: TSchema, path: string): string | undefined {
  return (schemaAt(schema, path) as { description?: string } | undefined)?.description;
}

function schemaAt(schema: TSchema, path: string): unknown {
  let at: unknown = schema;
  for (const step of path === '' ? [] : path.split('.')) {
    const { properties, items } = (at ?? {}) as { properties?: Record<string, unknown>; items?: unknown };
    at = properties?.[step] ?? (/^\d+$/.test(step) ? items : undefined);
  }
  return at;
}

/** Every route there is, as the API itself describes it: what tests of all routes walk over. */
import type { Ask } from './support.ts';

export interface Schema {
  readonly [keyword: string]: unknown;
}

export interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export interface Operation {
  /** `GET /v1/accounts/{account}` */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly required?: boolean; readonly schema?: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, Media>> }>>;
  readonly security?: readonly object[];
  readonly 'x-roles'?: readonly string[];
  readonly 'x-scope'?: string;
}

export async function everyOperation(ask: Ask): Promise<readonly Operation[]> {
  const { paths } = (await ask('GET', '/openapi.json')).json<{
    paths: Record<string, Record<string, Omit<Operation, 'name' | 'method' | 'path'>>>;
  }>();
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
    })),
  );
}

/** The path with each parameter replaced. */
export function fill(path: string, value: (name: string) => string): string {
  return path.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(value(name)));
}

export function examplesOf({ example, examples = {} }: Media): readonly unknown[] {
  return [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)];
}

/** What the description says of an answer of this status. */
export function describedAnswer({ responses }: Operation, status: number): Operation['responses'][string] | undefined {
  return responses[status] ?? responses[`${Math.floor(status / 100)}XX`] ?? responses.default;
}

/** Configuration from the environment: `POSTERN_` + the key's path, upper case, `_` between and for `-`. */
import type { TSchema } from 'typebox';
import { parse } from 'yaml';

const PREFIX = 'POSTERN_';
const POLICIES = `${PREFIX}POLICIES_`;

interface Leaf {
  readonly path: readonly string[];
  readonly schema: TSchema;
}

/**
 * What the environment sets, as a nested object. A name under a known section that names no key is a problem; other POSTERN_
 * names are left alone, because tools around Postern have theirs.
 */
export function environment(
  schema: TSchema,
  env: Readonly<Record<string, string | undefined>>,
  checks: readonly string[],
): { readonly value: object; readonly problems: readonly string[] } {
  const leaves = new Map([...leavesOf(schema, [])].map(leaf => [envName(leaf.path), leaf]));
  const sections = new Set([...leaves.values()].map(leaf => envName(leaf.path.slice(0, 1))));
  const value: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith(PREFIX)) continue;
    const leaf = name.startsWith(POLICIES) ? policyLeaf(name, checks) : leaves.get(name);
    if (leaf !== undefined) put(value, leaf.path, read(leaf.schema, text));
    else if (name.startsWith(POLICIES)) problems.push(`${name}: names no check; end it with one of ${checks.map(envPart).join(', ')}`);
    else if ([...sections].some(section => name === section || name.startsWith(`${section}_`))) {
      problems.push(`${name}: no such key; there are ${[...leaves.keys()].join(', ')}`);
    }
  }
  return { value, problems };
}

function* leavesOf(schema: TSchema, path: readonly string[]): Iterable<Leaf> {
  const properties = (schema as { properties?: Record<string, TSchema> }).properties;
  if (properties === undefined) {
    yield { path, schema };
    return;
  }
  for (const [key, below] of Object.entries(properties)) yield* leavesOf(below, [...path, key]);
}

/** `POSTERN_POLICIES_B2B_PROSPECTING_PRIVACY_LINK`: the check is what it ends with, the policy what stands before. */
function policyLeaf(name: string, checks: readonly string[]): Leaf | undefined {
  const rest = name.slice(POLICIES.length);
  const check = checks.find(candidate => rest.endsWith(`_${envPart(candidate)}`));
  if (check === undefined) return undefined;
  const policy = rest
    .slice(0, -envPart(check).length - 1)
    .toLowerCase()
    .replaceAll('_', '-');
  return { path: ['policies', policy, check], schema: {} };
}

function envName(path: readonly string[]): string {
  return PREFIX + path.map(envPart).join('_');
}

function envPart(key: string): string {
  return key.toUpperCase().replaceAll('-', '_');
}

/** Texts stay as they are; numbers, truth values and `{mode: …}` are read as YAML; a list is written with commas. */
function read(schema: TSchema, text: string): unknown {
  const { type, anyOf } = schema as { type?: string; anyOf?: readonly { type?: string }[] };
  if (type === 'string') return text;
  const list = type === 'array' || anyOf?.some(one => one.type === 'array') === true;
  if (list && !text.trim().startsWith('[')) {
    const items = text.split(',').map(item => item.trim());
    return type === 'array' || items.length > 1 ? items.filter(item => item !== '') : text;
  }
  try {
    return parse(text);
  } catch {
    return text;
  }
}

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  target[first] ??= {};
  put(target[first] as Record<string, unknown>, rest, value);
}

/** The floor plan of DESIGN: a part imports only from lower floors or from itself; no file imports in a circle; no file grows too long. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const src = resolve(dirname(fileURLToPath(import.meta.url)), '../src');

const FLOORS: Readonly<Record<string, number>> = {
  'ids.ts': 1,
  mail: 1,
  ops: 1,
  store: 2,
  keys: 2,
  audit: 3,
  hooks: 4,
  lists: 5,
  clients: 5,
  journal: 5,
  relay: 5,
  smtp: 5,
  watch: 5,
  policy: 6,
  accounts: 6,
  checks: 7,
  submission: 7,
  inbound: 7,
  admin: 8,
  'config.ts': 9,
  'founding.ts': 9,
  'gauges.ts': 9,
  'house.ts': 10,
  'app.ts': 11,
  cli: 12,
  'main.ts': 13,
  'import-main.ts': 13,
};
const MAX_LINES = 330;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly string[];
}

/** Static, type-only, re-exporting and dynamic imports alike. */
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)['"](\.[^'"]+)['"]/g;

const sources: readonly Source[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter(path => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map(path => {
    const text = readFileSync(join(src, path), 'utf8');
    const imports = [...text.matchAll(IMPORT)].map(match => relative(src, resolve(src, dirname(path), match[1] ?? '')));
    return { path, text, imports };
  });

const part = (path: string): string => path.split('/')[0] ?? path;

t.test('every part has a floor', async t => {
  for (const { path } of sources) t.ok(FLOORS[part(path)], `${path} stands on a floor`);
});

t.test('imports lead down, or stay within the part', async t => {
  for (const { path, imports } of sources) {
    for (const target of imports) {
      const from = part(path);
      const to = part(target);
      if (from === to) continue;
      t.ok((FLOORS[to] ?? 99) < (FLOORS[from] ?? 0), `${path} imports ${target}`);
    }
  }
});

t.test('no circles', async t => {
  const graph = new Map(sources.map(({ path, imports }) => [path, imports]));
  const done = new Set<string>();
  const circle = (path: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of graph.get(path) ?? []) {
      const found = circle(next, [...trail, path]);
      if (found !== undefined) return found;
    }
    done.add(path);
    return undefined;
  };
  for (const { path } of sources) t.same(circle(path, []), undefined, path);
});

t.test('every file opens by saying what it is for, and none is long', async t => {
  for (const { path, text } of sources) {
    t.match(text, /^(#!.*\n)?\/\*\*/, `${path} opens with its purpose`);
    t.ok(text.split('\n').length <= MAX_LINES, `${path} has ${text.split('\n').length} lines`);
  }
});

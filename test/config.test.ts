/** The configuration: file and environment, errors that name the key, and a default.yaml that says what really holds. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { configSchema, loadConfig } from '../src/config.ts';

const checks = ['exclusion', 'privacy-link', 'opt-out'];
const cwd = mkdtempSync(join(tmpdir(), 'postern-config-'));
t.teardown(() => rmSync(cwd, { recursive: true }));

const load = (env: Record<string, string> = {}, text?: string) => {
  const file = text === undefined ? undefined : join(cwd, 'test.yaml');
  if (file !== undefined) writeFileSync(file, text ?? '');
  return loadConfig({ file, env, cwd, checks });
};

const defaultsFile = new URL('../config/default.yaml', import.meta.url);

t.test('config/default.yaml holds the defaults, and names every key there is', async t => {
  const text = readFileSync(defaultsFile, 'utf8');
  const shown = load({}, text);
  const built = load();
  if (!('config' in shown) || !('config' in built)) return t.fail(JSON.stringify([shown, built]));
  t.same(shown.config, built.config);
  for (const path of keys(configSchema, '')) {
    const name = path.split('.').at(-1) ?? '';
    t.match(text, new RegExp(`^ *(# )?${name}:`, 'm'), `${path} stands in default.yaml`);
  }
});

t.test('every key can be given by the environment', async t => {
  const loaded = load({
    POSTERN_STORE_URL: 'redis://127.0.0.1:6379',
    POSTERN_SUBMISSION_MAXMESSAGEBYTES: '1048576',
    POSTERN_SUBMISSION_LISTEN: '127.0.0.1:2525,smtps://127.0.0.1:4650',
    POSTERN_SUBMISSION_XCLIENT: '127.0.0.1',
    POSTERN_UPSTREAM_TIMEOUTS_DOT: '5',
    POSTERN_POLICIES_B2B_PROSPECTING_PRIVACY_LINK: 'observe',
    POSTERN_POLICIES_BASIC_OPT_OUT: '{mode: enforce, suffices: [header]}',
    POSTERN_CORPUS: '/somewhere/else',
    UNRELATED: 'x',
  });
  if (!('config' in loaded)) return t.fail(loaded.problems.join('\n'));
  t.match(loaded.config, {
    store: { url: 'redis://127.0.0.1:6379' },
    submission: { maxMessageBytes: 1_048_576, listen: ['127.0.0.1:2525', 'smtps://127.0.0.1:4650'], xclient: ['127.0.0.1'] },
    upstream: { timeouts: { dot: 5, data: 120 } },
    policies: { 'b2b-prospecting': { 'privacy-link': 'observe' }, basic: { 'opt-out': { mode: 'enforce', suffices: ['header'] } } },
  });
  t.equal(loaded.baseDir, cwd);
});

t.test('the environment wins over the file; paths start at the folder of the file', async t => {
  const loaded = load({ POSTERN_LOG_LEVEL: 'warn' }, 'log: {level: debug}\nstore: {url: "lmdb:./elsewhere"}\n');
  t.match(loaded, { config: { log: { level: 'warn' }, store: { url: 'lmdb:./elsewhere' } }, baseDir: cwd });
});

t.test('problems name the key, all at once, and never the value', async t => {
  const table: [string, Record<string, string>, string | undefined, RegExp][] = [
    ['an unknown key', {}, 'stor: {url: x}', /^stor: no such key; there are store,/],
    ['an unknown key below', {}, 'submission: {listn: x}', /^submission\.listn: no such key/],
    [
      'an unknown key of ours in the environment',
      { POSTERN_STORE_ULR: 'x' },
      undefined,
      /^POSTERN_STORE_ULR: no such key; there are POSTERN_STORE_URL/,
    ],
    [
      'an unknown check in the environment',
      { POSTERN_POLICIES_BASIC_NOTHING: 'off' },
      undefined,
      /^POSTERN_POLICIES_BASIC_NOTHING: names no check/,
    ],
    ['a number out of bounds', {}, 'submission: {maxRecipients: 5}', /^submission\.maxRecipients: .*never below 100/],
    ['a wrong type', {}, 'upstream: {connections: many}', /^upstream\.connections: /],
    ['a level there is not', { POSTERN_LOG_LEVEL: 'loud' }, undefined, /^log\.level: is none of the words there are; one of fatal/],
    ['broken YAML', {}, 'a: [1', /test\.yaml: /],
    ['a list', {}, '- a\n- b\n', /must hold keys/],
  ];
  for (const [name, env, text, expected] of table) {
    const loaded = load(env, text);
    t.match('problems' in loaded ? loaded.problems.join('\n') : 'no problem', expected, name);
  }
  const secret = load({}, 'keys: {master: {nested: topsecret}}');
  t.ok('problems' in secret);
  t.notMatch(JSON.stringify(secret), /topsecret/);
  t.match(loadConfig({ file: 'absent.yaml', env: {}, cwd, checks }), { problems: [/absent\.yaml: cannot be read/] });
});

t.test('default.yaml parses as it is', async t => {
  t.type(parse(readFileSync(defaultsFile, 'utf8')), 'object');
});

function keys(schema: object, path: string): string[] {
  const { properties } = schema as { properties?: Record<string, object> };
  if (properties === undefined) return [path];
  return Object.entries(properties).flatMap(([name, below]) => keys(below, path === '' ? name : `${path}.${name}`));
}

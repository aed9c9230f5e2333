/** The key ring: made once, read strictly, rotated without losing anything, and never printed. */
import { chmod, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t from 'tap';
import { addKey, createKeyring, KeyringProblem, loadKeyring } from '../../src/keys/keyring.ts';

const NOW = Date.UTC(2026, 5, 1);
const at = (ms: number) => ({ now: () => ms });
const clock = at(NOW);

async function keysOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8');
  return text.split('\n').flatMap(line => /^\S+ ([A-Za-z0-9_-]{43}) /.exec(line)?.[1] ?? []);
}

t.test('a key ring is made once, for its owner alone', async t => {
  const file = join(t.testdir(), 'keys', 'postern.key');
  await createKeyring(file, clock);
  t.equal((await stat(file)).mode & 0o777, 0o600);
  t.equal((await stat(join(file, '..'))).mode & 0o777, 0o700);
  const before = await readFile(file, 'utf8');
  await t.rejects(createKeyring(file, clock), { name: 'KeyringProblem', message: /postern\.key is there already/ });
  t.equal(await readFile(file, 'utf8'), before);
});

t.test('the same file gives the same keys, each purpose its own', async t => {
  const file = join(t.testdir(), 'postern.key');
  await createKeyring(file, clock);
  const [one, two] = [await loadKeyring({ file }, clock), await loadKeyring({ file }, clock)];
  t.equal(one.fingerprint, two.fingerprint);
  t.same(one.derive('settings'), two.derive('settings'));
  t.equal(one.derive('settings').length, 32);
  t.notSame(one.derive('settings'), one.derive('ledger'));
  const [key = ''] = await keysOf(file);
  const given = await loadKeyring({ master: key }, clock);
  t.equal(given.fingerprint, one.fingerprint, 'a variable instead of the file is the same ring');
  t.same(given.digestKeys, one.digestKeys);
});

t.test('a rotated ring keeps its fingerprint and everything that the old key made', async t => {
  const file = join(t.testdir(), 'postern.key');
  await createKeyring(file, clock);
  const old = await loadKeyring({ file }, clock);
  const sealed = old.sealer('settings').seal('plain', 'here');
  await addKey(file, clock, NOW + 1_000);

  const early = await loadKeyring({ file }, clock);
  t.equal(early.digestKeys.length, 2, 'known ahead of its time');
  t.same(early.digestKeys[0], old.digestKeys[0], 'but not used to write');
  t.same(early.derive('settings'), old.derive('settings'));

  const late = await loadKeyring({ file }, at(NOW + 1_000));
  t.not(late.digestKeys[0]?.id, old.digestKeys[0]?.id);
  t.same(late.digestKeys[1], old.digestKeys[0]);
  t.equal(late.sealer('settings').open(sealed, 'here')?.toString(), 'plain');
  t.equal(old.sealer('settings').open(late.sealer('settings').seal('plain', 'here'), 'here'), undefined);
  for (const ring of [early, late]) {
    t.equal(ring.fingerprint, old.fingerprint);
    t.equal(ring.oldestId, old.oldestId);
  }
  t.match(await readFile(file, 'utf8'), /^# Postern key ring/, 'comments stay');
  t.equal((await stat(file)).mode & 0o777, 0o600);
});

t.test('a linked ring is rotated behind its link', async t => {
  const dir = t.testdir();
  await createKeyring(join(dir, 'real.key'), clock);
  await symlink('real.key', join(dir, 'linked.key'));
  await addKey(join(dir, 'linked.key'), clock);
  t.equal((await keysOf(join(dir, 'real.key'))).length, 2);
});

t.test('what is no key ring is refused by file and line, without its content', async t => {
  const dir = t.testdir();
  const file = join(dir, 'postern.key');
  await createKeyring(file, clock);
  const good = await readFile(file, 'utf8');
  const [key = ''] = await keysOf(file);
  const line = good.split('\n').find(text => text.includes(key)) ?? '';
  const altered = key.replace(/^./, first => (first === 'A' ? 'B' : 'A'));
  const table: [string, RegExp][] = [
    ['', /holds no key/],
    ['# only a comment\n', /holds no key/],
    [key, /line 1: wants id, key and time/],
    [line.replace(key, altered), /line 1: the key is damaged/],
    [line.replace(key, key.slice(1)), /line 1: the key is damaged/],
    [line.replace(/\S+$/, 'yesterday'), /line 1: the third word is no time/],
    [`${line}\n${line}`, /line 2: the same key twice/],
  ];
  for (const [text, message] of table) {
    await writeFile(file, text);
    const error: unknown = await loadKeyring({ file }, clock).catch(caught => caught);
    t.type(error, KeyringProblem);
    t.match((error as Error).message, message);
    t.match((error as Error).message, file);
    for (const secret of [key, altered]) t.notOk(inspect(error).includes(secret.slice(1, 20)), 'no key material');
  }
  await t.rejects(loadKeyring({ file: join(dir, 'none.key') }, clock), {
    name: 'KeyringProblem',
    message: /none\.key is missing; restore/,
  });
  await t.rejects(loadKeyring({ master: 'short' }, clock), { name: 'KeyringProblem', message: /POSTERN_KEYS_MASTER/ });
});

t.test('a ring that others may read is used with a warning', async t => {
  const file = join(t.testdir(), 'postern.key');
  await createKeyring(file, clock);
  const warnings: string[] = [];
  await loadKeyring({ file }, clock, text => warnings.push(text));
  t.same(warnings, []);
  await chmod(file, 0o644);
  await loadKeyring({ file }, clock, text => warnings.push(text));
  t.match(warnings, [/chmod 600/]);
});

t.test('no inspection prints a key', async t => {
  const file = join(t.testdir(), 'postern.key');
  await createKeyring(file, clock);
  const ring = await loadKeyring({ file }, clock);
  const shown = inspect(ring, { depth: 9, showHidden: true }) + JSON.stringify(ring);
  const secrets = [...(await keysOf(file)).map(key => Buffer.from(key, 'base64url')), ...ring.digestKeys.map(({ key }) => key)];
  for (const secret of secrets) {
    for (const text of [secret.toString('base64url'), secret.toString('hex'), inspect(secret)]) t.notOk(shown.includes(text.slice(8, 30)));
  }
});

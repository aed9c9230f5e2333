/** On a missing store every command but serve and client add fails, and makes nothing. */
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { startShell } from '../support/command.ts';
import { noRedis, startRedis } from '../support/redis.ts';

const ADDRESS = 'jo@customer.example';
const COMMANDS: readonly (readonly string[])[] = [
  ['client', 'list'],
  ['client', 'show', 'acme'],
  ['client', 'update', 'acme', '--name', 'Acme'],
  ['client', 'remove', 'acme'],
  ['credential', 'add', 'acme', 'mailer'],
  ['credential', 'list'],
  ['credential', 'disable', 'mailer'],
  ['credential', 'rotate', 'mailer'],
  ['campaign', 'add', 'acme', 'spring'],
  ['campaign', 'list', 'acme'],
  ['campaign', 'show', 'acme', 'spring'],
  ['policy', 'list'],
  ['policy', 'set', 'basic', 'sender=observe', '--why', 'a test'],
  ['list', 'add', 'global', ADDRESS],
  ['list', 'remove', 'global', ADDRESS],
  ['list', 'show', 'global'],
  ['list', 'import', 'global', 'list.txt'],
  ['list', 'export', 'global'],
  ['suppress', 'global', ADDRESS],
  ['suppress', '--lift', '--by', 'Ann', '--why', 'asked', 'global', ADDRESS],
  ['decision', 'show', '0123456789abcdef'],
  ['explain', '--client', 'acme', '--from', 'jo@acme.example', '--to', ADDRESS],
  ['stats'],
  ['doctor'],
];

const shell = startShell(t);

t.test('no store in the folder', async t => {
  const keys: readonly Record<string, string>[] = [{}, { POSTERN_KEYS_MASTER: randomBytes(32).toString('base64url') }];
  for (const env of keys) {
    const cwd = t.testdir({ 'list.txt': `${ADDRESS}\n` });
    for (const command of COMMANDS) {
      const answer = await shell.run([...command, '--json'], { cwd, env });
      const name = `${command.join(' ')}${Object.keys(env).length > 0 ? ', with a master key' : ''}`;
      t.match(answer, { code: 1, stdout: '', stderr: /^postern: There is no store at lmdb:.*client add` creates one\n$/ }, name);
    }
    t.same(readdirSync(cwd), ['list.txt']);
  }
});

t.test('an empty Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  const cwd = t.testdir({});
  writeFileSync(join(cwd, 'postern.yaml'), `store: {url: "${redis.url}"}\n`);
  for (const command of [
    ['client', 'list'],
    ['list', 'add', 'global', ADDRESS],
  ]) {
    t.match(await shell.run(command, { cwd }), { code: 1, stdout: '', stderr: /There is no store at redis/ }, command.join(' '));
  }
  t.same(readdirSync(cwd), ['postern.yaml']);
});

/** The command line as a process: exit codes, what stands on which stream, standard input, closed pipes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MAIN, postern } from '../support/command.ts';
import { freePort } from '../support/ports.ts';
import { mustAnswer, newSite } from '../support/site.ts';

const DETAILS = ['--name', 'Acme', '--privacy-url', 'https://www.acme.example/privacy', '--from-domain', 'acme.example'];

t.test('nothing is made by a command that only reads; client add makes store and key', async t => {
  const cwd = t.testdir();
  const missing = await postern(['client', 'list', '--json'], { cwd });
  t.match(missing, {
    code: 1,
    stdout: '',
    stderr: /There is no store at lmdb:.*data; `postern serve` or `postern client add` creates one/,
  });
  t.same(readdirSync(cwd), []);
  mustAnswer(await postern(['client', 'add', 'acme', ...DETAILS], { cwd }));
  t.same(readdirSync(cwd).sort(), ['data', 'keys', 'ledger']);
  for (const file of ['keys/postern.key', 'data/data.mdb', 'ledger/objections.log']) {
    t.equal(statSync(join(cwd, file)).mode & 0o777, 0o600, `${file} is its owner's alone`);
  }
});

t.test('75 where a store is away, 2 where the configuration is wrong', async t => {
  const cwd = t.testdir();
  const env = { POSTERN_STORE_URL: `redis://127.0.0.1:${await freePort()}` };
  t.match(await postern(['client', 'add', 'acme', ...DETAILS], { cwd, env }), { code: 75, stdout: '', stderr: /^postern: / });
  t.notOk(existsSync(join(cwd, 'keys')), 'no key was made for a store that nobody has seen');
  const wrong = await postern(['client', 'list'], { cwd, env: { POSTERN_STORE_ULR: 'x' } });
  t.match(wrong, { code: 2, stdout: '', stderr: /^postern: POSTERN_STORE_ULR: no such key/ });
});

t.test('a long list is one JSON document; a reader that has seen enough is no fault', async t => {
  const site = newSite();
  t.teardown(() => site.close());
  mustAnswer(await site.cli('client', 'add', 'acme', ...DETAILS));
  const rows = Array.from({ length: 20_000 }, (_, i) => `person${i}@customer.example\n`).join('');
  const config = ['--config', site.configFile];
  const piped = await postern(['list', 'import', 'acme', '-', '--json', ...config], { cwd: site.dir, input: rows });
  t.same(mustAnswer(piped).json(), { read: 20_000, added: 20_000, existing: 0, invalid: 0, errors: [] });
  const shown = mustAnswer(await site.cli('list', 'show', 'acme', '--json')).json<{ target: string }[]>();
  t.equal(new Set(shown.map(({ target }) => target)).size, 20_000);

  const child = spawn(process.execPath, [MAIN, 'list', 'export', 'acme', ...config], { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let complaint = '';
  child.stderr.on('data', chunk => {
    complaint += chunk;
  });
  const [first] = await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await exited;
  t.match(String(first), /^address,domain,reason,source,created_at\n/);
  t.equal(code, 1);
  t.equal(complaint, '', 'and nothing is said about it');
});

t.test('bad rows stand on stderr, the answer on stdout', async t => {
  const site = newSite();
  t.teardown(() => site.close());
  mustAnswer(await site.cli('client', 'add', 'acme', ...DETAILS));
  writeFileSync(join(site.dir, 'list.txt'), 'jo@x.example\nnot an address\nco.uk\n');
  const answer = await site.cli('list', 'import', 'acme', 'list.txt');
  t.match(answer, { code: 0, stdout: '3 read, 1 added, 0 existing, 2 invalid\n', stderr: /^line 2: .*\nline 3: a public suffix.*\n$/ });
});

/** A18: imports as an operator runs them: many rows in little memory, files that are none, progress where somebody looks. */
import { spawnSync } from 'node:child_process';
import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import t from 'tap';
import { MAIN, postern, startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';

const ROWS = 200_000;
/** What V8 may use for everything, the program itself included. */
const HEAP_MB = 64;

const site = newSite();
t.teardown(() => site.close());
const shell = startShell(t);
const cli = (...args: string[]) => shell.run([...args, '--config', site.configFile], { cwd: site.dir });

t.before(async () => {
  mustAnswer(await cli('client', 'add', 'acme', '--name', 'A', '--privacy-url', 'https://a.example/p', '--from-domain', 'a.example'));
});

t.test(`${ROWS} rows in a heap of ${HEAP_MB} MB`, async t => {
  const file = join(site.dir, 'many.csv');
  function* rows() {
    yield 'email,created\n';
    for (let i = 0; i < ROWS; i += 1_000) {
      yield Array.from({ length: 1_000 }, (_, k) => `person.${i + k}@company-${(i + k) % 977}.example,1706781600\n`).join('');
    }
    yield 'person.1@company-1.example,\nbad row,\n';
  }
  await pipeline(Readable.from(rows()), createWriteStream(file));
  const args = ['list', 'import', 'acme', file, '--json', '--config', site.configFile];
  const answer = await postern(args, { cwd: site.dir, node: [`--max-old-space-size=${HEAP_MB}`] });
  const expected = { read: ROWS + 2, added: ROWS, existing: 1, invalid: 1 };
  t.match(mustAnswer(answer).json(), { ...expected, errors: [{ line: ROWS + 3 }] });
  const listed = await cli('explain', '--client', 'acme', '--from', 'jo@a.example', '--to', 'person.199999@company-691.example', '--json');
  t.match(mustAnswer(listed).json(), { verdict: 'reject', objections: [{ token: 'excluded' }] });
});

t.test('--dry-run, --strict and --reason', async t => {
  writeFileSync(join(site.dir, 'some.txt'), 'jo@one.example\nbad row\njo@one.example\n');
  const counts = { read: 3, added: 1, existing: 1, invalid: 1 };
  const dry = mustAnswer(await cli('list', 'import', 'acme', 'some.txt', '--dry-run', '--json')).json<object>();
  t.match(dry, counts);
  t.same(Object.keys(dry).sort(), ['added', 'errors', 'existing', 'invalid', 'read']);
  t.equal(
    mustAnswer(await cli('list', 'import', 'acme', 'some.txt', '--dry-run')).stdout,
    '3 read, 1 to be added, 1 existing, 1 invalid\n',
  );
  const strict = await cli('list', 'import', 'acme', 'some.txt', '--strict', '--json');
  t.match(strict, { code: 1, stderr: /nothing was imported: 1 bad rows/ });
  t.match(strict.json(), { read: 3, added: 0, invalid: 1 });
  t.match(mustAnswer(await cli('list', 'import', 'acme', 'some.txt', '--reason', 'objection', '--json')).json(), counts);
  t.match(await cli('list', 'remove', 'acme', 'jo@one.example'), { code: 1, stderr: /of: objection/ });
});

t.test('files and options that are none', async t => {
  writeFileSync(join(site.dir, 'empty.txt'), '');
  t.match(mustAnswer(await cli('list', 'import', 'acme', 'empty.txt', '--json')).json(), { read: 0, added: 0 });
  const table: [string[], number, RegExp][] = [
    [['acme', 'absent.txt'], 2, /absent\.txt: no such file/],
    [['acme', '.'], 2, /\.: is a folder; name a file/],
    [['acme', 'empty.txt', '--hash', 'crc32'], 2, /--hash 'crc32' is none; use one of sha1, sha256, md5/],
    [['acme', 'empty.txt', '--reason', 'whim'], 2, /--reason 'whim' is none/],
    [['nobody', 'empty.txt'], 1, /no client 'nobody'/],
    [['acme/winter', 'empty.txt'], 1, /no campaign 'winter'/],
  ];
  for (const [args, code, stderr] of table) {
    t.match(await cli('list', 'import', ...args), { code, stdout: '', stderr }, args.join(' '));
  }
});

const noScript = spawnSync('script', ['--version']).status === 0 ? false : 'script(1) is not installed';

t.test('a bar shows how far it is, on a terminal only', { skip: noScript }, async t => {
  const command = [process.execPath, MAIN, 'list', 'import', 'global', 'some.txt', '--json', '--config', site.configFile];
  const typescript = spawnSync('script', ['-qec', `${command.join(' ')} > answer.json`, '/dev/null'], { cwd: site.dir, encoding: 'utf8' });
  t.match(typescript.stdout, /reading .*100%[\s\S]*importing .*100%/);
});

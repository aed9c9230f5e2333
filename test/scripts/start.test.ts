/** What a fresh clone does: `npm start` serves and stops, `npm run demo` plays its story, `npm pack` takes what runs. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { environment } from '../support/command.ts';
import { unreachable } from '../support/registry.ts';
import { dial } from '../support/smtp-client.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const exec = promisify(execFile);
const scratch = mkdtempSync(join(tmpdir(), 'postern-clone-'));
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
const clone = join(scratch, 'clone');
// npm tells its scripts a lot by the environment, which a clone of its own must not hear.
const own = Object.fromEntries(Object.entries(environment({})).filter(([name]) => !/^(npm|tap)_|^INIT_CWD$|^NODE_OPTIONS$/i.test(name)));
const options = { cwd: clone, env: { ...own, npm_config_prefer_offline: 'true' }, maxBuffer: 1 << 26 };

async function prepare(): Promise<string | false> {
  if (!existsSync(join(root, '.git'))) return 'this is no git checkout, so it cannot be cloned';
  await exec('git', ['clone', '--quiet', '--no-hardlinks', root, clone]);
  return false;
}

const skip = await prepare();

await t.test('npm start on a fresh clone installs, builds, serves, and stops when npm is told to', { skip, timeout: 100_000 }, async t => {
  const listens = { POSTERN_SUBMISSION_LISTEN: '127.0.0.1:0', POSTERN_INBOUND_LISTEN: '127.0.0.1:0', POSTERN_ADMIN_LISTEN: '127.0.0.1:0' };
  const npm = spawn('npm', ['start'], { ...options, env: { ...options.env, ...listens } });
  t.teardown(() => void npm.kill());
  let said = '';
  npm.stderr.on('data', chunk => {
    said += chunk;
  });
  const exited = once(npm, 'exit');
  const listening = (async () => {
    for await (const line of createInterface({ input: npm.stdout })) if (line.startsWith('listening on ')) return line;
    return undefined;
  })();
  const line = await listening;
  if (line === undefined) {
    const reason = unreachable({ stderr: said });
    return reason === undefined ? t.fail(said) : t.pass(reason, { skip: reason });
  }
  t.match(said, /installing packages[\s\S]*building/);
  const client = await dial(Number(line.split(':').at(-1)));
  t.match(await client.reply(), { code: 220 });
  client.close();
  t.ok(existsSync(join(clone, 'data/data.mdb')), 'on the embedded store, in the working directory');
  npm.kill('SIGTERM');
  t.same(await exited, [0, null], said);
  await t.rejects(dial(Number(line.split(':').at(-1))), { code: 'ECONNREFUSED' }, 'nothing is left running');
});

const noBuild = () => skip || (existsSync(join(clone, 'dist/main.js')) ? false : 'the clone could not be installed');

t.test('npm run demo plays the story', { skip: noBuild() }, async t => {
  const { stdout, stderr } = await exec('npm', ['run', 'demo'], options);
  for (const title of [
    'a clean mail',
    'an excluded address',
    'an excluded domain',
    'a person who was erased',
    'a personal address',
    'the privacy link',
  ])
    t.match(stdout, title);
  t.match(stdout, /^client +campaign +outcome +check +token +recipients$/m);
  t.match(stdout, /^acme +spring +relayed +1$/m);
  t.notMatch(stderr, /building/, 'what is built is not built again');
});

t.test('npm pack takes what runs, and nothing of ours', { skip: noBuild() }, async t => {
  await exec('npm', ['pack', '--pack-destination', scratch], options);
  const tarball = readdirSync(scratch).find(name => name.endsWith('.tgz')) ?? '';
  await exec('tar', ['-xzf', join(scratch, tarball), '-C', scratch]);
  const packed = join(scratch, 'package');
  t.same(readdirSync(packed).sort(), ['LICENSE', 'README.md', 'config', 'dist', 'docs', 'package.json']);
  symlinkSync(join(clone, 'node_modules'), join(packed, 'node_modules'));
  const { stdout } = await exec(process.execPath, [join(packed, 'dist/main.js'), 'demo'], { ...options, cwd: scratch });
  t.match(stdout, /The sink took 1 of 6 messages/);
});

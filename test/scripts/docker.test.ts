/** The Dockerfile's steps, run in a scratch folder: what the image would hold serves, as a user without rights, and is found healthy. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { environment } from '../support/command.ts';
import { here, readDockerfile, runSteps, type Stage } from '../support/dockerfile.ts';
import { freePort } from '../support/ports.ts';
import { unreachable } from '../support/registry.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = join(root, 'Dockerfile');
/** `node` of the image; only root can be somebody else. */
const owner = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;

const scratch = mkdtempSync(join(tmpdir(), 'postern-image-'));
chmodSync(scratch, 0o755);
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));

const built = await runSteps(readDockerfile(file), root, scratch, owner).catch((error: Error) => {
  const skip = unreachable(error);
  if (skip === undefined) throw error;
  return skip;
});
const skip = typeof built === 'string' ? built : false;

t.test('what the build takes is not left out by .dockerignore', async t => {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n').filter(Boolean);
  for (const [name, text] of readDockerfile(file)) {
    if (name !== 'COPY' || text.startsWith('--from=')) continue;
    for (const path of text.split(/\s+/).slice(0, -1)) t.notOk(ignored.includes(path.replace('./', '').split('/')[0] ?? ''), path);
  }
  for (const secret of ['data', 'keys', 'ledger', 'tls', '.git', 'node_modules']) t.ok(ignored.includes(secret), `${secret} stays out`);
});

t.test('the image holds what runs, and nothing that builds', { skip }, async t => {
  const image = built as Stage;
  const at = (path: string) => here(image, `/opt/postern/${path}`);
  for (const path of ['dist/main.js', 'config/default.yaml', 'package.json', 'node_modules/lmdb']) t.ok(existsSync(at(path)), path);
  for (const path of ['src', 'test', 'node_modules/typescript', 'node_modules/tap', 'node_modules/tsx'])
    t.notOk(existsSync(at(path)), path);
  t.equal(image.user, 'node', 'it does not run as root');
  t.same(image.volumes, ['/var/lib/postern/data', '/var/lib/postern/keys', '/var/lib/postern/ledger']);
});

t.test('it serves, is found healthy, stops, and is found ill', { skip, timeout: 60_000 }, async t => {
  const image = built as Stage;
  const port = await freePort();
  const listen = image.env.POSTERN_SUBMISSION_LISTEN?.replace(/:\d+$/, `:${port}`) ?? '';
  t.match(listen, /^0\.0\.0\.0:\d+$/, 'other containers can reach it');
  t.match(image.env.POSTERN_INBOUND_LISTEN, /^0\.0\.0\.0:\d+$/, 'and what comes back reaches it');
  const listens = {
    POSTERN_SUBMISSION_LISTEN: listen,
    POSTERN_INBOUND_LISTEN: `0.0.0.0:${await freePort()}`,
    POSTERN_ADMIN_LISTEN: '127.0.0.1:0',
  };
  const options = { cwd: here(image, '.'), env: environment({ ...image.env, ...listens, HOME: '/' }), ...owner };
  const words = (all: readonly string[]): [string, string[]] => {
    const [program = '', ...rest] = all.map(word => (word.startsWith('/') ? here(image, word) : word));
    return [program === 'node' ? process.execPath : program, rest];
  };
  const exec = (all: readonly string[]): Promise<{ code: number; said: string }> =>
    new Promise(done => {
      execFile(...words(all), options, (error, stdout, stderr) => done({ code: Number(error?.code ?? 0), said: stdout + stderr }));
    });
  t.match(await exec([...image.entrypoint, 'doctor', '--help']), { code: 0, said: /Usage: postern doctor/ });

  const gate = spawn(...words([...image.entrypoint, ...image.command]), options);
  let log = '';
  gate.stderr.on('data', chunk => {
    log += chunk;
  });
  t.teardown(() => void gate.kill('SIGKILL'));
  const exited = once(gate, 'exit');
  const [first] = (await Promise.race([once(createInterface({ input: gate.stdout }), 'line'), exited])) as [unknown];
  t.equal(first, `listening on 0.0.0.0:${port}`, log);
  t.match(await exec(image.healthcheck), { code: 0, said: /220 / });
  t.same(readdirSync(here(image, '.')).sort(), ['data', 'keys', 'ledger', 'tls'], 'it writes to its volumes');
  for (const made of ['data/data.mdb', 'keys/postern.key', 'ledger/objections.log']) t.ok(existsSync(here(image, made)), made);
  gate.kill('SIGTERM');
  t.same(await exited, [0, null], log);
  t.not((await exec(image.healthcheck)).code, 0);
});

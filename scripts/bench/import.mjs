/**
 * `node scripts/bench/import.mjs`: how fast lists are imported, and what mail feels of it. First `postern list import` of N rows into a store
 * of its own: a fresh file, the same again, and the same rows as opt-outs (which go to the objection ledger, too); rows a second by the
 * clock, and CPU time a row of all its threads, which other work on the machine changes little. Then mail at a steady rate through
 * a gate with all checks on, by turns without and with an import into the same client beside it, uploaded to the admin API; the times of the
 * replies to RCPT and to the final dot. Takes some four minutes, and curl.
 * Options: --rows N (1,000,000; 0: none), --beside N (rows of an import beside mail, 1,000,000), --rounds N (5; 0: no mail), --rate N (messages
 * a second, 100), --sessions N (20), --seconds N (of each round without import, 8), --by api|cli, --stores lmdb,redis, --built (dist is as it
 * shall be: nothing is installed or built).
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { build, installPackages, requireNode, root } from '../toolchain.mjs';
import { campaignMail } from './message.mjs';
import { startSender, startSink } from './paced.mjs';
import { freePort, listening } from './ports.mjs';

requireNode(20);
if (!process.argv.includes('--built')) {
  installPackages();
  build();
}

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const rows = Number(option('rows', 1_000_000));
const beside = Number(option('beside', 1_000_000));
const rounds = Number(option('rounds', 5));
const rate = Number(option('rate', 100));
const sessions = Number(option('sessions', 20));
const seconds = Number(option('seconds', 8));
const by = option('by', 'api');
const stores = option('stores', 'lmdb').split(',');
const main = join(root, 'dist', 'main.js');
const children = [];

const load = () => loadavg()[0].toFixed(2);
console.log(
  `Node ${process.version}, ${availableParallelism()} × ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB; load at the start ${load()}`,
);
console.log(`${process.argv.slice(2).join(' ') || 'no options'}; ${stores.join(', ')} in ${tmpdir()}`);
for (const store of stores) {
  const home = mkdtempSync(join(tmpdir(), 'postern-import-'));
  try {
    await bench(store, home);
  } finally {
    for (const child of children.splice(0)) await stop(child);
    rmSync(home, { recursive: true, force: true });
  }
}
console.log(`load at the end ${load()}`);

async function bench(store, home) {
  const redis = store === 'redis' ? await startRedis(home) : undefined;
  const [smtp, admin, sink] = [await freePort(), await freePort(), await startSink()];
  const config = join(home, 'postern.yaml');
  writeFileSync(
    config,
    `store: {url: "${redis ?? 'lmdb:./data'}"}
submission: {listen: "127.0.0.1:${smtp}"}
inbound: {listen: "off"}
admin: {listen: "127.0.0.1:${admin}"}
upstream: {url: "smtp://127.0.0.1:${sink.port}?starttls=off"}
log: {level: warn}
`,
  );
  const postern = (...args) => run(home, [main, ...args, '--config', config]);
  for (const client of ['acme', 'beta']) {
    const about = ['--name', 'Acme', '--privacy-url', 'https://www.client.example/privacy', '--from-domain', 'client.example'];
    await postern('client', 'add', client, ...about);
  }
  if (rows > 0) await imports(store, home, postern);
  if (rounds > 0) {
    await postern('campaign', 'add', 'acme', 'spring', '--target-domain', 'prospect.example');
    await postern('credential', 'add', 'acme', 'bench', '--campaign', 'spring', '--ip', '127.0.0.1/32', '--no-password');
    await postern('account', 'add', 'boss', '--role', 'admin');
    const { token } = JSON.parse((await postern('token', 'add', 'boss', '--expires', '1', '--json')).text);
    start(process.execPath, [main, 'serve', '--config', config], home);
    // A gate first reads the objection ledger, which the opt-outs above are in.
    await Promise.all([listening(smtp, 120), listening(admin, 120)]);
    const bring = by === 'cli' ? list => postern('list', 'import', 'acme', list) : list => upload(`http://127.0.0.1:${admin}`, token, list);
    await mail(store, home, smtp, bring);
  }
  sink.close();
}

async function imports(store, home, postern) {
  const list = await writeList(home, rows, 'person');
  const empty = join(home, 'empty.txt');
  writeFileSync(empty, '');
  const idle = await postern('list', 'import', 'acme', empty);
  console.log(
    `\n${store}: postern list import, ${rows} rows, one address a line; starting and ending the command takes ${idle.seconds.toFixed(1)} s of it`,
  );
  console.log('                            rows/s      without start   seconds   CPU µs/row   without start');
  for (const [what, ...args] of [
    ['a fresh file', 'acme'],
    ['the same file again', 'acme'],
    ['the same rows as opt-outs', 'beta', '--reason', 'opt-out'],
  ]) {
    const [scope, ...more] = args;
    const { seconds, cpu } = await postern('list', 'import', scope, list, ...more);
    const figures = [Math.round(rows / seconds), Math.round(rows / (seconds - idle.seconds)), seconds.toFixed(1)];
    const spent = [(cpu / rows) * 1e6, ((cpu - idle.cpu) / rows) * 1e6].map(micros => micros.toFixed(1));
    console.log(
      `  ${what.padEnd(26)}${[...figures, ...spent].map((figure, i) => String(figure).padStart([6, 19, 10, 13, 16][i])).join('')}`,
    );
  }
  rmSync(list);
}

async function mail(store, home, port, bring) {
  const sender = await startSender(port, { sessions, from: 'news@client.example', mail: campaignMail(4096) });
  const until = Date.now() + 3_000;
  await sender.send(rate, () => Date.now() > until);
  console.log(
    `\n${store}: mail at ${rate} messages a second of 4 KB beside an import (${by}) of ${beside} rows; milliseconds until the reply`,
  );
  console.log('                    RCPT p50     p99     max    final dot p50     p99     max   messages');
  const all = { without: [], with: [] };
  const speeds = [];
  for (let round = 1; round <= rounds; round++) {
    const list = await writeList(home, beside, `round${round}.person`);
    await sleep(1_000);
    const end = Date.now() + seconds * 1_000;
    const quiet = line(`${round} without`, await sender.send(rate, () => Date.now() > end));
    let done;
    const begun = performance.now();
    const bringing = bring(list).finally(() => {
      done = performance.now();
    });
    const [times] = await Promise.all([sender.send(rate, () => done !== undefined), bringing]);
    const speed = beside / ((done - begun) / 1000);
    const busy = line(`${round} with`, times, `; ${Math.round(speed)} rows/s`);
    speeds.push(speed);
    all.without.push(quiet);
    all.with.push(busy);
    rmSync(list);
  }
  const [quiet, busy] = [all.without, all.with].map(runs => runs[0].map((_, i) => median(runs.map(run => run[i]))));
  show('median without', quiet);
  show(
    'median with',
    busy,
    `${''.padStart(11)}; ${Math.round(median(speeds))} rows/s, the start of the import's process and the upload counted`,
  );
  show('with / without', medianRatios(all.with, all.without));
  sender.close();
}

/** Of each figure the median of what it is with an import beside it over what it was right before. */
function medianRatios(busy, quiet) {
  return quiet[0].map((_, i) => median(busy.map((run, round) => run[i] / quiet[round][i])));
}

function line(name, { rcpt, dot, late }, more = '') {
  const figures = [rcpt, dot].flatMap(times => [0.5, 0.99, 1].map(share => quantile(times, share)));
  show(name, figures, `${String(dot.length).padStart(11)}${late > 0 ? `, ${late} not sent: all sessions were waiting` : ''}${more}`);
  return figures;
}

function show(name, figures, more = '') {
  console.log(`  ${name.padEnd(16)}${figures.map((figure, i) => figure.toFixed(2).padStart([10, 8, 8, 17, 8, 8][i])).join('')}${more}`);
}

function quantile(values, share) {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** As a platform does it: curl streams the file, then its job is asked for until it is over. */
async function upload(url, token, list) {
  const auth = ['-H', `Authorization: Bearer ${token}`];
  const sent = ['-sf', '-X', 'POST', '-T', list, ...auth, '-H', 'Content-Type: text/plain', `${url}/v1/clients/acme/imports`];
  const { id } = JSON.parse((await promisify(execFile)('curl', sent)).stdout);
  for (;;) {
    await sleep(100);
    const answer = await fetch(`${url}/v1/clients/acme/imports/${id}`, { headers: { authorization: `Bearer ${token}` } });
    const { state, added } = await answer.json();
    if (state === 'finished' && added === beside) return;
    if (state !== 'receiving' && state !== 'importing') throw new Error(`the import is ${state}, ${added} added`);
  }
}

async function writeList(home, count, who) {
  const path = join(home, 'list.txt');
  const file = createWriteStream(path);
  for (let i = 0; i < count; i++) if (!file.write(`${who}.number${i}@example${i % 5_000}.com\n`)) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
  return path;
}

/** Runs a command to its end; its seconds by the clock and of CPU. No other child may end meanwhile. */
async function run(home, args) {
  const before = childrensCpu();
  const begun = performance.now();
  const child = spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = [child.stdout, child.stderr].map(pipe => pipe.setEncoding('utf8').toArray());
  const [code] = await once(child, 'exit');
  const seconds = (performance.now() - begun) / 1_000;
  if (code !== 0) throw new Error(`postern ${args.slice(1, 3).join(' ')} ended with ${code}: ${(await err).join('')}`);
  return { seconds, cpu: childrensCpu() - before, text: (await out).join('') };
}

/** CPU seconds of all children that ended, as Linux counts them, in hundredths. */
function childrensCpu() {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

async function startRedis(home) {
  const port = await freePort();
  start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--appendonly', 'yes', '--save', ''], home);
  await listening(port);
  return `redis://127.0.0.1:${port}`;
}

function start(command, args, cwd) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
}

async function stop(child) {
  if (child.exitCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

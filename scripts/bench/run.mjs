/**
 * `npm run bench`: smtp-source → Postern, all checks on → smtp-sink, beside naive nodemailer relays without checks, in turn, in one
 * run. Prints messages a second and CPU milliseconds a message of the relay's process, and the ratios. Needs Postfix's tools.
 * Options: --messages N, --sessions N, --rounds N, --bytes N, --entries N (on the client's exclusion list), --workers N (of Postern's).
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, installPackages, requireNode, root } from '../toolchain.mjs';
import { campaignMail } from './message.mjs';
import { freePort, listening } from './ports.mjs';

requireNode(20);
installPackages();
build();

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const messages = option('messages', 5000);
const sessions = option('sessions', 20);
const rounds = option('rounds', 3);
const octets = option('bytes', 4096);
const entries = option('entries', 0);
const workers = option('workers', 1);

const home = mkdtempSync(join(tmpdir(), 'postern-bench-'));
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
const main = join(root, 'dist', 'main.js');
const children = [];
const mail = join(home, 'mail.eml');
writeFileSync(mail, campaignMail(octets));

try {
  const sinkPort = await freePort();
  // smtp-sink will not serve as root.
  const asWhom = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  start('smtp-sink', [...asWhom, `127.0.0.1:${sinkPort}`, '1000']);
  const relays = {};
  for (const kind of ['plain', 'pooled']) {
    const port = await freePort();
    const script = fileURLToPath(new URL('naive.mjs', import.meta.url));
    relays[kind] = { port, child: start(process.execPath, [script, String(port), String(sinkPort), kind]), runs: [] };
  }
  const port = await freePort();
  relays.postern = { port, child: startPostern(port, sinkPort), runs: [] };
  await Promise.all([sinkPort, ...Object.values(relays).map(relay => relay.port)].map(port => listening(port)));

  for (let round = 0; round <= rounds; round++) {
    for (const relay of Object.values(relays)) {
      const run = measure(relay.child, relay.port);
      // The first round warms all up and is not counted.
      if (round > 0) relay.runs.push(run);
    }
  }
  report(relays);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
}

function startPostern(port, sinkPort) {
  const config = join(home, 'postern.yaml');
  writeFileSync(
    config,
    `store: {url: "lmdb:./data"}\nsubmission: {listen: "127.0.0.1:${port}", workers: ${workers}}\ninbound: {listen: "off"}\nadmin: {listen: "off"}\nupstream: {url: "smtp://127.0.0.1:${sinkPort}?starttls=off"}\nlog: {level: warn}\n`,
  );
  const postern = (...args) =>
    execFileSync(process.execPath, [main, ...args, '--config', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  postern(
    'client',
    'add',
    'client',
    '--name',
    'Client',
    '--privacy-url',
    'https://www.client.example/privacy',
    '--from-domain',
    'client.example',
  );
  postern('campaign', 'add', 'client', 'spring', '--target-domain', 'prospect.example');
  postern('credential', 'add', 'client', 'bench', '--campaign', 'spring', '--ip', '127.0.0.1/32', '--no-password');
  if (entries > 0) {
    const list = join(home, 'list.txt');
    writeFileSync(list, Array.from({ length: entries }, (_, i) => `listed${i}@prospect.example\n`).join(''));
    postern('list', 'import', 'client', list);
  }
  return start(process.execPath, [main, 'serve', '--config', config]);
}

function start(command, args) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  children.push(child);
  return child;
}

/** One run of smtp-source against a relay. */
function measure(child, port) {
  const before = cpuMs(child.pid);
  const begun = process.hrtime.bigint();
  execFileSync(
    'smtp-source',
    [
      '-d',
      '-N',
      '-s',
      String(sessions),
      '-m',
      String(messages),
      '-F',
      mail,
      '-f',
      'news@client.example',
      '-t',
      'someone@prospect.example',
      `127.0.0.1:${port}`,
    ],
    { env, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
  return { perSecond: messages / seconds, cpuMs: (cpuMs(child.pid) - before) / messages };
}

/** CPU time of a process and its workers so far, user and system, from /proc (ticks are 10 ms). */
function cpuMs(pid) {
  const fields = id => readFileSync(`/proc/${id}/stat`, 'utf8').split(') ')[1].split(' ');
  const workersOf = readdirSync('/proc').filter(name => /^\d+$/.test(name) && fields(name)[1] === String(pid));
  return [pid, ...workersOf].reduce((sum, id) => sum + (Number(fields(id)[11]) + Number(fields(id)[12])) * 10, 0);
}

function report({ postern, plain, pooled }) {
  const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  const line = (name, { runs }) => {
    const perSecond = Math.round(median(runs.map(run => run.perSecond)));
    const cpu = median(runs.map(run => run.cpuMs)).toFixed(3);
    return `${name.padEnd(34)} ${String(perSecond).padStart(6)} msg/s  ${cpu} CPU-ms/msg`;
  };
  const ratio = other => median(postern.runs.map((run, i) => run.perSecond / other.runs[i].perSecond)).toFixed(2);
  const lines = [
    `${messages} messages of ${octets} octets, ${sessions} sessions, ${entries} list entries; ${rounds} rounds in turn, medians`,
    line(`postern, all checks, ${workers} process${workers === 1 ? '' : 'es'}`, postern),
    line('naive nodemailer relay', plain),
    line('the same, 20 kept connections', pooled),
    `postern / naive: ${ratio(plain)} times the msg/s; postern / naive with kept connections: ${ratio(pooled)} times`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

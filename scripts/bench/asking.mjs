/**
 * What the benches of the admin API share: a server on a store of its own, an asker in a process of its own, so that the gate alone is
 * measured, and the lines of the table: how long a request takes, and what mail feels of it meanwhile.
 */
import { fork } from 'node:child_process';
import { Agent, request as httpRequest } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);

/** Bodies up to so many octets are handed back, to look at what they say. */
const KEPT = 32 * 1_048_576;

export function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
}

/** Runs `bench(name, office)` on each of the stores, on an admin server of its own with the clients `acme` and `other`. */
export async function onEachStore(names, bench) {
  const { newOffice } = await import('../../test/admin/support.ts');
  const { startRedis } = await import('../../test/support/redis.ts');
  for (const name of names.split(',')) {
    const ends = [];
    const t = { teardown: end => void ends.unshift(end) };
    try {
      const store = name === 'redis' ? { url: (await startRedis(t)).url } : { url: 'lmdb:data' };
      await bench(name, await newOffice(t, { settings: { store } }));
    } finally {
      for (const end of ends) await end();
    }
  }
}

/** Asks one request after the other with an admin's token. `meanwhile`: what mail does at the same time, again and again. */
export async function startAsker({ url, token }, meanwhile) {
  const secret = (await token('admin')).token;
  const asker = fork(self, [], { execArgv: [], env: { ...process.env, ASK_URL: url, ASK_TOKEN: secret } });
  const ask = question =>
    new Promise((resolve, reject) => {
      const gone = () => reject(new Error('the asker ended'));
      asker.once('exit', gone);
      asker.once('message', answer => {
        asker.off('exit', gone);
        resolve(answer);
      });
      asker.send({ method: 'GET', times: 20, status: 200, ...question });
    });
  console.log(`  ${'ms'.padEnd(58)}    median     worst       CPU loop held   its CPU   look-up`);
  return {
    ask,
    /**
     * Asks, and prints: the request's median and worst time and the gate's CPU time for it; the event loop's longest hold, and the most CPU
     * time that the gate used between two of its turns; and mail's longest look-up. What others do on the machine changes CPU times little.
     * `note` says more of the answer.
     */
    async line(what, question, note = () => '') {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      let over = false;
      let longest = 0;
      const looking = (async () => {
        while (!over) {
          const before = performance.now();
          // Where the store gives no answer in time, mail waits no longer either.
          await meanwhile().catch(() => undefined);
          longest = Math.max(longest, performance.now() - before);
          await sleep(2);
        }
      })();
      delay.enable();
      const cpu = process.cpuUsage();
      let used = 0;
      let most = 0;
      const turning = setInterval(() => {
        const now = cpuSince(cpu);
        most = Math.max(most, now - used);
        used = now;
      }, 1);
      const answer = await ask(typeof question === 'string' ? { path: question } : question);
      const each = cpuSince(cpu) / answer.times.length;
      delay.disable();
      clearInterval(turning);
      over = true;
      await looking;
      const times = [...answer.times].sort((a, b) => a - b);
      const figures = [times[times.length >> 1], times.at(-1), each, delay.max / 1e6, most, longest].map(ms => ms.toFixed(1).padStart(9));
      console.log(`  ${what.padEnd(58)} ${figures.join(' ')}  ${note(answer)}`);
      return answer;
    },
    stop: () => void asker.disconnect(),
  };
}

function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

if (process.argv[1] === self) {
  const agent = new Agent({ keepAlive: true });
  process.once('disconnect', () => process.exit());
  process.on('message', async ({ method, path, paths, body, times: n, status: expected }) => {
    const times = [];
    let last;
    for (const one of paths ?? Array.from({ length: n }, () => path)) {
      const before = performance.now();
      last = await once(agent, method, one, body);
      times.push(performance.now() - before);
      if (last.status !== expected) throw new Error(`${method} ${one}: ${last.status} ${last.text.slice(0, 500)}`);
    }
    process.send({ times, ...last });
  });
}

function once(agent, method, path, body) {
  const type = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${process.env.ASK_TOKEN}`, ...type };
    const asked = httpRequest(new URL(path, process.env.ASK_URL), { agent, method, headers }, response => {
      const pieces = [];
      let octets = 0;
      let lines = 0;
      response.on('data', piece => {
        octets += piece.length;
        if (octets <= KEPT) pieces.push(piece);
        for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) lines += 1;
      });
      response.on('end', () => {
        resolve({ status: response.statusCode, octets, lines, text: octets <= KEPT ? Buffer.concat(pieces).toString() : '' });
      });
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

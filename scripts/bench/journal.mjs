/**
 * `node --import tsx scripts/bench/journal.mjs`: a journal of a million decisions over thirty days, written by eight gates' journals as
 * they write it on the mail path, on LMDB and on Redis; then how long pages of decisions and statistics of the month take. Nothing
 * is cached between two readings. Options: --decisions N, --gates N, --stores lmdb,redis (a redis-server of its own is started).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { Decisions } from '../../src/journal/decisions.ts';
import { Journal } from '../../src/journal/journal.ts';
import { readStats } from '../../src/journal/stats.ts';
import { Digests } from '../../src/keys/digest.ts';
import { createKeyring, loadKeyring } from '../../src/keys/keyring.ts';
import { openVault } from '../../src/keys/vault.ts';
import { parseAddress } from '../../src/mail/address.ts';
import { openStore } from '../../src/store/open.ts';
import { startRedis } from '../../test/support/redis.ts';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const total = Number(option('decisions', 1_000_000));
const gates = Number(option('gates', 8));
const READINGS = 20;
const DAY_MS = 86_400_000;
const CLIENT = 'acme';
const CAMPAIGNS = ['spring', 'summer', 'autumn', 'winter', 'trial', 'news', 'events', 'partners', 'alumni', 'survey'];
const GROUNDS = [
  ['exclusion', 'excluded'],
  ['suppression', 'suppressed'],
  ['suppression', 'opted-out'],
  ['personal-address', 'personal'],
  ['target-domain', 'off-target'],
  ['opt-out', 'no-opt-out'],
  ['upstream', 'refused'],
];

for (const name of option('stores', 'lmdb,redis').split(',')) {
  const dir = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  const redis = name === 'redis' ? await startRedis() : undefined;
  try {
    await measure(name, dir, redis?.url ?? 'lmdb:data');
  } finally {
    await redis?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function measure(name, dir, url) {
  const start = Date.parse('2026-03-01T00:00:00Z');
  const clock = { at: start, now: () => clock.at };
  const file = join(dir, 'keys/postern.key');
  await createKeyring(file, clock);
  const keyring = await loadKeyring({ file }, clock);
  const vault = openVault(join(dir, 'vault'), { keyring, clock });
  await vault.create(CLIENT);
  const log = pino({ level: 'silent' });
  const store = await openStore(url, { create: true, patient: false, baseDir: dir, log, admit: async () => undefined });
  const parts = { store, digests: new Digests(keyring), vault, sealer: keyring.sealer('journal'), clock, log };
  const journals = Array.from({ length: gates }, () => new Journal(parts));

  const began = performance.now();
  const people = Array.from({ length: 20_000 }, (_, n) => parseAddress(`person${n}@company${n % 997}.example`));
  for (let n = 0; n < total; n++) {
    clock.at = start + Math.floor((n / total) * 30 * DAY_MS);
    const journal = journals[Math.floor(n / 2_000) % gates];
    // Three of a million: what a page must not look for in all the others.
    const [check, token] = n % 400_000 === 100_000 ? ['upstream', 'rare'] : GROUNDS[Math.floor(n / 3) % GROUNDS.length];
    const labels = { client: CLIENT, campaign: CAMPAIGNS[Math.floor(n / 13) % CAMPAIGNS.length] };
    const outcome = n % 50 === 0 ? 'deferred' : 'rejected';
    journal.decided({
      ...labels,
      credential: 'robot',
      transaction: `6f1c2b1e-0000-4000-8000-${String(n).padStart(12, '0')}`,
      stage: 'rcpt',
      outcome,
      check,
      token,
      reason: `${check} of ${CLIENT} lists this address`,
      reply: `550 5.7.1 Recipient may not be mailed (${token})`,
      policy: 'basic',
      recipient: people[(n * 7919) % people.length],
      keepRecipient: true,
    });
    journal.count({ ...labels, outcome: 'relayed', check: '', token: '' }, 9);
    if (n % 2_000 === 1_999) await written(journal);
  }
  for (const journal of journals) {
    await written(journal);
    await journal.close();
  }
  const seconds = (performance.now() - began) / 1_000;
  console.log(
    `\n${name}: ${total} decisions of ${gates} gates written in ${seconds.toFixed(0)} s (${Math.round(total / seconds)} a second)`,
  );

  const decisions = new Decisions(parts);
  const query = { clients: [CLIENT], limit: 100 };
  const middle = (await decisions.list({ ...query, to: start + 15 * DAY_MS })).next;
  const transaction = `6f1c2b1e-0000-4000-8000-${String(total >> 1).padStart(12, '0')}`;
  const page = more => async () => (await decisions.list({ ...query, ...more })).items.length;
  const month = { owners: [CLIENT], from: start, to: start + 30 * DAY_MS };
  const stats = groupBy => async () => {
    const { totals, rows } = await readStats(store, { ...month, groupBy });
    if (totals.relayed !== total * 9 || totals.rejected + totals.deferred !== total) throw new Error('the counts are off');
    return rows.length;
  };
  for (const [what, read] of [
    ['newest 100', page({})],
    ['newest 1,000', page({ limit: 1_000 })],
    ['from the middle', page({ after: middle })],
    ['one campaign', page({ campaign: 'autumn' })],
    ['one check', page({ check: 'suppression' })],
    ['one token of one campaign', page({ token: 'personal', campaign: 'news' })],
    ['a token that three have', page({ token: 'rare' })],
    ['an outcome within a day', page({ outcome: 'deferred', from: start + 3 * DAY_MS, to: start + 4 * DAY_MS })],
    ['one recipient', page({ recipient: people[7] })],
    ['one transaction', page({ transaction })],
    ['stats of 30 days by outcome, check, token, campaign', stats(['campaign', 'outcome', 'check', 'token'])],
    ['stats of 30 days by campaign', stats(['campaign'])],
    ['stats of 30 days by day', stats(['day'])],
    ['stats of 30 days by hour', stats(['hour'])],
  ]) {
    const times = [];
    let rows = 0;
    for (let n = 0; n < READINGS; n++) {
      const before = performance.now();
      rows = await read();
      times.push(performance.now() - before);
    }
    times.sort((a, b) => a - b);
    const [median, worst] = [times[READINGS >> 1], times[READINGS - 1]].map(ms => ms.toFixed(1).padStart(6));
    console.log(`  ${what.padEnd(52)} ${String(rows).padStart(5)} rows  median ${median} ms  worst ${worst} ms`);
  }
  await store.close();
  await vault.close();
}

/** A store that is slow for a moment is asked again, as on the mail path. */
async function written(journal) {
  for (;;) {
    try {
      return await journal.flush();
    } catch (error) {
      if (error.name !== 'StoreUnavailable') throw error;
    }
  }
}

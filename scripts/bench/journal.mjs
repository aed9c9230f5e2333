/**
 * `node --import tsx scripts/bench/journal.mjs`: a journal of a million decisions over the last thirty days, written by eight gates as they
 * write it on the mail path, on LMDB and on Redis; then pages of decisions and statistics of the month, asked over HTTP. Nothing is cached
 * between two requests. Options: --decisions N, --gates N, --runs N (how often each gate was started within the month; every fourth run
 * was killed), --stores lmdb,redis (a redis-server of its own is started).
 */
import { COUNTERS, moveShared } from '../../src/journal/counters.ts';
import { Journal } from '../../src/journal/journal.ts';
import { moveOldTallies } from '../../src/journal/refused-domains.ts';
import { parseAddress } from '../../src/mail/address.ts';
import { onEachStore, option, startAsker } from './asking.mjs';

const total = Number(option('decisions', 1_000_000));
const gates = Number(option('gates', 8));
const runs = Number(option('runs', 30));
const DAY_MS = 86_400_000;
const DAYS = 30;
const CLIENT = 'acme';
const BATCH = 500;
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
const people = Array.from({ length: 20_000 }, (_, n) => parseAddress(`person${n}@company${n % 997}.example`));
const transactionOf = n => `6f1c2b1e-0000-4000-8000-${String(n).padStart(12, '0')}`;

await onEachStore(option('stores', 'lmdb,redis'), async (name, office) => {
  const start = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAYS * DAY_MS;
  const sample = await write(name, office.house, start);
  const asker = await startAsker(office, () => office.house.lists.standing(people[7], CLIENT, []));
  const at = days => new Date(start + days * DAY_MS).toISOString();
  for (const id of CAMPAIGNS.slice(1)) {
    const body = JSON.stringify({ id, targetDomains: ['prospect.example'] });
    await asker.ask({ method: 'POST', path: `/v1/clients/${CLIENT}/campaigns`, body, times: 1, status: 201 });
  }
  const page = (what, query) =>
    asker.line(`decisions: ${what}`, `/v1/clients/${CLIENT}/decisions?${query}`, ({ text }) => {
      const { items, next } = JSON.parse(text);
      return `${items.length} rows${next === null ? '' : ', more'}`;
    });
  const middle = JSON.parse((await asker.ask({ path: `/v1/clients/${CLIENT}/decisions?to=${at(15)}`, times: 1 })).text).next;
  await page('newest 100', '');
  await page('newest 1,000', 'limit=1000');
  await page('100 from the middle, by cursor', `cursor=${middle}`);
  await page('100 of the first day', `to=${at(1)}`);
  await page('of one campaign', 'campaign=autumn');
  await page('of one check', 'check=suppression');
  await page('1,000 of one check', 'check=suppression&limit=1000');
  await page('of one token and campaign', 'token=personal&campaign=news');
  await page('of a token that three have', 'token=rare');
  await page('of a check and campaign that one has', 'check=upstream&token=rare&campaign=trial');
  await page('of a check that none has', 'check=conversation');
  await page('of a check and a token that none has together', 'check=opt-out&token=excluded');
  await page('of an outcome that none has', 'outcome=observed');
  await page('of one outcome, on one day', `outcome=deferred&from=${at(3)}&to=${at(4)}`);
  await page('of one campaign, before the month', `campaign=autumn&to=${at(0)}`);
  await page('of one recipient', `recipient=${encodeURIComponent('person7@company7.example')}`);
  await page('of a recipient nobody knows', 'recipient=nobody@company7.example');
  await page('of one transaction', `transaction=${transactionOf(total >> 1)}`);
  await page('of a transaction nobody knows', 'transaction=none');
  await asker.line('one decision', `/v1/clients/${CLIENT}/decisions/${sample}`);
  await asker.line('one decision that is not there', { path: `/v1/clients/${CLIENT}/decisions/0000000000000000`, status: 404 });
  await asker.line('decisions of all clients', '/v1/decisions');

  const stats = (what, query, path = `/v1/clients/${CLIENT}/stats`) =>
    asker.line(`stats: ${what}`, `${path}?from=${at(0)}&to=${at(DAYS)}&${query}`, ({ text, octets, lines }) => {
      if (!text.startsWith('{')) return `${lines - 1} rows of CSV`;
      const { totals, rows } = JSON.parse(text);
      if (totals.relayed !== total * 9 || totals.rejected + totals.deferred !== total) throw new Error('the counts are off');
      return `${rows.length} rows, ${Math.ceil(octets / 1024)} KiB`;
    });
  await stats('by outcome, check, token, campaign', '');
  await stats('by campaign', 'groupBy=campaign');
  await stats('by day', 'groupBy=day');
  await stats('by hour', 'groupBy=hour');
  await stats('by hour, CSV', 'groupBy=hour&format=csv');
  await stats('by hour, one campaign of all, CSV', 'groupBy=hour&campaign=news&format=csv');
  await stats('by day, campaign, check', 'groupBy=day,campaign,check');
  await stats('by hour and campaign', 'groupBy=hour,campaign');
  await stats('by hour and campaign, CSV', 'groupBy=hour,campaign&format=csv');
  await stats('of all clients', '', '/v1/stats');
  asker.stop();
});

/** Gives the id of a decision. */
async function write(name, house, start) {
  const clock = { at: start, now: () => clock.at };
  const parts = { ...house.journalParts, clock };
  const journals = Array.from({ length: gates }, () => ({ journal: new Journal(parts), run: 0 }));
  let killed = 0;
  let sample;
  const began = performance.now();
  for (let n = 0; n < total; n++) {
    clock.at = start + Math.floor((n / total) * DAYS * DAY_MS);
    const gate = journals[Math.floor(n / BATCH) % gates];
    // Three of a million: what a page must not look for in all the others.
    const [check, token] = n % 400_000 === 100_000 ? ['upstream', 'rare'] : GROUNDS[Math.floor(n / 3) % GROUNDS.length];
    const labels = { client: CLIENT, campaign: CAMPAIGNS[Math.floor(n / 13) % CAMPAIGNS.length] };
    const id = gate.journal.decided({
      ...labels,
      credential: 'robot',
      transaction: transactionOf(n),
      stage: 'rcpt',
      outcome: n % 50 === 0 ? 'deferred' : 'rejected',
      check,
      token,
      reason: `${check} of ${CLIENT} lists this address`,
      reply: `550 5.7.1 Recipient may not be mailed (${token})`,
      policy: 'basic',
      recipient: people[(n * 7919) % people.length],
      keepRecipient: true,
    });
    if (n === total >> 1) sample = id;
    gate.journal.count({ ...labels, outcome: 'relayed', check: '', token: '' }, 9);
    if (n % BATCH < BATCH - 1) continue;
    await written(gate.journal);
    const run = Math.floor((n / total) * runs);
    if (run === gate.run) continue;
    if (run % 4 === 0) killed += 1;
    else await gate.journal.close();
    Object.assign(gate, { run, journal: new Journal(parts) });
  }
  // As a gate does every hour.
  await moveShared(house.store, CLIENT, COUNTERS, clock.at);
  await moveOldTallies(house, CLIENT, clock.at);
  for (const { journal } of journals) {
    await written(journal);
    await journal.close();
  }
  const seconds = (performance.now() - began) / 1_000;
  const each = `${gates} gates, each started ${runs} times, ${killed} times killed`;
  console.log(`\n${name}: ${total} decisions of ${each}, written in ${seconds.toFixed(0)} s (${Math.round(total / seconds)} a second)`);
  return sample;
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

/** The journal: written within a second, kept while the store is away, bounded, and read back by its ids; on both stores. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { DecisionId } from '../../src/ids.ts';
import { Decisions } from '../../src/journal/decisions.ts';
import { readStats } from '../../src/journal/stats.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, type Desk, decision, eventually, newDesk, OTHER } from './desk.ts';

async function total({ parts }: Desk): Promise<number> {
  const { totals } = await readStats(parts.store, { owners: [ACME], groupBy: [] });
  return Object.values(totals).reduce((sum, count) => sum + count, 0);
}

t.test('a decision is written by itself, sealed, and explained by its id', async t => {
  const desk = await newDesk(t);
  const id = desk.decided('Sam+tag@Example.NET');
  await eventually(async () => (await desk.count('decisions')) === 1);
  t.match(await desk.decisions.show(id, [OTHER, ACME]), {
    id,
    at: desk.clock.at,
    client: 'acme',
    campaign: 'spring',
    credential: 'robot',
    recipient: 'sam@example.net',
    pseudonym: /^\S{16}$/,
    check: 'exclusion',
    token: 'excluded',
    reply: '550 5.7.1 Recipient may not be mailed (excluded)',
  });
  t.equal(await desk.decisions.show(id, [OTHER]), undefined, 'A1: nothing is found under another client');
  await eventually(async () => (await total(desk)) === 1);
  for await (const [, value] of desk.parts.store.scan({ owner: ACME, log: 'decisions' }))
    t.notMatch(value.toString('latin1'), /robot|sam@|spring/);
});

t.test('an id told before its decision is made', async t => {
  const desk = await newDesk(t);
  const id = desk.journal.reserve();
  await desk.journal.flush();
  t.equal(await desk.decisions.show(id, [ACME]), undefined);
  t.equal(desk.journal.decided(decision('sam@example.net'), id), id);
  await desk.journal.flush();
  t.match(await desk.decisions.show(id, [ACME]), { recipient: 'sam@example.net' });
});

t.test('what comes in while the last of it is written is not left waiting for the next event', async t => {
  const desk = await newDesk(t);
  let applies = 0;
  desk.beforeApply = () => {
    applies += 1;
    // The third is the counters': nothing is asked for behind it.
    if (applies === 3) desk.decided('late@example.net');
  };
  desk.decided('sam@example.net');
  await eventually(async () => (await desk.count('decisions')) === 2 && (await total(desk)) === 2);
  t.ok(applies >= 4);
});

t.test('the store is away: kept, told once, written when it is back', async t => {
  const desk = await newDesk(t);
  desk.away = true;
  const ids = Array.from({ length: 1_234 }, (_, i) => desk.decided(`r${i}@example.net`));
  await t.rejects(desk.journal.flush(), { name: 'StoreUnavailable' });
  await t.rejects(desk.journal.flush(), { name: 'StoreUnavailable' });
  await eventually(() => desk.logged.some(({ msg }) => msg.includes('does not take decisions')));
  await new Promise(resolve => setTimeout(resolve, 1_200));
  t.equal(desk.logged.filter(({ msg }) => msg.includes('does not take decisions')).length, 1, 'an outage does not fill the log');
  t.equal(await desk.count('decisions'), 0);
  desk.away = false;
  await eventually(async () => (await desk.count('decisions')) === ids.length && (await total(desk)) === ids.length);
  t.match(await desk.decisions.show(ids.at(-1) as DecisionId, [ACME]), { recipient: 'r1233@example.net' });
  t.equal(desk.journal.lost, 0);
  await eventually(() => desk.logged.some(({ msg }) => msg.includes('written again')));
});

t.test('bounded: the oldest are dropped and counted, the counters lose nothing', async t => {
  const desk = await newDesk(t);
  desk.away = true;
  const input = decision('sam@example.net', { keepRecipient: false });
  const ids = Array.from({ length: 50_100 }, () => desk.journal.decided(input));
  t.equal(desk.journal.lost, 100);
  await t.rejects(desk.journal.flush());
  t.equal(desk.journal.lost, 100, 'a failed write loses nothing more');
  desk.away = false;
  await desk.journal.flush();
  t.equal(await desk.count('decisions'), 50_000);
  t.equal(await desk.decisions.show(ids[99] as DecisionId, [ACME]), undefined);
  t.match(await desk.decisions.show(ids[100] as DecisionId, [ACME]), { client: 'acme' });
  t.equal(await total(desk), 50_100);
});

t.test('dropped while they are being written: counted as lost only if they are', async t => {
  const desk = await newDesk(t);
  const input = decision('sam@example.net', { keepRecipient: false });
  desk.beforeApply = () => {
    desk.beforeApply = undefined;
    for (let i = 0; i < 50_000; i++) desk.journal.decided(input);
  };
  desk.journal.decided(input);
  await desk.journal.flush();
  t.equal(desk.journal.lost, 0);
  t.equal(await desk.count('decisions'), 50_001);
});

t.test('closing writes what waits, and leaves nothing running', async t => {
  const desk = await newDesk(t);
  desk.decided('sam@example.net');
  await desk.journal.close();
  t.equal(await desk.count('decisions'), 1);

  const gone = desk.another();
  gone.decided(decision('sam@example.net'));
  desk.away = true;
  await gone.close();
  t.match(desk.logged.at(-1), { msg: /decisions lost at stop/, decisions: 1 });
  const before = desk.logged.length;
  gone.decided(decision('late@example.net'));
  await new Promise(resolve => setTimeout(resolve, 700));
  t.equal(desk.logged.length, before, 'no retry goes on, and nothing begins anew');
});

t.test("a client whose data key is damaged holds up its own decisions, not everybody else's", async t => {
  const desk = await newDesk(t);
  desk.decided('sam@example.net');
  desk.decided('sam@example.net', { client: OTHER });
  // Beyond the few seconds for which the vault remembers.
  desk.clock.at += 60_000;
  const name = (await readdir(join(desk.dir, 'vault'))).find(file => file.startsWith('other')) ?? '';
  const file = join(desk.dir, 'vault', name);
  const good = await readFile(file);
  await writeFile(file, Buffer.alloc(good.length, 7));
  await t.rejects(desk.journal.flush(), { name: 'VaultUnavailable' });
  t.equal(await desk.count('decisions'), 1);
  t.equal(await desk.count('decisions', OTHER), 0);
  t.equal(await total(desk), 1, 'counters name nobody, so they need no key');
  await writeFile(file, good);
  await desk.journal.flush();
  t.equal(await desk.count('decisions', OTHER), 1);
});

t.test('A21: a client whose data key is gone: lines stay, nobody stands behind them', async t => {
  const desk = await newDesk(t);
  const id = desk.decided('sam@example.net');
  await desk.journal.flush();
  await desk.parts.vault.destroy(ACME);
  const shown = await desk.decisions.show(id, [ACME]);
  t.match(shown, { pseudonym: /^\S{16}$/, check: 'exclusion' });
  t.equal(shown?.recipient, undefined);
  const later = desk.decided('sam@example.net');
  await desk.journal.flush();
  t.match(await desk.decisions.show(later, [ACME]), { recipient: undefined, pseudonym: undefined });
});

t.test('another key ring opens no decision, and says so', async t => {
  const desk = await newDesk(t);
  const foreign = await newDesk(t);
  const id = desk.decided('sam@example.net');
  await desk.journal.flush();
  const decisions = new Decisions({ ...desk.parts, sealer: foreign.parts.sealer });
  await t.rejects(decisions.show(id, [ACME]), /cannot be opened with this key/);
});

t.test('Redis killed and back: nothing that was decided meanwhile is lost', { skip: noRedis }, async t => {
  const redis = await startRedis(t, { args: ['--appendfsync', 'always'] });
  const desk = await newDesk(t, redis.url);
  desk.decided('before@example.net');
  await desk.journal.flush();
  await redis.kill();
  const id = desk.decided('during@example.net');
  await t.rejects(desk.journal.flush(), { name: 'StoreUnavailable' });
  await redis.restart();
  await eventually(async () => (await desk.count('decisions').catch(() => 0)) === 2 && (await total(desk).catch(() => 0)) === 2);
  t.match(await desk.decisions.show(id, [ACME]), { recipient: 'during@example.net' });
});

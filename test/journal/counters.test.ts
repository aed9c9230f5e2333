/** Counters: absolute totals of each run and hour, so that repeated writes count once and several gates' sums add up. */
import t from 'tap';
import type { CampaignId, ClientId } from '../../src/ids.ts';
import { type Count, Counters, readCounts } from '../../src/journal/counters.ts';
import type { CounterLabels } from '../../src/journal/decision.ts';
import { ACME, type Desk, newDesk, OTHER } from './desk.ts';

const HOUR = 3_600_000;
const RELAYED: CounterLabels = { client: ACME, campaign: undefined, outcome: 'relayed', check: '', token: '' };
const EXCLUDED: CounterLabels = {
  client: ACME,
  campaign: 'spring' as CampaignId,
  outcome: 'rejected',
  check: 'exclusion',
  token: 'excluded',
};

async function read({ parts }: Desk, client: ClientId = ACME, since?: number): Promise<readonly Count[]> {
  const all: Count[] = [];
  for await (const count of readCounts(parts.store, client, since)) all.push(count);
  return all;
}

const sum = (counts: readonly Count[], outcome: string) =>
  counts.filter(count => count.outcome === outcome).reduce((total, { count }) => total + count, 0);

t.test('by client, campaign, outcome, check, token and hour', async t => {
  const desk = await newDesk(t);
  const counters = new Counters();
  const at = desk.clock.at;
  counters.add(at, RELAYED, 3);
  counters.add(at, EXCLUDED);
  counters.add(at, EXCLUDED);
  counters.add(at, { ...RELAYED, client: OTHER });
  counters.add(at + HOUR, EXCLUDED);
  t.equal(counters.dirty, true);
  await counters.flush(desk.parts.store, at + HOUR);
  t.equal(counters.dirty, false);
  const hour = Date.parse('2026-11-21T12:00:00Z');
  t.same(await read(desk), [
    { ...RELAYED, hour, count: 3 },
    { ...EXCLUDED, hour, count: 2 },
    { ...EXCLUDED, hour: hour + HOUR, count: 1 },
  ]);
  t.same(await read(desk, OTHER), [{ ...RELAYED, client: OTHER, hour, count: 1 }], "A1: another client's are its own");
  t.equal((await read(desk, ACME, hour + HOUR)).length, 1, 'since the later hour');
  t.equal((await read(desk, ACME, hour + HOUR - 1)).length, 3, 'since the end of the first: its whole hour');
});

t.test('a repeated write counts once; a write whose outcome is unknown too', async t => {
  const desk = await newDesk(t);
  const counters = new Counters();
  counters.add(desk.clock.at, RELAYED, 5);
  await counters.flush(desk.parts.store, desk.clock.at);
  counters.add(desk.clock.at, RELAYED, 2);
  // It was written, yet nobody heard so.
  const deaf = {
    ...desk.parts.store,
    apply: async (...args: Parameters<typeof desk.parts.store.apply>) => {
      await desk.parts.store.apply(...args);
      throw new Error('lost the answer');
    },
  };
  await t.rejects(counters.flush(deaf, desk.clock.at), /lost the answer/);
  t.equal(sum(await read(desk), 'relayed'), 7);
  await counters.flush(desk.parts.store, desk.clock.at);
  await counters.flush(desk.parts.store, desk.clock.at);
  t.equal(sum(await read(desk), 'relayed'), 7);
  t.equal(await desk.count('counters'), 1);
});

t.test('what is counted while a write is on its way is written by the next', async t => {
  const desk = await newDesk(t);
  const counters = new Counters();
  counters.add(desk.clock.at, RELAYED);
  desk.beforeApply = () => {
    counters.add(desk.clock.at, RELAYED);
    desk.beforeApply = undefined;
  };
  await counters.flush(desk.parts.store, desk.clock.at);
  t.equal(counters.dirty, true);
  t.equal(sum(await read(desk), 'relayed'), 1);
  await counters.flush(desk.parts.store, desk.clock.at);
  t.equal(sum(await read(desk), 'relayed'), 2);
});

t.test('two runs add up', async t => {
  const desk = await newDesk(t);
  for (const n of [3, 4]) {
    const run = new Counters();
    run.add(desk.clock.at, RELAYED, n);
    await run.flush(desk.parts.store, desk.clock.at);
  }
  t.equal(sum(await read(desk), 'relayed'), 7);
  t.equal(await desk.count('counters'), 2);
});

t.test('an hour that begins again because the clock was set back keeps what it had', async t => {
  const desk = await newDesk(t);
  const counters = new Counters();
  counters.add(desk.clock.at, RELAYED, 10);
  await counters.flush(desk.parts.store, desk.clock.at + HOUR);
  counters.add(desk.clock.at, RELAYED, 1);
  await counters.flush(desk.parts.store, desk.clock.at);
  t.equal(sum(await read(desk), 'relayed'), 11);
});

t.test('no client keeps another from being written', async t => {
  const desk = await newDesk(t);
  const counters = new Counters();
  const clients = Array.from({ length: 1_200 }, (_, i) => `client-${i}` as ClientId);
  for (const client of clients) counters.add(desk.clock.at, { ...RELAYED, client });
  let applies = 0;
  desk.beforeApply = () => {
    applies += 1;
  };
  await counters.flush(desk.parts.store, desk.clock.at);
  t.equal(applies, 2, 'a thousand clients in one write');
  for (const client of [clients[0], clients[1_199]]) t.equal(sum(await read(desk, client), 'relayed'), 1);
});

/** Counters: absolute totals of each run and hour, so that repeated writes count once and several gates' sums add up. */
import t from 'tap';
import type { CampaignId, ClientId } from '../../src/ids.ts';
import { COUNTERS, Counters, countedOnce, moveShared, sharedCounter } from '../../src/journal/counters.ts';
import type { CounterLabels } from '../../src/journal/decision.ts';
import type { Span } from '../../src/journal/hours.ts';
import { type CountRow, type Group, readStats, USUAL_GROUPS } from '../../src/journal/stats.ts';
import { noRedis, startRedis } from '../support/redis.ts';
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

async function read({ parts }: Desk, client: ClientId = ACME, span: Span = {}): Promise<readonly CountRow[]> {
  return (await readStats(parts.store, { owners: [client], groupBy: [...USUAL_GROUPS, 'hour'], ...span })).rows as readonly CountRow[];
}

const sum = (counts: readonly CountRow[], outcome: string) =>
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
  t.equal((await read(desk, ACME, { from: hour + HOUR })).length, 1, 'since the later hour');
  t.equal((await read(desk, ACME, { from: hour + HOUR - 1 })).length, 3, 'since the end of the first: its whole hour');
  t.equal((await read(desk, ACME, { to: hour + HOUR })).length, 2, 'before the later hour');
  t.equal((await read(desk, ACME, { to: hour + HOUR + 1 })).length, 3, 'before its second millisecond: its whole hour');
  t.equal((await read(desk, ACME, { from: hour + HOUR, to: hour })).length, 0, 'from late to early');
});

t.test('A16: of more rows than were asked for none is told; the totals are whole all the same', async t => {
  const desk = await newDesk(t);
  const counters = new Counters();
  for (let n = 0; n < 30; n++) counters.add(desk.clock.at + n * HOUR, EXCLUDED, 2);
  counters.add(desk.clock.at, RELAYED, 5);
  await counters.flush(desk.parts.store, desk.clock.at);
  const read = (groupBy: readonly Group[], most?: number) => readStats(desk.parts.store, { owners: [ACME], groupBy, most });
  const { cut, totals } = await read(['hour'], 29);
  t.same({ cut, relayed: totals.relayed, rejected: totals.rejected }, { cut: true, relayed: 5, rejected: 60 });
  for (const all of [await read(['hour'], 30), await read(['hour'])]) {
    t.equal(all.cut, false);
    t.equal(all.rows.length, 30);
    t.match(all.rows[0], { hour: Date.parse('2026-11-21T12:00:00Z'), relayed: 5, rejected: 2, deferred: 0 });
  }
  t.same(
    (await read(['day', 'check'])).rows.map(({ day, check, ...counts }) => [day, check, counts]),
    [
      ['2026-11-21T00:00:00Z', 'exclusion', { relayed: 0, rejected: 24 }],
      ['2026-11-21T00:00:00Z', '', { relayed: 5, rejected: 0 }],
      ['2026-11-22T00:00:00Z', 'exclusion', { relayed: 0, rejected: 36 }],
    ].map(([day, check, counts]) => [Date.parse(day as string), check, { ...(counts as object), deferred: 0, observed: 0, unknown: 0 }]),
  );
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

t.test('an hour that is over is moved into its day, once; so is every hour at the end of the run', async t => {
  const desk = await newDesk(t);
  const at = desk.clock.at;
  const runs = [new Counters(), new Counters()];
  for (const run of runs) {
    run.add(at, EXCLUDED, 2);
    await run.flush(desk.parts.store, at);
    run.add(at + HOUR, EXCLUDED, 3);
  }
  t.equal(await desk.count('counters'), 2);
  const before = sum(await read(desk), 'rejected');
  await Promise.all(runs.map(run => run.flush(desk.parts.store, at + HOUR)));
  t.equal(before, 4);
  t.equal(sum(await read(desk), 'rejected'), 10);
  for (const run of runs) await run.settle(desk.parts.store);
  t.equal(await desk.count('counters'), 0, 'nothing is left of the hours');
  t.same(
    (await read(desk)).map(({ count }) => count),
    [4, 6],
  );
});

t.test('whatever became of a move, nothing is counted twice or lost', async t => {
  const desk = await newDesk(t);
  const at = desk.clock.at;
  const { store } = desk.parts;
  for (const fault of ['lost the answer', 'never sent']) {
    const counters = new Counters();
    counters.add(at, RELAYED, 5);
    await counters.flush(store, at);
    const deaf = {
      ...store,
      apply: async (...args: Parameters<typeof store.apply>) => {
        if (fault === 'lost the answer') await store.apply(...args);
        throw new Error(fault);
      },
    };
    await t.rejects(counters.settle(deaf), { message: fault });
    await counters.settle(store);
    await counters.settle(store);
  }
  t.equal(sum(await read(desk), 'relayed'), 10);
  t.equal(await desk.count('counters'), 0);
});

for (const engine of ['lmdb', 'redis'] as const) {
  t.test(`who reads while hours are moved reads each of them once, on ${engine}`, { skip: engine === 'redis' && noRedis }, async t => {
    const desk = await newDesk(t, engine === 'redis' ? (await startRedis(t)).url : undefined);
    const { store } = desk.parts;
    const at = desk.clock.at;
    const runs = Array.from({ length: 100 }, () => new Counters());
    for (const run of runs) {
      run.add(at, RELAYED, 1);
      await run.flush(store, at);
    }
    const settling = runs.values();
    const move = async (): Promise<void> => settling.next().value?.settle(store);
    // Between any two steps of a reading something is moved.
    const moving: typeof store = {
      ...store,
      async find(keys) {
        await move();
        return store.find(keys);
      },
      async *scan(range) {
        await move();
        yield* store.scan(range);
      },
    };
    for (let left = runs.length; left > 0; left = await desk.count('counters')) {
      const { rows } = await readStats(moving, { owners: [ACME], groupBy: USUAL_GROUPS });
      t.equal(sum(rows as readonly CountRow[], 'relayed'), runs.length, `with ${left} at its beginning`);
    }
    t.equal(sum(await read(desk), 'relayed'), runs.length);
  });
}

t.test('what all gates count together is moved too, by whichever comes first, while others go on counting', async t => {
  const desk = await newDesk(t);
  const { store } = desk.parts;
  const at = desk.clock.at;
  const add = async (when: number, share: number): Promise<void> => {
    const key = sharedCounter(ACME, when, share);
    const [held] = await store.find([key]);
    await store.apply([{ key, value: countedOnce(held, EXCLUDED) }], [{ key, value: held }]);
  };
  for (let share = 0; share < 64; share++) for (const when of [at, at, at + HOUR]) await add(when, share);
  const counters = new Counters();
  counters.add(at, EXCLUDED, 8);
  await counters.flush(store, at);
  await Promise.all([1, 2, 3].map(() => moveShared(store, ACME, COUNTERS, at + HOUR)));
  t.same(
    (await read(desk)).map(({ count }) => count),
    [136, 64],
  );
  t.equal(await desk.count('counters'), 65, 'the hour that runs, and what a run counts by itself, stay');
  await add(at, 1);
  await moveShared(store, ACME, COUNTERS, at + HOUR);
  t.same(
    (await read(desk)).map(({ count }) => count),
    [137, 64],
    'somebody whose clock is late counts into an hour that was moved',
  );
});

t.test('runs that were killed leave nothing to read one by one: two days later others move what they had, once', async t => {
  const desk = await newDesk(t);
  const { store } = desk.parts;
  const at = desk.clock.at;
  const cut = new Counters();
  const killed = Array.from({ length: 5 }, () => new Counters());
  for (const run of [cut, ...killed]) {
    run.add(at, EXCLUDED, 2);
    await run.flush(store, at);
  }
  await moveShared(store, ACME, COUNTERS, at + 47 * HOUR);
  t.equal(await desk.count('counters'), 6, 'their runs may go on writing');
  cut.add(at, EXCLUDED, 3);
  desk.away = true;
  await t.rejects(cut.flush(desk.parts.store, at));
  desk.away = false;
  await Promise.all([1, 2].map(() => moveShared(store, ACME, COUNTERS, at + 49 * HOUR)));
  t.equal(await desk.count('counters'), 0);
  t.equal(sum(await read(desk), 'rejected'), 12);
  await cut.flush(store, at + 49 * HOUR);
  await cut.settle(store);
  t.equal(sum(await read(desk), 'rejected'), 15, 'a gate that could not reach the store for two days adds what it had not written');
  t.equal(await desk.count('counters'), 0);
});

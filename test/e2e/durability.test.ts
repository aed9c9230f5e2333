/** What was acknowledged stays so through kill -9 of the gate, whoever else changes the lists meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ACME, type Acme, acmeSite, person } from '../support/acme.ts';
import { idOf, Platform, sendOne } from '../support/platform.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const SESSIONS = 4;
const KILLS = 2;
const acme = { owner: ACME };

/** People whom other processes list, one after another, until `stop`; it resolves to those of whom that was acknowledged. */
function changing({ house, site }: Acme): { stop(): Promise<readonly string[]> } {
  const acknowledged: string[] = [];
  let over = false;
  const inHouse = house(async ({ lists }) => {
    for (let n = 0; !over; n++) {
      const [objector, excluded] = [`objector${n}@there.example`, `excluded${n}@there.example`];
      await lists.suppress(acme, person(objector), { reason: 'objection', source: 'recipient' });
      acknowledged.push(objector);
      await lists.add(acme, person(excluded), { reason: 'manual', source: 'operator' });
      acknowledged.push(excluded);
      await sleep(10);
    }
  });
  const byCommand = (async () => {
    for (let n = 0; !over; n++) {
      const who = `command${n}@there.example`;
      const { code } = await site.cli('list', 'add', 'acme', who);
      if (code === 0) acknowledged.push(who);
      await sleep(500);
    }
  })();
  return {
    stop: async () => {
      over = true;
      await Promise.all([inHouse, byCommand]);
      return acknowledged;
    },
  };
}

async function killedUnderLoad(t: Test, all: Acme): Promise<void> {
  const { site, sink, house } = all;
  let gate = await site.serve();
  const platform = new Platform(() => gate.port);
  t.teardown(() => platform.close());
  let n = 0;
  const load = platform.load(SESSIONS, () => `clean${n++}@there.example`);
  const lists = changing(all);
  for (let kill = 0; kill < KILLS; kill++) {
    const before = platform.taken.length;
    await until('the load runs', () => platform.taken.length >= before + 15);
    await gate.kill();
    gate = await site.serve();
  }
  await until('the load runs again', () => platform.told.at(-1)?.reply.startsWith('250'));
  await load.stop();
  const acknowledged = await lists.stop();

  const took = sink.messages.map(({ octets }) => idOf(octets));
  const ids = new Set(took);
  t.equal(ids.size, took.length, 'nothing twice at the upstream');
  t.same(
    platform.taken.filter(({ id }) => !ids.has(id)),
    [],
    `law 2: each of ${platform.taken.length} 250s is the upstream's`,
  );
  const told = new Set([...platform.taken, ...platform.unknown].map(({ id }) => id));
  t.same(
    took.filter(id => !told.has(id)),
    [],
    'the upstream took nothing whose sender was told otherwise',
  );
  t.ok(platform.unknown.length <= SESSIONS * KILLS, `unknown are at most those in flight (${platform.unknown.length})`);

  t.ok(acknowledged.some(who => who.startsWith('command')));
  const forgotten = await house(async ({ lists }) => {
    const gone: string[] = [];
    for (const who of acknowledged) if ((await lists.standing(person(who), ACME, [])).length === 0) gone.push(who);
    return gone;
  });
  t.same(forgotten, [], `law 6: none of ${acknowledged.length} acknowledged list changes is lost`);
  for (const who of acknowledged.slice(-6)) t.match(await sendOne(gate.port, who), { stage: 'rcpt', reply: /^550 5\.7\.1 / });
  t.equal(await gate.stop(), 0);
}

t.test('laws 2, 4, 6: kill -9 of the gate under load, on LMDB', async t => {
  await killedUnderLoad(t, await acmeSite(t));
});

t.test('laws 2, 4, 6: kill -9 of the gate under load, on Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  await killedUnderLoad(t, await acmeSite(t, { store: { url: redis.url } }));
});

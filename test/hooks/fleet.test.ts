/** Two gates of one Redis: one delivers; where it is killed the other goes on, and no event is lost. */
import t from 'tap';
import { noRedis, startRedis } from '../support/redis.ts';
import type { RunningGate } from '../support/site.ts';
import { until } from '../support/until.ts';
import { deliver, HOOKS, hooked } from './hooked.ts';

async function delivered(gate: RunningGate): Promise<boolean> {
  const text = await (await fetch(`http://127.0.0.1:${gate.adminPort}/metrics`)).text();
  return /^postern_webhooks_total\{result="delivered"\} [1-9]/m.test(text);
}

t.test('the gate that delivers is killed: the other takes over', { skip: noRedis }, async t => {
  const redis = await startRedis(t, { args: ['--appendfsync', 'always'] });
  const { acme, api, gate: one, receiver, id } = await hooked(t, ['email.refused'], { store: { url: redis.url } });
  t.teardown(() => receiver.close());
  const other = await acme.site.serve();
  await acme.house(async ({ lists }) => {
    await lists.add({ owner: 'global' }, { domain: 'prospect.example' }, { reason: 'manual', source: 'operator' });
  });
  let sent = 0;
  const refs: string[] = [];
  const refuse = async (gate: RunningGate): Promise<void> => {
    sent += 1;
    const reply = await deliver(gate.port, 'news@acme.example', `p${sent}@prospect.example`, []);
    refs.push(/ref=(\S+)/.exec(reply)?.[1] ?? `no ref: ${reply}`);
  };
  const allTold = () => refs.every(ref => receiver.told.some(({ data }) => data.ref === ref));

  for (const gate of [one, other, one, other]) await refuse(gate);
  await until('what both gates refuse is told', allTold);
  const delivering = await until('one of them has delivered', async () => {
    for (const gate of [one, other]) if (await delivered(gate)) return gate;
    return undefined;
  });
  const standing = delivering === one ? other : one;
  t.notOk(await delivered(standing), 'only one delivers');

  receiver.status = 503;
  for (let i = 0; i < 5; i++) await refuse(delivering);
  await until('they wait in the store', async () => {
    const { items } = (await api(standing, 'GET', `${HOOKS}/${id}/deliveries?state=waiting`)).body as { items?: unknown[] };
    return items?.length === 5;
  });
  await delivering.kill();
  for (let i = 0; i < 5; i++) await refuse(standing);
  receiver.told.length = 0;
  receiver.status = 204;
  refs.splice(0, 4);
  await until('the other gate tells them all', allTold, 120_000);
  t.ok(await delivered(standing));
  t.equal(receiver.forged, 0);
  const byId = new Map(receiver.told.map(told => [told.id, told.data.ref]));
  t.equal(byId.size, refs.length, 'each under one id, however often it came');
  await until('nothing waits', async () => {
    const { items } = (await api(standing, 'GET', `${HOOKS}/${id}/deliveries?state=waiting`)).body as { items?: unknown[] };
    return items?.length === 0;
  });
});

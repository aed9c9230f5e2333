/** The store goes away under running mail: deferred, nobody named, nothing counted twice; and it all goes on when it is back. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { ACME, exclude, type Gatehouse, newGatehouse, send, suppress } from './gatehouse.ts';

const CANNOT = /^451 4\.3\.0 Cannot decide now/;

async function onRedis(t: Test): Promise<{ g: Gatehouse; redis: TestRedis }> {
  const redis = await startRedis(t, { args: ['--appendfsync', 'always'] });
  return { redis, g: await newGatehouse(t, { settings: { store: { url: redis.url } } }) };
}

async function back(g: Gatehouse): Promise<void> {
  const end = Date.now() + 15_000;
  for (;;) {
    const client = await g.hello();
    const reply = await client.ask('MAIL FROM:<bounce@acme.example>');
    client.close();
    if (reply.startsWith('250')) return;
    if (Date.now() > end) throw new Error(`the store is not back: ${reply}`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

t.test('A21: a decision made without the lists names nobody: they might have been erased', { skip: noRedis }, async t => {
  const { g, redis } = await onRedis(t);
  await suppress(g.house, 'global', 'erased@example.net', { reason: 'erasure', source: 'operator' });
  const client = await g.hello();
  t.teardown(() => client.close());
  await client.ask('MAIL FROM:<bounce@acme.example>');
  const known = await client.ask('RCPT TO:<erased@example.net>');
  await redis.kill();
  const during = await client.ask('RCPT TO:<erased@example.net>');
  t.match(during, CANNOT);
  await redis.restart();
  await back(g);
  for (const reply of [known, during]) t.match(await g.decision(reply), { recipient: undefined, pseudonym: undefined });
  for await (const _ of g.house.store.scan({ owner: ACME, set: 'persons' })) t.fail('no mapping may come back');
});

t.test('killed between RCPT and the final dot: deferred as a whole, then relayed once', { skip: noRedis }, async t => {
  const { g, redis } = await onRedis(t);
  await exclude(g.house, 'acme', 'listed@example.net');
  const client = await g.hello();
  t.teardown(() => client.close());
  const first = await send(client, ['a@example.net', 'b@example.net', 'listed@example.net'], { beforeDot: () => redis.kill() });
  t.match(first, { rcpts: [/^250/, /^250/, /^550/], last: CANNOT });
  t.equal(g.sink.transactions.length, 0, 'the upstream was not even asked');
  t.match(await send(client, ['a@example.net']), { last: CANNOT });
  await redis.restart();
  await back(g);
  t.match(await g.decision(first.last), { outcome: 'deferred', token: 'unavailable', pseudonym: undefined }, 'A21: nobody is named');
  t.match(await send(client, ['a@example.net', 'b@example.net', 'listed@example.net']), { rcpts: [/^250/, /^250/, /^550/], last: /^250/ });
  t.same(
    g.sink.messages.map(({ to }) => to),
    [['a@example.net', 'b@example.net']],
  );
  t.same(await g.counts(), {
    relayed: 2,
    'rejected exclusion excluded': 2,
    'deferred gate unavailable': 2,
  });
});

t.test('undecided for one is undecided for all: the others wait, and those refused are told with the retry', async t => {
  const g = await newGatehouse(t);
  const second = await g.second();
  const file = join(g.dir, 'keys/clients', readdirSync(join(g.dir, 'keys/clients')).find(name => name.startsWith('acme')) ?? '');
  const key = readFileSync(file);
  const client = await g.hello();
  t.teardown(() => client.close());
  const to = ['fine@example.net', 'unreadable@example.net', 'everywhere@example.net'];
  const { last } = await send(client, to, {
    beforeDot: async () => {
      await exclude(second, 'acme', 'unreadable@example.net');
      await exclude(second, 'global', 'everywhere@example.net');
      writeFileSync(file, Buffer.alloc(key.length, 7));
      // Beyond the few seconds for which the vault remembers.
      g.later(1);
    },
  });
  t.match(last, CANNOT);
  t.equal(g.sink.transactions.length, 0);
  writeFileSync(file, key);
  t.match(await g.decision(last), { check: 'exclusion', token: 'unavailable', outcome: 'deferred', recipient: undefined });
  t.same(await g.counts(), {
    'deferred exclusion unavailable': 1,
    'deferred exclusion excluded': 1,
    'deferred gate held': 1,
  });
  t.match(await send(client, to), { rcpts: [/^250/, /^550/, /^550/], last: /^250/ });
});

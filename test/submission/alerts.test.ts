/** Alarms through the real gate: what a client's RCPTs and log-ins raise, and what follows only where somebody chose it. */
import t, { type Test } from 'tap';
import { ACME, newGatehouse } from './gatehouse.ts';

async function probed(t: Test, listProbing: object) {
  const gatehouse = await newGatehouse(t, {
    settings: { log: { level: 'error' }, alerts: { listProbing: { listed: 20, ...listProbing } } },
  });
  const targets = Array.from({ length: 20 }, (_, i) => ({
    target: { domain: `n${i}.example` },
    act: { reason: 'manual', source: 'operator' } as const,
  }));
  await gatehouse.house.lists.addMany({ owner: ACME }, targets);
  const client = await gatehouse.hello();
  await client.ask('MAIL FROM:<jo@acme.example>');
  for (let i = 0; i < 20; i++) t.match(await client.ask(`RCPT TO:<x@n${i}.example>`), /^550 5\.7\.1/);
  const raised = async () =>
    (await gatehouse.house.metrics.alarms.get()).values
      .map(({ labels, value }) => `${labels.alarm} ${value}`)
      .filter(text => !text.endsWith(' 0'));
  return { gatehouse, client, raised };
}

t.test('A34: by default list probing alarms, once, and mail goes on', async t => {
  const { client, raised } = await probed(t, {});
  t.same(await raised(), ['list-probing 1']);
  await client.ask('RSET');
  t.match(await client.ask('MAIL FROM:<jo@acme.example>'), /^250/);
  t.match(await client.ask('RCPT TO:<x@n1.example>'), /^550/);
  t.match(await client.ask('RCPT TO:<pat@customer.example>'), /^250/);
  t.same(await raised(), ['list-probing 1']);
  client.close();
});

t.test('A34: slowed where somebody chose it, until it is over', async t => {
  const { gatehouse, client, raised } = await probed(t, { answer: 'slow' });
  await client.ask('RSET');
  t.match(await client.ask('MAIL FROM:<jo@acme.example>'), /^450 4\.7\.0/);
  gatehouse.later(11);
  t.match(await client.ask('MAIL FROM:<jo@acme.example>'), /^250/);
  t.same(await raised(), ['list-probing 1']);
  client.close();
});

t.test('A34: hung up on where somebody chose that', async t => {
  const { client } = await probed(t, { answer: 'hang-up' });
  await client.ask('RSET');
  t.match(await client.ask('MAIL FROM:<jo@acme.example>'), /^421 4\.7\.0/);
  client.close();
});

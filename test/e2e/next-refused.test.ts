/** An acknowledged list change holds at the next RCPT and the next final dot: at every gate, and though Redis forgets it (law 4). */
import t, { type Test } from 'tap';
import { type Acme, acmeSite } from '../support/acme.ts';
import { campaignMail, greeted, sendOne, type Told } from '../support/platform.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import type { RunningGate } from '../support/site.ts';
import { until } from '../support/until.ts';

/** A command lists a person and a domain while transactions with them are under way at every gate. */
async function nextIsRefused(t: Test, { run, sink }: Acme, gates: readonly RunningGate[]): Promise<void> {
  const [jane, joan, jim] = ['jane@there.example', 'joan@closing.example', 'jim@there.example'];
  const opened = await Promise.all(
    gates.map(async ({ port }) => {
      const client = await greeted(port);
      t.teardown(() => client.close());
      for (const line of ['MAIL FROM:<sales@acme.example>', `RCPT TO:<${jane}>`]) t.match(await client.ask(line), /^250/);
      return client;
    }),
  );
  for (const { port } of gates) for (const to of [jane, joan, jim]) t.match(await sendOne(port, to), { reply: /^250/ }, 'not listed yet');
  const before = sink.messages.length;

  await run('list', 'add', 'acme', jane);
  for (const { port } of gates) t.match(await sendOne(port, 'Jane+tag@There.Example'), { stage: 'rcpt', reply: /^550 5\.7\.1 / });
  for (const client of opened) {
    t.match(await client.ask('DATA'), /^354/);
    client.write(`${campaignMail('midway', jane)}.\r\n`);
    t.match((await client.reply()).text, /^550 5\.7\.1 /, 'listed between RCPT and the final dot');
  }
  await run('list', 'add', 'global', 'closing.example');
  for (const { port } of gates) t.match(await sendOne(port, joan), { stage: 'rcpt', reply: /^550 5\.7\.1 / });
  await run('suppress', 'acme', jim);
  for (const { port } of gates) t.match(await sendOne(port, jim), { stage: 'rcpt', reply: /^550 5\.7\.1 / });
  t.equal(sink.messages.length, before, 'nothing reached the upstream');
}

t.test('law 4, A19: whom a command lists is refused at the next RCPT and the next final dot, on LMDB', async t => {
  const all = await acmeSite(t);
  await nextIsRefused(t, all, [await all.site.serve()]);
});

t.test('law 4, A19: and at every gate of a Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  const all = await acmeSite(t, { store: { url: redis.url } });
  await nextIsRefused(t, all, await Promise.all([all.site.serve(), all.site.serve()]));
});

t.test(
  'law 4, A36: Redis loses its last second: the ledger brings the objection back before any mail passes, and no lift is undone',
  { skip: noRedis },
  async t => {
    const redis = await startRedis(t, { args: ['--appendfsync', 'always'] });
    const { site, run, sink } = await acmeSite(t, { store: { url: redis.url } });
    const recovers = () =>
      until('a clean message passes again', async () => (await sendOne(gate.port, 'recovered@there.example')).reply.startsWith('250'));
    await run('suppress', 'acme', 'lifted@there.example');
    const gate = await site.serve();
    t.match(await sendOne(gate.port, 'lifted@there.example'), { stage: 'rcpt', reply: /^550 / });
    await redis.keepCopy();
    await recovers();
    t.match(await sendOne(gate.port, 'objector@there.example'), { reply: /^250/ }, 'has not objected yet');
    t.match(await run('suppress', 'acme', 'objector@there.example'), /added/);
    t.match(await run('suppress', '--lift', '--by', 'Ann Example', '--why', 'asked for it', 'acme', 'lifted@there.example'), /lifted/);
    t.match(await sendOne(gate.port, 'objector@there.example'), { stage: 'rcpt', reply: /^550 / });
    t.match(await sendOne(gate.port, 'lifted@there.example'), { reply: /^250/ });

    const told: Told[] = [];
    let over = false;
    const asking = (async () => {
      while (!over) told.push(await sendOne(gate.port, 'objector@there.example'));
    })();
    await redis.restoreCopy();
    await recovers();
    await until('it was asked some more', () => told.filter(({ reply }) => reply.startsWith('550')).length >= 5);
    over = true;
    await asking;
    t.same(
      told.filter(({ reply }) => !/^(550 5\.7\.1|451 4\.3\.0) /.test(reply)),
      [],
      `none of ${told.length} answers let the objector be mailed`,
    );
    t.match(gate.log(), /the store lacked objections; the ledger has brought them back/);
    t.match(await sendOne(gate.port, 'lifted@there.example'), { reply: /^250/ }, 'the lift holds');
    t.equal(sink.messages.filter(({ to }) => to.includes('objector@there.example')).length, 1, 'only the one before');
    t.equal(await gate.stop(), 0);
  },
);

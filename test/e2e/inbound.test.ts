/** What comes back binds before it is acknowledged: at every gate, once, and through whatever fails in between. */
import t, { type Test } from 'tap';
import type { LoggedReply } from '../../src/journal/reply.ts';
import { ACME, type Acme, acmeSite } from '../support/acme.ts';
import { bring, deliveryReport, fieldOf, plainAnswer } from '../support/bringing.ts';
import { sendOne } from '../support/platform.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import type { RunningGate } from '../support/site.ts';
import { dial } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const IN = { domains: ['in.acme.example'] };
const NEWS = 'news@acme.example';

/** A site whose client takes replies at news@ and gets its bounces back by a return path of ours. */
async function answeredSite(t: Test, settings: Readonly<Record<string, unknown>> = {}): Promise<Acme> {
  const all = await acmeSite(t, { inbound: IN, ...settings });
  await all.run('client', 'update', 'acme', '--reply-address', NEWS, '--return-path', 'in.acme.example', '--tag-reply-to');
  return all;
}

/** Mails a person, who gets it; what the upstream took. */
async function mailed({ sink }: Acme, gate: RunningGate, to: string) {
  const told = await sendOne(gate.port, to);
  if (!told.reply.startsWith('250')) throw new Error(told.reply);
  const out = sink.messages.find(message => message.to.includes(to));
  if (out === undefined) throw new Error('not relayed');
  return { from: out.from, octets: out.octets, id: fieldOf(out.octets, 'Message-ID'), replyTo: fieldOf(out.octets, 'Reply-To') };
}

const optOut = (from: string, inReplyTo?: string, text = 'Please take me off your list.') =>
  plainAnswer({ from, to: NEWS, text, id: from.replace('@', '.'), ...(inReplyTo === undefined ? {} : { inReplyTo }) });

async function logOf({ house }: Acme): Promise<readonly LoggedReply[]> {
  return house(async ({ replies }) => {
    const lines: LoggedReply[] = [];
    for await (const line of replies.list(ACME)) lines.unshift(line);
    return lines;
  });
}

const REFUSED = { stage: 'rcpt', reply: /^550 5\.7\.1 Recipient may not be mailed \((suppressed|excluded)\) ref=/ } as const;

async function answersBind(t: Test, all: Acme, gates: readonly RunningGate[]): Promise<void> {
  const [first, last] = [gates[0] as RunningGate, gates.at(-1) as RunningGate];
  const people = { ann: 'ann@there.example', bob: 'bob@there.example', eve: 'eve@there.example', dan: 'dan@there.example' };
  const out = {
    ann: await mailed(all, first, people.ann),
    bob: await mailed(all, first, people.bob),
    eve: await mailed(all, first, people.eve),
  };
  const dead = await mailed(all, first, people.dan);

  // An opt-out by the token in Reply-To, sent from another address than the one that was mailed.
  t.match(out.ann.replyTo, /news\+[a-z2-7]{36}@acme\.example/);
  const tagged = /[^<\s]+@acme\.example/.exec(out.ann.replyTo)?.[0] ?? '';
  t.match(await bring(first.inboundPort, 'ann.private@elsewhere.example', [tagged], optOut('ann.private@elsewhere.example')), {
    last: '250 2.0.0 Taken',
  });
  for (const { port } of [last, first]) {
    t.match(await sendOne(port, people.ann), REFUSED, 'A17: whoever was mailed');
    t.match(await sendOne(port, 'ann.private@elsewhere.example'), REFUSED, 'and whoever answered');
  }
  // A friendly answer excludes, too (A16).
  t.match(await bring(first.inboundPort, people.bob, [NEWS], optOut(people.bob, out.bob.id, 'Interesting, call me on Monday.')), {
    last: /^250 /,
  });
  t.match(await sendOne(last.port, people.bob), REFUSED);
  // Unsubscribe by mail; nobody reads what stands in it.
  t.match(await bring(first.inboundPort, people.eve, ['unsubscribe@in.acme.example'], optOut(people.eve, undefined, '')), {
    last: /^250 /,
  });
  t.match(await sendOne(last.port, people.eve), REFUSED);
  // A bounce by the return path goes on to the platform.
  t.match(dead.from, /^bounce\+[a-z2-7]{36}@in\.acme\.example$/);
  t.match(await bring(first.inboundPort, '', [dead.from], deliveryReport(dead.from, people.dan, dead.octets)), { last: /^250 / });
  t.match(await sendOne(last.port, people.dan), REFUSED);
  const passedOn = all.sink.messages.filter(({ from, to }) => from === '' && to.includes('sales@acme.example'));
  t.equal(passedOn.length, 1, "to the platform's own reverse-path");
  t.match(passedOn[0]?.octets.toString(), /^Received: [\s\S]+Final-Recipient: rfc822; dan@there\.example/);
  // Whoever said nothing is mailed as ever.
  t.match(await sendOne(last.port, 'free@there.example'), { reply: /^250/ });

  const log = await logOf(all);
  t.same(
    log.map(({ kind }) => kind),
    ['opt-out', 'reply', 'unsubscribe', 'bounce'],
    'A16: each is logged',
  );
  t.same(
    log.map(({ matchedBy }) => matchedBy),
    ['token', 'in-reply-to', 'sender', 'token'],
  );
  const took = log.map(({ receivedAt, enforcedAt }) => enforcedAt - receivedAt);
  t.ok(took.every(ms => ms >= 0));
  t.comment(`A17: from receipt to enforced: ${took.join(', ')} ms`);
}

t.test('A15 A16 A17: what is answered is enforced at the very next RCPT, on LMDB', async t => {
  const all = await answeredSite(t);
  await answersBind(t, all, [await all.site.serve()]);
});

t.test('law 4: and at the other gate of a Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  const all = await answeredSite(t, { store: { url: redis.url } });
  await answersBind(t, all, await Promise.all([all.site.serve(), all.site.serve()]));
});

t.test('A16: the same message again changes nothing: not twice in one go, not at once from several servers, not after kill -9', async t => {
  const all = await answeredSite(t);
  let gate = await all.site.serve();
  const { id } = await mailed(all, gate, 'ann@there.example');
  const message = optOut('ann@there.example', id);
  await bring(gate.inboundPort, 'ann@there.example', [NEWS, 'News+x@acme.example'], message);
  const together = await Promise.all(Array.from({ length: 8 }, () => bring(gate.inboundPort, 'ann@there.example', [NEWS], message)));
  t.same(new Set(together.map(({ last }) => last)), new Set(['250 2.0.0 Taken']));
  await gate.kill();
  gate = await all.site.serve();
  t.match(await bring(gate.inboundPort, 'ann@there.example', [NEWS], message), { last: '250 2.0.0 Taken' });
  t.equal((await logOf(all)).length, 1, 'one line');
  t.match(await sendOne(gate.port, 'ann@there.example'), REFUSED);
});

t.test('law 2: the gate is killed while answers come in: whatever was acknowledged binds, what comes again counts once', async t => {
  const all = await answeredSite(t);
  let gate = await all.site.serve();
  const people = Array.from({ length: 40 }, (_, n) => `person${n}@there.example`);
  const acknowledged = new Set<string>();
  const brought = async (who: string) => {
    const said = await bring(gate.inboundPort, who, [NEWS], optOut(who)).catch(() => undefined);
    if (said?.last.startsWith('250')) acknowledged.add(who);
  };
  const first = Promise.all(people.map(brought));
  await until('some are acknowledged', () => acknowledged.size > 4);
  await gate.kill();
  await first;
  const before = new Set(acknowledged);
  gate = await all.site.serve();
  for (const who of before) t.match(await sendOne(gate.port, who), REFUSED, `${who} was acknowledged`);
  for (const who of people) await brought(who);
  t.equal(acknowledged.size, people.length);
  const log = await logOf(all);
  t.equal(log.length, people.length, `one line each, ${before.size} of them from before`);
});

t.test(
  'law 2: a store that is down acknowledges nothing; what comes again is applied, and waited for its first receipt',
  { skip: noRedis },
  async t => {
    const redis = await startRedis(t);
    const all = await answeredSite(t, { store: { url: redis.url } });
    const gate = await all.site.serve();
    const { id } = await mailed(all, gate, 'ann@there.example');
    const message = optOut('ann@there.example', id);
    const client = await dial(gate.inboundPort);
    t.teardown(() => client.close());
    await client.reply();
    for (const line of ['EHLO mx.there.example', 'MAIL FROM:<ann@there.example>', `RCPT TO:<${NEWS}>`])
      t.match(await client.ask(line), /^250/);
    t.match(await client.ask('DATA'), /^354/);
    await redis.kill();
    client.write(`${message}.\r\n`);
    t.equal((await client.reply()).text, '451 4.3.0 Cannot decide now');
    const deferredAt = Date.now();
    t.match(await bring(gate.inboundPort, 'ann@there.example', [NEWS], message), { rcpts: ['451 4.3.0 Cannot decide now'] });
    await redis.restart();
    const again = await until('the store answers', async () => {
      const said = await bring(gate.inboundPort, 'ann@there.example', [NEWS], message);
      return said.last.startsWith('250') && said;
    });
    t.match(again, { last: '250 2.0.0 Taken' });
    t.match(await sendOne(gate.port, 'ann@there.example'), REFUSED);
    const [line, ...more] = await logOf(all);
    t.same(more, []);
    t.ok((line?.receivedAt ?? Number.POSITIVE_INFINITY) <= deferredAt, 'the clock runs from when it first came');
  },
);

t.test('a stranger: takes nothing, learns nothing, enters nobody else', async t => {
  const all = await answeredSite(t);
  const gate = await all.site.serve();
  await all.run('suppress', 'acme', 'listed@there.example');
  const said = await bring(
    gate.inboundPort,
    'spy@elsewhere.example',
    ['listed@there.example', 'free@there.example', 'x@in.acme.example'],
    'x',
  );
  t.same(new Set(said.rcpts), new Set(['550 5.1.1 No such address here']));
  const dead = await mailed(all, gate, 'dan@there.example');
  const forged = dead.from.replace(/\+(.)/, (_all, first: string) => `+${first === 'a' ? 'b' : 'a'}`);
  const answers = [
    await bring(gate.inboundPort, '', [forged], deliveryReport(forged, 'victim@there.example', Buffer.from('Subject: x\r\n\r\n'))),
    await bring(gate.inboundPort, 'listed@there.example', [NEWS], optOut('listed@there.example')),
    await bring(gate.inboundPort, 'nobody@there.example', [NEWS], optOut('nobody@there.example')),
  ];
  t.same(new Set(answers.map(({ last }) => last)), new Set(['250 2.0.0 Taken']), 'one answer for all');
  t.match(await sendOne(gate.port, 'victim@there.example'), { reply: /^250/ }, 'a forged bounce enters nobody');
  t.match(await sendOne(gate.port, 'nobody@there.example'), REFUSED, 'though unknown, who objects is heard');
  for (const text of ['there.example', 'elsewhere.example', 'news@', 'bounce+'])
    t.notOk(gate.log().includes(text), `not in the log: ${text}`);
});

t.test('workers share the port of what comes back', async t => {
  const all = await answeredSite(t, { submission: { workers: 2 } });
  const gate = await all.site.serve();
  await mailed(all, gate, 'ann@there.example');
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, n) => bring(gate.inboundPort, `w${n}@there.example`, [NEWS], optOut(`w${n}@there.example`))),
  );
  t.same(new Set(answers.map(({ last }) => last)), new Set(['250 2.0.0 Taken']));
  for (let n = 0; n < 6; n++) t.match(await sendOne(gate.port, `w${n}@there.example`), REFUSED);
  t.equal(await gate.stop(), 0);
});

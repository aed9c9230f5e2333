/** Refusals beside acceptances: the DSN that tells of them, the retry that carries the rest, and the decision behind a message that waits. */
import t, { type Test } from 'tap';
import { parseMessage } from '../../src/mail/message.ts';
import type { SinkAnswer, SinkEvent, SinkTransaction } from '../support/sink.ts';
import { exclude, type Gatehouse, letter, newGatehouse, send } from './gatehouse.ts';

const HELD = /^451 4\.3\.0 Not every recipient could be settled, try again ref=\S{16}$/;
const FULL = '452 4.2.2 mailbox full';

/** `gone…` is refused at RCPT, `full…` deferred; `more` is asked first. */
function upstream(more: (event: SinkEvent) => SinkAnswer | undefined = () => undefined) {
  return (event: SinkEvent): SinkAnswer | undefined => {
    const answer = more(event);
    if (answer !== undefined || event.stage !== 'rcpt') return answer;
    if (event.path.startsWith('gone')) return '550 5.1.1 nobody here by that name';
    return event.path.startsWith('full') ? FULL : undefined;
  };
}

const isDsn = ({ from }: Pick<SinkTransaction, 'from'>): boolean => from === '';

/** The DSN and the message that were taken: one of each. */
function both({ sink }: Gatehouse): { readonly dsn: SinkTransaction; readonly sent: SinkTransaction } {
  const [dsn, sent] = [sink.messages.find(isDsn), sink.messages.find(one => !isDsn(one))];
  if (dsn === undefined || sent === undefined || sink.messages.length !== 2) throw new Error('a DSN and a message were expected');
  return { dsn, sent };
}

async function told(t: Test, g: Gatehouse, to: readonly string[], options: Parameters<typeof send>[2] = {}): ReturnType<typeof send> {
  const client = await g.hello();
  t.teardown(() => client.close());
  const result = await send(client, to, options);
  client.close();
  return result;
}

t.test('the DSN: whom, why, and what was sent, before the message goes out', async t => {
  const order: string[] = [];
  const more = ({ stage, transaction }: SinkEvent) => {
    if (stage === 'data' || stage === 'dot') order.push(`${transaction?.from === '' ? 'DSN' : 'message'} ${stage}`);
    return undefined;
  };
  const g = await newGatehouse(t, { sink: { script: upstream(more) } });
  const second = await g.second();
  const message = letter('Subject: =?utf-8?q?Fr=C3=BChling?=', 'X-Note: kept');
  const { last } = await told(t, g, ['gone@example.net', 'listed@example.net', 'fine@example.net'], {
    from: 'bounce+17@acme.example',
    message,
    beforeDot: () => exclude(second, 'acme', 'listed@example.net'),
  });
  t.equal(last, '250 2.0.0 Taken');
  t.same(order, ['DSN data', 'DSN dot', 'message data', 'message dot']);
  const { dsn, sent } = both(g);
  t.same([dsn.from, dsn.to, sent.from, sent.to], ['', ['bounce+17@acme.example'], 'bounce+17@acme.example', ['fine@example.net']]);
  t.ok(sent.octets.toString().endsWith(message), 'the message goes on as it came, below the Received field');
  t.match(sent.octets.toString(), /^Received: from platform\.example/);

  const text = dsn.octets.toString();
  const parsed = parseMessage(dsn.octets);
  t.equal(parsed.ambiguity, undefined);
  t.match(parsed.all('content-type'), [/^\s*multipart\/report;\s+report-type=delivery-status;/]);
  t.match(parsed.all('auto-submitted'), [/auto-replied/]);
  t.match(parsed.all('to'), [/bounce\+17@acme\.example/]);
  t.match(text, /<gone@example\.net>\r\n +550 5\.1\.1 nobody here by that name/);
  t.match(text, /<listed@example\.net>\r\n +550 5\.7\.1 Recipient may not be mailed \(excluded\) ref=\S{16}/);
  t.notMatch(text, /fine@example\.net/, 'who got it is not named');
  t.same([...text.matchAll(/^Final-Recipient: (.*)\r$/gm)].map(([, who]) => who).sort(), [
    'rfc822; gone@example.net',
    'rfc822; listed@example.net',
  ]);
  t.same([...text.matchAll(/^Status: (.*)\r$/gm)].map(([, status]) => status).sort(), ['5.1.1', '5.7.1']);
  t.match(text, /^X-Note: kept\r$/m, "the message's header section comes along");
  t.notMatch(text, /how we use your data/, 'its text does not');
  const ref = /\(excluded\) ref=\S{16}/.exec(text.replace(/\r\n /g, ' '))?.[0] ?? '';
  t.match(await g.decision(ref), { outcome: 'rejected', recipient: 'listed@example.net', reply: /^550 5\.7\.1/ });
});

t.test('a message that waits: its reply leads to whoever it waits for', async t => {
  const g = await newGatehouse(t, { sink: { script: upstream() } });
  const { last } = await told(t, g, ['fine@example.net', 'gone@example.net', 'full@example.net']);
  t.match(last, HELD);
  t.match(await g.decision(last), {
    outcome: 'deferred',
    recipient: 'full@example.net',
    check: 'upstream',
    reason: 'upstream replied 452 4.2.2',
    reply: '451 4.3.0 Not every recipient could be settled, try again',
  });
  t.same(await g.counts(), { 'deferred upstream upstream': 2, 'deferred gate held': 1 });
});

t.test('the retry is told at RCPT, carries the rest, and a longer memory outlasts a slow sender', async t => {
  const g = await newGatehouse(t, { sink: { script: upstream() }, submission: { retryMinutes: 10 } });
  const to = ['fine@example.net', 'full@example.net'];
  t.match(await told(t, g, to), { last: HELD });
  const asked = g.sink.transactions.length;
  const retry = await told(t, g, to);
  t.match(retry, { rcpts: ['250 2.1.5 Recipient ok', /^452 4\.2\.2 mailbox full ref=\S{16}$/], last: '250 2.0.0 Taken' });
  t.match(await g.decision(retry.rcpts[1] ?? ''), { outcome: 'deferred', stage: 'rcpt', reason: /^upstream replied 452 4\.2\.2 a short/ });
  t.same(
    g.sink.transactions.slice(asked).flatMap(({ rcpts }) => rcpts.map(({ path }) => path)),
    ['fine@example.net'],
  );

  // A sender that tries every 15 minutes would never meet a memory of 10.
  let attempts = 0;
  for (; attempts < 5; attempts++) {
    g.later(15);
    const { last } = await told(t, g, ['other@example.net', 'full@example.net']);
    if (last.startsWith('250')) break;
  }
  t.equal(attempts, 1, 'the second setback lasts 20 minutes');
  g.later(60);
  t.match(await told(t, g, ['full@example.net']), { rcpts: ['250 2.1.5 Recipient ok'], last: FULL }, 'asked anew');
});

t.test('listed in the meantime: the list is told, not the memory', async t => {
  const g = await newGatehouse(t, { sink: { script: upstream() } });
  await told(t, g, ['fine@example.net', 'full@example.net']);
  await exclude(await g.second(), 'acme', 'full@example.net');
  t.match(await told(t, g, ['full@example.net']), { rcpts: [/^550 5\.7\.1 .*\(excluded\)/] });
});

t.test('upstream lost behind the DSN: the retry knows what it had said', async t => {
  for (const [end, reply, unknown] of [
    ['data', /^451 4\.3\.0 Upstream gives no answer/, 0],
    ['dot', /^451 4\.3\.0 Upstream was lost after the final dot/, 1],
  ] as const) {
    await t.test(`lost at ${end}`, async t => {
      let fine = false;
      const more = ({ stage, transaction }: SinkEvent): SinkAnswer | undefined =>
        !fine && stage === end && transaction?.from !== '' ? { end: 'reset' } : undefined;
      const g = await newGatehouse(t, { sink: { script: upstream(more) } });
      const first = await told(t, g, ['fine@example.net', 'gone@example.net']);
      t.match(first.last, reply);
      t.match(await g.decision(first.last), { recipient: 'fine@example.net', outcome: unknown === 1 ? 'unknown' : 'deferred' });
      fine = true;
      const retry = await told(t, g, ['fine@example.net', 'gone@example.net']);
      t.match(retry, { rcpts: ['250 2.1.5 Recipient ok', /^550 5\.1\.1 nobody here/], last: '250 2.0.0 Taken' });
      t.equal(g.sink.messages.filter(isDsn).length, 1, 'one DSN, not two');
      t.same(await g.counts(), {
        relayed: 1,
        'rejected upstream upstream': 2,
        ...(unknown === 1 ? { 'unknown upstream unknown': 1 } : { 'deferred upstream unavailable': 1 }),
      });
    });
  }
});

t.test('upstream says 421 at RCPT: it speaks of the connection, so everybody waits', async t => {
  let busy = true;
  const more = ({ stage, path }: SinkEvent): SinkAnswer | undefined =>
    busy && stage === 'rcpt' && path.startsWith('fine') ? { reply: '421 4.3.2 too busy', end: 'close' } : undefined;
  const g = await newGatehouse(t, { sink: { script: upstream(more) } });
  t.match(await told(t, g, ['gone@example.net', 'fine@example.net']), { last: '421 4.3.2 too busy' });
  t.equal(g.sink.messages.length, 0);
  t.same(await g.counts(), { 'deferred upstream upstream': 2 });
  busy = false;
  const retry = await told(t, g, ['gone@example.net', 'fine@example.net']);
  t.match(retry, { rcpts: [/^550 5\.1\.1/, /^250/], last: '250 2.0.0 Taken' });
});

t.test('no upstream at all: everybody waits', async t => {
  const g = await newGatehouse(t);
  await g.sink.close();
  t.match(await told(t, g, ['a@example.net', 'b@example.net']), { last: /^451 4\.3\.0 Upstream gives no answer, try again ref=/ });
  t.same(await g.counts(), { 'deferred upstream unavailable': 2 });
});

t.test('null reverse-path: one recipient, told in the reply; there is nobody to send a DSN to', async t => {
  const g = await newGatehouse(t, { sink: { script: upstream() } });
  const bounced = { from: '', message: letter() };
  t.match(await told(t, g, ['gone@example.net', 'fine@example.net'], bounced), {
    rcpts: ['250 2.1.5 Recipient ok', /^452 4\.5\.3/],
    last: '550 5.1.1 nobody here by that name',
  });
  t.match(await told(t, g, ['fine@example.net'], bounced), { last: '250 2.0.0 Taken' });
  t.same(
    g.sink.messages.map(({ from, to }) => [from, to]),
    [['', ['fine@example.net']]],
  );
  const second = await g.second();
  t.match(await told(t, g, ['late@example.net'], { ...bounced, beforeDot: () => exclude(second, 'acme', 'late@example.net') }), {
    last: /^550 5\.7\.1 Recipient may not be mailed \(excluded\) ref=/,
  });
});

t.test('one connection to the upstream is enough for a message and its DSN', async t => {
  const g = await newGatehouse(t, { sink: { script: upstream() }, settings: { upstream: { url: 'smtp://127.0.0.1:1', connections: 1 } } });
  await g.house.clients.update('acme', { upstream: g.sink.url('?starttls=off') });
  t.match(await told(t, g, ['fine@example.net', 'gone@example.net']), { last: '250 2.0.0 Taken' });
  t.equal(g.sink.messages.filter(isDsn).length, 1);
});

t.test('a 100-recipient batch with a few bad ones: one DSN for them, one message for the rest', async t => {
  const g = await newGatehouse(t, { sink: { script: upstream() } });
  const to = Array.from({ length: 100 }, (_, i) => `${i % 33 === 0 ? 'gone' : 'fine'}${i}@example.net`);
  t.match(await told(t, g, to), { last: '250 2.0.0 Taken' });
  const { dsn, sent } = both(g);
  t.equal(dsn.octets.toString().match(/^Final-Recipient:/gm)?.length, 4);
  t.equal(sent.to.length, 96);
  t.same(await g.counts(), { relayed: 96, 'rejected upstream upstream': 4 });
});

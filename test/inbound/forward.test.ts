/** Handing on what was applied: to whom, with what in front, and what becomes of it where the upstream says no, not now, or nothing. */
import t, { type Test } from 'tap';
import { type ClientId, clientId } from '../../src/ids.ts';
import { Destinations } from '../../src/inbound/destinations.ts';
import { Forwarding } from '../../src/inbound/forward.ts';
import type { Processed } from '../../src/inbound/processor.ts';
import { Tokens } from '../../src/keys/token.ts';
import { parseMessage } from '../../src/mail/message.ts';
import { createLog } from '../../src/ops/log.ts';
import { Upstreams } from '../../src/relay/upstreams.ts';
import { good, input, newHouse } from '../clients/house.ts';
import { parts } from '../relay/relaying.ts';
import { address } from '../submission/gatehouse.ts';
import { type SinkAnswer, type SinkEvent, startSink } from '../support/sink.ts';

const ACME = clientId('acme') as ClientId;
const REPLY = 'From: Ann <ann@there.example>\r\nTo: news@acme.example\r\nMessage-ID: <1@there.example>\r\n\r\nNo, thank you.\r\n..\r\n';
const SEND = '0123456789abcdef0123';

const peer = { id: 's', remoteAddress: '192.0.2.1', helo: 'mx.there.example', secure: undefined, protocol: 'ESMTP' };

async function stage(t: Test, answer: (event: SinkEvent) => SinkAnswer | undefined = () => undefined) {
  const { clients, parts: kept, clock } = await newHouse(t);
  const sink = await startSink({ script: answer });
  const upstreams = new Upstreams(sink.url('?starttls=off'), parts());
  t.teardown(async () => {
    await upstreams.close();
    await sink.close();
  });
  good(await clients.add(input('acme', { replyAddresses: ['news@acme.example'], forwardTo: 'jo@acme.example' })));
  const noted: string[] = [];
  const logged: string[] = [];
  const tokens = new Tokens(kept.keyring);
  const forwarding = new Forwarding({
    clients,
    upstreams,
    destinations: new Destinations({ clients, domains: ['in.acme.example'] }),
    replies: {
      noteForwarded: async ({ owner, id }, how) => void noted.push(`${owner} ${id} ${how}`),
      keep: async ({ owner, id }, octets) => void noted.push(`${owner} ${id} kept ${octets.length}`),
    },
    loops: { mark: client => tokens.make(client, SEND), isOurs: mark => tokens.read(mark) !== undefined },
    hostname: 'gate.example',
    clock,
    log: createLog('error', { write: line => void logged.push(line) }),
  });
  const handOn = (text: string, processed: Partial<Processed>) =>
    forwarding.handOn(
      { message: parseMessage(Buffer.from(text)), peer, parameters: { size: undefined, utf8: false, body: '7bit' } },
      { outcome: 'applied', logged: [{ owner: ACME, id: 'line' }], passOnTo: undefined, forwardFor: undefined, ...processed },
    );
  return { handOn, noted, logged, sink, tokens, clients };
}

t.test('a copy goes to the client, octet for octet, with the null reverse-path; what nobody asked for goes nowhere', async t => {
  const { handOn, noted, sink, tokens } = await stage(t);
  t.equal(await handOn(REPLY, {}), 'settled');
  t.same(sink.messages, []);
  t.equal(await handOn(REPLY, { forwardFor: ACME }), 'settled');
  t.match(sink.messages, [{ from: '', to: ['jo@acme.example'] }]);
  const copy = sink.messages[0]?.octets.toString() ?? '';
  const [, mark = '', original] =
    /^Received: from mx\.there\.example [\s\S]+\r\nX-Postern-Loop: ([a-z2-7]{36})\r\n(From: [\s\S]*)$/.exec(copy) ?? [];
  t.equal(original, REPLY);
  t.ok(tokens.read(mark)?.isOf('acme'));
  t.same(noted, ['acme line done']);
});

t.test('a bounce goes on to the reverse-path that the platform gave', async t => {
  const { handOn, sink } = await stage(t);
  t.equal(await handOn(REPLY, { passOnTo: address('bounces+7@platform.example') }), 'settled');
  t.match(sink.messages, [{ from: '', to: ['bounces+7@platform.example'] }]);
});

t.test('what the upstream says decides: refused is kept with an alarm, deferred or lost comes again', async t => {
  const table: readonly [string, (event: SinkEvent) => SinkAnswer | undefined, string, readonly string[]][] = [
    ['refused at RCPT', ({ stage }) => (stage === 'rcpt' ? '550 5.1.1 nobody' : undefined), 'settled', ['refused']],
    ['refused at MAIL', ({ stage }) => (stage === 'mail' ? '550 5.7.1 no null path' : undefined), 'settled', ['refused']],
    ['refused at the dot', ({ stage }) => (stage === 'dot' ? '554 5.6.0 spam' : undefined), 'settled', ['refused']],
    ['deferred at RCPT', ({ stage }) => (stage === 'rcpt' ? '450 4.2.0 later' : undefined), 'deferred', []],
    ['deferred at the dot', ({ stage }) => (stage === 'dot' ? '451 4.3.0 later' : undefined), 'deferred', []],
    ['lost at DATA', ({ stage }) => (stage === 'data' ? { end: 'reset' } : undefined), 'deferred', []],
    ['lost after the dot', ({ stage }) => (stage === 'dot' ? { end: 'reset' } : undefined), 'deferred', []],
  ];
  for (const [name, answer, expected, notes] of table) {
    const { handOn, noted, logged } = await stage(t, answer);
    t.equal(await handOn(REPLY, { forwardFor: ACME }), expected, name);
    const kept = notes.includes('refused') ? [`acme line kept ${REPLY.length}`, 'acme line refused'] : [];
    t.same(noted, kept, name);
    t.equal(
      logged.some(line => line.includes('"alarm":"forward-refused"')),
      kept.length > 0,
      name,
    );
    t.notMatch(logged.join(), /@|there\.example/, 'no address in the log');
  }
});

t.test('nothing goes in circles', async t => {
  const { handOn, noted, logged, sink, tokens, clients } = await stage(t);
  await handOn(`X-Postern-Loop: ${tokens.make('acme', SEND)}\r\n${REPLY}`, { forwardFor: ACME });
  t.same([sink.messages.length, noted], [0, []], 'a copy of ours that came back');
  await handOn(`X-Postern-Loop: gate.example\r\nX-Postern-Loop: ${'a'.repeat(36)}\r\n${REPLY}`, { forwardFor: ACME });
  t.equal(sink.messages.length, 1, "a stranger's mark keeps nothing back");
  good(await clients.add(input('other', { replyAddresses: ['jo@acme.example'] })));
  await handOn(REPLY, { forwardFor: ACME });
  await handOn(REPLY, { passOnTo: address('bounce+x@in.acme.example') });
  t.equal(sink.messages.length, 1, 'addresses that lead back here');
  t.equal(logged.filter(line => line.includes('"alarm":"forward-loop"')).length, 3);
});

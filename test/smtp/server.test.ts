/** PROXY and XCLIENT: believed from listed addresses only, and never as a login. */
import t from 'tap';
import { reject } from '../../src/mail/reply.ts';
import { OpenGate, PASSWORD } from '../support/open-gate.ts';
import { dial } from '../support/smtp-client.ts';
import { listening } from './listening.ts';

t.test('PROXY from a listed address names the client', async t => {
  const table: [string, string][] = [
    ['PROXY TCP4 192.0.2.1 192.0.2.2 1234 25', '192.0.2.1'],
    ['PROXY TCP6 2001:db8::1 2001:db8::2 1234 25', '2001:db8::1'],
    ['PROXY TCP6 ::ffff:192.0.2.9 ::1 1234 25', '192.0.2.9'],
    ['PROXY UNKNOWN', '127.0.0.1'],
  ];
  const { port, gate } = await listening(t, { proxyProtocol: ['127.0.0.1'] });
  for (const [header, address] of table) {
    const client = await dial(port, { early: `${header}\r\n` });
    t.equal((await client.reply()).code, 220, header);
    t.equal(gate.peers.at(-1)?.remoteAddress, address, header);
    client.close();
  }
});

t.test('a listed address must send a good header', async t => {
  const { port, gate } = await listening(t, { proxyProtocol: ['127.0.0.1'] });
  const v2 = '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x01\0\x19';
  for (const early of ['EHLO client.example\r\n', 'PROXY TCP4 evil 192.0.2.2 1 2\r\n', `PROXY ${'x'.repeat(2000)}`, v2]) {
    const client = await dial(port, { early });
    t.notMatch(await client.rest(), /^220/m, JSON.stringify(early.slice(0, 30)));
  }
  const pipelined = await dial(port, { early: 'PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\nEHLO early.example\r\n' });
  t.equal((await pipelined.reply()).text, '554 5.5.1 Wait for the greeting');
  t.equal(gate.peers.length, 0);
});

t.test('PROXY under implicit TLS comes before the handshake', async t => {
  const { listener, gate } = await listening(t, { listen: 'smtps://127.0.0.1:0', proxyProtocol: ['127.0.0.1'] });
  const client = await dial(listener.addresses[0]?.port ?? 0, { early: 'PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\n' });
  await client.upgrade();
  t.equal((await client.reply()).code, 220);
  t.match(gate.peers[0], { remoteAddress: '192.0.2.1', secure: /^TLS/ });
  client.close();
});

t.test('from other addresses both are refused', async t => {
  const { greeted, gate, port } = await listening(t, { proxyProtocol: ['192.0.2.77'], xclient: ['192.0.2.78'] });
  const client = await greeted();
  t.equal(await client.ask('PROXY TCP4 192.0.2.1 192.0.2.2 1234 25'), '500 5.5.2 Command not recognized');
  t.notMatch(await client.ask('EHLO client.example'), /XCLIENT/);
  t.equal(await client.ask('XCLIENT ADDR=192.0.2.1'), '550 5.7.0 XCLIENT is not for this address');
  const early = await dial(port, { early: 'PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\n' });
  t.match((await early.reply()).text, /^(220|554 5\.5\.1) /);
  early.close();
  t.ok(gate.peers.every(peer => peer.remoteAddress === '127.0.0.1'));
});

t.test('XCLIENT from a listed address: a new client, a new beginning, no login', async t => {
  const { greeted, gate } = await listening(t, { xclient: ['127.0.0.1'] });
  const client = await greeted();
  await client.starttls();
  t.match(await client.ask('EHLO proxy.example'), /XCLIENT NAME ADDR PORT PROTO HELO$/m);
  t.match(await client.ask(`AUTH PLAIN ${Buffer.from(`\0user\0${PASSWORD}`).toString('base64')}`), /^235/);
  t.equal(await client.ask('XCLIENT ADDR=nonsense'), '501 5.5.4 Wrong arguments');
  t.equal(await client.ask('XCLIENT ADDR=[UNAVAILABLE]'), '501 5.5.4 Wrong arguments');
  await client.ask('MAIL FROM:<>');
  t.equal(await client.ask('XCLIENT ADDR=192.0.2.1'), '503 5.5.1 Not during a mail transaction');
  await client.ask('RSET');
  t.equal(await client.ask('XCLIENT NAME=mail.example ADDR=IPV6:2001:DB8::5 LOGIN=boss HELO=x'), '220 gate.example ESMTP Postern');
  t.equal(await client.ask('MAIL FROM:<>'), '503 5.5.1 Send EHLO first');
  t.match(await client.ask('EHLO real.example'), /AUTH PLAIN LOGIN$/m, 'nobody is logged in');
  t.equal(await client.ask('XCLIENT ADDR=192.0.2.2'), '550 5.7.0 XCLIENT is not for this address', 'the client cannot name itself');
  await client.ask('MAIL FROM:<a@sender.example>');
  await client.ask('RCPT TO:<b@there.example>');
  await client.ask('DATA');
  client.write('x\r\n.\r\n');
  await client.reply();
  t.match(gate.taken, [{ login: undefined, peer: { remoteAddress: '2001:db8::5', helo: 'real.example', protocol: 'ESMTPS' } }]);
  t.same(
    gate.peers.map(peer => peer.remoteAddress),
    ['127.0.0.1', '2001:db8::5'],
  );
  t.equal(gate.peers[0]?.id, gate.peers[1]?.id);
  t.same(gate.events.slice(-6), ['begin', 'end', 'closed', 'connect', 'begin', 'end']);
});

t.test('the gate is asked about the client that XCLIENT names', async t => {
  const gate = new OpenGate({ connect: peer => (peer.remoteAddress === '192.0.2.1' ? reject(554, '5.7.1', 'Not from there') : undefined) });
  const { greeted } = await listening(t, { gate, xclient: ['127.0.0.1'] });
  const client = await greeted();
  await client.ask('EHLO proxy.example');
  t.equal(await client.ask('XCLIENT ADDR=192.0.2.1'), '554 5.7.1 Not from there');
  t.equal(await client.rest(), '');
  t.same(gate.events, ['connect', 'closed']);
});

t.test('only single addresses can be listed', async t => {
  for (const entry of ['*', '10.0.0.0/8', 'proxy.example']) {
    await t.rejects(listening(t, { proxyProtocol: [entry] }), /^submission\.proxyProtocol: .* is no IP address/, entry);
    await t.rejects(listening(t, { xclient: [entry] }), /^submission\.xclient: .* is no IP address/, entry);
  }
});

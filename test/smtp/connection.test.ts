/** The socket side: early talkers, replies in one write, and clients that are slow, silent or deaf. */
import t from 'tap';
import { accept } from '../../src/mail/reply.ts';
import { OpenGate } from '../support/open-gate.ts';
import { dial } from '../support/smtp-client.ts';
import { listening } from './listening.ts';

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

t.test('who talks before the greeting is refused, and nothing of it runs', async t => {
  const { port, gate } = await listening(t);
  let late = false;
  for (const early of ['EHLO spam.example\r\nMAIL FROM:<a@b.example>\r\n', 'EHLO without end', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n']) {
    const client = await dial(port, { early });
    const said = (await client.reply()).text;
    // Whether the octets beat the greeting is the network's affair; those that came behind it were pipelined, no more.
    late ||= said.startsWith('220');
    if (said.startsWith('220')) client.close();
    else t.equal(said, '554 5.5.1 Wait for the greeting');
  }
  t.equal(gate.peers.filter(peer => peer.remoteAddress !== '127.0.0.1').length, 0);
  t.ok(late || !gate.events.includes('begin'));
});

t.test('LIBRARIES 3: the greeting neither waits 100 ms nor asks the DNS', async t => {
  const { greeted } = await listening(t);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await greeted();
    best = Math.min(best, performance.now() - start);
  }
  t.ok(best < 90, `${best} ms: less than smtp-server's timer alone`);
});

t.test('the replies to pipelined commands leave in one write', async t => {
  const gate = new OpenGate({
    rcpt: async () => {
      await pause(1);
      return accept(250, '2.1.5', 'OK');
    },
  });
  const { greeted } = await listening(t, { gate });
  const client = await greeted();
  await client.ask('EHLO client.example');
  let fewest = Number.POSITIVE_INFINITY;
  // The quickest of five: on a busy machine five waits of 1 ms may outlast the time that a reply is held.
  for (let round = 0; round < 5; round++) {
    client.reads = 0;
    client.write(`MAIL FROM:<a@sender.example>\r\n${'RCPT TO:<b@there.example>\r\n'.repeat(5)}DATA\r\n`);
    for (let i = 0; i < 6; i++) t.equal((await client.reply()).code, 250);
    t.equal((await client.reply()).code, 354);
    fewest = Math.min(fewest, client.reads);
    client.write('x\r\n.\r\n');
    await client.reply();
  }
  t.ok(fewest <= 2, `${fewest} reads for 7 replies`);
});

t.test('a reply does not wait long for a slow one behind it', async t => {
  let release = (): void => undefined;
  const gate = new OpenGate({ rcpt: () => new Promise(resolve => (release = () => resolve(accept(250, '2.1.5', 'OK')))) });
  const { greeted } = await listening(t, { gate });
  const client = await greeted();
  await client.ask('EHLO client.example');
  client.write('MAIL FROM:<a@sender.example>\r\nRCPT TO:<b@there.example>\r\nNOOP\r\n');
  t.equal((await client.reply()).text, '250 2.1.0 OK', 'though RCPT is not answered');
  release();
  t.equal((await client.reply()).text, '250 2.1.5 OK');
});

t.test('silence ends the session, dripping does not prolong it', async t => {
  const { greeted } = await listening(t, { idleMs: 800 });
  const silent = await greeted();
  t.equal((await silent.rest()).trim(), '421 4.4.2 Timed out');
  const dripping = await greeted();
  const drip = setInterval(() => dripping.write('N'), 20);
  t.teardown(() => clearInterval(drip));
  t.equal((await dripping.rest()).trim(), '421 4.4.2 Timed out');
  const busy = await greeted();
  for (let i = 0; i < 10; i++) {
    await pause(120);
    t.equal((await busy.ask('NOOP')).slice(0, 3), '250', 'each command counts anew');
  }
});

t.test('a message must make headway', async t => {
  const { greeted, gate, budget } = await listening(t, { idleMs: 800 });
  const begin = async () => {
    const client = await greeted();
    await client.ask('EHLO client.example');
    await client.ask('MAIL FROM:<a@sender.example>');
    await client.ask('RCPT TO:<b@there.example>');
    await client.ask('DATA');
    return client;
  };
  const slow = await begin();
  const drip = setInterval(() => slow.write('x'), 20);
  t.teardown(() => clearInterval(drip));
  t.equal((await slow.rest()).trim(), '421 4.4.2 Timed out');
  const steady = await begin();
  for (let i = 0; i < 10; i++) {
    steady.write(`${'x'.repeat(500)}\r\n`);
    await pause(150);
  }
  steady.write('.\r\n');
  t.equal((await steady.reply()).text, '250 2.0.0 Taken');
  const unfit = await begin();
  const flow = setInterval(() => unfit.write(`${'x'.repeat(500)}\n`), 20);
  t.teardown(() => clearInterval(flow));
  t.equal((await unfit.rest()).trim(), '421 4.4.2 Timed out', 'a message that is refused anyway gets no more time');
  t.equal(gate.taken.length, 1);
  t.equal(budget.used, 0);
});

t.test('the gate may take its time', async t => {
  const gate = new OpenGate({ mail: async () => void (await pause(500)) });
  const { greeted } = await listening(t, { idleMs: 150, gate });
  const client = await greeted();
  await client.ask('EHLO client.example');
  t.equal(await client.ask('MAIL FROM:<a@sender.example>'), '250 2.1.0 OK');
});

t.test('a client that never reads does not fill our memory', async t => {
  const { greeted, gate } = await listening(t, { idleMs: 500 });
  const client = await greeted();
  await client.ask('EHLO client.example');
  client.socket.pause();
  await pause(20);
  let unread = 0;
  // Each refused recipient costs 10 octets and is answered with 40.
  const send = () => {
    while (unread < 3_000_000) {
      unread += 64_000;
      if (!client.socket.write('RCPT TO:<\r\n'.repeat(6400))) return void client.socket.once('drain', send);
    }
  };
  client.write('MAIL FROM:<a@sender.example>\r\n');
  send();
  while (!gate.events.includes('closed')) await pause(20);
  t.pass('it was shown out');
});

/** Starting, stopping, and how many may come at once. */
import { createServer } from 'node:net';
import t from 'tap';
import { accept } from '../../src/mail/reply.ts';
import { OpenGate } from '../support/open-gate.ts';
import { dial } from '../support/smtp-client.ts';
import { listening } from './listening.ts';

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

t.test('stop: who waits is sent away at once, who is in a transaction may finish it, nobody begins another', async t => {
  const { greeted, gate, listener, port } = await listening(t, { xclient: ['127.0.0.1'] });
  const idle = await greeted();
  const busy = await greeted();
  await busy.ask('EHLO client.example');
  await busy.ask('MAIL FROM:<a@sender.example>');
  const start = Date.now();
  let stopped = false;
  const stop = listener.stop(20_000).then(() => {
    stopped = true;
  });
  t.equal((await idle.rest()).trim(), '421 4.3.2 Service is stopping');
  await t.rejects(dial(port), { code: 'ECONNREFUSED' });
  t.equal(await busy.ask('RCPT TO:<b@there.example>'), '250 2.1.5 OK');
  t.match(await busy.ask('DATA'), /^354/);
  t.notOk(stopped);
  busy.write('x\r\n.\r\nMAIL FROM:<another@sender.example>\r\n');
  t.equal((await busy.reply()).text, '250 2.0.0 Taken');
  t.equal((await busy.rest()).trim(), '421 4.3.2 Service is stopping');
  busy.close();
  idle.close();
  await stop;
  t.ok(Date.now() - start < 15_000, 'no longer than it took');
  t.same(gate.events.filter(event => event !== 'connect').sort(), ['begin', 'closed', 'closed', 'end']);
  await listener.stop(0);
});

t.test('law 2: stop: the limit ends what is not done; whoever waits for a verdict is told nothing but that', async t => {
  const finish: (() => void)[] = [];
  const gate = new OpenGate({ message: () => new Promise(resolve => finish.push(() => resolve(accept(250, '2.0.0', 'late')))) });
  const { greeted, listener } = await listening(t, { gate });
  const opened = async () => {
    const client = await greeted();
    await client.ask('EHLO client.example');
    await client.ask('MAIL FROM:<a@sender.example>');
    return client;
  };
  const judged = async () => {
    const client = await opened();
    await client.ask('RCPT TO:<b@there.example>');
    await client.ask('DATA');
    client.write('x\r\n.\r\n');
    while (finish.length === 0) await pause(5);
    return { client, finish: finish.pop() as () => void };
  };
  const [soon, never, open] = [await judged(), await judged(), await opened()];
  const stop = listener.stop(100, 2_000);
  t.equal((await open.rest()).trim(), '421 4.3.2 Service is stopping');
  soon.finish();
  t.equal((await soon.client.rest()).trim(), '250 2.0.0 late\r\n421 4.3.2 Service is stopping');
  t.equal(await never.client.rest(), '', 'nobody knows what becomes of the message');
  await stop;
  never.finish();
  while (gate.events.filter(event => event === 'closed').length < 3) await pause(5);
  t.equal(gate.events.filter(event => event === 'end').length, 3);
});

t.test('stop: a client that ignores the 421 is cut off; so is one within its handshake', async t => {
  const { listener, greeted } = await listening(t, { listen: ['127.0.0.1:0', 'smtps://127.0.0.1:0'] });
  const deaf = await greeted();
  deaf.socket.pause();
  const shaking = await greeted();
  t.match(await shaking.ask('STARTTLS'), /^220/);
  const silent = await dial(listener.addresses[1]?.port ?? 0);
  await pause(20);
  await listener.stop(50);
  t.equal(await silent.rest(), '');
  await shaking.rest();
  t.pass('stop resolved with all of them connected');
});

t.test('no more sessions than maxSessions, over all addresses; a place is free again at once', async t => {
  const { greeted, listener } = await listening(t, { maxSessions: 2, listen: ['127.0.0.1:0', '127.0.0.1:0'] });
  const one = await greeted();
  const other = await dial(listener.addresses[1]?.port ?? 0);
  t.equal((await other.reply()).code, 220);
  const third = await dial(listener.addresses[1]?.port ?? 0);
  t.equal((await third.rest()).trim(), '421 4.7.0 Too many connections');
  await one.ask('QUIT');
  const fourth = await greeted();
  t.equal(await fourth.ask('NOOP'), '250 2.0.0 OK');
  other.close();
});

t.test('an address that is taken is named, and nothing is left open', async t => {
  const taken = createServer();
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  t.teardown(() => taken.close());
  await t.rejects(
    listening(t, { listen: ['127.0.0.1:0', `127.0.0.1:${port}`] }),
    new RegExp(`submission\\.listen: cannot listen on 127\\.0\\.0\\.1:${port} \\(EADDRINUSE\\)`),
  );
});

t.test('IPv6', async t => {
  const running = await listening(t, { listen: '[::1]:0' }).catch(() => undefined);
  if (running === undefined) return t.pass('this machine has no IPv6 loopback');
  const client = await dial(running.port, { host: '::1' });
  t.equal((await client.reply()).code, 220);
  t.equal(running.gate.peers[0]?.remoteAddress, '::1');
  client.close();
});

/** The conversation: faults become 451, replies go out as given, the gate hears of every beginning and end once. */
import t from 'tap';
import { defer, reject } from '../../src/mail/reply.ts';
import { OpenGate, PASSWORD, WRONG } from '../support/open-gate.ts';
import type { SmtpClient } from '../support/smtp-client.ts';
import { listening } from './listening.ts';

const PLAIN = `AUTH PLAIN ${Buffer.from(`\0user\0${PASSWORD}`).toString('base64')}`;

async function deliver(client: SmtpClient, body = 'Subject: x\r\n\r\nhello\r\n'): Promise<string> {
  await client.ask('MAIL FROM:<a@sender.example>');
  await client.ask('RCPT TO:<b@there.example>');
  const go = await client.ask('DATA');
  if (!go.startsWith('354')) return go;
  client.write(`${body}.\r\n`);
  return (await client.reply()).text;
}

t.test('what the gate is told of the client', async t => {
  const { greeted, gate } = await listening(t);
  const client = await greeted();
  await client.ask('HELO one.example');
  await deliver(client);
  await client.ask('EHLO two.example');
  await deliver(client);
  await client.starttls();
  t.equal(gate.peers[0]?.helo, '', 'what was said in clear is forgotten');
  await client.ask('EHLO three.example');
  await client.ask(PLAIN);
  await deliver(client);
  t.match(gate.taken, [
    { peer: { helo: 'one.example', protocol: 'SMTP', secure: undefined }, login: undefined },
    { peer: { helo: 'two.example', protocol: 'ESMTP', remoteAddress: '127.0.0.1' }, login: undefined },
    { peer: { helo: 'three.example', protocol: 'ESMTPSA', secure: /^TLSv1\.[23] TLS_/ }, login: 'user' },
  ]);
  t.equal(gate.peers.length, 1, 'one peer, the same object');
});

t.test('LIBRARIES 1: whatever the gate throws is 451, is logged without an address, and hangs nobody', async t => {
  const fail = () => Promise.reject(new Error('no such mailbox: jane@there.example'));
  const gate = new OpenGate();
  const { greeted, logged, budget } = await listening(t, { gate });
  const client = await greeted();
  await client.ask('EHLO client.example');
  const stages = { mail: 'MAIL', rcpt: 'RCPT', data: 'DATA', message: 'dot' } as const;
  for (const stage of Object.keys(stages) as (keyof typeof stages)[]) {
    gate.answers[stage] = fail;
    t.equal(
      await client.ask('MAIL FROM:<a@sender.example>'),
      stage === 'mail' ? '451 4.3.0 Local fault, try again later' : '250 2.1.0 OK',
      stage,
    );
    if (stage === 'rcpt') t.equal(await client.ask('RCPT TO:<b@there.example>'), '451 4.3.0 Local fault, try again later');
    if (stage === 'data' || stage === 'message') {
      await client.ask('RCPT TO:<b@there.example>');
      if (stage === 'message') {
        await client.ask('DATA');
        client.write('x\r\n.\r\n');
        t.equal((await client.reply()).text, '451 4.3.0 Local fault, try again later');
      } else t.equal(await client.ask('DATA'), '451 4.3.0 Local fault, try again later');
    }
    delete gate.answers[stage];
    t.equal(await client.ask('RSET'), '250 2.0.0 OK');
  }
  await client.starttls();
  await client.ask('EHLO client.example');
  gate.answers.authenticate = fail as never;
  t.equal(await client.ask(PLAIN), '451 4.3.0 Local fault, try again later');
  gate.answers.end = () => {
    throw new Error('end failed for jane@there.example');
  };
  t.equal(await deliver(client), '250 2.0.0 Taken', 'a message that was taken stays taken');
  t.equal(logged.filter(line => line.includes('the gate failed')).length, 6);
  t.notMatch(logged.join(''), /jane|there\.example/);
  t.match(logged.join(''), /at .*session\.test\.ts/, 'the log says where');
  t.equal(budget.used, 0);
  const begun = gate.events.filter(event => event === 'begin').length;
  t.equal(gate.events.filter(event => event === 'end').length, begun, 'every transaction ended once');
});

t.test("LIBRARIES 2: replies are the gate's, word for word", async t => {
  const gate = new OpenGate({ rcpt: async () => reject(550, '5.7.1', 'Recipient may not be mailed (excluded) ref=x') });
  const { greeted } = await listening(t, { gate });
  const client = await greeted();
  await client.ask('EHLO client.example');
  await client.ask('MAIL FROM:<a@sender.example>');
  t.equal(await client.ask('RCPT TO:<b@there.example>'), '550 5.7.1 Recipient may not be mailed (excluded) ref=x');
  gate.answers.rcpt = async () => defer(450, '4.7.0', 'Slow down\r\n250 2.0.0 not a second reply');
  t.equal(await client.ask('RCPT TO:<b@there.example>'), '450 4.7.0 Slow down 250 2.0.0 not a second reply');
  t.equal(await client.ask('NOOP'), '250 2.0.0 OK');
});

t.test('a 421 from the gate ends the session', async t => {
  const gate = new OpenGate({ mail: async () => defer(421, '4.3.2', 'Service is down') });
  const { greeted } = await listening(t, { gate });
  const client = await greeted();
  await client.ask('EHLO client.example');
  t.equal(await client.ask('MAIL FROM:<>'), '421 4.3.2 Service is down');
  t.equal(await client.rest(), '');
});

t.test('Gate.connect refuses, or fails', async t => {
  const gate = new OpenGate({ connect: () => reject(554, '5.7.1', 'Not from here') });
  const running = await listening(t, { gate });
  const { dial } = await import('../support/smtp-client.ts');
  const one = await dial(running.port);
  t.equal((await one.rest()).trim(), '554 5.7.1 Not from here');
  gate.answers.connect = () => {
    throw new Error('broken');
  };
  const two = await dial(running.port);
  t.equal((await two.rest()).trim(), '421 4.3.0 Service cannot answer');
  await running.listener.stop(0);
  t.same(gate.events, [], 'closed is not called for a session that was refused');
});

t.test('A29: no password is asked for or looked at without TLS', async t => {
  let asked = 0;
  const gate = new OpenGate({
    authenticate: async () => {
      asked++;
      return { login: 'user' };
    },
  });
  const { greeted } = await listening(t, { gate });
  const client = await greeted();
  await client.ask('EHLO client.example');
  t.equal(await client.ask(PLAIN), '538 5.7.11 Authentication needs TLS, send STARTTLS first');
  t.equal(await client.ask('AUTH LOGIN'), '538 5.7.11 Authentication needs TLS, send STARTTLS first');
  t.equal(asked, 0);
});

t.test('AUTH: verbatim replies, three failures, not within a transaction, gone after STARTTLS', async t => {
  const { greeted, gate } = await listening(t);
  const client = await greeted({ tls: false });
  await client.starttls();
  await client.ask('EHLO client.example');
  const wrong = `AUTH PLAIN ${Buffer.from('\0user\0wrong').toString('base64')}`;
  await client.ask('MAIL FROM:<>');
  t.equal(await client.ask(PLAIN), '503 5.5.1 Not during a mail transaction');
  await client.ask('RSET');
  for (let i = 0; i < 3; i++) t.equal(await client.ask(wrong), `535 5.7.8 ${WRONG.text}`);
  t.equal(await client.ask(PLAIN), '421 4.7.0 Too many failed authentications');
  t.equal(await client.rest(), '');
  t.match(gate.peers[0], { protocol: 'ESMTPS' });
});

t.test('AUTH: continuation lines may be long, to a point', async t => {
  const { greeted } = await listening(t);
  const client = await greeted();
  await client.starttls();
  await client.ask('EHLO client.example');
  const long = Buffer.from(`\0user\0${'p'.repeat(8000)}`).toString('base64');
  t.equal(await client.ask(`AUTH PLAIN ${long}`), `535 5.7.8 ${WRONG.text}`);
  await client.ask('AUTH PLAIN');
  t.equal(await client.ask('A'.repeat(13_000)), '500 5.5.6 Authentication line too long');
  await client.ask('AUTH LOGIN');
  client.write('dXNlcg==\n');
  t.equal((await client.reply()).code, 500, 'a bare LF ends the exchange');
  t.equal(await client.ask('NOOP'), '250 2.0.0 OK');
});

t.test('long lines', async t => {
  const { greeted } = await listening(t);
  const client = await greeted();
  await client.ask('EHLO client.example');
  t.equal(await client.ask(`NOOP ${'x'.repeat(2000)}`), '250 2.0.0 OK');
  t.equal(await client.ask(`NOOP ${'x'.repeat(2100)}`), '500 5.5.2 Line too long');
  t.equal(await client.ask(`NOOP ${'x'.repeat(50_000)}`), '500 5.5.2 Line too long');
  t.equal(await client.ask('NOOP'), '250 2.0.0 OK', 'the rest of a long line is no command');
  client.write('x'.repeat(100_000));
  t.equal((await client.reply()).text, '421 4.7.0 Line far too long');
});

t.test('too many commands that lead nowhere', async t => {
  const { greeted } = await listening(t);
  const idle = await greeted();
  idle.write('NOOP\r\n'.repeat(101));
  for (let i = 0; i < 100; i++) t.equal((await idle.reply()).code, 250);
  t.equal((await idle.reply()).text, '421 4.7.0 Too many commands without mail');
  const batch = await greeted();
  batch.write(`EHLO client.example\r\nMAIL FROM:<a@sender.example> SIZE=9999999\r\n${'RCPT TO:<b@there.example>\r\n'.repeat(100)}`);
  await batch.reply();
  t.equal((await batch.reply()).code, 552);
  for (let i = 0; i < 100; i++)
    t.equal((await batch.reply()).text, '503 5.5.1 Send MAIL first', 'a batch whose MAIL was refused may finish');
  t.equal(await batch.ask('RSET'), '250 2.0.0 OK');
});

t.test('a browser is shown out', async t => {
  const { greeted } = await listening(t);
  for (const line of ['POST / HTTP/1.1', 'get /x http/1.0', 'CONNECT gate.example:25 HTTP/1.1']) {
    const client = await greeted();
    client.write(`${line}\r\nMAIL FROM:<evil@x.example>\r\n`);
    t.equal((await client.rest()).trim(), '421 4.7.0 This is no web server', line);
  }
});

t.test('no more than maxRecipients are taken, the rest may come later', async t => {
  const { greeted, gate } = await listening(t);
  const client = await greeted();
  await client.ask('EHLO client.example');
  await client.ask('MAIL FROM:<a@sender.example>');
  for (let i = 0; i < 100; i++) client.send(`RCPT TO:<r${i}@there.example>`);
  for (let i = 0; i < 100; i++) t.equal((await client.reply()).code, 250);
  t.equal(await client.ask('RCPT TO:<r0@there.example>'), '452 4.5.3 Too many recipients');
  await client.ask('DATA');
  client.write('x\r\n.\r\n');
  await client.reply();
  t.equal(gate.taken[0]?.rcpt.length, 100);
});

t.test('the end of a transaction is told once, however it ends', async t => {
  const { greeted, gate, listener } = await listening(t);
  const begin = async () => {
    const client = await greeted();
    await client.ask('EHLO client.example');
    await client.ask('MAIL FROM:<a@sender.example>');
    await client.ask('RCPT TO:<b@there.example>');
    return client;
  };
  const seen = () => gate.events.splice(0).join(' ');
  const gone = async (text: string) => {
    while (!gate.events.includes('closed')) await new Promise(resolve => setTimeout(resolve, 5));
    t.equal(seen(), text);
  };
  let client = await begin();
  await client.ask('RSET');
  await client.ask('RSET');
  t.equal(seen(), 'connect begin end');
  await client.ask('MAIL FROM:<a@sender.example>');
  await client.ask('EHLO client.example');
  t.equal(seen(), 'begin end');
  await client.ask('MAIL FROM:<a@sender.example>');
  await client.ask('QUIT');
  await gone('begin end closed');
  client = await begin();
  client.close();
  await gone('connect begin end closed');
  client = await begin();
  await client.ask('DATA');
  client.write('Subject: half a mess');
  client.close();
  await gone('connect begin end closed');
  client = await begin();
  await client.starttls();
  client.close();
  await gone('connect begin end closed');
  t.equal(gate.taken.length, 0);
  await listener.stop(0);
  t.equal(seen(), '');
});

t.test('a connection lost while the message is judged: the end waits for the judgement', async t => {
  let finish = (): void => undefined;
  const events: string[] = [];
  const gate = new OpenGate({
    message: () =>
      new Promise(resolve => {
        finish = () => {
          events.push('judged');
          resolve(defer(451, '4.3.0', 'late'));
        };
      }),
    end: () => void events.push('end'),
  });
  const { greeted, budget } = await listening(t, { gate });
  const client = await greeted();
  await client.ask('EHLO client.example');
  await client.ask('MAIL FROM:<a@sender.example>');
  await client.ask('RCPT TO:<b@there.example>');
  await client.ask('DATA');
  client.write('x\r\n.\r\n');
  while (budget.used === 0) await new Promise(resolve => setTimeout(resolve, 5));
  await new Promise(resolve => setTimeout(resolve, 30));
  client.close();
  await new Promise(resolve => setTimeout(resolve, 50));
  t.same(events, []);
  t.ok(budget.used > 0, 'the memory is still in use');
  finish();
  while (!gate.events.includes('closed')) await new Promise(resolve => setTimeout(resolve, 5));
  t.same(events, ['judged', 'end']);
  t.equal(budget.used, 0);
});

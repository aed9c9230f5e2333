/** DATA: what is kept, for how long, and what is said where it cannot be. */
import t from 'tap';
import { defer } from '../../src/mail/reply.ts';
import { ByteBudget } from '../../src/smtp/budget.ts';
import { OpenGate } from '../support/open-gate.ts';
import type { SmtpClient } from '../support/smtp-client.ts';
import { listening } from './listening.ts';

async function upTo354(client: SmtpClient, parameters = ''): Promise<string> {
  await client.ask('EHLO client.example');
  const mail = await client.ask(`MAIL FROM:<a@sender.example>${parameters}`);
  if (!mail.startsWith('250')) return mail;
  await client.ask('RCPT TO:<b@there.example>');
  return client.ask('DATA');
}

async function send(client: SmtpClient, octets: string | Buffer): Promise<string> {
  client.write(octets);
  client.write('\r\n.\r\n');
  return (await client.reply()).text;
}

t.test('law 3: the gate gets the octets as they were, in one buffer', async t => {
  const { greeted, gate } = await listening(t);
  const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i).filter(i => i !== 0 && i !== 10 && i !== 13));
  const lines = Array.from({ length: 2000 }, (_, i) => Buffer.concat([Buffer.from(i % 3 === 0 ? '.' : ''), every, Buffer.from('\r\n')]));
  const body = Buffer.concat([Buffer.from('Subject: x\r\n\r\n'), ...lines]);
  const stuffed = Buffer.from(body.toString('latin1').replace(/^\./gm, '..'), 'latin1');
  const client = await greeted();
  await upTo354(client, ' BODY=8BITMIME');
  client.write(stuffed);
  client.write('.\r\n');
  t.equal((await client.reply()).text, '250 2.0.0 Taken');
  t.ok(gate.taken[0]?.octets.equals(body));
  t.match(gate.taken[0], { path: 'a@sender.example', rcpt: ['b@there.example'], parameters: { body: '8bitmime' } });
});

t.test('LIBRARIES 3: too large is 552, declared or not, and the session goes on', async t => {
  const { greeted, gate, budget } = await listening(t, { maxMessageBytes: 20_000 });
  const client = await greeted();
  t.equal(await upTo354(client, ' SIZE=20001'), '552 5.3.4 Message too large');
  await upTo354(client, ' SIZE=10');
  t.equal(await send(client, 'x'.repeat(30_000)), '552 5.3.4 Message too large', 'a lie about the size');
  await upTo354(client);
  t.equal(await send(client, 'x'.repeat(19_998)), '250 2.0.0 Taken', 'the limit itself');
  await upTo354(client);
  t.equal(await send(client, 'x'.repeat(19_999)), '552 5.3.4 Message too large');
  t.equal(gate.taken.length, 1);
  t.equal(budget.used, 0);
  t.equal(gate.events.filter(event => event === 'end').length, 3);
});

t.test('LIBRARIES 5: bare line ends and NUL', async t => {
  const { greeted, gate } = await listening(t);
  const client = await greeted();
  const table: [string, string][] = [
    ['a\nb', '550 5.5.2 Message holds a bare CR or LF'],
    ['a\rb', '550 5.5.2 Message holds a bare CR or LF'],
    ['a\n.\nb', '550 5.5.2 Message holds a bare CR or LF'],
    ['a\n.\r\nb', '550 5.5.2 Message holds a bare CR or LF'],
    ['a\0b', '554 5.6.0 Message holds a NUL octet'],
    ['fine', '250 2.0.0 Taken'],
  ];
  for (const [body, reply] of table) {
    await upTo354(client);
    t.equal(await send(client, body), reply, JSON.stringify(body));
  }
  t.equal(gate.taken.length, 1);
});

t.test('the byte budget: 452 before 354 where the size is known, else behind the dot; free again afterwards', async t => {
  let finish = (): void => undefined;
  const gate = new OpenGate();
  const { greeted, budget } = await listening(t, { gate, budget: new ByteBudget(100_000) });
  gate.answers.message = () => new Promise(resolve => (finish = () => resolve(defer(451, '4.3.0', 'no'))));
  const first = await greeted();
  await upTo354(first, ' SIZE=60000');
  first.write(`${'x'.repeat(50_000)}\r\n.\r\n`);
  const second = await greeted();
  t.equal(await upTo354(second, ' SIZE=60000'), '452 4.3.1 No room at the moment, try again later');
  t.equal((await upTo354(second)).slice(0, 3), '354');
  t.equal(await send(second, 'x'.repeat(50_000)), '452 4.3.1 No room at the moment, try again later');
  t.equal(budget.used, 60_000);
  finish();
  t.equal((await first.reply()).code, 451);
  t.equal(budget.used, 0);
  delete gate.answers.message;
  await upTo354(second, ' SIZE=60000');
  t.equal(await send(second, 'x'.repeat(60_000)), '250 2.0.0 Taken');
});

t.test('a connection lost within the message gives its share back', async t => {
  const { greeted, gate, budget } = await listening(t);
  const client = await greeted();
  await upTo354(client, ' SIZE=500000');
  t.equal(budget.used, 500_000);
  client.write('x'.repeat(1000));
  client.close();
  while (!gate.events.includes('closed')) await new Promise(resolve => setTimeout(resolve, 5));
  t.equal(budget.used, 0);
  t.same(gate.events, ['connect', 'begin', 'end', 'closed']);
  t.equal(gate.taken.length, 0);
});

t.test('the gate may refuse at DATA; the transaction is over then', async t => {
  const gate = new OpenGate({ data: async () => defer(451, '4.3.0', 'Not now') });
  const { greeted } = await listening(t, { gate });
  const client = await greeted();
  t.equal(await upTo354(client), '451 4.3.0 Not now');
  t.equal(await client.ask('DATA'), '503 5.5.1 Send MAIL first');
  t.same(gate.events, ['connect', 'begin', 'end']);
});

t.test('commands pipelined behind the final dot run after it', async t => {
  const { greeted, gate } = await listening(t);
  const client = await greeted();
  await upTo354(client);
  client.write('one\r\n.\r\nMAIL FROM:<c@sender.example>\r\nRCPT TO:<d@there.example>\r\nDATA\r\n');
  t.equal((await client.reply()).text, '250 2.0.0 Taken');
  t.equal((await client.reply()).text, '250 2.1.0 OK');
  t.equal((await client.reply()).text, '250 2.1.5 OK');
  t.equal((await client.reply()).code, 354);
  client.write('two\r\n.\r\nQUIT\r\n');
  t.equal((await client.reply()).text, '250 2.0.0 Taken');
  t.equal((await client.reply()).text, '221 2.0.0 Bye');
  t.same(
    gate.taken.map(taken => taken.octets.toString()),
    ['one\r\n', 'two\r\n'],
  );
});

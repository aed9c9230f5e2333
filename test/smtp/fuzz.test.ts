/** Random commands and octets, in random pieces: always a reply or an end, never a crash, nothing left behind. */
import t from 'tap';
import { reject } from '../../src/mail/reply.ts';
import { OpenGate } from '../support/open-gate.ts';
import { listening } from './listening.ts';

const PIECES = [
  'EHLO client.example\r\n',
  'HELO x\r\n',
  'MAIL FROM:<a@sender.example>\r\n',
  'MAIL FROM:<> SIZE=5 BODY=8BITMIME\r\n',
  'RCPT TO:<b@there.example>\r\n',
  'RCPT TO:<refused@there.example>\r\n',
  'DATA\r\n',
  '.\r\n',
  '\r\n.\r\n',
  '..\r\n',
  'RSET\r\n',
  'NOOP\r\n',
  'AUTH PLAIN AHUAcA==\r\n',
  'AUTH LOGIN\r\n',
  '*\r\n',
  'VRFY x\r\n',
  'XCLIENT ADDR=192.0.2.1\r\n',
  'text\r\n',
  '\r',
  '\n',
  '\0',
  '\xff\xfe',
  'MAIL FROM:<',
  'x'.repeat(3000),
  ' ',
  'GET / HTTP/1.1\r\n',
];

t.test('many short lives', async t => {
  const gate = new OpenGate({
    rcpt: async path => {
      if (path.startsWith('refused')) throw new Error('refused by a fault');
      return reject(550, '5.7.1', 'no');
    },
  });
  const { greeted, listener, budget } = await listening(t, { gate, xclient: ['127.0.0.1'], idleMs: 3000, maxMessageBytes: 5000 });
  let seed = Number(process.env.FUZZ_SEED ?? 1);
  const random = (n: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * n);
  };
  const origin = seed;
  for (let life = 0; life < 120; life++) {
    if (life % 2 === 1) delete gate.answers.rcpt;
    const client = await greeted({ waitMs: 8000 });
    if (life % 3 === 0) {
      await client.starttls();
    }
    let text = '';
    for (let i = random(30); i >= 0; i--) text += PIECES[random(PIECES.length)];
    const octets = Buffer.from(text, 'latin1');
    for (let at = 0; at < octets.length; ) {
      const size = 1 + random(400);
      client.write(octets.subarray(at, at + size));
      at += size;
      if (random(3) === 0) await new Promise(resolve => setImmediate(resolve));
    }
    // Whatever state it is in: an end of data, an end of line, and QUIT must bring it to its end.
    client.write('\r\n.\r\nQUIT\r\nQUIT\r\n');
    const said = await client.rest();
    const lines = said.split('\r\n').filter(line => line !== '');
    t.ok(
      lines.every(line => /^(250-|250 |220 |334 |354 |501 |[245]\d\d [245]\.\d+\.\d+ )/.test(line)),
      `seed ${origin}, life ${life}: ${JSON.stringify(lines)}`,
    );
    client.close();
  }
  await listener.stop(0);
  await new Promise(resolve => setTimeout(resolve, 50));
  const count = (name: string) => gate.events.filter(event => event === name).length;
  t.equal(count('end'), count('begin'), 'every transaction ended');
  t.equal(count('closed'), count('connect'), 'every session ended');
  t.equal(budget.used, 0);
});

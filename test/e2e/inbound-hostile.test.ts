/** Mail that is made to hurt: it is answered, and meanwhile others are served as if it were not there. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { acmeSite } from '../support/acme.ts';
import { bring, plainAnswer } from '../support/bringing.ts';
import { sendOne } from '../support/platform.ts';
import type { RunningGate } from '../support/site.ts';
import { dial } from '../support/smtp-client.ts';

const NEWS = 'news@acme.example';
const MIB = 1024 * 1024;

const head = (id: string, ...more: readonly string[]) =>
  ['From: <mallory@elsewhere.example>', `To: <${NEWS}>`, `Message-ID: <${id}@elsewhere.example>`, 'MIME-Version: 1.0', ...more, ''].join(
    '\r\n',
  );
const filled = (text: string, octets: number) => text.repeat(Math.ceil(octets / text.length));
const folded = (text: string, octets: number) => filled(`${text}\r\n `, octets);
const part = (type: string, text: string) => `--b\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;

/** Name → message. */
const HOSTILE: Readonly<Record<string, () => string>> = {
  '10 MB of text': () => `${head('text')}\r\n${filled('Nobody here wants any more of these, thank you.\r\n', 10 * MIB)}`,
  '10 MB of quotes': () => `${head('quotes')}\r\nno\r\n${filled('> > > please unsubscribe me\r\n', 10 * MIB)}`,
  '10 MB of attributions': () => `${head('wrote')}\r\n${filled('On Monday Ann <ann@there.example>\r\nwrote\r\n', 10 * MIB)}`,
  '10 MB in one line': () => `${head('line')}\r\n${filled('remove me from ', 10 * MIB)}\r\n`,
  '10 MB of blanks': () => `${head('blanks')}\r\n${filled(' \t', 10 * MIB)}\r\nstop\r\n`,
  '10 MB of HTML': () =>
    `${head('html', 'Content-Type: text/html; charset=utf-8')}\r\n${filled('<div class="gmail_quote"><blockquote type=cite><p>stop</p>', 10 * MIB)}\r\n`,
  '10 MB of base64': () =>
    `${head('base64', 'Content-Type: text/plain', 'Content-Transfer-Encoding: base64')}\r\n${filled(`${'dW5zdWJzY3JpYmUg'.repeat(4)}\r\n`, 10 * MIB)}`,
  '10,000 parts': () =>
    `${head('parts', 'Content-Type: multipart/mixed; boundary=b')}\r\n${part('text/plain', 'stop').repeat(10_000)}--b--\r\n`,
  '10,000 parts of a delivery report': () =>
    `${head('report', 'Content-Type: multipart/report; report-type=delivery-status; boundary=b')}\r\n${part('message/delivery-status', 'Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1').repeat(10_000)}--b--\r\n`,
  'a delivery report of 100,000 recipients': () =>
    `${head('many', 'Content-Type: multipart/report; report-type=delivery-status; boundary=b')}\r\n${part('text/plain', 'x')}${part('message/delivery-status', `Reporting-MTA: dns; x.example\r\n\r\n${filled('Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n', 7 * MIB)}`)}--b--\r\n`,
  '1,000 levels': () =>
    `${head('levels', 'Content-Type: multipart/mixed; boundary=b0')}\r\n${Array.from({ length: 1000 }, (_, i) => `--b${i}\r\nContent-Type: multipart/mixed; boundary=b${i + 1}\r\n\r\n`).join('')}`,
  'a header of 1 MB': () => `${head('header')}${filled('X-Filler: 0123456789\r\n', MIB)}\r\nstop\r\n`,
  'a Subject of 1 MB': () => `${head('subject', `Subject: ${folded('=?utf-8?Q?Re=3A_AW=3A_?=', MIB)}x`)}\r\nstop\r\n`,
  'a To of 1 MB': () => `${head('to', `Cc: ${folded('"a b" <a@b.example>,', MIB)}x@y.example`)}\r\nstop\r\n`,
  'References of 1 MB': () => `${head('references', `References: ${folded('<a.b.c@d.example>', MIB)}<x@y>`)}\r\nstop\r\n`,
  'a From of 1 MB': () => `From: ${folded('(((((((((( a', MIB)}x@y.example\r\n${head('from')}\r\nstop\r\n`,
};

/** How long a fixed piece of work takes on this machine at this moment, ms: about 20 where nothing else runs. */
function unit(): number {
  const octets = Buffer.alloc(24 * MIB);
  const start = performance.now();
  createHash('sha256').update(octets).digest();
  return performance.now() - start;
}

/** Asks NOOP all the time; the slowest answer and the usual one, ms. */
async function watching(gate: RunningGate): Promise<{ stop(): Promise<{ slowest: number; usual: number }> }> {
  const client = await dial(gate.inboundPort, { waitMs: 60_000 });
  await client.reply();
  const took: number[] = [];
  let over = false;
  const asking = (async () => {
    while (!over) {
      // Else it is disconnected as one that never sends anything.
      if (took.length % 50 === 0) for (const line of ['EHLO x.example', 'MAIL FROM:<w@there.example>', 'RSET']) await client.ask(line);
      const start = performance.now();
      await client.ask('NOOP');
      took.push(performance.now() - start);
      await sleep(2);
    }
  })();
  return {
    async stop() {
      over = true;
      await asking;
      client.close();
      const sorted = took.sort((a, b) => a - b);
      return { slowest: sorted.at(-1) ?? 0, usual: sorted[Math.floor(sorted.length / 2)] ?? 0 };
    },
  };
}

t.test('A17: mail that is made to hurt is taken, and keeps nobody waiting', { timeout: 300_000 }, async t => {
  const all = await acmeSite(t, { inbound: { domains: ['in.acme.example'], rate: { perMinute: 0 } } });
  await all.run('client', 'update', 'acme', '--reply-address', NEWS);
  const gate = await all.site.serve();
  // Whatever a process does for the first time takes longer.
  await bring(
    gate.inboundPort,
    'warm@there.example',
    [NEWS],
    plainAnswer({ from: 'warm@there.example', to: NEWS, text: 'no', id: 'warm' }),
  );
  for (const [name, make] of Object.entries(HOSTILE)) {
    const message = Buffer.from(make(), 'latin1');
    const before = unit();
    const watch = await watching(gate);
    const start = performance.now();
    const said = await bring(gate.inboundPort, 'mallory@elsewhere.example', [NEWS], message);
    const ms = performance.now() - start;
    const { slowest, usual } = await watch.stop();
    const measure = Math.max(before, unit());
    t.equal(said.last, '250 2.0.0 Taken', name);
    t.comment(
      `${name}: ${(message.length / MIB).toFixed(1)} MB in ${ms.toFixed(0)} ms; NOOP beside it: ${slowest.toFixed(0)} ms at most, ${usual.toFixed(1)} ms as a rule; the unit of work: ${measure.toFixed(0)} ms`,
    );
    t.ok(slowest < 5 * measure, `${name}: others were served meanwhile (${(slowest / measure).toFixed(1)} units)`);
  }
  t.match(await sendOne(gate.port, 'mallory@elsewhere.example'), { reply: /^550 / }, 'and it was understood');
  t.equal(gate.child.exitCode, null);
});

t.test('a sender who drips keeps nobody else waiting', async t => {
  const all = await acmeSite(t, { inbound: { domains: ['in.acme.example'] } });
  await all.run('client', 'update', 'acme', '--reply-address', NEWS);
  const gate = await all.site.serve();
  const slow = await dial(gate.inboundPort);
  t.teardown(() => slow.close());
  await slow.reply();
  for (const line of ['EHLO slow.example', 'MAIL FROM:<slow@there.example>', `RCPT TO:<${NEWS}>`]) t.match(await slow.ask(line), /^250/);
  t.match(await slow.ask('DATA'), /^354/);
  const message = plainAnswer({ from: 'slow@there.example', to: NEWS, text: 'stop', id: 'slow' });
  for (const octet of message.slice(0, 40)) {
    slow.write(octet);
    await sleep(1);
  }
  const quick = plainAnswer({ from: 'quick@there.example', to: NEWS, text: 'stop', id: 'quick' });
  t.match(await bring(gate.inboundPort, 'quick@there.example', [NEWS], quick), { last: '250 2.0.0 Taken' });
  slow.write(`${message.slice(40)}.\r\n`);
  t.equal((await slow.reply()).text, '250 2.0.0 Taken');
});

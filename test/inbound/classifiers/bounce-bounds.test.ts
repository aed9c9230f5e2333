/** Damaged and huge reports: read without a throw, and no longer than reports are. */
import t from 'tap';
import { loadBounce } from '../../../src/inbound/classifiers/bounce.ts';
import { complaint } from '../../../src/inbound/classifiers/complaint.ts';
import type { Finding, Reading } from '../../../src/inbound/finding.ts';
import { toCrlf } from '../../../src/mail/line-ends.ts';
import { parseMessage } from '../../../src/mail/message.ts';
import { dsn, plain, SAMPLES } from './bounces.ts';

const bounce = loadBounce();
const reading = (octets: Buffer): Reading => ({
  message: parseMessage(toCrlf(octets)),
  circumstances: { ourNames: ['x.example'] },
  subject: '',
  ownText: '',
  below: '',
});
const read = (octets: Buffer | string): Finding | undefined => bounce(reading(Buffer.from(octets)));

/** Numbers that are the same in each run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

t.test('cut, garbled and shuffled reports never throw', async t => {
  const next = chance(7);
  const pick = (length: number): number => Math.floor(next() * length);
  let bounces = 0;
  for (const { mail } of SAMPLES) {
    for (let round = 0; round < 12; round += 1) {
      let octets = Buffer.from(mail);
      if (round % 3 === 0) octets = octets.subarray(0, pick(octets.length));
      if (round % 3 === 1) for (let hits = 0; hits < 20; hits += 1) octets[pick(octets.length)] = pick(256);
      if (round % 3 === 2) {
        const lines = octets.toString('latin1').split('\n');
        for (let swaps = 0; swaps < 5; swaps += 1) lines.splice(pick(lines.length), 0, ...lines.splice(pick(lines.length), 2));
        octets = Buffer.from(lines.join('\n'), 'latin1');
      }
      const found = read(octets);
      complaint(reading(octets));
      if (found?.kind === 'bounce') bounces += 1;
      for (const { address } of found?.recipients ?? []) if (!address.includes('@')) t.fail(address);
    }
  }
  t.ok(bounces > SAMPLES.length * 6, `${bounces} are still read as bounces`);
});

t.test('a report of 10 MB is read at its beginning', async t => {
  const text = `Delivery failed\n\n<jane@widgets.example>:\nUser unknown\n\n--- Below this line is a copy of the message.\n\n`;
  const huge = plain('MAILER-DAEMON@widgets.example', 'failure notice', text + `${'x'.repeat(76)}\n`.repeat(130_000));
  t.match(read(huge), { kind: 'bounce', recipients: [{ address: 'jane@widgets.example', permanent: true }] });
});

t.test('lines without end, ten thousand parts, a header bomb, addresses and nothing else', async t => {
  const groups = Array.from(
    { length: 5000 },
    (_, at) => `Final-Recipient: rfc822; u${at}@widgets.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 user unknown`,
  );
  const many = read(dsn(groups));
  t.equal(many?.recipients.length, 1000, 'as many as are reported');
  t.ok(
    many?.recipients.every(({ permanent }) => permanent),
    'beyond what is read of words, codes decide',
  );
  for (const body of [
    'a@b.example '.repeat(80_000),
    '@'.repeat(500_000),
    '<'.repeat(500_000),
    `${'a'.repeat(300_000)}@`,
    'user '.repeat(100_000),
    'final-recipient:'.repeat(30_000),
  ]) {
    t.equal(read(plain('MAILER-DAEMON@widgets.example', 'failure notice', body))?.kind, 'bounce', body.slice(0, 10));
    read(plain('MAILER-DAEMON@widgets.example', 'failure notice', body).replace('text/plain', 'text/html'));
  }
  const parts = Array.from({ length: 10_000 }, () => '--b\nContent-Type: message/delivery-status\n\nAction: failed\n').join('\n');
  t.equal(
    read(plain('MAILER-DAEMON@widgets.example', 'failure notice', parts).replace('text/plain', 'multipart/report; boundary=b'))?.kind,
    'bounce',
  );
  t.doesNotThrow(() => read(`${'To: a@b.example\n'.repeat(100_000)}\nx`));
  t.doesNotThrow(() => read(`Subject: ${'Re: '.repeat(100_000)}failure\nFrom: ${'<'.repeat(100_000)}\n\nx`));
});

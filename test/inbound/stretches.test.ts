/** Mail that is made to hurt is read in short stretches: measured in CPU time of this thread, against a fixed piece of work. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { arrivalOf as lying } from '../../src/inbound/mailbox-mail.ts';
import { ACME, address, newOffice, SPRING } from './office.ts';

const CPU = '/proc/self/schedstat';
const MIB = 1024 * 1024;
/** Of a piece of work that takes some 20 ms: what others may have to wait for. */
const MOST = 7;

/** Time that this thread has worked, ms. */
function worked(): number {
  return Number(readFileSync(CPU, 'latin1').split(' ')[0]) / 1e6;
}

function unit(): number {
  const octets = Buffer.alloc(24 * MIB);
  const before = worked();
  createHash('sha256').update(octets).digest();
  return worked() - before;
}

/** The longest that this thread worked before it looked up again, ms. */
async function longestStretch(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = worked();
  let over = false;
  const look = (): void => {
    const now = worked();
    longest = Math.max(longest, now - last);
    last = now;
    if (!over) setImmediate(look);
  };
  look();
  await work();
  over = true;
  look();
  return longest;
}

const filled = (text: string, octets: number): string => text.repeat(Math.ceil(octets / text.length));
const MIXED = 'Content-Type: multipart/mixed; boundary=b\r\n';
const crowd = Array.from({ length: 1_000 }, (_, i) => `p${i}@widgets.example`);

const MAIL: Readonly<Record<string, () => string>> = {
  '25 MB of text': () => `\r\n${filled('some words of a person here\r\n', 25 * MIB)}`,
  '25 MB of HTML': () => `Content-Type: text/html\r\n\r\n${filled('<p>some words <b>of a</b> person</p>\r\n', 25 * MIB)}`,
  '25 MB of almost boundaries': () => `${MIXED}\r\n${filled('--\r\n', 25 * MIB)}`,
  '10,000 parts': () => `${MIXED}\r\n${'--b\r\nContent-Type: text/html\r\n\r\n<p>Hello\r\n'.repeat(10_000)}--b--`,
  'parts of headers': () => `${MIXED}\r\n${filled(`--b\r\n${'X-A: b\r\n'.repeat(25_000)}\r\nHi\r\n`, 25 * MIB)}`,
  'a header of 1.6 MB': () => `${filled('X-A: b\r\n', 1.6 * MIB)}\r\nHello`,
  'many Froms': () => `${filled('From: "a b" <a@b.example>, c@d.example\r\n', 1.6 * MIB)}\r\nHello`,
  'a long From': () => `From: ${filled('"a b" <a@b.example>, ', 1.6 * MIB)}\r\n\r\nHello`,
  'long lines': () => `From: many@widgets.example\r\n\r\nHello\r\n\r\n${`${'some words of a person '.repeat(95)}\r\n`.repeat(120)}`,
  'one long line': () => `From: many@widgets.example\r\n\r\nHello\r\n\r\n${'some words of a person '.repeat(11_000)}`,
  'a bounce of 1,000': () =>
    `Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n${crowd
      .map(person => `Final-Recipient: rfc822; ${person}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n`)
      .join('')}--b--`,
};

t.test('nobody waits long for a message, whatever it is', { skip: existsSync(CPU) ? false : 'no CPU time of a thread here' }, async t => {
  const office = await newOffice(t);
  const { messageId } = await office.sent(['jane@widgets.example', ...crowd], { campaign: SPRING });
  // Each line of an answer is compared with what these said last.
  for (let i = 0; i < 20; i++)
    await office.sent('many@widgets.example', { campaign: SPRING, footer: [`You get this mail ${i} for a good reason.`] });
  const destination = { role: 'reply', client: ACME, token: undefined } as const;
  let serial = 0;
  const receive = async (rest: string) => {
    serial += 1;
    const from = rest.startsWith('From: many') ? '' : `From: Jane <jane@widgets.example>\r\nIn-Reply-To: ${messageId}\r\n`;
    const head = `Message-ID: <${serial}@widgets.example>\r\n${from}`;
    const octets = Buffer.from(head + rest);
    return longestStretch(() => office.processor.process({ octets, at: office.clock.at, via: 'smtp', reversePath: '', destination }));
  };
  for (let i = 0; i < 3; i++) await receive(`\r\nHello ${i}`);
  const most = MOST * unit();
  for (const [name, mail] of Object.entries(MAIL)) {
    // What else the machine does costs caches and collections: the better of two.
    const longest = Math.min(await receive(mail()), await receive(mail()));
    t.ok(longest <= most, `${name}: ${longest.toFixed(0)} ms of ${most.toFixed(0)}`);
  }
  for (const end of ['\n', '\r', '\r\n']) {
    const octets = Buffer.from(filled(`some words of a person here${end}`, 25 * MIB));
    const longest = await longestStretch(() => lying({ octets, at: 1, mailbox: 'carol', client: ACME, own: new Set() }));
    t.ok(longest <= most, `25 MB in a mailbox with ${JSON.stringify(end)}: ${longest.toFixed(0)} ms of ${most.toFixed(0)}`);
  }
  const listed = await Promise.all(
    crowd.slice(0, 300).map(async person => (await office.lists.standing(address(person), ACME, [])).length),
  );
  t.equal(Math.min(...listed), 1, 'of the bounce those counted that are read of one');
});

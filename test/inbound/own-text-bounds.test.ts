/** What a reply may cost: hostile and huge ones are read in time that does not grow with them. */
import { cpuUsage } from 'node:process';
import t from 'tap';
import { loadOwnText } from '../../src/inbound/own-text.ts';
import { parseMessage } from '../../src/mail/message.ts';

const ownText = loadOwnText();

const plain = (body: string): Buffer => Buffer.from(`Content-Type: text/plain; charset=utf-8\r\n\r\nMine.\r\n${body}`);
const html = (body: string): Buffer => Buffer.from(`Content-Type: text/html; charset=utf-8\r\n\r\n<p>Mine.</p>${body}`);
const encoded = (body: string): Buffer =>
  Buffer.from(
    `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(`Mine.\r\n${body}`).toString('base64').replace(/.{76}/g, '$&\r\n')}`,
  );
const lines = (line: string, count: number): string => `${line}\r\n`.repeat(count);
const megabytes = (count: number, piece: string): string => piece.repeat(Math.ceil((count * 1024 * 1024) / piece.length));

/** Each of so many units: what its name says at 1000, and a quarter of it. */
const SHAPES: Record<string, (units: number) => Buffer> = {
  '10 MB of text': units => plain(megabytes(units / 100, 'Some words in a line of text, and then some more of them.\r\n')),
  '10 MB in base64': units => encoded(megabytes(units / 100, 'Some words in a line of text, and then some more of them.\r\n')),
  '10 MB of HTML': units => html(megabytes(units / 100, '<div>Some <b>words</b> &amp; more</div>\r\n')),
  '100,000 nested blockquotes': units =>
    html(`${'<blockquote>'.repeat(100 * units)}theirs${'</blockquote>'.repeat(100 * units)}<p>After.</p>`),
  '100,000 nested divs, end tags that match nothing': units =>
    html(`${'<div>'.repeat(100 * units)}${'</table></blockquote>'.repeat(100 * units)}`),
  '100,000 table cells in each other': units => html('<table><tr><td>'.repeat(100 * units)),
  'a line of 1 MB': units => plain('x'.repeat(1000 * units)),
  'a line of 1 MB of quote marks': units => plain('>'.repeat(1000 * units)),
  'a line of 1 MB of brackets': units => plain(`> a\r\n${')'.repeat(1000 * units)} x\r\n> a`),
  '200,000 quoted lines': units => plain(lines('> theirs', 200 * units)),
  '200,000 attributions': units => plain(lines('On 12 May 2026 at 10:22, wrote:', 200 * units)),
  '200,000 lines of a verb': units => plain(lines('wrote:', 200 * units)),
  '200,000 header lines': units => plain(lines('From: a@b.example', 200 * units)),
  '200,000 header lines without an address': units => plain(lines('From: a\r\nTo: b', 200 * units)),
  '200,000 signatures': units => plain(lines('--\r\nBob', 200 * units)),
  '200,000 blank lines after marks': units => plain(lines('> a\r\n\r\n\r\nx:', 100 * units)),
  '200,000 tags with attributes': units => html('<b class="a b c" style="color: red" id="d" name="e">x</b>'.repeat(200 * units)),
};

/** CPU time in ms, which other processes do not lengthen: the least of three. */
function cost(octets: Buffer): number {
  const costs = [1, 2, 3].map(() => {
    const started = cpuUsage();
    ownText(parseMessage(octets), line => line === 'x');
    const { user, system } = cpuUsage(started);
    return (user + system) / 1000;
  });
  return Math.min(...costs);
}

t.test('law 2 under load: time does not grow with the message, beyond what is read of it', async t => {
  for (const shape of Object.values(SHAPES)) cost(shape(50));
  const plainText = cost((SHAPES['10 MB of text'] as (units: number) => Buffer)(1000));
  let most = 0;
  for (const [name, shape] of Object.entries(SHAPES)) {
    const once = shape(250);
    const [one, four] = [cost(once), cost(shape(1000))];
    t.comment(`${name}: ${four.toFixed(1)} ms of CPU; a quarter of it: ${one.toFixed(1)} ms`);
    most = Math.max(most, four);
    // Quadratic time would be sixteen times as much.
    t.ok(four < 6 * one + 20, `${name}: four times as much takes ${(four / one).toFixed(1)} times as long`);
    t.match(ownText(parseMessage(once)), /^Mine\./, `${name}: what was written above is read`);
  }
  // The same octets, however hostile, cost a few times what plain text costs.
  t.ok(most < 12 * plainText + 20, `at most ${most.toFixed(1)} ms, plain text ${plainText.toFixed(1)} ms`);
});

t.test('the beginning and the end of a long text are read', async t => {
  const long = megabytes(3, 'Some words in a line of text.\r\n');
  for (const octets of [plain(`${long}The end.`), encoded(`${long}The end.`), html(`<pre>${long}</pre><p>The end.</p>`)]) {
    const own = ownText(parseMessage(octets));
    t.match(own, /^Mine\./);
    t.match(own, /The end\.$/);
    t.ok(own.length < 300 * 1024, 'and not all of it');
  }
  const quoted = `<blockquote>${'<p>theirs &amp; theirs</p>\r\n'.repeat(40_000)}</blockquote><p>The end.</p>`;
  t.equal(ownText(parseMessage(html(quoted))), 'Mine.\n\nThe end.');
});

t.test('many parts: half a megabyte of them together', async t => {
  const part = `Content-Type: text/plain\r\n\r\n${lines('Some words in a line of text.', 7000)}`;
  const octets = Buffer.from(
    `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${`${part}\r\n--b\r\n`.repeat(60)}${part}\r\n--b--\r\n`,
  );
  t.ok(ownText(parseMessage(octets)).length < 600 * 1024);
});

/** What is read of a message by those who must answer soon: the beginning and the end of its parts. */
import t from 'tap';
import { parseMessage } from '../../src/mail/message.ts';

const KIB = 1024;
const text = (encoding: string, body: string, charset = 'utf-8'): string =>
  `Content-Type: text/plain; charset=${charset}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}`;
const excerpt = (octets: string): string => parseMessage(Buffer.from(octets)).excerpts()[0]?.[0]?.text ?? '';
const numbered = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index} ä\r\n`).join('');

t.test('a part of no more than 256 KiB is read whole', async t => {
  const body = numbered(1000);
  t.equal(excerpt(text('8bit', body)), body);
  t.same(parseMessage(Buffer.from(text('8bit', body))).excerpts(), parseMessage(Buffer.from(text('8bit', body))).alternatives());
});

t.test('of a longer one the beginning and the end, whole lines', async t => {
  const body = numbered(100_000);
  const base64 = Buffer.from(body).toString('base64');
  const forms: Record<string, string> = {
    '8bit': text('8bit', body),
    'base64 in lines': text('base64', base64.replace(/.{76}/g, '$&\r\n')),
    'base64 in one line': text('base64', base64),
    'quoted-printable': text('quoted-printable', body.replaceAll('ä', '=C3=A4')),
  };
  for (const [name, octets] of Object.entries(forms)) {
    const read = excerpt(octets);
    t.match(read, /^line 0 ä\r\nline 1 ä\r\n/, name);
    t.match(read, /\nline 99998 ä\r\nline 99999 ä\r\n$/, name);
    t.ok(read.length < 257 * KIB && read.length > 100 * KIB, `${name}: ${read.length}`);
    const odd = read.split(/\r?\n/).filter(line => line !== '' && !/^line \d+ ä$/.test(line));
    t.ok(odd.length <= 2, `${name}: ${odd.length} lines cut`);
  }
});

t.test('of many parts half a megabyte in all', async t => {
  const part = `Content-Type: text/plain\r\n\r\n${'x'.repeat(200 * KIB)}`;
  const octets = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${`--b\r\n${part}\r\n`.repeat(5)}--b--\r\n`;
  const lengths = parseMessage(Buffer.from(octets))
    .excerpts()[0]
    ?.map(read => Math.round(read.text.length / KIB));
  t.same(lengths, [200, 200, 112, 0, 0]);
});

/** Structure: which parts a reader is shown together, in which alternatives; and input made to hurt. */
import t from 'tap';
import { MAX_VIEWS } from '../../src/mail/alternatives.ts';
import { type Message, parseMessage } from '../../src/mail/message.ts';

/** A part: its body and header lines; or a multipart of such. */
type Part =
  | { readonly body: string; readonly head: readonly string[] }
  | { readonly subtype: string; readonly parts: readonly Part[]; readonly head: readonly string[] };

const leaf = (contentType: string, body: string, ...head: string[]): Part => ({ body, head: [`Content-Type: ${contentType}`, ...head] });
const plain = (body: string, ...head: string[]): Part => leaf('text/plain', body, ...head);
const html = (body: string, ...head: string[]): Part => leaf('text/html', body, ...head);
const image = leaf('image/png', 'png', 'Content-ID: <1@example.com>');
const pdf = leaf('application/pdf', 'pdf', 'Content-Disposition: attachment; filename=x.pdf');
const multi =
  (subtype: string) =>
  (...parts: Part[]): Part => ({ subtype, parts, head: [] });
const mixed = multi('mixed');
const alternative = multi('alternative');
const related = multi('related');
const attached = (part: Part): Part => ({ ...part, head: [...part.head, 'Content-Disposition: attachment'] });

function write(part: Part, id = 'b'): string {
  if ('body' in part) return [...part.head, '', part.body].join('\r\n');
  const inner = part.parts.flatMap((child, at) => [`--${id}:`, write(child, `${id}${at}-`)]);
  return [`Content-Type: multipart/${part.subtype}; boundary="${id}:"`, ...part.head, '', ...inner, `--${id}:--`].join('\r\n');
}

const read = (part: Part): Message => parseMessage(Buffer.from(`From: a@example.com\r\nMIME-Version: 1.0\r\n${write(part)}\r\n`, 'latin1'));
const seen = (message: Message): string =>
  message
    .alternatives()
    .map(view => view.map(part => part.text.trim()).join('+'))
    .join(' | ');

t.test('A13: alternatives are what one reader or another is shown', async t => {
  const rows: readonly (readonly [string, Part, string])[] = [
    ['one text', plain('p'), 'p'],
    ['one HTML', html('h'), 'h'],
    ['alternatives', alternative(plain('p'), html('h')), 'p | h'],
    ['HTML with pictures', alternative(plain('p'), related(html('h'), image)), 'p | h'],
    ['pictures outside', related(alternative(plain('p'), html('h')), image), 'p | h'],
    ['text and footer are shown together', mixed(plain('p'), plain('f')), 'p+f'],
    ['footer under alternatives', mixed(alternative(plain('p'), html('h')), plain('f')), 'p+f | h+f'],
    ['HTML around an attachment', alternative(plain('p'), mixed(html('h1'), pdf, html('h2'))), 'p | h1+h2'],
    ['alternatives twice', mixed(alternative(plain('p'), html('h')), alternative(plain('q'), html('i'))), 'p+q | p+i | h+q | h+i'],
    ['alternatives in alternatives', alternative(plain('p'), alternative(plain('q'), html('h'))), 'p | q | h'],
    ['AMP is an alternative', alternative(plain('p'), leaf('text/x-amp-html', 'a'), html('h')), 'p | a | h'],
    ['so is what a watch shows', alternative(plain('p'), leaf('text/watch-html', 'w'), html('h')), 'p | w | h'],
    ['and what a reader may take for plain', alternative(leaf('text/enriched', 'e'), html('h')), 'e | h'],
    ['and XHTML', alternative(plain('p'), leaf('application/xhtml+xml', 'x')), 'p | x'],
    ['an invitation is none', alternative(plain('p'), html('h'), leaf('text/calendar; method=REQUEST', 'c')), 'p | h'],
    ['nor is a picture', alternative(plain('p'), image), 'p'],
    ['nor a picture with its frame', alternative(plain('p'), related(image)), 'p'],
    [
      'an alternative that calls itself an attachment is shown all the same',
      alternative(plain('p'), html('h', 'Content-Disposition: attachment')),
      'p | h',
    ],
    [
      'an alternative with a file name',
      alternative(leaf('text/plain; name=a.txt', 'p'), html('h', 'Content-Disposition: inline; filename=a.html')),
      'p | h',
    ],
    ['a text attachment is nothing to read', mixed(html('h'), plain('t', 'Content-Disposition: attachment; filename=t.txt')), 'h'],
    ['attachment in upper case', mixed(html('h'), plain('t', 'CONTENT-DISPOSITION: ATTACHMENT')), 'h'],
    ['inline without a name is text', mixed(html('h', 'Content-Disposition: inline'), plain('t', 'Content-Disposition: inline')), 'h+t'],
    [
      'an inline text file counts for nothing beside text',
      mixed(html('h'), plain('t', 'Content-Disposition: inline; filename=t.txt')),
      'h',
    ],
    ['named by Content-Type', mixed(html('h'), leaf("text/plain; name*=utf-8''t.txt", 't')), 'h'],
    ['named in front of text', mixed(leaf('text/plain; name=t.txt', 't'), html('h')), 'h'],
    ['an unknown disposition counts for nothing beside text', mixed(html('h'), plain('t', 'Content-Disposition: notification')), 'h'],
    ['an unknown text type counts for nothing beside text', mixed(html('h'), leaf('text/markdown', 't')), 'h'],
    ['a named body is the body', leaf('text/html; name=mail.html', 'h'), 'h'],
    ['also before an attachment', mixed(leaf('text/html; name=mail.html', 'h'), pdf), 'h'],
    ['a named text after a picture is a file', mixed(image, leaf('text/plain; name=t.txt', 't')), ''],
    ['an attachment alone is nothing to read', html('h', 'Content-Disposition: attachment'), ''],
    ['pictures only', mixed(image, pdf), ''],
    ['a forwarded message is not read', mixed(plain('p'), leaf('message/rfc822', 'Content-Type: text/html\r\n\r\nh')), 'p'],
    ['nor a forwarded UTF-8 message', leaf('message/global', 'Content-Type: text/html\r\n\r\nh'), ''],
    [
      'a digest holds messages',
      multi('digest')({ body: 'From: x@example.com\r\n\r\nh', head: [] }, { body: 'From: y@example.com\r\n\r\nh', head: [] }),
      '',
    ],
    ['a related text may be the root for some', related(plain('p'), html('h')), 'p | h'],
    ['a related file is not', related(html('h'), leaf('text/plain; name=t.txt', 't')), 'h'],
    ['a signed text', multi('signed')(alternative(plain('p'), html('h')), leaf('application/pgp-signature; name=s.asc', 's')), 'p | h'],
    ['encrypted', multi('encrypted')(leaf('application/pgp-encrypted', 'v'), leaf('application/octet-stream', 'x')), ''],
    ['an unknown multipart is mixed', multi('x-new')(plain('p'), html('h')), 'p+h'],
    ['an attached multipart counts for nothing beside text', mixed(html('h'), attached(mixed(plain('t')))), 'h'],
    ['an empty part', alternative(plain(''), html('h')), ' | h'],
  ];
  for (const [name, part, expected] of rows) {
    const message = read(part);
    t.equal(seen(message), expected, name);
    t.equal(message.ambiguity, undefined, `${name}: read alike`);
  }
});

t.test('texts are the parts of all alternatives, each once', async t => {
  const message = read(mixed(alternative(plain('p'), html('h')), plain('f')));
  t.same(
    message.texts().map(({ type, text }) => [type, text.trim()]),
    [
      ['text/plain', 'p'],
      ['text/plain', 'f'],
      ['text/html', 'h'],
    ],
  );
});

t.test('a delimiter’s line end belongs to the delimiter', async t => {
  const message = parseMessage(
    Buffer.from('Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\na\r\n\r\n--b\r\n\r\n--b\r\n\r\nc\r\n--b--\r\n'),
  );
  t.same(
    message.texts().map(part => part.text),
    ['a\r\n', '', 'c'],
  );
});

const MIB = 1024 * 1024;
const HEAD = 'From: a@example.com\r\n';
const fill = (text: string, octets: number): string => text.repeat(Math.ceil(octets / text.length));
const multipart = (boundary: string): string => `${HEAD}Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`;
const encoded = (encoding: string): string => `${HEAD}Content-Transfer-Encoding: ${encoding}\r\n\r\n`;
const deep = (levels: number): string =>
  HEAD + Array.from({ length: levels }, (_, at) => `Content-Type: multipart/mixed; boundary=n${at}n\r\n\r\n--n${at}n\r\n`).join('');

/** Each would take minutes where something is quadratic. */
const HOSTILE: readonly (readonly [string, () => string])[] = [
  ['10,000 parts', () => multipart('b') + fill('--b\r\nContent-Type: text/plain\r\n\r\nx\r\n', 40 * 10_000)],
  ['millions of empty parts', () => multipart('b') + fill('--b\r\n', 25 * MIB)],
  ['10,000 levels', () => deep(10_000)],
  ['20 levels around 5 MiB', () => deep(20) + fill('\r\n--n', 5 * MIB)],
  ['a field of 25 MiB', () => `X: ${fill('a', 25 * MIB)}\r\n\r\n`],
  ['a fold every third octet', () => `X: a${fill('\r\n ', 25 * MIB)}\r\n\r\n`],
  ['lines without a colon', () => fill('a\r\n', 25 * MIB)],
  ['fields of two octets', () => fill('a:\r\n', 25 * MIB)],
  ['millions of blank lines', () => `${HEAD}\r\n${fill('\r\n', 25 * MIB)}`],
  ['blank lines, quoted-printable', () => encoded('quoted-printable') + fill('\r\n', 8 * MIB)],
  ['nothing but =', () => encoded('quoted-printable') + fill('=', 8 * MIB)],
  ['= and blanks', () => `${encoded('quoted-printable')}=${fill(' ', 8 * MIB)}`],
  ['nothing but padding', () => encoded('base64') + fill('=', 8 * MIB)],
  ['soft breaks without end', () => `${HEAD}Content-Type: text/plain; format=flowed\r\n\r\n${fill(' \r\n', 4 * MIB)}`],
  ['quote marks without end', () => `${HEAD}Content-Type: text/plain; format=flowed\r\n\r\n${fill('>', 8 * MIB)}`],
  ['semicolons', () => `${HEAD}Content-Type: text/html${fill(';', 250_000)}a=b\r\n\r\n`],
  ['open comments', () => `MIME-Version: ${fill('(', 250_000)}\r\nContent-Type: text/html; ${fill('(', 4000)}\r\n\r\n`],
  ['quoted pairs', () => `${HEAD}Content-Type: text/html; a="${fill('\\"', 250_000)}\r\n\r\n`],
  ['blanks in a value', () => `X: a${fill(' ', 250_000)}b\r\n\r\n`],
  ['nearly the boundary', () => multipart('a'.repeat(70)) + fill(`\r\n--${'a'.repeat(69)}b`, 25 * MIB)],
  ['the boundary and more', () => multipart('b') + fill('--bx\r\n', 8 * MIB)],
  ['200 parts without a header’s end', () => multipart('b') + fill(`--b\r\n${'x'.repeat(130_000)}\r\n`, 25 * MIB)],
];

t.test('hostile input is read in linear time, and never throws', async t => {
  for (const [name, make] of HOSTILE) {
    const message = parseMessage(Buffer.from(make(), 'latin1'));
    t.ok(message.ambiguity === undefined || message.ambiguity !== '', name);
    t.ok(message.alternatives().length <= MAX_VIEWS, `${name}: bounded`);
  }
});

t.test('no truncation or flipped octet makes it throw', async t => {
  const whole = Buffer.from(
    write(
      mixed(
        alternative(plain('p=3D', 'Content-Transfer-Encoding: quoted-printable'), html('aGk=', 'Content-Transfer-Encoding: base64')),
        pdf,
      ),
    ),
  );
  for (let at = 0; at < whole.length; at += 1) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    for (const octets of [whole.subarray(0, at), whole.subarray(at), flipped]) {
      const message = parseMessage(octets);
      message.alternatives();
      if (message.ambiguity !== undefined && !/^[\x20-\x7e]{5,80}$/.test(message.ambiguity)) t.fail(`octet ${at}: ${message.ambiguity}`);
    }
  }
  t.pass(`${whole.length * 3} broken messages`);
});

t.test('an attachment is neither copied nor decoded', async t => {
  const attachment = fill(`${'QUJD'.repeat(19)}\r\n`, 25 * MIB);
  const octets = Buffer.from(
    write(mixed(plain('p'), leaf('application/pdf', attachment, 'Content-Transfer-Encoding: base64', 'Content-Disposition: attachment'))),
  );
  const before = process.memoryUsage();
  const message = parseMessage(octets);
  t.equal(message.ambiguity, undefined);
  t.equal(message.alternatives().length, 1);
  const after = process.memoryUsage();
  t.ok(after.heapUsed + after.external - before.heapUsed - before.external < 8 * MIB, 'below a third of its size');
});

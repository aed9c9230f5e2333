/** Decoding: transfer encodings, charsets and flowed text as readers undo them; and real messages. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Message, parseMessage } from '../../src/mail/message.ts';

/** The text of a message with these fields and this body, given as latin1 octets. */
function decoded(fields: readonly string[], body: string | Buffer): string | undefined {
  const head = Buffer.from(`${['From: a@example.com', ...fields].join('\r\n')}\r\n\r\n`);
  return parseMessage(Buffer.concat([head, typeof body === 'string' ? Buffer.from(body, 'latin1') : body])).texts()[0]?.text;
}

t.test('A13: the style that every AMP part begins with hides nothing, and hides elsewhere', async t => {
  const boilerplate = '<style amp4email-boilerplate>body{visibility:hidden}</style>';
  const body = `<head>${boilerplate}<style amp-custom>p{color:red}</style></head>`;
  t.equal(decoded(['Content-Type: text/x-amp-html'], body), '<head><style amp-custom>p{color:red}</style></head>');
  t.equal(
    decoded(['Content-Type: text/x-amp-html'], body.replace('{v', ' {\r\n  v')),
    '<head><style amp-custom>p{color:red}</style></head>',
  );
  t.equal(decoded(['Content-Type: text/html'], body), body);
  const own = '<style>body{visibility:hidden}</style>';
  t.equal(decoded(['Content-Type: text/x-amp-html'], own), own, 'another style stays');
});

t.test('A13: quoted-printable', async t => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['escapes, either case', 'a=3Db=3d=C3=A4=c3=a4', 'a=b=ää'],
    ['soft break', 'https://client.exam=\r\nple/privacy', 'https://client.example/privacy'],
    ['soft break with padding', 'a= \t\r\nb', 'ab'],
    ['soft break at the end', 'a=', 'a'],
    ['soft break, then a blank line', 'a=\r\n\r\nb', 'a\r\nb'],
    ['white space at a line’s end is no text', 'a \t\r\nb ', 'a\r\nb'],
    ['encoded white space is', 'a=20\r\nb=09', 'a \r\nb\t'],
    ['white space before a soft break is', 'a =\r\nb', 'a b'],
    ['no escape after all', 'a=zz =4 x==3D=', 'a=zz =4 x=='],
    ['an escape cut short', 'a=3', 'a=3'],
    ['blank lines', '\r\n\r\na\r\n\r\n', '\r\n\r\na\r\n\r\n'],
    ['octets that should have been encoded', 'gr\xc3\xbcn =C3=A4', 'grün ä'],
  ];
  for (const [name, body, expected] of rows) {
    t.equal(decoded(['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: Quoted-Printable'], body), expected, name);
  }
});

t.test('A13: base64', async t => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['one line', 'SGVsbG8gd29ybGQ=', 'Hello world'],
    ['lines broken anywhere', 'SGVs\r\nbG8gd2\r\n9ybGQ=\r\n', 'Hello world'],
    ['padded twice', 'YQ==', 'a'],
    ['padded once', 'YWI=', 'ab'],
    ['not padded', 'YWJj', 'abc'],
    ['padding left out', 'SGVsbG8gd29ybGQ', 'Hello world'],
    ['noise between the lines', 'SGVs!\r\n-bG8_gd29y*bGQ=', 'Hello world'],
    ['padded piece by piece', 'SGVsbG8=\r\nIHdvcmxk\r\n', 'Hello world'],
    ['one sextet too many', 'YWJjZ', 'abc'],
    ['nothing', '\r\n', ''],
    ['padding alone', '====', ''],
  ];
  for (const [name, body, expected] of rows) t.equal(decoded(['Content-Transfer-Encoding: BASE64'], body), expected, name);
  const random = Buffer.from(Array.from({ length: 3000 }, (_, at) => 32 + ((at * 7919) % 95)));
  t.equal(decoded(['Content-Transfer-Encoding: base64'], random.toString('base64')), random.toString('latin1'), 'long');
});

t.test('A13: charsets', async t => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le');
  const rows: readonly (readonly [string, string, string | Buffer, string])[] = [
    ['none, ASCII', '', 'plain', 'plain'],
    ['none, UTF-8', '', 'gr\xc3\xbcn', 'grün'],
    ['none, latin1', '', 'gr\xfcn', 'grün'],
    ['ASCII declared, UTF-8 sent', 'us-ascii', 'gr\xc3\xbcn', 'grün'],
    ['ASCII declared, latin1 sent', 'US-ASCII', 'gr\xfcn', 'grün'],
    ['UTF-8', 'UTF-8', 'gr\xc3\xbcn', 'grün'],
    ['UTF-8, quoted', '"utf-8"', 'gr\xc3\xbcn', 'grün'],
    ['UTF-8, in single quotes', "'utf-8'", 'gr\xc3\xbcn', 'grün'],
    ['UTF-8 by a database’s name', 'utf8mb4', 'gr\xc3\xbcn', 'grün'],
    ['UTF-8 with a mark', 'utf-8', '\xef\xbb\xbfgr\xc3\xbcn', 'grün'],
    ['UTF-8, malformed', 'utf-8', 'gr\xfcn', 'gr\ufffdn'],
    ['latin1 declared, UTF-8 sent', 'iso-8859-1', 'gr\xc3\xbcn', 'grÃ¼n'],
    ['latin1 by another name', 'latin-1', 'gr\xfcn', 'grün'],
    ['latin2', 'iso-8859-2', '\xb1', 'ą'],
    ['latin9', 'iso-8859-15', '\xa4', '€'],
    ['Cyrillic', 'koi8-r', '\xf0\xd2\xc9', 'При'],
    ['Cyrillic, Windows', 'win-1251', '\xcf\xf0\xe8', 'При'],
    ['Japanese', 'shift_jis', '\x83e\x83X\x83g', 'テスト'],
    ['Japanese, switched', 'ISO-2022-JP', '\x1b$B%F%9%H\x1b(B!', 'テスト!'],
    ['Japanese by another name', 'iso-2022-jp-2', '\x1b$B%F\x1b(B', 'テ'],
    ['Chinese', 'gb2312', '\xc4\xe3\xba\xc3', '你好'],
    ['Chinese by another name', 'cp936', '\xc4\xe3\xba\xc3', '你好'],
    ['Korean', 'ks_c_5601-1987', '\xbe\xc8', '안'],
    ['unknown, ASCII', 'x-nowhere', 'plain', 'plain'],
    ['unknown, UTF-8', 'x-nowhere', 'gr\xc3\xbcn', 'grün'],
    ['unknown, latin1', 'x-nowhere', 'gr\xfcn', 'grün'],
    ['UTF-16, little endian by its mark', 'utf-16', utf16('\ufeffgrün'), 'grün'],
    ['UTF-16, big endian by its mark', 'utf-16', utf16('\ufeffgrün').swap16(), 'grün'],
    ['UTF-16LE', 'utf-16le', utf16('grün'), 'grün'],
    ['UTF-16BE', 'utf-16be', utf16('grün').swap16(), 'grün'],
  ];
  for (const [name, charset, body, expected] of rows) {
    const fields = [`Content-Type: text/html${charset === '' ? '' : `; charset=${charset}`}`, 'Content-Transfer-Encoding: base64'];
    t.equal(decoded(fields, (typeof body === 'string' ? Buffer.from(body, 'latin1') : body).toString('base64')), expected, name);
  }
  const marked = Buffer.from(
    `From: a@example.com\r\nContent-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n//5oAGkA\r\n`,
  );
  t.equal(parseMessage(marked).ambiguity, undefined, 'UTF-16 with a mark is read alike');
});

t.test('A13: format=flowed', async t => {
  const rows: readonly (readonly [string, string, string, string])[] = [
    ['lines are joined', '', 'one \r\ntwo \r\nthree\r\nfour\r\n', 'one two three\nfour\n'],
    ['the space goes with delsp', '; delsp=yes', 'https://client.exam \r\nple/privacy\r\n', 'https://client.example/privacy\n'],
    ['stuffed spaces', '', ' From me\r\n  two\r\n', 'From me\n two\n'],
    ['a stuffed mark is no quote', '', ' > x\r\n', '> x\n'],
    ['quotes join within their depth', '', '> a \r\n> b\r\n>> c \r\n> d\r\n', '> a b\n>> c \n> d\n'],
    ['the signature separator is fixed', '', 'a\r\n-- \r\nAnn\r\n', 'a\n-- \nAnn\n'],
    ['nothing flows into the separator', '', 'a \r\n-- \r\nAnn', 'a \n-- \nAnn'],
    ['a flowed line at the end', '', 'a ', 'a '],
    ['blank lines', '', 'a\r\n\r\nb\r\n', 'a\n\nb\n'],
    ['line feeds alone', '', 'a \nb\n', 'a b\n'],
  ];
  for (const [name, more, body, expected] of rows)
    t.equal(decoded([`Content-Type: text/plain; format=Flowed${more}`], body), expected, name);
  t.equal(decoded(['Content-Type: text/plain'], 'one \r\ntwo'), 'one \r\ntwo', 'not unless declared');
  t.equal(decoded(['Content-Type: text/html; format=flowed'], 'one \r\ntwo'), 'one \r\ntwo', 'plain text only');
  const many = 'word \r\n'.repeat(20_000);
  t.equal(decoded(['Content-Type: text/plain; format=flowed'], many), 'word '.repeat(20_000), 'many lines');
});

t.test('A13: identity encodings are taken as they are', async t => {
  for (const encoding of ['7bit', '8BIT', 'Binary'])
    t.equal(decoded([`Content-Transfer-Encoding: ${encoding}`], 'a=3D\xc3\xbc'), 'a=3Dü', encoding);
});

const corpus = process.env.POSTERN_CORPUS ?? join(import.meta.dirname, '../../../shared/corpus');

interface Case {
  readonly id: string;
  readonly file: string;
  readonly soft?: boolean;
  readonly expected: {
    readonly parts?: readonly { readonly content_type: string; readonly disposition: string | null; readonly decoded_file: string }[];
    readonly text_must_contain?: readonly string[];
    readonly text_equals_file?: string;
    readonly html_equals_file?: string;
  };
}

// Undecodable by anybody: the file's UTF-7 was broken before it was collected. It must be ambiguous.
const BROKEN = 'zbateson/m1011';
// Boundaries no reader need take: one is beyond 70 characters, one begins another, one is missing.
const REFUSED: ReadonlySet<string> = new Set([
  'james-mime4j/testmsgs/very-very-long-boundary',
  'zbateson/m2005',
  'james-mime4j/robust/missing-boundary',
  BROKEN,
]);

t.test('A13: public test suites and real mail are decoded', { skip: existsSync(corpus) ? false : 'no corpus here' }, async t => {
  const squeeze = (text: string) =>
    text
      .replace(/<!--.*?-->|<head.*?<\/head>|<[^>]*>/gis, ' ')
      .replace(/&(?:([aou])uml|(szlig)|quot|nbsp|#(\d+));/g, (entity, umlaut, sharp, code) =>
        umlaut ? `${umlaut}\u0308`.normalize() : sharp ? 'ß' : code ? String.fromCodePoint(Number(code)) : entity === '&quot;' ? '"' : ' ',
      )
      .replace(/\s+/g, '');
  const file = (path: string) => readFileSync(join(corpus, path));
  const together = (message: Message, type: string) =>
    message.alternatives().map(view =>
      squeeze(
        view
          .filter(part => part.type === type)
          .map(part => part.text)
          .join(''),
      ),
    );
  for (const line of readFileSync(join(corpus, 'mime.jsonl'), 'utf8').trim().split('\n')) {
    const { id, file: path, soft, expected } = JSON.parse(line) as Case;
    if (soft === true) continue;
    const message = parseMessage(Buffer.from(file(path).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1'));
    t.equal(message.ambiguity !== undefined, REFUSED.has(id), `${id}: ambiguity`);
    if (id === BROKEN) continue;
    const all = message.texts().map(part => squeeze(part.text));
    for (const part of expected.parts ?? []) {
      // A nested message is not decoded: nothing in it counts as shown.
      if (!part.content_type.startsWith('text/') || id.includes('rfc822message')) continue;
      t.ok(all.includes(squeeze(file(part.decoded_file).toString('latin1'))), `${id}: ${part.content_type}`);
    }
    for (const needle of expected.text_must_contain ?? [])
      t.ok(
        all.some(text => text.includes(squeeze(needle))),
        `${id}: ${needle}`,
      );
    for (const [type, wanted] of [['text/plain', expected.text_equals_file] as const, ['text/html', expected.html_equals_file] as const]) {
      if (wanted === undefined) continue;
      const text = squeeze(file(wanted).toString('latin1'));
      t.ok(
        together(message, type).some(seen => seen.includes(text)),
        `${id}: ${type}`,
      );
    }
  }
});

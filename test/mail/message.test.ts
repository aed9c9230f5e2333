/** The header split, and what is kept of a message. */
import t from 'tap';
import { type Field, MAX_HEADER_OCTETS, readFields } from '../../src/mail/fields.ts';
import { parseMessage } from '../../src/mail/message.ts';

const octets = (text: string): Buffer => Buffer.from(text, 'latin1');
const fields = (text: string): readonly Field[] => parseMessage(octets(text)).fields;

t.test('fields are split in order, unfolded, undecoded, trimmed', async t => {
  const rows: readonly (readonly [string, string, readonly (readonly [string, string])[]])[] = [
    [
      'plain',
      'From: a\r\nTo: b\r\n\r\nX: y\r\n',
      [
        ['from', 'a'],
        ['to', 'b'],
      ],
    ],
    [
      'names in any case',
      'SUBJECT:a\r\nsubject:b\r\n\r\n',
      [
        ['subject', 'a'],
        ['subject', 'b'],
      ],
    ],
    ['folds keep their white space', 'X: a\r\n b\r\n\tc\r\n\r\n', [['x', 'a b\tc']]],
    ['a value that begins on the next line', 'X:\r\n a\r\n\r\n', [['x', 'a']]],
    [
      'empty',
      'X:\r\nY: \t\r\n\r\n',
      [
        ['x', ''],
        ['y', ''],
      ],
    ],
    ['colons in the value', 'X: a:b: c\r\n\r\n', [['x', 'a:b: c']]],
    ['encoded words stay', 'Subject: =?utf-8?q?=C3=A4?=\r\n\r\n', [['subject', '=?utf-8?q?=C3=A4?=']]],
    ['UTF-8 octets', 'Subject: Gr\xc3\xbc\xc3\x9fe\r\n\r\n', [['subject', 'Grüße']]],
    ['latin1 octets', 'Subject: Gr\xfc\xdfe\r\n\r\n', [['subject', 'Grüße']]],
    [
      'each field by itself',
      'A: \xc3\xbc\r\nB: \xfc\r\n\r\n',
      [
        ['a', 'ü'],
        ['b', 'ü'],
      ],
    ],
    ['a no-break space is no blank', 'A: \xc2\xa0\r\n\r\n', [['a', '\u00a0']]],
    ['no blank line', 'A: b\r\n', [['a', 'b']]],
    ['no line end', 'A: b', [['a', 'b']]],
    [
      'a line that is no field is passed over',
      'A: b\r\nhello\r\nC: d\r\n\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['space before the colon', 'A : b\r\n\r\n', [['a', 'b']]],
    ['no header', '\r\nA: b\r\n', []],
    ['nothing', '', []],
  ];
  for (const [name, text, expected] of rows) {
    t.same(
      fields(text),
      expected.map(([name, value]) => ({ name, value })),
      name,
    );
  }
});

t.test('the body begins after the first blank line', async t => {
  const rows: readonly (readonly [string, number, boolean])[] = [
    ['A: b\r\n\r\nbody', 8, true],
    ['A: b\r\n\r\n\r\nbody', 8, true],
    ['\r\nbody', 2, true],
    ['A: b\r\n', 6, false],
    ['', 0, false],
  ];
  for (const [text, bodyStart, ended] of rows) {
    const section = readFields(octets(text), 0, text.length);
    t.same([section.bodyStart, section.ended], [bodyStart, ended], JSON.stringify(text));
  }
});

t.test('a section ends where its region ends', async t => {
  const text = 'A: b\r\n\r\nC: d\r\n\r\nbody';
  const section = readFields(octets(text), 8, 14);
  t.same([section.fields, section.bodyStart], [[{ name: 'c', value: 'd' }], 14]);
});

t.test('no more of a header is read than may be', async t => {
  const long = octets(`${'A: b\r\n'.repeat(MAX_HEADER_OCTETS / 2)}\r\nbody`);
  const section = readFields(long, 0, long.length);
  t.match(section.fault, /longer/);
  t.ok(section.fields.length <= MAX_HEADER_OCTETS / 6 + 1);
});

t.test('all values of a field, in order', async t => {
  const message = parseMessage(octets('Received: 1\r\nX: x\r\nreceived: 2\r\n\r\nReceived: 3\r\n'));
  t.same(message.all('received'), ['1', '2']);
  t.same(message.all('list-unsubscribe'), []);
});

t.test('octets are the very ones given, and readings are kept', async t => {
  const given = octets('Subject: x\r\n\r\nHello\r\n');
  const message = parseMessage(given);
  t.equal(message.octets, given);
  t.equal(message.alternatives(), message.alternatives());
  t.equal(message.alternatives()[0]?.[0], message.texts()[0]);
  t.same(message.texts(), [{ type: 'text/plain', text: 'Hello\r\n' }]);
});

/** Reply lines: whole however they are cut, refused where they are none. */
import t from 'tap';
import { ReplyReader } from '../../src/relay/replies.ts';

const STREAM = '250-first\r\n250-\r\n250 last\r\n354\r\n421 bye\n550-5.1.1 no\r\n550 5.1.1 one\r\n';
const REPLIES = [
  { code: 250, lines: ['first', '', 'last'] },
  { code: 354, lines: [''] },
  { code: 421, lines: ['bye'] },
  { code: 550, lines: ['5.1.1 no', '5.1.1 one'] },
];

t.test('a stream of replies is the same however it is cut', async t => {
  for (let size = 1; size <= STREAM.length; size++) {
    const reader = new ReplyReader();
    const found = [];
    for (let at = 0; at < STREAM.length; at += size) found.push(...reader.read(Buffer.from(STREAM.slice(at, at + size))));
    t.same(found, REPLIES, `pieces of ${size}`);
    t.notOk(reader.partial || reader.garbled);
  }
});

t.test('what is no reply is read no further', async t => {
  const table: [string, string][] = [
    ['a web server', 'HTTP/1.1 400 Bad Request\r\n'],
    ['no code', 'OK\r\n'],
    ['a code out of range', '199 x\r\n'],
    ['six hundred', '600 x\r\n'],
    ['no mark behind the code', '250x\r\n'],
    ['two codes in one reply', '250-a\r\n251 b\r\n'],
    ['an endless line', `250 ${'x'.repeat(5000)}`],
    ['an overlong line', `250 ${'x'.repeat(5000)}\r\n`],
    ['endless lines', '250-x\r\n'.repeat(201)],
    ['an empty line', '\r\n'],
  ];
  for (const [name, text] of table) {
    const reader = new ReplyReader();
    t.same(reader.read(Buffer.from(text)), [], name);
    t.ok(reader.garbled, name);
    t.same(reader.read(Buffer.from('250 fine\r\n')), [], `${name}: nothing after it`);
  }
});

t.test('what came before the garbage is still told; half a reply is known as such', async t => {
  const reader = new ReplyReader();
  t.same(reader.read(Buffer.from('250 a\r\nrubbish\r\n')), [{ code: 250, lines: ['a'] }]);
  const half = new ReplyReader();
  t.same(half.read(Buffer.from('250-a\r\n')), []);
  t.ok(half.partial);
  t.same(half.read(Buffer.from(`250 ${'y'.repeat(1000)}\r\n`)), [{ code: 250, lines: ['a', 'y'.repeat(1000)] }]);
  t.notOk(half.partial);
});

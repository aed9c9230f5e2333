/** Dot-stuffing: equal to the plain definition for any text, cut anywhere; no copy where nothing is to be done. */
import t from 'tap';
import { endsLine, Stuffer } from '../../src/relay/stuff.ts';

/** RFC 5321 §4.5.2 as it reads: split into lines, double the dot of those that begin with one. */
function plainly(text: string): string {
  const ended = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
  return `${ended
    .split('\r\n')
    .map(line => (line.startsWith('.') ? `.${line}` : line))
    .join('\r\n')}.\r\n`;
}

function stuff(blocks: readonly Buffer[]): string {
  const stuffer = new Stuffer();
  const out = blocks.map(block => stuffer.next(block));
  return Buffer.concat(out).toString('latin1') + stuffer.ending();
}

/** Mulberry32: the same sequence for the same seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

t.test('property: any text of dots and line ends, cut anywhere, is stuffed as RFC 5321 §4.5.2 says', async t => {
  const alphabet = ['.', '.', '\r\n', '\r\n', '\r', '\n', 'a', '\xff'];
  let wrong = 0;
  for (let seed = 1; seed <= 4000; seed++) {
    const random = dice(seed);
    const text = Array.from({ length: Math.floor(random() * 14) }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
    const octets = Buffer.from(text, 'latin1');
    const blocks: Buffer[] = [];
    for (let at = 0; at < octets.length; ) {
      const size = Math.floor(random() * 4);
      blocks.push(octets.subarray(at, at + size));
      at += size;
    }
    if (stuff(blocks) !== plainly(text) || endsLine(blocks) !== (text === '' || text.endsWith('\r\n'))) {
      wrong += 1;
      t.comment(`seed ${seed}: ${JSON.stringify(text)}`);
    }
  }
  t.equal(wrong, 0);
});

t.test('every cut through CRLF.CRLF', async t => {
  const text = 'a\r\n.\r\n..\r\n.b';
  for (let i = 0; i <= text.length; i++) {
    for (let j = i; j <= text.length; j++) {
      const blocks = [text.slice(0, i), text.slice(i, j), text.slice(j)].map(piece => Buffer.from(piece));
      if (stuff(blocks) !== plainly(text)) t.fail(`cut at ${i} and ${j}`);
    }
  }
  t.equal(stuff([Buffer.from(text)]), 'a\r\n..\r\n...\r\n..b\r\n.\r\n');
});

t.test('a block without such a dot is passed on as it is', async t => {
  const stuffer = new Stuffer();
  for (const text of ['a.b\r\n', 'c\r.d\n.e\r\n', '', 'f']) {
    const block = Buffer.from(text);
    t.equal(stuffer.next(block), block, JSON.stringify(text));
  }
});

t.test('nothing but dots at line starts takes time in line with its size', async t => {
  const block = Buffer.from('..\r\n'.repeat(16 * 1024));
  const stuffer = new Stuffer();
  let length = 0;
  for (let i = 0; i < 128; i++) length += stuffer.next(block).length;
  t.equal(length, (block.length / 4) * 5 * 128, '8 MB, each line one octet longer');
});

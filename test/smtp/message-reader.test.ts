/** The message behind DATA: one end, dots taken off once, and the same result however the octets are cut into chunks. */
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import t from 'tap';
import { replyLine } from '../../src/mail/reply.ts';
import { ByteBudget } from '../../src/smtp/budget.ts';
import { MessageReader } from '../../src/smtp/message-reader.ts';

interface Outcome {
  readonly text: string | undefined;
  readonly fault: string | undefined;
  /** What stands behind the end; undefined where no end was found. */
  readonly rest: string | undefined;
}

function read(text: string, cut: number, limit = 1000, budget = new ByteBudget(10_000)): Outcome {
  const octets = Buffer.from(text, 'latin1');
  const reader = new MessageReader(limit, budget.open(), 0);
  for (let at = 0; at < octets.length; at += cut) {
    const end = reader.take(octets.subarray(at, at + cut));
    if (end === -1) continue;
    const fault = reader.fault === undefined ? undefined : replyLine(reader.fault).slice(0, 9);
    return { text: fault === undefined ? reader.octets().toString('latin1') : undefined, fault, rest: octets.toString('latin1', at + end) };
  }
  return { text: undefined, fault: reader.fault === undefined ? undefined : replyLine(reader.fault).slice(0, 9), rest: undefined };
}

const END = '\r\n.\r\n';
const table: [string, Partial<Outcome>][] = [
  ['.\r\n', { text: '', rest: '' }],
  [`a${END}MAIL`, { text: 'a\r\n', rest: 'MAIL' }],
  [`..a\r\n...${END}`, { text: '.a\r\n..\r\n', rest: '' }],
  [`..${END}`, { text: '.\r\n', rest: '' }],
  [`.a${END}`, { text: 'a\r\n', rest: '' }],
  [`a.\r\n.b${END}`, { text: 'a.\r\nb\r\n', rest: '' }],
  [`\r\n\r\n${END}`, { text: '\r\n\r\n\r\n', rest: '' }],
  [`\xff\xfe ä${END}`, { text: '\xff\xfe ä\r\n', rest: '' }],
  // Whatever a laxer reader takes for an end is none, and the message is refused when the real end comes.
  [`a\n.\nMAIL FROM:<evil@x.example>${END}`, { fault: '550 5.5.2', rest: '' }],
  [`a\r\n.\nb${END}`, { fault: '550 5.5.2', rest: '' }],
  [`a\n.\r\nb${END}`, { fault: '550 5.5.2', rest: '' }],
  [`a\r.\r\nb${END}`, { fault: '550 5.5.2', rest: '' }],
  [`a\r\n.\rb${END}`, { fault: '550 5.5.2', rest: '' }],
  [`a\r\r\n.\r\n`, { fault: '550 5.5.2', rest: '' }],
  [`a\r\n.\r\r\n${END}`, { fault: '550 5.5.2', rest: '' }],
  [`a\rb${END}`, { fault: '550 5.5.2', rest: '' }],
  [`\n${END}`, { fault: '550 5.5.2', rest: '' }],
  [`a\nb${END}`, { fault: '550 5.5.2', rest: '' }],
  [`a\0b${END}`, { fault: '554 5.6.0', rest: '' }],
  [`a${END}\0`, { text: 'a\r\n', rest: '\0' }],
  ['a\r\n.\n', { fault: '550 5.5.2', rest: undefined }],
  ['a\r\n.\r', { fault: undefined, rest: undefined }],
  [`${'x'.repeat(998)}${END}`, { text: `${'x'.repeat(998)}\r\n`, rest: '' }],
  [`${'x'.repeat(999)}${END}`, { fault: '552 5.3.4', rest: '' }],
];

t.test('the end, the dots and what is unfit, in chunks of every size', async t => {
  for (const [text, expected] of table) {
    for (const cut of [1, 2, 3, 4, 5, 7, text.length]) {
      const { rest, ...got } = read(text, cut);
      t.match(
        { ...got },
        { ...(expected.text === undefined ? { text: undefined } : { text: expected.text }), fault: expected.fault },
        JSON.stringify([text.slice(0, 40), cut]),
      );
      if (cut === text.length || expected.rest === undefined)
        t.equal(rest, expected.rest, JSON.stringify([text.slice(0, 40), cut, 'rest']));
    }
  }
});

t.test('random octets: chunks make no difference, and a plain reference agrees', async t => {
  let seed = 7;
  const random = (n: number) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * n);
  };
  const alphabet = ['\r\n', '\r\n', '.', '.', 'a', '\r', '\n', '\r\n.'];
  for (let round = 0; round < 500; round++) {
    const text = Array.from({ length: random(20) }, () => alphabet[random(round % 2 === 0 ? 5 : 8)]).join('') + END;
    const whole = read(text, text.length);
    t.equal(whole.fault === undefined ? whole.text : '!', reference(text), JSON.stringify(text));
    const cut = 1 + random(4);
    const pieces = read(text, cut);
    t.same([pieces.text, pieces.fault], [whole.text, whole.fault], JSON.stringify([text, cut]));
  }
});

/** Slow and obvious; `!` for unfit. */
function reference(text: string): string {
  const end = `\r\n${text}`.indexOf(END);
  const body = `\r\n${text}`.slice(2, end + 2);
  // What follows `.` at a line's start, up to the end, is judged as sent.
  if (/\r(?!\n)|(?<!\r)\n/.test(body)) return '!';
  return body.replace(/(^|\r\n)\./g, '$1');
}

t.test('LIBRARIES 8: a message of dots costs a fraction of what it costs smtp-server', async t => {
  const octets = Buffer.from(`${'..\r\n'.repeat(50_000)}.\r\n`);
  let kept = 0;
  const ours = await quickest(() => {
    const reader = new MessageReader(3_000_000, new ByteBudget(10_000_000).open(), 0);
    reader.take(octets);
    kept = reader.octets().length;
  });
  const theirs = await quickest(
    () =>
      new Promise<void>(resolve => {
        const stream = new SMTPStream();
        stream.startDataMode().on('end', resolve).resume();
        stream.write(octets);
      }),
  );
  t.equal(kept, 150_000);
  t.ok(ours * 2 < theirs, `${ours} ms, ${theirs} ms`);
});

t.test('the time taken grows with the octets, not with their square', async t => {
  const shapes = { CR: '\r', LF: '\n', dots: '\r\n..', dot: '\r\n.\r' };
  for (const [name, piece] of Object.entries(shapes)) {
    const time = (size: number) =>
      quickest(() => {
        const reader = new MessageReader(3_000_000, new ByteBudget(10_000_000).open(), 0);
        reader.take(Buffer.from(piece.repeat(size / piece.length)));
      });
    await time(16_384);
    const [few, many] = [await time(16_384), await time(524_288)];
    // 32 times the octets; a square would be 1,024 times the time.
    t.ok(many < few * 300, `${name}: ${few} ms, ${many} ms`);
  }
});

/** Milliseconds of the quickest of five runs: what disturbs a run only makes it slower. */
async function quickest(run: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

t.test('the budget: a message that finds no room is read on without being kept, and what it held is free', async t => {
  const budget = new ByteBudget(500);
  t.match(read(`${'x'.repeat(600)}${END}`, 50, 1000, budget), { fault: '452 4.3.1', rest: '' });
  t.equal(budget.used, 0);
  t.match(read(`${'x'.repeat(100)}${END}`, 50, 1000, budget), { fault: undefined, text: `${'x'.repeat(100)}\r\n` });
  t.ok(budget.used > 100, 'the capacity counts, not the length');
});

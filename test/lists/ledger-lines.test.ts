/** Ledger lines: what is whole, what a crash left, and what somebody altered. */
import t from 'tap';
import { firstTime, latestTime, ledgerLine, parseLedgerLine } from '../../src/lists/ledger-lines.ts';

const payload = Buffer.from('some sealed octets, not text \xff\x00', 'latin1');
const line = ledgerLine(1_764_000_000_000, payload).slice(0, -1);

t.test('a line reads as it was written', async t => {
  t.same(parseLedgerLine(line), { time: 1_764_000_000_000, payload });
  t.equal(parseLedgerLine(''), 'blank');
});

t.test('a line cut anywhere is torn, never taken for whole and never for foreign', async t => {
  for (let length = 1; length < line.length; length++) t.equal(parseLedgerLine(line.slice(0, length)), 'torn', line.slice(0, length));
});

t.test('a line with a hole of NULs is torn', async t => {
  for (const [from, to] of [
    [0, 5],
    [10, 30],
    [line.length - 4, line.length],
    [0, line.length],
  ] as const) {
    t.equal(parseLedgerLine(`${line.slice(0, from)}${'\0'.repeat(to - from)}${line.slice(to)}`), 'torn');
  }
});

t.test('anything else is foreign', async t => {
  const table = [
    'hello',
    `${line}A`,
    `${line} `,
    ` ${line}`,
    line.replace(' ', '  '),
    line.replace(/^1/, '-'),
    `${line}${line}`,
    line.replace(/..$/, '=='),
    'x 5 hello',
  ];
  for (const text of table) t.equal(parseLedgerLine(text), 'foreign', text);
});

t.test('times are those of whole lines that begin within the text', async t => {
  const [one, two, three] = [5, 9, 7].map(time => ledgerLine(time, payload)) as [string, string, string];
  t.equal(firstTime(one), undefined, 'its beginning may lie within a line');
  t.equal(firstTime(`${one.slice(4)}${two}${three}`), 9);
  t.equal(latestTime(`tail\n\n${one}${two}\n${three}${one.slice(0, -9)}`), 9);
  t.equal(latestTime('no line'), undefined);
});

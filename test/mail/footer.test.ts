/** Footer lines: those that stand last in text and HTML, few and cheap; and known again in what mail programs make of them. */
import t from 'tap';
import { footerLines, isTelling, spellLine, withoutOurs } from '../../src/mail/footer.ts';
import type { TextPart } from '../../src/mail/message.ts';

const plain = (text: string): TextPart => ({ type: 'text/plain', text });
const html = (text: string): TextPart => ({ type: 'text/html', text });

/** How this line is known again: among the lines of these parts. */
function knows(parts: readonly TextPart[]): (line: string) => boolean {
  const known = new Set(footerLines(parts).map(spellLine));
  return line => known.has(spellLine(line));
}

const FOOTER = `<div><p>First block</p><hr>
<table role="presentation"><tr><td style="x">Acme&nbsp;GmbH, Hafenstra&szlig;e 7,
   20457 Hamburg</td><td>Tel. 040 1234567</td></tr></table>
<p style="font-size:9px">You may object to such mail at any time (Art.&nbsp;21&nbsp;GDPR); a word of yours suffices.<br>
<a class="l" href="https://www.acme.example/privacy?a=1&amp;b=2">Privacy <b>policy</b></a> | <a href='https://www.acme.example/out?u=42'>Unsubscribe</a></p>
<!-- Not seen by anybody <p>at all</p> --><style>p { color: red }</style></div>`;

t.test('what programs make of an HTML footer is known again', async t => {
  const known = knows([html(FOOTER)]);
  const shapes = {
    'Gmail and Thunderbird': [
      'You may object to such mail at any time (Art. 21 GDPR); a word of yours suffices.',
      'Privacy *policy* <https://www.acme.example/privacy?a=1&b=2> | Unsubscribe <https://www.acme.example/out?u=42>',
      '> Acme GmbH, Hafenstraße 7, 20457 Hamburg',
    ],
    Outlook: [
      'Acme GmbH, Hafenstrasse 7, 20457 Hamburg\t',
      'Privacy policy<https://www.acme.example/privacy?a=1&b=2> | Unsubscribe<https://www.acme.example/out?u=42>',
    ],
    'links left out': ['Privacy policy | Unsubscribe', 'Tel. 040 1234567'],
    'upper case, no-break spaces, a wrapped paragraph': [
      'YOU MAY OBJECT TO SUCH MAIL AT ANY TIME (ART. 21 GDPR);\u00a0A WORD\nOF YOURS SUFFICES.',
    ],
  };
  for (const [program, lines] of Object.entries(shapes)) {
    for (const line of lines) t.ok(known(line), `${program}: ${line}`);
  }
  t.ok(known('First block'));
  for (const hidden of ['Not seen by anybody', 'at all', 'p { color: red }', 'You may object']) t.notOk(known(hidden), hidden);
});

t.test('a plain footer is known line by line, and filled anew as a paragraph', async t => {
  const text =
    'Dear Jo,\r\n\r\nshort and good.\r\n\r\n-- \r\nYou get this since it matters to\r\nyour work. Tell us and we stop.\r\n\r\nUnsubscribe: https://a.example/u\r\n';
  const known = knows([plain(text)]);
  for (const line of [
    'You get this since it matters to',
    'your work. Tell us and we stop.',
    'You get this since it matters to your work. Tell us and we stop.',
    '| Unsubscribe: <https://a.example/u>',
    'short and good.',
  ]) {
    t.ok(known(line), line);
  }
  t.notOk(known('Tell us and we stop.'), 'a part of a line is not the line');
});

t.test('few: the last lines of the first two texts', async t => {
  const long = plain(Array.from({ length: 1_000 }, (_, n) => `line ${n} of many lines`).join('\n\n'));
  const known = knows([long, html('<p>the second of two'), plain('one text too many')]);
  t.ok(known('line 999 of many lines'));
  t.ok(known('line 976 of many lines'));
  t.notOk(known('line 975 of many lines'));
  t.ok(known('the second of two'));
  t.notOk(known('one text too many'));
  t.same(footerLines([]), []);
  t.same(footerLines([plain(''), html('')]), []);
  t.same(footerLines([plain(' \r\n--\r\n***\r\n'), html('<p>&nbsp;<br>|</p>')]), [], 'signs alone are no line');
});

t.test('short lines tell nothing of who wrote them', async t => {
  for (const line of ['Unsubscribe', 'Remove me from list', '', '***']) t.notOk(isTelling(spellLine(line)), line);
  for (const line of ['Acme GmbH, Hafenstr. 7, Hamburg', 'Unsubscribe: https://a.example/u', 'Wir löschen Ihre Daten gern']) {
    t.ok(isTelling(spellLine(line)), line);
  }
  t.equal(spellLine('> *Zürich*,\u00a0 Straße\r\n7'), 'zurich strasse 7');
});

t.test('what came back unquoted is left out; what a person may have written stays', async t => {
  const ask = 'To opt out, reply with the words: please take me off your list';
  const parts = [
    plain(
      `Dear Jo,\n\nour board is new.\n\n${ask}\n\nplease take me off your list\n\nUnsubscribe\nAcme GmbH, Hafenstr. 7,\n20457 Hamburg, Germany\n`,
    ),
  ];
  const known = knows(parts);
  const isOurs = (line: string, beside = false): boolean => known(line) && (beside || isTelling(spellLine(line)));
  const footer = [ask, '', 'Unsubscribe', 'Acme GmbH, Hafenstr. 7,', '20457 Hamburg, Germany'];
  const cases: Readonly<Record<string, readonly [lines: readonly string[], left: readonly string[]]>> = {
    'a footer below an answer': [['Sounds good.', '', ...footer], ['Sounds good.']],
    'below a short line that is also in it': [['Unsubscribe', '', ...footer], ['Unsubscribe']],
    'below the very sentence that it asks for': [
      ['please take me off', 'your list', '', ...footer],
      ['please take me off', 'your list'],
    ],
    'lines filled anew': [['Fine.', '', 'Unsubscribe Acme GmbH, Hafenstr.', '7, 20457 Hamburg, Germany', '', ask], ['Fine.']],
    'the sentence alone, below a greeting': [
      ['Hello,', '', 'please take me off your list', '', 'Jo'],
      ['Hello,', 'please take me off your list', 'Jo'],
    ],
    'one line of ours alone': [
      ['Fine.', '', ask, '', 'Jo Doe'],
      ['Fine.', ask, 'Jo Doe'],
    ],
    'words of a person between ours': [
      ['Fine.', '', ask, '', 'not for me', '', ...footer],
      ['Fine.', ask, 'not for me'],
    ],
    'nothing of ours': [
      ['One.', '', 'Unsubscribe', '', 'Two.'],
      ['One.', 'Unsubscribe', 'Two.'],
    ],
    nothing: [[], []],
  };
  for (const [name, [lines, left]] of Object.entries(cases)) {
    t.same(
      withoutOurs(lines, isOurs).filter(line => line !== ''),
      left,
      name,
    );
  }
});

t.test('hostile texts cost no more than others', async t => {
  const size = 2_000_000;
  const cases = ['<', '<!--', '<a href="', '<a href=x>', '<td>', '&', '&x;', '<style>', ' ', '\n', 'a\n', '\u00a0', 'ü', '\ud800'];
  for (const piece of cases) {
    const text = piece.repeat(size / piece.length);
    for (const part of [plain(text), html(text)]) {
      const lines = footerLines([part, part]);
      t.ok(lines.length <= 100, `${JSON.stringify(piece)}: ${lines.length} lines`);
      t.ok(lines.reduce((sum, line) => sum + line.length, 0) < 200_000, 'few characters');
      for (const line of lines) spellLine(line);
    }
  }
});

/** Every mark in config/quote-markers.yaml is proved by a sample of its own. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { quotedText } from '../../src/inbound/html-quotes.ts';
import { loadOwnText } from '../../src/inbound/own-text.ts';
import { loadQuoteMarkers, quoteMarkers } from '../../src/inbound/quote-markers.ts';
import { ownLines } from '../../src/inbound/quotes.ts';
import { parseMessage } from '../../src/mail/message.ts';
import { readTable } from '../../src/ops/table.ts';

const table = readTable('quote-markers', quoteMarkers);
const markers = loadQuoteMarkers();
const own = (text: string): string => ownLines(text, markers.lines).join('\n');

/** As mail programs wrap at about seventy characters. */
function wrapped(line: string, width: number): string {
  const lines: string[] = [''];
  for (const word of line.split(' ')) {
    const last = lines.at(-1) as string;
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

t.test('attributions, header blocks, rulers and mobile signatures of every language', async t => {
  t.ok((table.languages ?? []).length >= 25);
  for (const { language, samples } of table.languages ?? []) {
    t.test(language, async t => {
      for (const attribution of samples.attributions) {
        for (const width of [1000, 76, 60]) {
          const sample = wrapped(attribution, width);
          t.equal(own(`Mine.\n\n${sample}\n\n> theirs\n`), 'Mine.', `${sample} (quoted)`);
          t.equal(own(`Mine.\n${sample}\n> theirs\n\nMine too.`), 'Mine.\n\nMine too.', `${sample} (answered below)`);
          t.equal(own(`Mine.\n\n${sample}\n\ntheirs\n`), 'Mine.', `${sample} (not quoted)`);
        }
      }
      for (const block of samples.blocks) {
        t.equal(own(`Mine.\n\n${block}\n\ntheirs\n`), 'Mine.', block);
        t.equal(own(`Mine.\n${'_'.repeat(32)}\n${block}\n\ntheirs\n`), 'Mine.', `${block} (below a ruler)`);
        t.equal(own(`Mine.\n\n${block.replaceAll('\n', '\n\n')}\n\ntheirs\n`), 'Mine.', `${block} (with blank lines)`);
      }
      for (const ruler of samples.rulers) t.equal(own(`Mine.\n\n${ruler}\n\ntheirs\n`), 'Mine.', ruler);
      for (const line of samples.mobile) t.equal(own(`Mine.\n\n${line}\n`), 'Mine.', line);
    });
  }
});

t.test('words that look like marks and are not', async t => {
  for (const text of [
    'On Monday you wrote: we will stop.\nPlease do.',
    'On 12 May I wrote to you. Please stop:\nno more mails.',
    'From: London\nTo: Paris\nDate: 12 May\n\nIs that the offer? Then no.',
    'Date: Wednesday 3 June\nTime: 7:00\n\nPlease bring your list.',
    'Sent from my desk, which is much easier than my phone.',
    'Subject: your offer\nNo, thank you.',
    'This is not a ---------- ruler.\n\nMine too.',
    'He wrote:\nstop it.',
    'I got your mail on 12.05.2026 at 10:22 and answer:\nremove me.',
    'To whom it may concern: remove me.\nFrom now on: no mail.',
    `Points:\n--\n${'one more line of text\n'.repeat(20)}remove me`,
    'Am liebsten nie mehr.\nDanke',
    'El orden del día 12/05/2026:\nbaja, por favor.',
  ])
    t.equal(own(text), text);
});

t.test('own words between, below and beside quotes', async t => {
  t.equal(own('> one\nYes.\n> two\nNo.\n>> three\n\nThanks'), 'Yes.\n\nNo.\n\nThanks');
  t.equal(own('No thanks. On Tue, 12 May 2026 at 10:22, Jane Doe <jane@acme.example> wrote:\n> Hi'), 'No thanks.');
  t.equal(own('Mine.\n-- \nBob\nThere Ltd\n\n> theirs\n\nMine too.\n-- \nBob'), 'Mine.\n\nMine too.');
  t.equal(own('> theirs (http://acme.example/a\n_long_address=3dd518)\n> more\nMine.'), 'Mine.');
  t.equal(own('Mine.\n\nJane Doe ---12.05.2026 10:22:17---Half an hour less\n\nFrom:\tJane\nTo:\tBob\n\ntheirs'), 'Mine.');
});

t.test('elements of HTML mail', async t => {
  for (const { selector, means, sample } of table.html ?? []) {
    t.test(`${selector}: ${means}`, async t => {
      const tag = /<(\w+)/.exec(sample)?.[1] ?? '';
      const html = `<div>Mine.</div>${sample.replace(/<\/\w+>$/, '')}theirs<blockquote>theirs</blockquote>after</${tag}><div>Mine too.</div>`;
      const expected = {
        quote: 'Mine.\n\nMine too.',
        intro: 'Mine.\n\nafter\nMine too.',
        rest: 'Mine.',
        skip: 'Mine.\nMine too.',
        own: 'Mine.\ntheirs\n\nafter\nMine too.',
      };
      t.equal(own(quotedText(html, markers.elements)), expected[means]);
    });
  }
});

t.test("an admin's table adds marks, and a damaged one is named", async t => {
  const folder = mkdtempSync(join(tmpdir(), 'markers-'));
  const reply = parseMessage(Buffer.from('Content-Type: text/html\r\n\r\nMine.<div class="crm-history">theirs</div>'));
  t.equal(loadOwnText(folder)(reply), 'Mine.\ntheirs');
  const rule = (selector: string): string => `html: [{ selector: "${selector}", means: quote, program: a CRM, sample: x }]`;
  writeFileSync(join(folder, 'quote-markers.yaml'), rule('.crm-history'));
  t.equal(loadOwnText(folder)(reply), 'Mine.');
  writeFileSync(join(folder, 'quote-markers.yaml'), rule('a > b'));
  t.throws(() => loadOwnText(folder), /"a > b" is no selector/);
  writeFileSync(join(folder, 'quote-markers.yaml'), 'languages: 7');
  t.throws(() => loadOwnText(folder), /quote-markers\.yaml: \/languages must be array/);
});

/** The share of public test suites' replies whose own words come out as those suites say. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { quotedText } from '../../src/inbound/html-quotes.ts';
import { loadOwnText } from '../../src/inbound/own-text.ts';
import { loadQuoteMarkers } from '../../src/inbound/quote-markers.ts';
import { parseMessage } from '../../src/mail/message.ts';

interface Case {
  readonly id: string;
  readonly kind: 'reply_text' | 'reply_html' | 'embedded_mail';
  readonly soft?: boolean;
  readonly file: string | null;
  readonly input?: string;
  readonly verdict_must_not_be?: string;
  readonly expected: {
    readonly reply_text?: string;
    readonly reply_html?: string;
    readonly compare?: 'ends-stripped' | 'without-whitespace';
    readonly before?: string;
    readonly embedded?: string;
    readonly must_not_contain_lines?: readonly string[];
    readonly own_text_has_optout_words?: boolean;
    readonly verdict_must_not_be?: string;
  };
}

const corpus = process.env.POSTERN_CORPUS ?? join(import.meta.dirname, '../../../shared/corpus');
const index = join(corpus, 'replies.jsonl');
const ownText = loadOwnText();
const { elements } = loadQuoteMarkers();

/** Files that are whole messages begin with fields; others are a body. */
function message({ kind, file, input }: Case): Buffer {
  const content = file === null ? Buffer.from(input ?? '') : readFileSync(join(corpus, file));
  const octets = Buffer.from(content.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1');
  if (file?.endsWith('.eml')) return octets;
  const type = kind === 'reply_html' ? 'text/html' : 'text/plain';
  return Buffer.concat([Buffer.from(`Content-Type: ${type}; charset=utf-8\r\n\r\n`), octets]);
}

function matches({ kind, expected }: Case, own: string): boolean {
  const bare = (text: string): string => text.replace(/\s+/g, '');
  if (kind === 'embedded_mail')
    return own !== '' && bare(expected.before ?? '').startsWith(bare(own)) && !own.includes(expected.embedded ?? '\0');
  const wanted = expected.reply_text ?? quotedText(expected.reply_html ?? '', elements);
  if (expected.compare === 'without-whitespace') return bare(own) === bare(wanted);
  return own.trim() === wanted.trim();
}

t.test('replies of public test suites: nine in ten as they say', { skip: existsSync(index) ? false : 'no corpus here' }, async t => {
  const cases = readFileSync(index, 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => JSON.parse(line) as Case);
  const gated = cases.filter(({ soft }) => soft !== true);
  const missed: string[] = [];
  for (const one of gated) {
    const own = ownText(parseMessage(message(one)));
    if (!matches(one, own)) missed.push(one.id);
    for (const line of one.expected.must_not_contain_lines ?? []) t.notOk(own.includes(line), `${one.id}: a quoted line`);
    if (one.expected.own_text_has_optout_words === false) t.notMatch(own, /unsubscribe|stop receiving/i, `${one.id}: quoted opt-out words`);
  }
  const share = (gated.length - missed.length) / gated.length;
  t.comment(`own words: ${gated.length - missed.length} of ${gated.length} (${(100 * share).toFixed(1)} %); other: ${missed.join(', ')}`);
  t.ok(gated.length > 30, 'the corpus was read');
  t.ok(share >= 0.9, `${(100 * share).toFixed(1)} % of ${gated.length}`);
});

/** Footer lines: what stands last in a message and may come back in a reply without quote marks, spelled so that it is known again. */
import { References } from './html/references.ts';
import { BLOCK, HEADING } from './html/tags.ts';
import { tokenize } from './html/tokens.ts';
import type { TextPart } from './message.ts';
import { fold } from './phrases.ts';

/** Texts of one message that are looked at, and of each the last lines, within its last characters: a footer is not longer. */
const PARTS = 2;
const LINES = 24;
const PLAIN_CHARS = 8_192;
const HTML_CHARS = 16_384;

/** Fewer words, and a person may well write the same line himself: `Unsubscribe`, `Remove me please`. */
const TELLING_WORDS = 5;

const BREAKS: ReadonlySet<string> = new Set([...BLOCK, ...HEADING, 'br', 'hr', 'li', 'td', 'th', 'tr', 'table', 'body']);
const INK = /[\p{L}\p{N}]/u;

/**
 * The last lines of a message's texts, as they stand; at most a hundred. Of a plain text's paragraph of several lines also the
 * whole, because a mail program may fill lines anew; of an HTML line with links also what most programs make of it, `label <address>`.
 * Never throws; its cost is bounded, whatever the texts hold.
 */
export function footerLines(parts: readonly TextPart[]): readonly string[] {
  return parts.slice(0, PARTS).flatMap(({ type, text }) => (type === 'text/plain' ? plainLines(text) : htmlLines(text)));
}

/**
 * A line as it is compared: letters and digits alone, without case and accents. Quote marks, bullets, blanks of any kind, the stars and
 * brackets that programs put around words and addresses when they make text of HTML: all gone. Line ends count as blanks.
 */
export function spellLine(line: string): string {
  return fold(line)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** Whether a line so spelled is long enough to be nobody else's by chance. */
export function isTelling(spelled: string): boolean {
  return spelled.split(' ', TELLING_WORDS).length === TELLING_WORDS;
}

function plainLines(text: string): readonly string[] {
  const lines = tailOf(text, '\n', PLAIN_CHARS).split('\n');
  const found: string[] = [];
  let paragraph: string[] = [];
  const endParagraph = (): void => {
    if (paragraph.length > 1) found.push(paragraph.reverse().join(' '));
    paragraph = [];
  };
  for (let left = LINES; left > 0 && lines.length > 0; ) {
    const line = lines.pop() ?? '';
    if (INK.test(line)) {
      found.push(line);
      paragraph.push(line);
      left -= 1;
    } else endParagraph();
  }
  endParagraph();
  return found;
}

function htmlLines(html: string): readonly string[] {
  const tail = tailOf(html, '<', HTML_CHARS);
  const references = new References(tail);
  const lines: { readonly bare: string; readonly linked: string }[] = [];
  let bare = '';
  let linked = '';
  let href = '';
  const breakLine = (): void => {
    if (INK.test(bare)) lines.push({ bare, linked });
    bare = '';
    linked = '';
  };
  tokenize(tail, {
    startTag(name, attributes) {
      if (name === 'a') href = attributes.get('href') ?? '';
      else if (BREAKS.has(name)) breakLine();
    },
    endTag(name) {
      if (BREAKS.has(name)) breakLine();
      else if (name === 'a' && href !== '') {
        linked += ` <${references.value(href)}>`;
        href = '';
      }
    },
    text(raw) {
      const text = references.text(raw);
      bare += text;
      linked += text;
    },
    rawText() {},
    doctype() {},
    bogus() {},
    done: false,
  });
  breakLine();
  return lines.slice(-LINES).flatMap(line => (line.linked === line.bare ? [line.bare] : [line.bare, line.linked]));
}

/** The last characters of a text, from a mark on; nothing where there is none among them. */
function tailOf(text: string, mark: string, chars: number): string {
  if (text.length <= chars) return text;
  const from = text.indexOf(mark, text.length - chars);
  return from < 0 ? '' : text.slice(from);
}

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
/** Of HTML first as few as mostly hold so many lines, then as many as may. */
const HTML_CHARS = [4_096, 16_384];

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

/** Whether a line stood in what we sent; a short one, which anybody may write, counts only `beside` one that did. */
export type IsOurs = (line: string, beside?: boolean) => boolean;

/**
 * The lines of an answer without those that came back from our message unquoted: line by line, and paragraphs that were filled anew. A
 * person may write the very sentence that our footer asks for, so the first paragraph always stays, and so does a line of ours that stands
 * alone: a line of ours too many is better than an opt-out too few.
 */
export function withoutOurs(lines: readonly string[], isOurs: IsOurs): readonly string[] {
  const paragraphs = paragraphsOf(lines).slice(1);
  const ours = new Set<number>();
  for (const paragraph of paragraphs) {
    const own = paragraph.filter(at => isOurs(lines[at] ?? ''));
    const whole = own.length < paragraph.length && paragraph.length > 1 && isOurs(paragraph.map(at => lines[at]).join(' '));
    for (const at of whole ? paragraph : own) ours.add(at);
  }
  const order = paragraphs.flat();
  const spread = (before: number | undefined, at: number): number => {
    if (before !== undefined && ours.has(before) && !ours.has(at) && isOurs(lines[at] ?? '', true)) ours.add(at);
    return at;
  };
  order.reduce<number | undefined>(spread, undefined);
  order.reduceRight<number | undefined>(spread, undefined);
  const gone = new Set(
    order.filter((at, i) => ours.has(at) && [order[i - 1], order[i + 1]].some(next => next !== undefined && ours.has(next))),
  );
  return lines.filter((_, at) => !gone.has(at));
}

/** The lines behind the last one of ours, none where there is none of ours. A short line counts as ours beside one that does, and once. */
export function behindOurs(lines: readonly string[], isOurs: IsOurs): readonly string[] {
  let last = lines.findLastIndex(line => isOurs(line));
  for (const paragraph of paragraphsOf(lines)) {
    const end = paragraph.at(-1) ?? -1;
    if (end > last && paragraph.length > 1 && isOurs(paragraph.map(at => lines[at]).join(' '))) last = end;
  }
  if (last < 0) return [];
  const before = new Set(lines.slice(0, last + 1).map(spellLine));
  for (let at = last + 1; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (!INK.test(line)) continue;
    if (before.has(spellLine(line)) || !isOurs(line, true)) break;
    before.add(spellLine(line));
    last = at;
  }
  return lines.slice(last + 1);
}

/** The places of the lines of each paragraph; lines of signs alone part them. */
function paragraphsOf(lines: readonly string[]): readonly (readonly number[])[] {
  const paragraphs: number[][] = [];
  let open = false;
  for (const [at, line] of lines.entries()) {
    const ink = INK.test(line);
    if (ink && open) paragraphs.at(-1)?.push(at);
    else if (ink) paragraphs.push([at]);
    open = ink;
  }
  return paragraphs;
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

interface HtmlLine {
  readonly bare: string;
  /** With the address of each link behind its text. */
  readonly linked: string;
}

function htmlLines(html: string): readonly string[] {
  let lines: readonly HtmlLine[] = [];
  for (const chars of HTML_CHARS) {
    // The first of them may be cut.
    if (lines.length <= LINES) lines = linesOf(tailOf(html, '<', chars));
    if (html.length <= chars) break;
  }
  return lines.slice(-LINES).flatMap(({ bare, linked }) => (linked === bare ? [bare] : [bare, linked]));
}

function linesOf(tail: string): readonly HtmlLine[] {
  const references = new References(tail);
  const lines: HtmlLine[] = [];
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
  return lines;
}

/** The last characters of a text, from a mark on; nothing where there is none among them. */
function tailOf(text: string, mark: string, chars: number): string {
  if (text.length <= chars) return text;
  const from = text.indexOf(mark, text.length - chars);
  return from < 0 ? '' : text.slice(from);
}

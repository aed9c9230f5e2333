/** A reply's text without what others wrote: quoted lines, attributions, header blocks and what follows them, signatures. */
import { attributions } from './attributions.ts';
import { LABELS, type Label, type LineMarks } from './quote-markers.ts';
import { isQuoted, type Lines, type Mark, nextInked, toLines } from './reply-lines.ts';

/** A header block is looked for in so many lines. */
const MAX_BLOCK = 20;
/** Lines of a signature, at most: below a bare `--`, and below the `-- ` of RFC 3676 §4.3. */
const MAX_SIGNATURE = { bare: 12, exact: 40 };

const LONE_ADDRESS = /^ {0,3}[(<[]?\S{12,}( ?[)>\]]){0,3}$/;
/** Begins like the line over an original message. */
const RULED = /^[* ]{0,3}[-–—_=]{2}/;
/** Lines that set something apart, and say nothing. */
const RULER = /^[\s\-–—_=*#~+|\u1427]*$/;
/** A word between dashes: above a header block it says in some language that the original follows. */
const FRAMED = /^-{4,}[^-]{1,40}-{4,}$/;

/** The person's own lines of a text with LF line ends, trimmed. Linear. */
export function ownLines(text: string, marks: LineMarks): readonly string[] {
  const lines = toLines(text);
  const found = attributions(lines, marks);
  const blocks = new Map<number, Mark | undefined>();
  const markAt = (at: number): Mark | undefined => {
    if (!blocks.has(at)) blocks.set(at, found.get(at) ?? opensBlock(lines, at, marks));
    return blocks.get(at);
  };
  const own: string[] = [];
  // Something was cut out here, for which one blank line stands.
  let cut = false;
  for (let at = 0; at < lines.raw.length; ) {
    const line = lines.raw[at] as string;
    const mark = markAt(at);
    if (mark !== undefined) {
      if (mark.before !== undefined) own.push(mark.before);
      while (own.length > 0 && (own.at(-1) === '' || FRAMED.test(own.at(-1) as string))) own.pop();
      at = nextInked(lines, mark.next);
      // What a mark introduces is quoted, or introduced once more; else it goes on to the end.
      if (!isQuoted(lines, at) && markAt(at) === undefined) break;
      cut = true;
    } else if (isQuoted(lines, at) || isLoneAddress(lines, at)) {
      at += 1;
      cut = true;
    } else {
      const after = line === '--' || line === '-- ' ? afterSignature(lines, at, markAt) : undefined;
      at = after ?? at + 1;
      cut ||= after !== undefined;
      if (after !== undefined || isMobile(lines.folded[at - 1] as string, marks) || (cut && lines.folded[at - 1] === '')) continue;
      if (cut && own.at(-1) !== '') own.push('');
      own.push(line.trimEnd());
      cut = false;
    }
  }
  return trimmed(own);
}

/** Links of text made from HTML are no part of the words: `Sent with [Proton Mail](https://…) secure email.` */
function isMobile(line: string, marks: LineMarks): boolean {
  return line.length < 400 && marks.mobile.test(line.replace(/\[([^\]]{1,60})\]\([^)]{1,250}\)/, '$1'));
}

/** An address that was wrapped out of a quoted line on to one of its own. */
function isLoneAddress(lines: Lines, at: number): boolean {
  const line = lines.raw[at] as string;
  return line.length < 1000 && isQuoted(lines, at - 1) && isQuoted(lines, at + 1) && LONE_ADDRESS.test(line);
}

/** A header block, or the ruler over an original message. */
function opensBlock(lines: Lines, at: number, marks: LineMarks): Mark | undefined {
  const line = lines.folded[at];
  if (line === undefined || line === '' || isQuoted(lines, at)) return undefined;
  const colon = line.includes(':') || line.includes('：');
  if (line.length < 200 && (colon || RULED.test(line)) && marks.original.test(line)) return { next: at + 1 };
  if (isNotes(line)) return { next: at + 1 };
  return colon && labelOf(line, marks) !== undefined ? headerBlock(lines, at, marks) : undefined;
}

/** HCL Notes: `Jane Doe ---12.05.2026 10:22:17---Half an hour less`. */
function isNotes(line: string): boolean {
  return line.length < 300 && line.includes('---') && /^.{1,120}?-{3}\d{1,4}[./-]\d{1,2}[./-]\d{2,4} .{4,20}?-{3}/.test(line);
}

/**
 * Two kinds of header lines or more, one of them From or Date, and among them a Subject or an address: or else somebody is writing of a journey
 * (From: London, To: Paris). Values may wrap, blank lines stand between.
 */
function headerBlock(lines: Lines, at: number, marks: LineMarks): Mark | undefined {
  const seen = new Set<Label>();
  let next = at;
  let address = false;
  let wrapped = 0;
  for (let line = at; line < Math.min(at + MAX_BLOCK, lines.folded.length); line += 1) {
    const text = lines.folded[line] as string;
    const label = labelOf(text, marks);
    if (text === '') {
      if (labelOf(lines.folded[line + 1] ?? '', marks) === undefined) break;
    } else if (label === undefined) {
      wrapped += 1;
      if (wrapped > 2) break;
    } else {
      // Cc and Reply-To are labels like To; of the others each occurs once.
      if (seen.has(label) && label !== 'to') break;
      seen.add(label);
      wrapped = 0;
      next = line + 1;
    }
    address ||= text.includes('@');
  }
  const block = seen.size >= 2 && (seen.has('from') || seen.has('date')) && (seen.has('subject') || address);
  return block ? { next } : undefined;
}

function labelOf(line: string, marks: LineMarks): Label | undefined {
  const groups = line.length < 2000 ? marks.label.exec(line)?.groups : undefined;
  return groups === undefined ? undefined : LABELS.find(label => groups[label] !== undefined);
}

/** Where reading goes on after a signature: at the next quote or mark, or at the end. Undefined for what is too long to be one. */
function afterSignature(lines: Lines, at: number, markAt: (at: number) => Mark | undefined): number | undefined {
  const most = lines.raw[at] === '-- ' ? MAX_SIGNATURE.exact : MAX_SIGNATURE.bare;
  let inked = 0;
  let next = at + 1;
  for (; next < lines.raw.length && !isQuoted(lines, next) && markAt(next) === undefined; next += 1) {
    if (lines.folded[next] !== '') inked += 1;
    if (inked > most) return undefined;
  }
  return next;
}

/** Without blank lines and rulers at either end. */
function trimmed(own: readonly string[]): readonly string[] {
  let from = 0;
  let to = own.length;
  while (from < to && RULER.test(own[from] as string)) from += 1;
  while (to > from && RULER.test(own[to - 1] as string)) to -= 1;
  return own.slice(from, to);
}

/** Attributions: "On … Jane Doe wrote:" of any mail program and language, wrapped as mail programs wrap them. */
import type { LineMarks } from './quote-markers.ts';
import { isQuoted, type Lines, type Mark, nextInked } from './reply-lines.ts';

/** An attribution's lines, at most, and characters. */
const MAX_LINES = 6;
const MAX_LENGTH = 500;
/** Lines that hold a verb of attribution and a colon are looked at in so many places; real mail has a few dozen. */
const MAX_TRIES = 1000;

const COLON = /[:：][^a-z0-9\u00c0-\uffff]{0,3}$/;
const DASHED = /^-{2,}.*-{2,}$/;
const CLOCK = /\b\d{1,2}[:.h] ?\d\d\b/;
const DAY = /\b(?:19|20)\d\d\b|\b\d{1,2}[./-] ?\d{1,2}[./-] ?\d{2,4}\b/;
const ADDRESS = /[^\s<>()@]@[^\s<>()@]/;
const ANGLED = /<[^<>@]{1,100}@[^<>@]{1,200}>/;
const ANGLED_END = /<[^<>@]{1,100}@[^<>@]{1,200}> ?[:：]?$/;
/** A verb alone on a line that begins like a quote: the `>` belongs to the address before it. */
const WRAPPED_ANGLE = /^>[^>]{1,40}[:：]$/;

/** Where attributions begin, and what follows them. */
export function attributions(lines: Lines, marks: LineMarks): ReadonlyMap<number, Mark> {
  const found = new Map<number, Mark>();
  let tries = 0;
  for (let end = 0; end < lines.folded.length && tries < MAX_TRIES; end += 1) {
    const line = lines.folded[end] as string;
    if (line.length > MAX_LENGTH || !mayEnd(line)) continue;
    if (isQuoted(lines, end) && !(WRAPPED_ANGLE.test(line) && !isQuoted(lines, nextInkedBefore(lines, end)))) continue;
    tries += 1;
    const quoted = isQuoted(lines, nextInked(lines, end + 1));
    const start = beginning(lines, end, quoted, marks);
    if (start === undefined) continue;
    const before = quoted && start === end ? sharedLine(lines, end, marks) : undefined;
    found.set(start, before === undefined ? { next: end + 1 } : { next: end + 1, before });
  }
  return found;
}

function mayEnd(line: string): boolean {
  return COLON.test(line) || line.endsWith('--') || (line.includes('@') && ANGLED_END.test(line));
}

function nextInkedBefore({ folded }: Lines, at: number): number {
  let before = at - 1;
  while (folded[before] === '') before -= 1;
  return before;
}

/** The line where the attribution begins that ends at `end`: the nearest with a date, else the nearest. */
function beginning(lines: Lines, end: number, quoted: boolean, marks: LineMarks): number | undefined {
  let text = '';
  let undated: number | undefined;
  // A date and a colon before a quote: whatever the language, its verb is one that no table has.
  let wordless: number | undefined;
  let blanks = 0;
  for (let start = end; start >= 0 && start > end - MAX_LINES; start -= 1) {
    const line = lines.folded[start] as string;
    if (line === '') {
      blanks += 1;
      if (blanks > 1) break;
      continue;
    }
    if (start < end && isQuoted(lines, start)) break;
    text = text === '' ? line : `${line} ${text}`;
    if (text.length > MAX_LENGTH) break;
    if (!isAttribution(text, quoted, marks)) {
      if (quoted && isDated(text) && COLON.test(text)) wordless ??= start;
      continue;
    }
    if (DAY.test(text) || CLOCK.test(text)) return withOpening(lines, start, marks);
    undated ??= start;
  }
  return undated ?? wordless;
}

/** One line further up where the attribution's opening was wrapped off. */
function withOpening({ folded }: Lines, start: number, marks: LineMarks): number {
  const above = folded[start - 1] ?? '';
  const wrapped = above.length > 15 && /\d/.test(above) && !/[.!?]$/.test(above) && marks.opening.test(above);
  return wrapped && !marks.opening.test(folded[start] as string) ? start - 1 : start;
}

/** `quoted`: a quote follows, so that less is asked of it. */
function isAttribution(text: string, quoted: boolean, marks: LineMarks): boolean {
  const verb = marks.verb.exec(text);
  const dated = isDated(text);
  if (verb === null) {
    return ANGLED_END.test(text) && (quoted ? DAY.test(text) : dated && COLON.test(text));
  }
  if (text.endsWith('--')) return DASHED.test(text);
  if (quoted) return COLON.test(text) || ADDRESS.test(text);
  if (!COLON.test(text)) return false;
  // "On 12 May 2026 he wrote the following words to all of us:" is a sentence.
  const after = text.slice(verb.index + verb[0].length);
  if (after.split(' ').length > 6 && !DAY.test(after) && !ADDRESS.test(after)) return false;
  if (ANGLED.test(text) || dated) return true;
  return marks.opening.test(text) && (DAY.test(text) || CLOCK.test(text) || ADDRESS.test(text));
}

function isDated(text: string): boolean {
  return DAY.test(text) && CLOCK.test(text);
}

/** What stands before an attribution on its own line: `I agree. On Tue, 12 May 2026 at 10:22 Jane Doe wrote:`. */
function sharedLine({ raw, folded }: Lines, at: number, marks: LineMarks): string | undefined {
  const line = raw[at] as string;
  if (marks.opening.test(folded[at] as string)) return undefined;
  for (const opening of line.matchAll(marks.openingWithin)) {
    const before = line.slice(0, opening.index);
    const rest = line.slice(opening.index);
    if ((DAY.test(rest) || CLOCK.test(rest)) && !DAY.test(before) && !CLOCK.test(before)) return before.trimEnd();
  }
  return undefined;
}

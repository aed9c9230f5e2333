/** Failures told in free text: the report's own words, apart from the message that it returns, and the recipients that they name. */
import type { Part } from '../../mail/parts.ts';
import { fold } from '../../mail/phrases.ts';
import { findAddresses, type Occurrence, weight } from './bounce-addresses.ts';
import { isReturned } from './bounce-returned.ts';
import type { BounceRules } from './bounce-rules.ts';

export interface ReportText {
  /** What the reporting server says. */
  readonly said: string;
  /** What stands behind it: the returned message, where it is part of the text. */
  readonly behind: string;
}

/** A recipient and what is said about it. */
export interface Named {
  readonly address: string;
  readonly said: string;
}

/** Of text that says nothing else, this much may be a report. */
const MAX_TEXT = 64 * 1024;
/** What is said about one recipient at one place, at most. */
const MAX_SAID = 1500;

/** The text of a report: of the parts before the returned message. Linear. */
export function reportText(parts: readonly Part[], rules: BounceRules): ReportText {
  const end = parts.findIndex(isReturned);
  const text = (end < 0 ? parts : parts.slice(0, end))
    .filter(({ type }) => type.startsWith('text/'))
    .slice(0, 4)
    .map(part => (part.type === 'text/html' ? withoutTags(part.text()) : part.text()))
    .join('\n')
    .slice(0, MAX_TEXT);
  const cut = beginOfReturned(text, rules);
  return { said: text.slice(0, cut), behind: text.slice(cut) };
}

/**
 * The recipients that a report names, in order, each with what is said about it: from its line to that of the next. Those whose place makes
 * it likeliest are taken, so that the list at the top of a report counts, and not everybody who is mentioned. `others`: whom it is not about
 * (lower case): the report's author and addressee.
 */
export function namedIn(text: string, others: ReadonlySet<string>): readonly Named[] {
  const weighed = findAddresses(text)
    .map(occurrence => ({ ...occurrence, weight: others.has(occurrence.address.toLowerCase()) ? 0 : weight(text, occurrence) }))
    .filter(({ weight }) => weight > 0);
  const top = weighed.reduce((most, { weight }) => Math.max(most, weight), 0);
  const chosen = new Map<string, string>();
  for (const { address, weight } of weighed)
    if (weight === top && !chosen.has(address.toLowerCase())) chosen.set(address.toLowerCase(), address);
  const said = saidAbout(
    text,
    weighed.filter(({ address }) => chosen.has(address.toLowerCase())),
  );
  return [...chosen].map(([key, address]) => ({ address, said: said.get(key) ?? '' }));
}

function saidAbout(text: string, occurrences: readonly Occurrence[]): ReadonlyMap<string, string> {
  const said = new Map<string, string>();
  occurrences.forEach(({ address, start }, index) => {
    const next = occurrences[index + 1];
    const from = lineStart(text, start);
    const until = next === undefined ? text.length : Math.max(lineStart(text, next.start), start);
    const key = address.toLowerCase();
    const before = said.get(key) ?? '';
    if (before.length < MAX_SAID) said.set(key, `${before}\n${text.slice(from, Math.min(until, from + MAX_SAID))}`);
  });
  return said;
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

/** Where the returned message begins: at the line that announces it, or at its trace fields. The text's length where there is none. */
function beginOfReturned(text: string, rules: BounceRules): number {
  let somebody = false;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end);
    if (/^[> \t]*(?:received|return-path|dkim-signature):/i.test(line.slice(0, 80))) return at;
    somebody ||= line.includes('@');
    // A report that speaks of the returned message before it names anybody has not come to it yet.
    if (somebody && isAnnouncement(line, rules)) return at;
    if (end < 0) break;
    at = end + 1;
  }
  return text.length;
}

function isAnnouncement(line: string, rules: BounceRules): boolean {
  if (line.length < 8 || line.length > 120) return false;
  const span = rules.returned(fold(line));
  return span !== undefined && (/^\s*[-=_*#+]{2}|[:\uff1a]\s*$/.test(line) || /follow|copy/.test(span));
}

/** HTML as the lines of text that a reader sees. Linear: no tag spans another one's beginning. */
function withoutTags(html: string): string {
  return html
    .replace(/<(?:style|script)\b[^<]{0,20000}(?=<)/gi, '')
    .replace(/<(?:br|p|div|tr|li|h\d|table|td)\b[^<>]*>/gi, '\n')
    .replace(/<\/?[a-z!][^<>]*>/gi, '')
    .replace(/&(lt|gt|quot|nbsp|#64|#39|amp);/gi, (_, name: string) => ENTITIES[name.toLowerCase()] ?? ' ');
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', nbsp: ' ', '#64': '@', '#39': "'", amp: '&' };

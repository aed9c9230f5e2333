/** Addresses that stand in text: what mail readers make into links without being asked. */
import { LinkifyIt } from 'linkify-it';

export interface TextLink {
  readonly href: string;
  /** The words before it on its line, or else the line before: what a person takes it for. */
  readonly label: string;
}

/** With user names, or `https://client.example@other.example/` would end at the `@`. */
const linkify = new LinkifyIt({ fuzzyEmail: false, fuzzyLink: false, urlAuth: true, maxLength: 4000 });

/** Longest address that is looked at; a policy's or a tracking link is shorter. */
const MAX_URL = 4000;
const MAX_LABEL = 200;

/**
 * The https, http and mailto addresses in `text`, in order. Bare domains are not: readers that link them do so with http. Linear.
 */
export function textLinks(text: string): readonly TextLink[] {
  const scheme = /(?<![\p{L}\p{N}_])(?:https?:\/\/|mailto:)/giu;
  const found: TextLink[] = [];
  for (let start = scheme.exec(text); start !== null; start = scheme.exec(text)) {
    const match = linkify.matchAtStart(text.slice(start.index, start.index + MAX_URL));
    if (match === null) continue;
    found.push({ href: match.raw, label: labelBefore(text, start.index) });
    scheme.lastIndex = start.index + match.raw.length;
  }
  return found;
}

/** What stands between the address before and this one belongs to this one. */
function labelBefore(text: string, at: number): string {
  const lines = text.slice(Math.max(0, at - MAX_LABEL * 2), at).split(/\r?\n/);
  const own = words(lines.pop() ?? '');
  if (own !== '') return own;
  return words(lines.findLast(line => line.trim() !== '') ?? '');
}

/** The line behind its last address, without signs at its ends. */
function words(line: string): string {
  return line
    .replace(/^.*(?:https?:\/\/|mailto:)\S*/i, '')
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '')
    .replace(/\s+/g, ' ')
    .slice(-MAX_LABEL);
}

/** The lines of a reply as those see them who look for quotes in it. */
import { fold } from '../mail/phrases.ts';

/** A text's lines, twice. */
export interface Lines {
  /** As written. */
  readonly raw: readonly string[];
  /** Folded, blanks collapsed, trimmed. */
  readonly folded: readonly string[];
}

/** Something that introduces what others wrote. */
export interface Mark {
  /** The line after it. */
  readonly next: number;
  /** What the person wrote on the same line before it. */
  readonly before?: string;
}

const QUOTED = /^ {0,3}>/;

/** The lines of a text with LF line ends. */
export function toLines(text: string): Lines {
  // Folding keeps line ends.
  const folded = fold(text)
    .replace(/[^\S\n]+/g, ' ')
    .split('\n');
  return { raw: text.split('\n'), folded: folded.map(line => line.trim()) };
}

export function isQuoted({ raw }: Lines, at: number): boolean {
  return QUOTED.test(raw[at] ?? '');
}

/** The next line from `at` on that is not blank; the number of lines where there is none. */
export function nextInked({ folded }: Lines, at: number): number {
  let next = at;
  while (folded[next] === '') next += 1;
  return next;
}

/** The marks by which mail programs set apart what is not their user's own words, made ready from config/quote-markers.yaml. */
import { type Static, Type } from 'typebox';
import { fold } from '../mail/phrases.ts';
import { readTables } from './tables.ts';

const strict = { additionalProperties: false } as const;
const words = Type.Array(Type.String({ minLength: 1 }));

/** What an element of HTML mail holds; see the table. */
export const MEANINGS = ['quote', 'intro', 'rest', 'skip', 'own'] as const;
export type Meaning = (typeof MEANINGS)[number];

/** config/quote-markers.yaml; an admin's may have any part of it. */
export const quoteMarkers = Type.Object(
  {
    stubs: Type.Optional(words),
    languages: Type.Optional(
      Type.Array(
        Type.Object(
          {
            language: Type.String({ minLength: 2 }),
            opening: words,
            verb: words,
            from: words,
            date: words,
            to: words,
            subject: words,
            original: words,
            mobile: words,
            samples: Type.Object({ attributions: words, blocks: words, rulers: words, mobile: words }, strict),
          },
          strict,
        ),
      ),
    ),
    html: Type.Optional(
      Type.Array(
        Type.Object(
          {
            selector: Type.String({ minLength: 1 }),
            means: Type.Enum(MEANINGS),
            program: Type.String(),
            sample: Type.String(),
          },
          strict,
        ),
      ),
    ),
  },
  strict,
);
export type QuoteMarkers = Static<typeof quoteMarkers>;
type Language = NonNullable<QuoteMarkers['languages']>[number];

/** What a line of a header block says. */
export const LABELS = ['from', 'date', 'to', 'subject'] as const;
export type Label = (typeof LABELS)[number];

/** All patterns but `openingWithin` are for folded lines, blanks collapsed. */
export interface LineMarks {
  /** Begins an attribution. */
  readonly opening: RegExp;
  /** The same within a line as written. */
  readonly openingWithin: RegExp;
  readonly verb: RegExp;
  /** A header line; its one defined group names the label. */
  readonly label: RegExp;
  /** A whole line: "-----Original Message-----". */
  readonly original: RegExp;
  /** A whole line: "Sent from my …". */
  readonly mobile: RegExp;
  /** A text part that only asks for a reader of HTML. */
  readonly stub: RegExp;
}

/** One condition of a selector: the attribute's value as a whole, as one of its words, or as a part of it. */
export interface Condition {
  readonly attribute: string;
  readonly value: string;
  readonly by: 'whole' | 'word' | 'part';
}

export interface ElementRule {
  /** Undefined: any. */
  readonly tag: string | undefined;
  readonly conditions: readonly Condition[];
  readonly means: Meaning;
}

export interface Markers {
  readonly lines: LineMarks;
  /** In the order in which they are tried. */
  readonly elements: readonly ElementRule[];
}

/** @throws Error naming the file and the place in it, where a table is damaged or a selector is none */
export function loadQuoteMarkers(folder?: string): Markers {
  const tables = readTables('quote-markers', quoteMarkers, folder);
  const languages = tables.flatMap(table => table.languages ?? []);
  return {
    lines: lineMarks(
      languages,
      tables.flatMap(table => table.stubs ?? []),
    ),
    elements: tables.flatMap(table => table.html ?? []).map(({ selector, means }) => ({ ...readSelector(selector), means })),
  };
}

function lineMarks(languages: readonly Language[], stubs: readonly string[]): LineMarks {
  const all = (pick: (language: Language) => readonly string[]): string => anyOf(languages.flatMap(pick).map(literal));
  const label = (name: Label): string => `(?<${name}>${all(language => language[name])})`;
  const original = all(language => language.original);
  const raw = languages.flatMap(({ opening }) => opening).map(escaped);
  return {
    opening: new RegExp(`^[-–—*"'( ]{0,8}${all(language => language.opening)}`),
    openingWithin: new RegExp(`(?<=\\s)(?:${longestFirst(raw).join('|')})(?=\\s)`, 'g'),
    verb: new RegExp(all(language => language.verb)),
    label: new RegExp(`^[*| ]{0,4}(?:${LABELS.map(label).join('|')}) ?\\*{0,2} ?[:：]`),
    original: new RegExp(`^[* ]{0,3}(?:[-–—_=]{2,} ?${original}.{0,120}|${original} ?:)[* ]{0,3}$`),
    mobile: new RegExp(`^${anyOf(languages.flatMap(({ mobile }) => mobile).map(pattern))} ?[.!]?${LINK}$`),
    stub: new RegExp(anyOf(stubs.map(pattern))),
  };
}

/** Letters and digits of folded text in scripts that part their words by blanks. */
const LETTERS = 'a-z0-9\\u00c0-\\u1fff';
/** Where a mail program's name leads. */
const LINK = '(?: ?[<([](?:https?:|www).{0,300})?';
const WORDS = `(?:[^ ,;:!?<>]{1,24} ?){1,4}`;

const escaped = (text: string): string => text.replace(/[.*+?^$[\]{}()|\\/]/g, '\\$&');

/** The words as they are, at word ends. Scripts without blanks (from U+2E80) have none. */
function literal(text: string): string {
  const folded = fold(text).trim();
  return `${isParted(folded[0]) ? `(?<![${LETTERS}])` : ''}${escaped(folded)}${isParted(folded.at(-1)) ? `(?![${LETTERS}])` : ''}`;
}

function isParted(character: string | undefined): boolean {
  return character !== undefined && new RegExp(`[${LETTERS}]`).test(character);
}

/** As literal, with `(a|b)`, `(a)?`, `*` for any ending of a word, and `...` for up to four words. */
function pattern(text: string): string {
  return fold(text)
    .trim()
    .replace(/ \.\.\.|\.\.\. ?|[.+^$[\]{}\\/]/g, sign =>
      sign.includes('...') ? (sign.startsWith(' ') ? ` ${WORDS}` : WORDS) : `\\${sign}`,
    )
    .replaceAll('*', `[^ ,;:!?<>]{0,12}`);
}

function anyOf(patterns: readonly string[]): string {
  return `(?:${longestFirst(patterns).join('|')})`;
}

function longestFirst(patterns: readonly string[]): readonly string[] {
  return [...new Set(patterns)].sort((one, other) => other.length - one.length);
}

const SELECTOR = /^([a-z][a-z0-9]*)?((?:[#.][\w-]+|\[[a-z-]+\*?=[^\]]+\])*)$/i;

function readSelector(selector: string): Omit<ElementRule, 'means'> {
  const found = SELECTOR.exec(selector);
  if (found === null)
    throw new Error(`config/quote-markers.yaml: "${selector}" is no selector: give a tag, #id, .class or [attribute=value]`);
  const conditions = [...(found[2] ?? '').matchAll(/#([\w-]+)|\.([\w-]+)|\[([a-z-]+)(\*?)=([^\]]+)\]/gi)].map(
    ([, id, className, attribute = '', part, value = '']): Condition => {
      if (id !== undefined) return { attribute: 'id', value: id, by: 'whole' };
      if (className !== undefined) return { attribute: 'class', value: className, by: 'word' };
      return { attribute, value, by: part === '*' ? 'part' : 'whole' };
    },
  );
  return { tag: found[1], conditions };
}

/** The words of delivery failures (config/bounce-rules.yaml): what is one, and what its words mean for the address. */
import { type Static, Type } from 'typebox';
import { compilePhrases, fold } from '../../mail/phrases.ts';
import { readTables } from '../tables.ts';

const strict = { additionalProperties: false } as const;
const rules = Type.Array(Type.Object({ match: Type.String({ minLength: 2 }), sample: Type.String({ minLength: 2 }) }, strict));

/** config/bounce-rules.yaml. */
export const bounceTable = Type.Object(
  {
    senders: Type.Optional(rules),
    subjects: Type.Optional(rules),
    openings: Type.Optional(rules),
    delays: Type.Optional(rules),
    returned: Type.Optional(rules),
    classes: Type.Optional(
      Type.Array(
        Type.Object(
          {
            class: Type.String({ pattern: '^[a-z-]+$' }),
            permanent: Type.Union([Type.Boolean(), Type.Literal('by-code')]),
            status: Type.String({ pattern: '^[45]\\.\\d\\.\\d{1,3}$' }),
            rules,
          },
          strict,
        ),
      ),
    ),
  },
  strict,
);

/** What the words of a report mean. */
export interface Meaning {
  /** `no-mailbox`. */
  readonly class: string;
  /** `by-code`: where a code says so as well. */
  readonly permanent: boolean | 'by-code';
  /** The enhanced status code that says the same. */
  readonly status: string;
  /** The words. */
  readonly span: string;
}

export interface BounceRules {
  readonly senders: Phrases;
  readonly subjects: Phrases;
  readonly openings: Phrases;
  readonly delays: Phrases;
  readonly returned: Phrases;
  /** The first class in the table's order that has words in the text; wants plainWords. Linear. */
  meaning(words: string): Meaning | undefined;
}

/** The first words of the list in folded text, or undefined. */
export type Phrases = (folded: string) => string | undefined;

/** @throws Error naming the file and the place in it, where a table is damaged */
export function loadBounceRules(folder?: string): BounceRules {
  const tables = readTables('bounce-rules', bounceTable, folder);
  const phrases = (list: 'senders' | 'subjects' | 'openings' | 'delays' | 'returned'): Phrases =>
    finder(tables.flatMap(table => table[list] ?? []).map(rule => rule.match));
  const classes = mergeClasses(tables.flatMap(table => table.classes ?? []));
  return {
    senders: phrases('senders'),
    subjects: phrases('subjects'),
    openings: phrases('openings'),
    delays: phrases('delays'),
    returned: phrases('returned'),
    meaning(words) {
      for (const { find, ...entry } of classes) {
        const span = find(words);
        if (span !== undefined) return { ...entry, span };
      }
      return undefined;
    },
  };
}

/**
 * Folded text on one line, links taken out and addresses as a bare `@`: `/blocked` in a link and `mailboxfull@` as a name say nothing of why.
 * Linear.
 */
export function plainWords(text: string): string {
  return fold(text)
    .replace(/\b(?:https?:\/\/|www\.)[^\s<>"]+/g, ' ')
    .replace(/[^\s<>()[\],;:"']+@[^\s<>()[\],;:"']*/g, '@')
    .replace(/\s+/g, ' ');
}

type Classes = NonNullable<Static<typeof bounceTable>['classes']>;

function mergeClasses(entries: Classes): readonly (Omit<Meaning, 'span'> & { readonly find: Phrases })[] {
  const matches = new Map<string, string[]>();
  for (const entry of entries) matches.set(entry.class, [...(matches.get(entry.class) ?? []), ...entry.rules.map(rule => rule.match)]);
  return [...matches].flatMap(([name, list]) => {
    const first = entries.find(entry => entry.class === name);
    return first === undefined ? [] : [{ class: name, permanent: first.permanent, status: first.status, find: finder(list) }];
  });
}

/** Scripts that put no blanks between words: their phrases are found wherever they stand. */
const UNSPACED = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/;

function finder(phrases: readonly string[]): Phrases {
  const spaced = compilePhrases(phrases.filter(phrase => !UNSPACED.test(phrase)));
  const unspaced = phrases
    .filter(phrase => UNSPACED.test(phrase))
    .flatMap(phrase =>
      fold(phrase)
        .replace(/^\(|\)$/g, '')
        .split('|'),
    );
  // Patterns are compiled when they are first used, and once more, for good, at the second use; either kind of string has its own code. Here,
  // where nobody waits, and not at the first message.
  for (const text of ['', '', '\u0100', '\u0100']) spaced?.test(text);
  return folded => spaced?.exec(folded)?.[0] ?? unspaced.find(phrase => folded.includes(phrase));
}

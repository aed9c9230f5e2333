/** Whether a person wrote a message: what its header proves or hints at, and how automatic texts speak, by config/auto-replies.yaml. */
import { type Static, Type } from 'typebox';
import type { Message } from '../mail/message.ts';
import { cutter, readWords, type Words, wordPattern } from './own-words.ts';
import { readTables } from './tables.ts';

const strict = { additionalProperties: false } as const;
const phrases = Type.Optional(Type.Array(Type.String({ minLength: 2 })));
const fields = Type.Optional(Type.Array(Type.Object({ name: Type.String(), value: Type.Optional(Type.String()) }, strict)));

export const autoReplyTable = Type.Object(
  {
    fields,
    weak: fields,
    languages: Type.Optional(
      Type.Array(
        Type.Object(
          {
            language: Type.String(),
            subject: phrases,
            absent: phrases,
            machine: phrases,
            left: phrases,
            polite: phrases,
            never: phrases,
            samples: Type.Optional(Type.Object({ away: phrases, left: phrases, machine: phrases }, strict)),
            not: phrases,
          },
          strict,
        ),
      ),
    ),
  },
  strict,
);

const TEXTS = ['absent', 'machine', 'left', 'polite'] as const;
export type AutomaticText = 'subject' | (typeof TEXTS)[number];

/** What was recognised, in which language, by which words. */
export interface Recognised {
  readonly language: string;
  readonly span: string;
}

export interface Automatic {
  /** The field that proves that nobody wrote the message. */
  proof(message: Message): string | undefined;
  /** A field that proves nothing alone. */
  hint(message: Message): string | undefined;
  /** How an automatic answer's subject begins; wants it as it stands, since behind a `Re:` it is a person's answer to one. */
  subject(subject: string): Recognised | undefined;
  /** What the text says of itself. An automatic answer says so at its beginning. */
  text(what: Exclude<AutomaticText, 'subject'>, words: Words): Recognised | undefined;
}

/** Sentences that are looked at: below them stand signatures and notices. */
const MAX_SENTENCES = 12;

/** @throws Error naming the file and the place in it, where a table is damaged */
export function loadAutomatic(folder?: string): Automatic {
  const tables = readTables('auto-replies', autoReplyTable, folder);
  const proofs = tables.flatMap(table => table.fields ?? []).map(compileField);
  const hints = tables.flatMap(table => table.weak ?? []).map(compileField);
  const languages = tables.flatMap(table => table.languages ?? []);
  const cut = cutter(languages.flatMap(({ never }) => never ?? []));
  const compiled = {
    subject: compile(languages, 'subject'),
    absent: compile(languages, 'absent'),
    machine: compile(languages, 'machine'),
    left: compile(languages, 'left'),
    polite: compile(languages, 'polite'),
  };
  const find = (what: AutomaticText, sentence: string, furthest: number): Recognised | undefined => {
    for (const { language, pattern } of compiled[what]) {
      const match = pattern.exec(sentence);
      if (match !== null && match.index <= furthest) return { language, span: match[0].trim() };
    }
    return undefined;
  };
  return {
    proof: message => named(proofs, message),
    hint: message => named(hints, message),
    subject: subject => find('subject', readWords(subject.slice(0, 200)).text.trim(), 2),
    text(what, words) {
      for (const sentence of words.sentences.slice(0, MAX_SENTENCES)) {
        const found = find(what, what === 'left' ? cut(sentence) : sentence, Number.POSITIVE_INFINITY);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  };
}

type Languages = NonNullable<Static<typeof autoReplyTable>['languages']>;

function compile(languages: Languages, what: AutomaticText): readonly { readonly language: string; readonly pattern: RegExp }[] {
  return languages.flatMap(({ language, [what]: phrases }) => {
    const pattern = wordPattern(phrases);
    return pattern === undefined ? [] : [{ language, pattern }];
  });
}

interface FieldRule {
  readonly name: string;
  readonly value: RegExp | undefined;
}

function compileField({ name, value }: { readonly name: string; readonly value?: string }): FieldRule {
  return { name: name.toLowerCase(), value: value === undefined ? undefined : new RegExp(`^(?:${value})$`) };
}

/** Longest value that says something; what is longer is an attack on patterns. */
const MAX_VALUE = 500;

function named(rules: readonly FieldRule[], message: Message): string | undefined {
  return rules.find(({ name, value }) => message.all(name).some(text => value === undefined || value.test(bare(text))))?.name;
}

/** RFC 3834 §5: comments and parameters are no part of the keyword. */
function bare(value: string): string {
  const short = value.slice(0, MAX_VALUE).toLowerCase();
  return short
    .replace(/\([^()]*\)/g, '')
    .replace(/;.*$/s, '')
    .trim();
}

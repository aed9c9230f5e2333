/** Recognises: a person who objects to further mail in their own words, or who may. */
import { type Static, Type } from 'typebox';
import { fold } from '../../mail/phrases.ts';
import type { Automatic } from '../automatic.ts';
import { type Classify, type Finding, finding, type Reading } from '../finding.ts';
import { clausePattern, clauses, cutter, readWords, type Words, wordPattern } from '../own-words.ts';
import { writtenSubject } from '../subject.ts';
import { readTables } from '../tables.ts';

const strict = { additionalProperties: false } as const;
const phrases = Type.Optional(Type.Array(Type.String({ minLength: 1 })));

/** config/opt-out-replies.yaml. */
export const optOutRepliesTable = Type.Object(
  {
    polite: phrases,
    signs: phrases,
    languages: Type.Optional(
      Type.Array(
        Type.Object(
          {
            language: Type.String(),
            anywhere: phrases,
            whole: phrases,
            others: phrases,
            doubt: phrases,
            never: phrases,
            samples: phrases,
            doubts: phrases,
            not: phrases,
          },
          strict,
        ),
      ),
    ),
  },
  strict,
);

interface Rule {
  readonly name: string;
  readonly language: string;
  readonly pattern: RegExp;
}

interface Rules {
  readonly signs: RegExp | undefined;
  readonly anywhere: readonly Rule[];
  readonly whole: readonly Rule[];
  readonly others: readonly Rule[];
  readonly doubt: readonly Rule[];
  cut(text: string): string;
  plain(clause: string): string;
}

interface Hit {
  readonly kind: 'opt-out' | 'review';
  readonly rule: string;
  readonly language: string | undefined;
  readonly span: string;
}

/**
 * By the tables opt-out-replies: a wish anywhere in the person's own words or in a subject of their own, a word that is a whole clause, or a sign
 * alone; `review` where it may be one, and where it stands below what we sent and nothing else is own. Of mail that is proved automatic nothing counts, but where its text is none of an automatic answer: review.
 * @throws Error naming the file and the place in it, where a table is damaged
 */
export function loadOptOut(automatic: Automatic, folder?: string): Classify {
  const rules = compile(readTables('opt-out-replies', optOutRepliesTable, folder));
  return reading => {
    const words = readWords(reading.ownText);
    const hits = [inWords(words, rules), inSubject(reading, words, rules)];
    const hit = hits.find(one => one?.kind === 'opt-out') ?? hits.find(one => one !== undefined);
    if (hit === undefined)
      return reading.ownText === '' && automatic.proof(reading.message) === undefined ? inBelow(reading, rules) : undefined;
    if (automatic.proof(reading.message) === undefined) return found(hit, reading);
    const recognised =
      automatic.subject(writtenSubject(reading.message)) ??
      automatic.text('absent', words) ??
      automatic.text('machine', words) ??
      automatic.text('left', words) ??
      automatic.text('polite', words);
    // Help desks mark what their people write as automatic too (RFC 3834 §5 would have them not do so): somebody must look.
    return recognised === undefined && hit.kind === 'opt-out' ? found({ ...hit, kind: 'review' }, reading) : undefined;
  };
}

function found({ kind, rule, language, span }: Hit, { ownText }: Reading): Finding {
  return finding(kind, { ownText, matched: { rule, span }, language });
}

/** Nothing says for certain whose words these are, so a person must. */
function inBelow({ below }: Reading, rules: Rules): Finding | undefined {
  const hit = below === '' ? undefined : inWords(readWords(below), rules);
  return hit && finding('review', { ownText: below, matched: { rule: hit.rule, span: hit.span }, language: hit.language });
}

function inWords({ text, sentences }: Words, rules: Rules): Hit | undefined {
  const cut = sentences.map(rules.cut);
  return (
    first(cut, rules.others, 'review') ??
    first(cut, rules.anywhere, 'opt-out') ??
    inClauses(rules.cut(text), rules) ??
    first(cut, rules.doubt, 'review')
  );
}

function inClauses(text: string, rules: Rules): Hit | undefined {
  if (rules.signs?.test(text) === true) return { kind: 'opt-out', rule: 'opt-out/sign', language: undefined, span: text.trim() };
  const all = clauses(text);
  return first(all, rules.whole, 'opt-out') ?? first(all.map(rules.plain), rules.whole, 'opt-out');
}

/**
 * A subject behind a `Re:` is ours, not theirs, so that there only a whole one counts, and where a text stands below it only as a doubt.
 */
function inSubject({ message, subject }: Reading, { text }: Words, rules: Rules): Hit | undefined {
  if (subject === '') return undefined;
  const words = readWords(subject);
  const written = writtenSubject(message);
  if (fold(written) === fold(subject).trim()) return inWords(words, rules);
  const whole = first([words.text, rules.plain(words.text)], rules.whole, 'opt-out');
  return whole === undefined || text.trim() === '' ? whole : { ...whole, kind: 'review' };
}

function first(texts: readonly string[], rules: readonly Rule[], kind: Hit['kind']): Hit | undefined {
  for (const { name, language, pattern } of rules) {
    for (const text of texts) {
      const match = pattern.exec(text);
      if (match !== null) return { kind, rule: name, language, span: match[0].trim().replace(/\s+/g, ' ') };
    }
  }
  return undefined;
}

function compile(tables: readonly Static<typeof optOutRepliesTable>[]): Rules {
  const languages = tables.flatMap(table => table.languages ?? []);
  const signs = tables.flatMap(table => table.signs ?? []);
  const rules = (
    what: 'anywhere' | 'whole' | 'others' | 'doubt',
    make: (phrases: readonly string[]) => RegExp | undefined,
  ): readonly Rule[] =>
    languages.flatMap(({ language, [what]: phrases }) => {
      const pattern = make(phrases ?? []);
      return pattern === undefined ? [] : [{ name: `opt-out/${language}/${what}`, language, pattern }];
    });
  return {
    signs:
      signs.length === 0 ? undefined : new RegExp(`^[^\\p{L}\\p{N}]*(?:${signs.map(sign => fold(sign)).join('|')})[^\\p{L}\\p{N}]*$`, 'u'),
    anywhere: rules('anywhere', wordPattern),
    whole: rules('whole', clausePattern),
    others: rules('others', wordPattern),
    doubt: rules('doubt', wordPattern),
    cut: cutter(languages.flatMap(({ never }) => never ?? [])),
    plain: cutter(
      tables.flatMap(table => table.polite ?? []),
      ' ',
    ),
  };
}

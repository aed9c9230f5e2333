/** Recognises: a person who asks what is known of them, or that it be erased, by law or in plain words. */
import { Type } from 'typebox';
import { fold } from '../../mail/phrases.ts';
import type { Automatic } from '../automatic.ts';
import { type Classify, type Finding, finding, type Reading } from '../finding.ts';
import { cutter, readWords, wordPattern } from '../own-words.ts';
import { writtenSubject } from '../subject.ts';
import { readTables } from '../tables.ts';

const strict = { additionalProperties: false } as const;
const phrases = Type.Optional(Type.Array(Type.String({ minLength: 2 })));

/** config/requests.yaml. */
export const requestsTable = Type.Object(
  {
    languages: Type.Array(
      Type.Object(
        {
          language: Type.String(),
          access: phrases,
          erasure: phrases,
          bare: phrases,
          never: phrases,
          samples: Type.Optional(Type.Object({ access: phrases, erasure: phrases, bare: phrases }, strict)),
          not: phrases,
        },
        strict,
      ),
    ),
  },
  strict,
);

const KINDS = ['erasure', 'access'] as const;

/**
 * By the tables requests. Erasure first: who asks for both wants it in the end. Nothing counts in mail that is proved automatic: its notices speak of rights.
 * @throws Error naming the file and the place in it, where a table is damaged
 */
export function loadRequest(automatic: Automatic, folder?: string): Classify {
  const { languages, cut } = read(folder);
  const rules = KINDS.flatMap(request =>
    languages.flatMap(({ language, [request]: phrases }) => {
      const pattern = wordPattern(phrases);
      return pattern === undefined ? [] : [{ request, language, pattern }];
    }),
  );
  return ({ message, ownText }) => {
    const sentences = readWords(ownText).sentences.map(cut);
    for (const { request, language, pattern } of rules) {
      for (const sentence of sentences) {
        const match = pattern.exec(sentence);
        if (match === null) continue;
        if (automatic.proof(message) !== undefined) return undefined;
        return finding('request', { ownText, matched: { rule: `request/${language}/${request}`, span: match[0] }, language, request });
      }
    }
    return undefined;
  };
}

/** Whether a person who objects also wants their data deleted, or to be forgotten: that is a request (GDPR 17), however little they wrote. */
export type WantsErasure = (optOut: Finding, reading: Reading) => boolean;

/** @throws Error naming the file and the place in it, where a table is damaged */
export function loadWantsErasure(folder?: string): WantsErasure {
  const { languages, cut } = read(folder);
  const pattern = wordPattern(languages.flatMap(({ bare }) => bare ?? []));
  return ({ ownText }, { message, subject }) => {
    // Behind a `Re:` it is ours.
    const own = fold(writtenSubject(message)) === fold(subject).trim() ? [subject] : [];
    const sentences = [ownText, ...own].flatMap(text => readWords(text).sentences);
    return pattern !== undefined && sentences.some(sentence => pattern.test(cut(sentence)));
  };
}

function read(folder: string | undefined) {
  const languages = readTables('requests', requestsTable, folder).flatMap(table => table.languages);
  return { languages, cut: cutter(languages.flatMap(({ never }) => never ?? [])) };
}

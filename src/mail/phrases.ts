/** Phrases in many languages: text folded to what people mean by it, and lists of phrases made into one pattern. */

const LETTERS: ReadonlyMap<string, string> = new Map([
  ['ß', 'ss'],
  ['ø', 'o'],
  ['ł', 'l'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['đ', 'd'],
  ['ı', 'i'],
]);

/** Zero-width and invisible characters, soft hyphens among them: a reader sees nothing of them. */
export const INVISIBLE = /\u034f|[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g;

/** Lower case, without accents and invisible characters, with plain quotes; line ends stay. */
export function fold(text: string): string {
  return text
    .replace(INVISIBLE, '')
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[ßøłæœđı]/g, letter => LETTERS.get(letter) ?? letter)
    .replace(/[\u2018\u2019\u201b\u00b4`]/g, "'")
    .replace(/[\u201c-\u201f\u00ab\u00bb\u2039\u203a]/g, '"');
}

/** Letters and digits of folded text. Ranges instead of \p{L}\p{N}: whose compilation costs some hundred times more. */
const LETTERS_AND_DIGITS = 'a-z0-9\\u00c0-\\u1fff\\u2c00-\\u2dff\\u3040-\\ud7ff\\uf900-\\ufaff';
/** Between two words: blanks, hyphens, quotes, a few signs. */
const GAP = `[^${LETTERS_AND_DIGITS}]{1,6}`;
/** For `...`: up to eight words. */
const WORDS = `(?:${GAP}[${LETTERS_AND_DIGITS}']{1,40}){0,8}?${GAP}`;

/**
 * One pattern for folded text that finds any of the phrases, at word ends. In a phrase, `(a|b)` is a choice, `(a |b )?` may be missing,
 * `(a |b )...` is up to eight of these, `*` any ending of a word, `...` up to eight words, and a blank stands for whatever parts words.
 * Undefined for no phrases.
 * @throws Error for a phrase with unbalanced brackets
 */
export function compilePhrases(phrases: readonly string[]): RegExp | undefined {
  return phrases.length === 0 ? undefined : new RegExp(`(?<![${LETTERS_AND_DIGITS}])${anyOf(phrases)}(?![${LETTERS_AND_DIGITS}])`);
}

/** Like compilePhrases, but the whole text, apart from signs around it, must be one of these phrases. */
export function compileWhole(phrases: readonly string[]): RegExp | undefined {
  return phrases.length === 0 ? undefined : new RegExp(`^[^${LETTERS_AND_DIGITS}]*${anyOf(phrases)}[^${LETTERS_AND_DIGITS}]*$`);
}

/** Like compilePhrases, but a phrase must follow that mark at once, apart from signs. */
export function compileAfter(mark: string, phrases: readonly string[]): RegExp | undefined {
  return phrases.length === 0 ? undefined : new RegExp(`${mark}[^${LETTERS_AND_DIGITS}]*${anyOf(phrases)}(?![${LETTERS_AND_DIGITS}])`);
}

function anyOf(phrases: readonly string[]): string {
  return `(?:${phrases.map(phrase => `(?:${compilePhrase(phrase)})`).join('|')})`;
}

function compilePhrase(phrase: string): string {
  if (phrase.split('(').length !== phrase.split(')').length) throw new Error(`phrase "${phrase}": brackets do not match`);
  return fold(phrase)
    .trim()
    .replace(/\)\?|\)\.\.\.|\s*\.\.\.\s*| +|[(*.+?^$[\]{}\\/]/g, sign => {
      if (sign === ')?') return sign;
      if (sign === ')...') return '){0,8}';
      const bare = sign.trim();
      if (bare === '...') return WORDS;
      if (bare === '') return GAP;
      if (bare === '(') return '(?:';
      return bare === '*' ? `[${LETTERS_AND_DIGITS}']{0,20}` : `\\${bare}`;
    });
}

/** Longest sentence that is looked at; the rest of a longer one is a sentence of its own. */
const MAX_SENTENCE = 600;

/** The sentences of folded visible text: they end at a full stop, a question or exclamation mark before a blank, or at a blank line. */
export function sentences(text: string): readonly string[] {
  return text
    .split(/(?<=[.!?…]["')\]]{0,2})\s+|\n\s*\n/)
    .flatMap(sentence => (sentence.length <= MAX_SENTENCE ? [sentence] : (sentence.match(/[\s\S]{1,600}/g) ?? [])))
    .filter(sentence => /\p{L}/u.test(sentence));
}

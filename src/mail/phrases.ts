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
const INVISIBLE = /\u034f|[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/g;

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

/** Between two words: blanks, hyphens, quotes, a few signs. */
const GAP = '[^\\p{L}\\p{N}]{1,6}';
/** For `...`: up to eight words. */
const WORDS = `(?:${GAP}[\\p{L}\\p{N}']{1,40}){0,8}?${GAP}`;

/**
 * One pattern for folded text that finds any of the phrases, at word ends. In a phrase, `(a|b)` is a choice, `*` any ending of a word, `...` up
 * to eight words, and a blank stands for whatever parts words. Undefined for no phrases.
 * @throws Error for a phrase with unbalanced brackets
 */
export function compilePhrases(phrases: readonly string[]): RegExp | undefined {
  if (phrases.length === 0) return undefined;
  const alternatives = phrases.map(phrase => `(?:${compilePhrase(phrase)})`).join('|');
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${alternatives})(?![\\p{L}\\p{N}])`, 'u');
}

function compilePhrase(phrase: string): string {
  if (phrase.split('(').length !== phrase.split(')').length) throw new Error(`phrase "${phrase}": brackets do not match`);
  return fold(phrase).replace(/\s*\.\.\.\s*| +|[(*.+?^$[\]{}\\/]/g, sign => {
    const bare = sign.trim();
    if (bare === '...') return WORDS;
    if (bare === '') return GAP;
    if (bare === '(') return '(?:';
    return bare === '*' ? "[\\p{L}']{0,20}" : `\\${bare}`;
  });
}

/** Whether the whole text, apart from signs around it, is one of these phrases. */
export function compileWhole(phrases: readonly string[]): RegExp | undefined {
  if (phrases.length === 0) return undefined;
  return new RegExp(`^[^\\p{L}\\p{N}]*(?:${phrases.map(phrase => `(?:${compilePhrase(phrase)})`).join('|')})[^\\p{L}\\p{N}]*$`, 'u');
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

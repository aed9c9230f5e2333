/** A person's words as the phrase tables read them: folded, in sentences and clauses, bounded, false friends cut out. */
import { compilePhrases, compileWhole, fold, sentences } from '../mail/phrases.ts';

/** Of folded text so much is read, the beginning and the end: more than anybody writes, and little enough for every rule of every language. */
const MAX_HEAD = 4_096;
const MAX_TAIL = 2_048;
/** A line so long was broken by the mail program, so the next line goes on with it. */
const WRAPPED = 50;
/** More than what may stand between two words of a phrase: no phrase reaches over what was cut out. */
const CUT = ' ¤¤¤¤¤¤¤ ';

/** Signs that stand without blanks between them: each is a word of its own. */
const IDEOGRAPHS = /[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]/g;

/** `Art. 15` is one thing. */
const ABBREVIATION = /\b(art|abs|nr|no|sec|cl)\.\s+/g;

const CLAUSE_END = /[.!?…;:,()[\]\n\u3001\u3002]+|\s[-\u2013\u2014]+\s|\b(?:re|aw|sv|vs|tr|antw|odp|fwd?|wg)\s*:/;

/** A text of a person's, ready for the tables. */
export interface Words {
  /** Folded. */
  readonly text: string;
  /** Full sentences, in order. */
  readonly sentences: readonly string[];
}

export function readWords(text: string): Words {
  // Folding lengthens ideographs and ligatures, so it is cut once more.
  const folded = shorten(apart(fold(shorten(text))));
  return { text: folded, sentences: sentences(folded.replace(ABBREVIATION, '$1 ').replaceAll('\u3002', '. ')) };
}

function shorten(text: string): string {
  return text.length > MAX_HEAD + MAX_TAIL + 2 ? `${text.slice(0, MAX_HEAD)}\n\n${text.slice(-MAX_TAIL)}` : text;
}

/** The clauses of a text: what stands between two signs, or on a line of its own; without those out of which something was cut. */
export function clauses(text: string): readonly string[] {
  const lines = text.split('\n');
  const joined = lines
    .map((line, index) => (line.length >= WRAPPED && lines[index + 1]?.trim() !== '' ? `${line} ` : `${line}\n`))
    .join('');
  return joined.split(CLAUSE_END).filter(clause => clause.trim() !== '' && !clause.includes(CUT));
}

/** One pattern of phrases, for texts that readWords made; undefined for no phrases. @throws Error for a phrase with unbalanced brackets */
export function wordPattern(phrases: readonly string[] | undefined): RegExp | undefined {
  return compilePhrases((phrases ?? []).map(phrase));
}

/** Like wordPattern, for a whole clause. */
export function clausePattern(phrases: readonly string[]): RegExp | undefined {
  return compileWhole(phrases.map(phrase));
}

/** Cuts out of a text what the phrases say; of one that ends in `...` the rest of its sentence too. */
export function cutter(phrases: readonly string[], by: string = CUT): (text: string) => string {
  const open = phrases.filter(phrase => phrase.endsWith('...'));
  const closed = wordPattern(phrases.filter(phrase => !phrase.endsWith('...')));
  const patterns = [wordPattern(open.map(phrase => phrase.slice(0, -3).trim()))?.source.concat('[^.!?\\n]{0,300}'), closed?.source]
    .filter(source => source !== undefined)
    .map(source => new RegExp(source, 'g'));
  return text => patterns.reduce((rest, pattern) => rest.replace(pattern, by), text);
}

/** Two blanks behind each, so that a phrase may end with one and still be followed by a blank. */
function apart(text: string): string {
  return umlauts(text).replace(IDEOGRAPHS, ' $&  ');
}

function phrase(text: string): string {
  return umlauts(fold(text)).replace(IDEOGRAPHS, '$& ');
}

/** `loeschen` is `löschen`, `oensker` is `ønsker`. */
function umlauts(text: string): string {
  return text.replace(/([aou])e/g, '$1');
}

/** What a password must be (NIST SP 800-63B §5.1.1.2): long, none of those that are guessed first, and nothing else. */
import { COMMON_WORDS } from './common-passwords.ts';

/** NIST asks for 8 characters at least; what guards the lists of other people may ask for more. */
const MIN_CHARACTERS = 12;
/** 64 characters of any script. */
const MAX_OCTETS = 256;
/** A piece that is repeated counts once. */
const MIN_PIECE = 8;
/** Rows of keys and of figures, as fingers run over them. */
const RUNS = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890123456789',
  'qwertyuiopasdfghjklzxcvbnm',
  'qwertzuiopasdfghjklyxcvbnm',
  '1q2w3e4r5t6y7u8i9o0p',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm',
  'azertyuiopqsdfghjklmwxcvbn',
  'a1b2c3d4e5f6g7h8i9j0',
  '00112233445566778899',
];
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** As it is hashed: the same characters, however a keyboard puts them together (NFKC, as NIST names it). */
export function prepared(password: string): string {
  return password.normalize('NFKC');
}

/** What is wrong with a password for an account of this name, and the fix; empty where nothing is. */
export function passwordProblems(password: string, account: string): readonly string[] {
  const text = prepared(password);
  if ([...text].length < MIN_CHARACTERS || Buffer.byteLength(text) > MAX_OCTETS) {
    return [`password: has ${MIN_CHARACTERS} characters at least and ${MAX_OCTETS} octets at most; choose another`];
  }
  return isGuessedFirst(text.toLowerCase(), account) ? ['password: is one of those that are guessed first; choose several words'] : [];
}

/** The whole of it is judged, never a part: a long sentence may hold any word. */
function isGuessedFirst(text: string, account: string): boolean {
  const piece = repeated(text);
  if (piece.length < MIN_PIECE || isRun(piece)) return true;
  const ours = [account, 'postern'].map(letters);
  const isWord = (one: string): boolean => one !== '' && (COMMON_WORDS.has(one) || ours.includes(one));
  // Figures and signs about a word are what everybody puts there; within it they stand for letters.
  const bare = piece.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  return [bare, piece].some(one => {
    const folded = one.replace(/[013457@$!]/g, sign => LOOK_ALIKES[sign] ?? sign);
    return [one, folded].some(spelling => isWord(repeated(letters(spelling))));
  });
}

/** The piece that the text is made of again and again (its last turn may be cut short), or all of it. */
function repeated(text: string): string {
  for (let length = 1; length <= text.length / 2; length++) {
    if (text.startsWith(text.slice(length))) return text.slice(0, length);
  }
  return text;
}

function isRun(text: string): boolean {
  const back = [...text].reverse().join('');
  return RUNS.some(run => run.includes(text) || run.includes(back));
}

function letters(text: string): string {
  return text.replace(/[^\p{L}]/gu, '');
}

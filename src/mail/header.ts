/** Values of header fields: who a message says it is from, where one unsubscribes, which campaign it belongs to. */
import libmime from 'libmime';
import { type Address, isAddress, parseAddress } from './address.ts';

/** RFC 5322 §2.1.1. */
const MAX_ID = 998;

export interface Mailbox {
  /** The display name, decoded; empty where there is none. */
  readonly name: string;
  readonly address: Address;
}

/** The text with its RFC 2047 words decoded; what cannot be decoded stays as it is. */
export function decodeWords(value: string): string {
  return libmime.decodeWords(value);
}

/**
 * The mailboxes of a From, Sender or Reply-To field (RFC 5322 §3.4; of groups, which RFC 6854 allows here, the members), or undefined
 * where another reader could read the value in another way: unquoted specials in a name, several angle addresses, routes, white space
 * within an address, a comment that holds one. An empty group gives an empty list. Wants the value unfolded. Linear.
 */
export function mailboxes(value: string): readonly Mailbox[] | undefined {
  const tokens = tokenize(value);
  if (tokens === undefined) return undefined;
  const found: Mailbox[] = [];
  let at = 0;
  const eat = (mark: string): boolean => {
    const eaten = isMark(tokens[at], mark);
    if (eaten) at += 1;
    return eaten;
  };
  const piece = (): readonly Token[] => {
    const start = at;
    while (at < tokens.length && !isMark(tokens[at], ',:;')) at += 1;
    return tokens.slice(start, at);
  };
  const take = (tokens: readonly Token[]): boolean => {
    const mailbox = readMailbox(tokens);
    if (mailbox !== undefined) found.push(mailbox);
    return mailbox !== undefined;
  };
  do {
    const first = piece();
    if (eat(':')) {
      if (!isPhrase(first)) return undefined;
      if (eat(';')) continue;
      do if (!take(piece())) return undefined;
      while (eat(','));
      if (!eat(';')) return undefined;
    } else if (!take(first)) return undefined;
  } while (eat(','));
  return at === tokens.length ? found : undefined;
}

/**
 * The URIs of a List-Unsubscribe field, in order, white space inside them removed, or undefined where there is none to use. What
 * follows a URI that no comma follows, or an item that is no URI in angle brackets, is not read (RFC 2369 §2).
 */
export function angleUris(value: string): readonly string[] | undefined {
  const uris: string[] = [];
  let at = skipBlanksAndComments(value, 0);
  while (value[at] === '<') {
    const end = value.indexOf('>', at);
    if (end === -1) break;
    const uri = value.slice(at + 1, end).replace(/\s+/g, '');
    if (uri === '' || uri.includes('<')) break;
    uris.push(uri);
    at = skipBlanksAndComments(value, end + 1);
    if (value[at] !== ',') break;
    at = skipBlanksAndComments(value, at + 1);
  }
  return uris.length > 0 ? uris : undefined;
}

/**
 * The id of a Message-ID field (RFC 5322 §3.6.4) in angle brackets, put around it where a sloppy program left them out; undefined where
 * there is none, or one longer than a line may be.
 */
export function messageId(value: string): string | undefined {
  const id = /<\s*([^<>\s]+)\s*>/.exec(value)?.[1] ?? /^\s*([^<>\s]+)\s*$/.exec(value)?.[1];
  return id === undefined || id.length > MAX_ID ? undefined : `<${id}>`;
}

/** The campaign of a Feedback-ID (`campaign:customer:type:sender`), or undefined where it names none: no four fields, or the first is empty. */
export function feedbackCampaign(value: string): string | undefined {
  const fields = value.split(':');
  const campaign = fields[0]?.trim();
  return fields.length === 4 && campaign !== '' ? campaign : undefined;
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'mark';
  readonly text: string;
  /** Nothing stands between this token and the one before. */
  readonly glued: boolean;
}

/** RFC 5322 §3.2.3 atext and, raw, RFC 6532's; a word of a phrase or a piece of an address. */
const WORD = /[^\x00-\x20"(),.:;<>@[\\\]\x7f]+/y;
const QUOTED = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const MARKS = ',:;<>@.';

/** RFC 5322 §3.2 tokens; comments count as space. Undefined: no such tokens, or a comment that a sloppy reader takes an address from. */
function tokenize(value: string): readonly Token[] | undefined {
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) return undefined;
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    const from = skipBlanksAndComments(value, at);
    if (/[<>@]/.test(value.slice(at, from))) return undefined;
    if (from === value.length) return tokens;
    const character = value[from] as string;
    const kind = MARKS.includes(character) ? 'mark' : character === '"' ? 'quoted' : 'word';
    const text = kind === 'mark' ? character : matchAt(kind === 'quoted' ? QUOTED : WORD, value, from);
    if (text === undefined) return undefined;
    tokens.push({ kind, text, glued: from === at });
    at = from + text.length;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** The first offset from `at` on that is neither blank nor in a comment (RFC 5322 §3.2.2; comments nest). An open comment stays. */
function skipBlanksAndComments(text: string, at: number): number {
  let depth = 0;
  let open = at;
  let next = at;
  for (; next < text.length; next += 1) {
    const character = text[next];
    if (character === '(') {
      if (depth === 0) open = next;
      depth += 1;
    } else if (depth === 0) {
      if (character !== ' ' && character !== '\t') return next;
    } else if (character === ')') depth -= 1;
    else if (character === '\\') next += 1;
  }
  return depth === 0 ? text.length : open;
}

function isMark(token: Token | undefined, marks: string): boolean {
  return token?.kind === 'mark' && marks.includes(token.text);
}

/** RFC 5322 §3.2.5, with the dots of everyday names (obs-phrase: `John Q. Public`). */
function isPhrase(tokens: readonly Token[]): boolean {
  return tokens.length > 0 && tokens.every(token => token.kind !== 'mark' || token.text === '.') && !isMark(tokens[0], '.');
}

function readMailbox(tokens: readonly Token[]): Mailbox | undefined {
  const angle = tokens.findIndex(token => isMark(token, '<'));
  if (angle === -1) return asMailbox('', tokens);
  const name = tokens.slice(0, angle);
  if ((name.length > 0 && !isPhrase(name)) || !isMark(tokens.at(-1), '>')) return undefined;
  return asMailbox(decodeWords(plainText(name)), tokens.slice(angle + 1, -1));
}

function asMailbox(name: string, spec: readonly Token[]): Mailbox | undefined {
  // A route would be dropped by parseAddress; other readers show its first host. White space (obs-local-part) is read by few.
  if (isMark(spec[0], '@') || spec.some((token, index) => isMark(token, '<>') || (index > 0 && !token.glued))) return undefined;
  const address = parseAddress(spec.map(token => token.text).join(''), { utf8: true });
  return isAddress(address) ? { name, address } : undefined;
}

function plainText(phrase: readonly Token[]): string {
  return phrase
    .map(({ kind, text, glued }, index) => {
      const plain = kind === 'quoted' ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
      return index > 0 && !glued ? ` ${plain}` : plain;
    })
    .join('');
}

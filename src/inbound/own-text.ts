/** A person's own words in a reply: what stands there without quotes, attributions, header blocks and lines that we sent. */
import { behindOurs, type IsOurs, withoutOurs } from '../mail/footer.ts';
import type { Message, TextPart } from '../mail/message.ts';
import { fold, INVISIBLE } from '../mail/phrases.ts';
import { quotedText } from './html-quotes.ts';
import { loadQuoteMarkers, type Markers } from './quote-markers.ts';
import { ownLines } from './quotes.ts';

/**
 * The own words of a message's writer, as lines (LF), without invisible characters; empty where there are none. Lines of ours that came back unquoted are left out
 * (withoutOurs).
 * Mail forwarded as an attachment is not read, and of a long part only its beginning and end (Message.excerpts). Linear; never throws.
 */
export type OwnText = (message: Message, sent?: IsOurs) => string;

export interface OwnTexts {
  readonly own: OwnText;
  /**
   * What stands behind the last line of ours and is no marked quote; empty where no line of ours is there. Where there are no own words, these may
   * be some: a person typed below a message that her program had not marked as one.
   */
  readonly below: OwnText;
}

/** A text part that only asks for a reader of HTML is short. */
const MAX_STUB = 600;
/** Alternatives read, at most: text, HTML, and one more (AMP). */
const MAX_READ = 3;
/** Lines that are asked for, at most, at either end: each costs a keyed hash. */
const MAX_ASKED = 500;

const LINE_ENDS = /\r\n?|[\u000b\u000c\u0085\u2028\u2029]/g;
const BLANKS = /[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g;

/**
 * Reads by the marks in config/quote-markers.yaml and in the table of that name in `folder`, an admin's own.
 * @throws Error naming the file and the place in it, where a table is damaged
 */
export function loadOwnTexts(folder?: string): OwnTexts {
  const markers = loadQuoteMarkers(folder);
  const firstOf = (message: Message, read: (text: string) => string): string => {
    // Text first: mail programs mark quotes in it more alike than in HTML.
    const views = [...message.excerpts()].sort((one, other) => htmlParts(one) - htmlParts(other)).slice(0, MAX_READ);
    for (const view of views) {
      const text = view.map(part => plainText(part, markers)).join('\n\n');
      if (text.length < MAX_STUB && markers.lines.stub.test(fold(text))) continue;
      const found = read(text);
      if (found !== '') return found;
    }
    return '';
  };
  return {
    own: (message, sent = () => false) => firstOf(message, text => withoutSent(ownLines(text, markers.lines), sent)),
    below: (message, sent) => {
      if (sent === undefined) return '';
      return firstOf(message, text => {
        const lines = text.split('\n').slice(-MAX_ASKED);
        return behindOurs(lines, sent)
          .filter(line => !line.startsWith('>'))
          .join('\n')
          .trim();
      });
    },
  };
}

/** As loadOwnTexts, for the own words alone. */
export function loadOwnText(folder?: string): OwnText {
  return loadOwnTexts(folder).own;
}

function htmlParts(view: readonly TextPart[]): number {
  return view.filter(part => part.type === 'text/html').length;
}

function plainText({ type, text }: TextPart, markers: Markers): string {
  const plain = type === 'text/html' ? quotedText(text, markers.elements) : text;
  return plain.replace(LINE_ENDS, '\n').replace(INVISIBLE, '').replace(BLANKS, ' ');
}

function withoutSent(own: readonly string[], sent: IsOurs): string {
  const [head, middle, tail] = [
    own.slice(0, MAX_ASKED),
    own.slice(MAX_ASKED, -MAX_ASKED),
    own.slice(Math.max(MAX_ASKED, own.length - MAX_ASKED)),
  ];
  return [...withoutOurs(head, sent), ...middle, ...withoutOurs(tail, sent)].join('\n').trim();
}

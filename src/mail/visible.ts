/** What a person is shown of a text part: its visible text, and every link with the reason why it may not be seen. */
import { LRUCache } from 'lru-cache';
import { LINK_MARK, readDocument } from './html/document.ts';
import type { Hiding } from './html/hiding.ts';
import { outlookReading, readsOtherwise } from './html/outlook.ts';
import type { Rules } from './html/page.ts';
import { textLinks } from './linkify.ts';
import type { TextPart } from './message.ts';

export { LINK_MARK };

export interface Link {
  /** As written, decoded; any scheme. */
  readonly href: string;
  /** What a person takes it for: an anchor's visible text; for an address that stands in text, the words before it. */
  readonly label: string;
  /** Why nobody sees it or can follow it (name of a hiding rule); undefined: it is visible. */
  readonly hiddenBy: string | undefined;
}

/** One reader's view of one part. */
export interface Reading {
  /** `Outlook` stands for desktop Outlook and is there only where a part has conditional comments. */
  readonly by: 'every reader' | 'Outlook';
  readonly links: readonly Link[];
  /** The visible text: blocks are set apart by blank lines, and LINK_MARK stands where a link begins. */
  readonly text: string;
  /** Why the part cannot be judged, so that nothing in it counts as seen. */
  readonly unreadable: string | undefined;
}

/** Reads text parts, and keeps a part's readings as long as the part lives. */
export interface Reader {
  /** One or two readings: what must be seen has to be seen in each. Linear in the part, whatever it holds; never throws. */
  read(part: TextPart): readonly Reading[];
}

/** A campaign's messages have their style attributes in common: this many are kept, of this many characters in all. */
const MAX_STYLES = 4000;
const MAX_SHEETS = 200;
const MAX_STYLE_CHARACTERS = 1_000_000;

/** A reader by these hiding rules. */
export function createReader(hiding: Hiding): Reader {
  const readings = new WeakMap<TextPart, readonly Reading[]>();
  const rules: Rules = {
    hiding,
    styles: new LRUCache({
      max: MAX_STYLES,
      maxSize: MAX_STYLE_CHARACTERS,
      maxEntrySize: 2000,
      sizeCalculation: (_styled, text) => text.length + 1,
    }),
    sheets: new LRUCache({ max: MAX_SHEETS, maxSize: MAX_STYLE_CHARACTERS, sizeCalculation: (_sheet, text) => text.length + 1 }),
  };
  return {
    read(part) {
      let read = readings.get(part);
      if (read === undefined) {
        read = part.type === 'text/plain' ? [readPlain(part.text)] : readHtml(part.text, rules);
        readings.set(part, read);
      }
      return read;
    },
  };
}

function readPlain(raw: string): Reading {
  const text = raw.replaceAll(LINK_MARK, ' ');
  return { by: 'every reader', links: textLinks(text).map(seen), text, unreadable: undefined };
}

function readHtml(html: string, rules: Rules): readonly Reading[] {
  const readings = [readMarkup(html, 'every reader', rules)];
  if (readsOtherwise(html)) readings.push(readMarkup(outlookReading(html), 'Outlook', rules));
  return readings;
}

/**
 * An address that stands visibly in HTML text counts as a link: A13 asks that the address be held visibly, and Gmail, Apple Mail, Outlook on
 * the web and phones link it. Within an anchor it is only that anchor's text: the anchor decides where it leads.
 */
function readMarkup(html: string, by: Reading['by'], rules: Rules): Reading {
  const { anchors, text, loose, unreadable } = readDocument(html, rules);
  const links = loose.includes('://') ? [...anchors, ...textLinks(loose).map(seen)] : anchors;
  return { by, links, text, unreadable };
}

function seen(link: { readonly href: string; readonly label: string }): Link {
  return { ...link, hiddenBy: undefined };
}

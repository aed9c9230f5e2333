/** Which parts of a message a reader is shown together, and in which alternatives. */
import type { Entity } from './mime.ts';

/** A text leaf that some reader shows. */
export interface Leaf {
  readonly type: 'text/plain' | 'text/html';
  readonly entity: Entity;
}

/** What one reader sees: leaves shown together, in order. */
export type View = readonly Leaf[];

export interface Views {
  readonly views: readonly View[];
  /** More alternatives than are judged. */
  readonly overflow: boolean;
}

/**
 * `sure`: every reader shows these. Otherwise (a text part with a file name, an odd disposition, an unknown text subtype) some show them and
 * some offer a file. The rule for those is the one that protects the recipient: as an alternative to others they must satisfy whoever sees
 * them, beside others they count for nothing.
 */
interface Shown {
  readonly sure: boolean;
  readonly views: readonly View[];
}

/** Alternatives judged, at most; beyond, the message is refused. Real messages have two or three. */
export const MAX_VIEWS = 64;

const NOTHING: Shown = { sure: false, views: [] };

// text/x-amp-html and text/watch-html are shown as HTML by Gmail and on watches, in place of text/html.
const HTML = new Set(['text/html', 'text/x-amp-html', 'text/amp-html', 'text/watch-html', 'text/x-watch-html']);
// Data that readers work on (an invitation, a card) or offer as a file, but do not show as the text of a message.
const DATA = new Set(
  'calendar vcard x-vcard x-vcalendar directory css csv tab-separated-values rtf xml javascript rfc822-headers'
    .split(' ')
    .map(name => `text/${name}`),
);

/** What readers are shown of a structure: one view for each alternative; none where there is nothing to read. */
export function readViews(root: Entity): Views {
  const budget = { overflow: false };
  const { views } = shown(root, false, budget);
  return { views, overflow: budget.overflow };
}

function shown(entity: Entity, alternative: boolean, budget: { overflow: boolean }): Shown {
  const { type } = entity.contentType;
  if (!type.startsWith('multipart/')) return shownLeaf(entity, alternative);
  const parts = entity.parts.map(part => shown(part, type === 'multipart/alternative', budget));
  const found = type === 'multipart/alternative' ? eitherOf(parts) : type === 'multipart/related' ? rootOf(parts) : together(parts, budget);
  if (found.views.length > MAX_VIEWS) budget.overflow = true;
  return {
    sure: found.sure && (entity.disposition === undefined || entity.disposition === 'inline'),
    views: found.views.slice(0, MAX_VIEWS),
  };
}

function shownLeaf(entity: Entity, alternative: boolean): Shown {
  const { type } = entity.contentType;
  const html = HTML.has(type);
  if (!html && !type.startsWith('text/') && type !== 'application/xhtml+xml') return NOTHING;
  if (DATA.has(type)) return NOTHING;
  const known = html || type === 'text/plain';
  // Some readers choose among alternatives by type alone, so that an alternative cannot hide by calling itself an attachment.
  if (entity.disposition === 'attachment' && !(alternative && known)) return NOTHING;
  const sure = known && !entity.named && (entity.disposition === undefined || entity.disposition === 'inline');
  return { sure, views: [[{ type: html || type === 'application/xhtml+xml' ? 'text/html' : 'text/plain', entity }]] };
}

/** multipart/alternative: each part's views are alternatives. One without text (a picture, an invitation) is none of them. */
function eitherOf(parts: readonly Shown[]): Shown {
  return { sure: parts.some(part => part.sure), views: parts.flatMap(part => part.views) };
}

/**
 * multipart/related: the root is shown. Which part that is, readers decide differently (the first, the one that `start` names, the HTML one),
 * so each text part that may be it is an alternative.
 */
function rootOf(parts: readonly Shown[]): Shown {
  const sure = parts.filter(part => part.sure);
  return sure.length > 0 ? eitherOf(sure) : onlyFirst(parts);
}

/** multipart/mixed and what is treated like it (RFC 2046 §5.1.3): parts are shown together, so every choice in one meets every choice in another. */
function together(parts: readonly Shown[], budget: { overflow: boolean }): Shown {
  const sure = parts.filter(part => part.sure);
  if (sure.length === 0) return onlyFirst(parts);
  let views: readonly View[] = [[]];
  for (const part of sure) {
    views = views.flatMap(view => part.views.map(more => [...view, ...more]));
    if (views.length > MAX_VIEWS) {
      budget.overflow = true;
      views = views.slice(0, MAX_VIEWS);
    }
  }
  return { sure: true, views };
}

/** Readers take a first text part for the body even where it has a file name; a later one is a file. */
function onlyFirst(parts: readonly Shown[]): Shown {
  return parts[0] ?? NOTHING;
}

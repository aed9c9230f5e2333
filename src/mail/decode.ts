/** A text leaf's octets to the text a reader is shown. */
import type { Leaf } from './alternatives.ts';
import { charsetFault, decodeCharset } from './charset.ts';
import { unflow } from './flowed.ts';
import { paddedInside, TRANSFER_ENCODINGS, undoTransfer } from './transfer.ts';

/** A decoded text leaf that a reader may be shown: never one inside a nested message/rfc822, an attachment's only where it stands as an alternative. */
export interface TextPart {
  readonly type: 'text/plain' | 'text/html';
  /** Decoded: transfer encoding, charset, for text/plain format=flowed (RFC 3676), and an AMP part's boilerplate taken out. Line ends as they stand. */
  readonly text: string;
}

/**
 * Every AMP e-mail must begin with it (AMP for Email specification, required markup): its runtime shows the body once it is loaded. In other
 * HTML the same style hides everything for good, and stays.
 */
const AMP_BOILERPLATE = /<style\s+amp4email-boilerplate\s*>\s*body\s*\{\s*visibility\s*:\s*hidden\s*;?\s*\}\s*<\/style\s*>/i;

/** RFC 5322 §2.1.1: a line's octets, at most. Some are longer. */
const MAX_LINE = 1000;

/** The leaf's text; malformed input is decoded as far as it goes. Never throws. */
export function decodeLeaf(octets: Buffer, leaf: Leaf): TextPart {
  return toPart(leaf, decodeOctets(octets.subarray(leaf.entity.start, leaf.entity.end), leaf));
}

/**
 * As decodeLeaf, of a leaf of more than `most` octets (before its transfer encoding is undone) only the first three quarters of `most` and the
 * last quarter, cut at line ends where there are any near.
 */
export function decodeExcerpt(octets: Buffer, leaf: Leaf, most: number): TextPart {
  const body = octets.subarray(leaf.entity.start, leaf.entity.end);
  if (body.length <= most) return toPart(leaf, decodeOctets(body, leaf));
  const first = lineEndNear(body, (most * 3) / 4);
  const last = lineEndNear(body, body.length - most / 4);
  return toPart(leaf, `${decodeOctets(body.subarray(0, first), leaf)}\n${decodeOctets(body.subarray(last), leaf)}`);
}

/** The end of the line in which that octet stands; where that is far off, a place between two quanta of base64 (RFC 4648 §4). */
function lineEndNear(body: Buffer, at: number): number {
  const from = Math.floor(at / 4) * 4;
  const feed = body.subarray(from, from + MAX_LINE).indexOf(10);
  return feed < 0 ? from : from + feed + 1;
}

function decodeOctets(octets: Buffer, { entity }: Leaf): string {
  return decodeCharset(undoTransfer(octets, entity.encoding), entity.contentType.charset);
}

function toPart({ type, entity }: Leaf, text: string): TextPart {
  const { type: named, flowed, delSp } = entity.contentType;
  if (named === 'text/x-amp-html') return { type, text: text.replace(AMP_BOILERPLATE, '') };
  return { type, text: flowed && type === 'text/plain' ? unflow(text, delSp) : text };
}

/** Why readers would make different texts of a leaf; undefined where they agree. */
export function leafFault(octets: Buffer, { entity }: Leaf): string | undefined {
  if (!TRANSFER_ENCODINGS.has(entity.encoding)) return 'text with an unknown transfer encoding';
  const body = octets.subarray(entity.start, entity.end);
  if (entity.encoding === 'base64' && paddedInside(body)) return 'base64 that goes on after its padding';
  return charsetFault(entity.contentType.charset, () => undoTransfer(body, entity.encoding));
}

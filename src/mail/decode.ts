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

/** The leaf's text; malformed input is decoded as far as it goes. Never throws. */
export function decodeLeaf(octets: Buffer, { type, entity }: Leaf): TextPart {
  const { type: named, charset, flowed, delSp } = entity.contentType;
  const text = decodeCharset(undoTransfer(octets.subarray(entity.start, entity.end), entity.encoding), charset);
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

/** The leaves of a message as reports are read: whatever their type, decoded on demand and only as far as a report is long. Tolerant of broken MIME. */
import { decodeCharset } from './charset.ts';
import type { Message } from './message.ts';
import type { Entity } from './mime.ts';
import { undoTransfer } from './transfer.ts';

/** A leaf; of a nested message, the message as a whole. */
export interface Part {
  /** `type/subtype`, lower case; a multipart in which no parts can be found is `text/plain`. */
  readonly type: string;
  /** The body with its transfer encoding undone, at most MAX_PART octets of it. */
  octets(): Buffer;
  /** The same as text. */
  text(): string;
}

/** Octets of a part that are read, at most: what a report says stands at its beginning. */
export const MAX_PART = 192 * 1024;

/** The leaves in order; MAX_PARTS of mime.ts at most. Never throws; linear in the message. */
export function readParts(message: Message): readonly Part[] {
  return leaves(message.structure()).map(entity => partOf(message.octets, entity));
}

function leaves(entity: Entity): readonly Entity[] {
  return entity.parts.length === 0 ? [entity] : entity.parts.flatMap(leaves);
}

function partOf(octets: Buffer, { contentType, encoding, start, end }: Entity): Part {
  const { type, charset } = contentType;
  const body = octets.subarray(start, Math.min(end, start + MAX_PART));
  const decoded = (): Buffer => undoTransfer(body, encoding);
  return {
    type: type.startsWith('multipart/') ? 'text/plain' : type,
    octets: decoded,
    text: () => decodeCharset(decoded(), charset),
  };
}

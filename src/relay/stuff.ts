/** Dot-stuffing (RFC 5321 §4.5.2): a line that begins with a dot gets another; blocks without such a line are passed on uncopied. */

const CR = 13;
const LF = 10;
const DOT = 46;
const LINE_DOT = Buffer.from('\r\n.');

/** What the last octets were: within a line, after a CR, at the start of a line. */
type Place = 'within' | 'afterCr' | 'start';

/** Stuffs one message, given block after block: a line's beginning is found wherever the blocks are cut. */
export class Stuffer {
  #place: Place = 'start';

  /** The block to send: the very same buffer where nothing is to be added, else a copy with the dots. Linear in the block's length. */
  next(block: Buffer): Buffer {
    const place = this.#place;
    this.#place = placeAfter(place, block);
    const first = firstDot(place, block);
    return first < 0 ? block : stuffed(block, first);
  }

  /** What ends the message: the final dot, after a CRLF of our own where the message does not end with one (RFC 5321 §4.1.1.4). */
  ending(): string {
    return this.#place === 'start' ? '.\r\n' : '\r\n.\r\n';
  }
}

/** True where the pieces, taken together, end with CRLF or are empty, so that nothing must be added before the final dot. */
export function endsLine(pieces: readonly Buffer[]): boolean {
  let place: Place = 'start';
  for (const piece of pieces) place = placeAfter(place, piece);
  return place === 'start';
}

function placeAfter(place: Place, block: Buffer): Place {
  const last = block.length - 1;
  if (last < 0) return place;
  if (block[last] === CR) return 'afterCr';
  if (block[last] !== LF) return 'within';
  const before = last > 0 ? block[last - 1] === CR : place === 'afterCr';
  return before ? 'start' : 'within';
}

/** Index of the first dot that begins a line, or -1. */
function firstDot(place: Place, block: Buffer): number {
  if (place === 'start' && block[0] === DOT) return 0;
  if (place === 'afterCr' && block[0] === LF && block[1] === DOT) return 1;
  const found = block.indexOf(LINE_DOT);
  return found < 0 ? -1 : found + 2;
}

/** `first`: a dot to be doubled. Octet by octet from there: an indexOf for each of a million short lines takes longer than looking at each octet. */
function stuffed(block: Buffer, first: number): Buffer {
  const { length } = block;
  // Between two dots that begin lines lie at least CR and LF.
  const out = Buffer.allocUnsafe(length + 1 + Math.floor((length - first) / 3));
  block.copy(out, 0, 0, first);
  out[first] = DOT;
  let at = first + 1;
  for (let i = first; i < length; i++) {
    const octet = block[i] as number;
    if (octet === DOT && i > first && block[i - 1] === LF && block[i - 2] === CR) out[at++] = DOT;
    out[at++] = octet;
  }
  return out.subarray(0, at);
}

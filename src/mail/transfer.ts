/** Content transfer encodings undone as mail readers undo them: malformed input is decoded as far as it goes (RFC 2045 §6.7–6.8). */

export const TRANSFER_ENCODINGS: ReadonlySet<string> = new Set(['', '7bit', '8bit', 'binary', 'quoted-printable', 'base64']);

const CR = 13;
const LF = 10;
const EQUALS = 61;
const PAD = 64;
const NOISE = 65;

// Octet → sextet; PAD for `=`; NOISE for what is not of the alphabet and is passed over (RFC 2045 §6.8), line ends among it.
const SEXTETS = new Uint8Array(256).fill(NOISE);
for (const [value, letter] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries())
  SEXTETS[letter.charCodeAt(0)] = value;
SEXTETS[EQUALS] = PAD;

// Octet → value of a hexadecimal digit, either case; NO_DIGIT for anything else.
const NO_DIGIT = 16;
const HEX = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEX[digit.charCodeAt(0)] = value;
  HEX[digit.toUpperCase().charCodeAt(0)] = value;
}

/** The decoded octets. An identity or unknown encoding gives the octets themselves, not a copy. */
export function undoTransfer(octets: Buffer, encoding: string): Buffer {
  if (encoding === 'base64') return fromBase64(octets);
  return encoding === 'quoted-printable' ? fromQuotedPrintable(octets) : octets;
}

/** Octets of the alphabet follow a padding: some readers stop there, others go on. */
export function paddedInside(octets: Buffer): boolean {
  const first = octets.indexOf(EQUALS);
  if (first < 0) return false;
  for (let at = first; at < octets.length; at += 1) {
    if ((SEXTETS[octets[at] as number] as number) < PAD) return true;
  }
  return false;
}

/** Padding ends a quantum, not the text: encoders that pad each piece are read whole. */
function fromBase64(octets: Buffer): Buffer {
  const out = Buffer.allocUnsafe(Math.ceil((octets.length * 3) / 4) + 3);
  let length = 0;
  let bits = 0;
  let count = 0;
  for (let at = 0; at < octets.length; at += 1) {
    const sextet = SEXTETS[octets[at] as number] as number;
    if (sextet === NOISE) continue;
    if (sextet === PAD) {
      length = flush(out, length, bits, count);
      bits = 0;
      count = 0;
      continue;
    }
    bits = (bits << 6) | sextet;
    count += 1;
    if (count === 4) {
      out[length] = bits >> 16;
      out[length + 1] = bits >> 8;
      out[length + 2] = bits;
      length += 3;
      bits = 0;
      count = 0;
    }
  }
  return out.subarray(0, flush(out, length, bits, count));
}

/** Writes the octets of a quantum that is not full; a single sextet holds none. */
function flush(out: Buffer, length: number, bits: number, count: number): number {
  if (count < 2) return length;
  out[length] = count === 2 ? bits >> 4 : bits >> 10;
  if (count === 2) return length + 1;
  out[length + 1] = bits >> 2;
  return length + 2;
}

function fromQuotedPrintable(octets: Buffer): Buffer {
  const size = octets.length;
  const out = Buffer.allocUnsafe(size);
  let length = 0;
  // Where a line may be cut: white space at its end was added in transit (RFC 2045 §6.7 rule 3).
  let solid = 0;
  for (let at = 0; at < size; ) {
    const octet = octets[at] as number;
    at += 1;
    if (octet === EQUALS) {
      const high = at + 1 < size ? (HEX[octets[at] as number] as number) : NO_DIGIT;
      const low = at + 1 < size ? (HEX[octets[at + 1] as number] as number) : NO_DIGIT;
      if (high === NO_DIGIT || low === NO_DIGIT) {
        const next = softBreak(octets, at);
        if (next > 0) {
          solid = length;
          at = next;
          continue;
        }
        out[length] = EQUALS;
      } else {
        out[length] = (high << 4) | low;
        at += 2;
      }
    } else {
      if (octet === CR || octet === LF) length = solid;
      out[length] = octet;
    }
    length += 1;
    if (octet !== 32 && octet !== 9) solid = length;
  }
  return out.subarray(0, solid);
}

/** Offset after a soft line break whose `=` ends before `from`, blanks before its line end allowed; 0 where it is none. */
function softBreak(octets: Buffer, from: number): number {
  let at = from;
  while (octets[at] === 32 || octets[at] === 9) at += 1;
  if (at >= octets.length) return at;
  if (octets[at] === LF) return at + 1;
  return octets[at] === CR ? at + (octets[at + 1] === LF ? 2 : 1) : 0;
}

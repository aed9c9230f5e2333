/** The header split: the fields of one header section (RFC 5322 §2.2), and what in it two readers would read differently. */
import { isAscii, isUtf8 } from 'node:buffer';

/** One header field, in order of appearance. `name` lower case; `value` unfolded, undecoded, trimmed. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

/** One header section, of a message or of a body part. */
export interface FieldSection {
  readonly fields: readonly Field[];
  /** The first Content-Type as it stands: octets as latin1, folds included, so that a fold inside a boundary can be seen. */
  readonly contentType: string | undefined;
  /** Offset of the body's first octet; the region's end where no blank line ends the section. */
  readonly bodyStart: number;
  /** A blank line ends the section. */
  readonly ended: boolean;
  /** The first thing that readers take differently; undefined where they agree. */
  readonly fault: string | undefined;
}

/** Octets of one header section, at most. Real headers stay below 64 KiB; what is longer is not read to its end. */
export const MAX_HEADER_OCTETS = 256 * 1024;

const BLANK_LINE = Buffer.from('\r\n\r\n');
const CR = 13;
const LF = 10;
const COLON = 58;

/** Splits the header section that begins at `start` of a region which ends before `end`. Linear; reads MAX_HEADER_OCTETS at most. */
export function readFields(octets: Buffer, start: number, end: number): FieldSection {
  if (start >= end) return { fields: [], contentType: undefined, bodyStart: end, ended: false, fault: undefined };
  if (octets[start] === CR && octets[start + 1] === LF && start + 2 <= end) {
    return { fields: [], contentType: undefined, bodyStart: start + 2, ended: true, fault: undefined };
  }
  const window = octets.subarray(start, Math.min(end, start + MAX_HEADER_OCTETS));
  const blank = window.indexOf(BLANK_LINE);
  const tooLong = blank < 0 && end - start > MAX_HEADER_OCTETS;
  const head = blank < 0 ? window : window.subarray(0, blank);
  return {
    ...splitLines(head.toString('latin1'), !isAscii(head), tooLong ? 'header longer than 256 KiB' : undefined),
    bodyStart: blank < 0 ? end : start + blank + BLANK_LINE.length,
    ended: blank >= 0,
  };
}

/** Names the first field that stands more than once though it may not. */
export function duplicateFault(fields: readonly Field[], once: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const { name } of fields) {
    if (!once.includes(name)) continue;
    if (seen.has(name)) return `two ${name} fields`;
    seen.add(name);
  }
  return undefined;
}

function splitLines(head: string, eightBit: boolean, known: string | undefined): Pick<FieldSection, 'fields' | 'contentType' | 'fault'> {
  const fields: Field[] = [];
  let contentType: string | undefined;
  let fault = known ?? (/\r(?!\n)|(?<!\r)\n/.test(head) ? 'bare CR or LF in the header' : undefined);
  for (let at = 0; at < head.length; ) {
    const first = lineEnd(head, at);
    let stop = first;
    while (isBlank(head.charCodeAt(stop + 2))) {
      const next = lineEnd(head, stop + 2);
      // RFC 5322 §4.2: a continuation of white space alone is obsolete; some readers take it for the end of the header.
      if (onlyBlanks(head, stop + 2, next)) fault ??= 'header continuation of white space alone';
      stop = next;
    }
    const nameEnd = endOfName(head, at);
    const colon = skipBlanks(head, nameEnd);
    if (nameEnd === at || head.charCodeAt(colon) !== COLON) {
      fault ??= at === 0 && isBlank(head.charCodeAt(0)) ? 'header begins with a continuation' : 'header line that is no field';
    } else {
      if (colon !== nameEnd) fault ??= 'space before the colon of a field';
      const name = head.slice(at, nameEnd).toLowerCase();
      const raw = head.slice(colon + 1, stop);
      if (name === 'content-type') contentType ??= raw;
      fields.push({ name, value: unfold(raw, stop !== first, eightBit) });
    }
    at = stop + 2;
  }
  return { fields, contentType, fault };
}

/** The value without folds and outer blanks; raw 8-bit octets are UTF-8 (RFC 6532) where they can be, else latin1. */
function unfold(raw: string, folded: boolean, eightBit: boolean): string {
  const joined = folded ? raw.replaceAll('\r\n', '') : raw;
  let from = 0;
  let to = joined.length;
  while (from < to && isBlank(joined.charCodeAt(from))) from += 1;
  while (to > from && isBlank(joined.charCodeAt(to - 1))) to -= 1;
  const value = joined.slice(from, to);
  if (!eightBit || !/[\x80-\xff]/.test(value)) return value;
  const octets = Buffer.from(value, 'latin1');
  return isUtf8(octets) ? octets.toString('utf8') : value;
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf('\r\n', from);
  return at < 0 ? text.length : at;
}

/** RFC 5322 §3.6.8: a field name is printable ASCII without colon and space. */
function endOfName(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code > 32 && code < 127 && code !== COLON; code = text.charCodeAt(at)) at += 1;
  return at;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

function onlyBlanks(text: string, from: number, to: number): boolean {
  return skipBlanks(text, from) >= to;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

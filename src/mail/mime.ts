/** The MIME structure of a message by one strict reading: outer delimiters bind before inner ones (RFC 2046 §5.1.2), and bodies are offsets, never copies. */
import { type ContentType, readContentType, readDisposition } from './content-type.ts';
import { duplicateFault, type Field, type FieldSection, MAX_HEADER_OCTETS, readFields } from './fields.ts';

/** A message or body part. Its body is the octets from `start` to before `end`. */
export interface Entity {
  readonly contentType: ContentType;
  /** Lower case; empty where none is given. */
  readonly encoding: string;
  readonly disposition: 'inline' | 'attachment' | 'other' | undefined;
  /** A file name is given in Content-Type or Content-Disposition. */
  readonly named: boolean;
  readonly start: number;
  readonly end: number;
  /** Of a multipart; never of a nested message, which is opaque. */
  readonly parts: readonly Entity[];
}

export interface Structure {
  readonly root: Entity;
  /** The first thing that readers take differently; undefined where they agree. */
  readonly fault: string | undefined;
}

/** Deeper or larger structures are not read to their end: no campaign mail is like that, and readers give up at different points. */
export const MAX_DEPTH = 20;
export const MAX_PARTS = 200;
/** Octets of the headers of all parts together: each may be as long as a message's, and is split into fields. */
const MAX_PART_HEADERS = 1024 * 1024;

const ONCE = ['content-type', 'content-transfer-encoding', 'content-disposition'];
const IDENTITY = ['', '7bit', '8bit', 'binary'];
const CR = 13;
const LF = 10;
const DASH = 45;

/** What is gathered while one message is read. */
interface Reading {
  readonly octets: Buffer;
  parts: number;
  headers: number;
  fault: string | undefined;
}

/** Reads the structure below an already split header. Linear in the octets (times depth, which is bounded); never throws. */
export function readStructure(octets: Buffer, head: FieldSection): Structure {
  const reading: Reading = { octets, parts: 0, headers: 0, fault: undefined };
  const root = readEntity(reading, head, octets.length, 'text/plain', []);
  return { root, fault: reading.fault };
}

function readEntity(reading: Reading, head: FieldSection, end: number, absent: string, outer: readonly string[]): Entity {
  reading.fault ??= duplicateFault(head.fields, ONCE);
  const contentType = readContentType(head.contentType, absent);
  const disposition = readDisposition(firstValue(head.fields, 'content-disposition'));
  const encoding = (firstValue(head.fields, 'content-transfer-encoding') ?? '').toLowerCase();
  const multipart = contentType.type.startsWith('multipart/');
  // How an attachment's type is read changes nothing that is shown.
  if (multipart || disposition?.kind !== 'attachment') reading.fault ??= contentType.fault;
  if (contentType.type === 'message/partial') reading.fault ??= 'message/partial: the whole is put together elsewhere';
  // RFC 2045 §6.4: a multipart is never encoded. Some readers decode it all the same.
  if (multipart && !IDENTITY.includes(encoding)) reading.fault ??= 'multipart with a transfer encoding';
  return {
    contentType,
    encoding,
    disposition: disposition?.kind,
    named: contentType.named || disposition?.named === true,
    start: head.bodyStart,
    end,
    parts: multipart ? readParts(reading, contentType, head.bodyStart, end, outer) : [],
  };
}

function readParts(reading: Reading, { type, boundary }: ContentType, start: number, end: number, outer: readonly string[]): Entity[] {
  if (boundary === undefined || boundary === '') return [];
  if (outer.length === MAX_DEPTH) {
    reading.fault ??= `more than ${MAX_DEPTH} levels of parts`;
    return [];
  }
  // RFC 2046 §5.1.1 lets a reader take a line that merely begins with the boundary.
  if (outer.some(other => other.startsWith(boundary) || boundary.startsWith(other))) reading.fault ??= 'a boundary within another one';
  const absent = type === 'multipart/digest' ? 'message/rfc822' : 'text/plain';
  const parts: Entity[] = [];
  for (const [from, to] of regions(reading, boundary, start, end)) {
    reading.parts += 1;
    if (reading.parts > MAX_PARTS) {
      reading.fault ??= `more than ${MAX_PARTS} parts`;
      break;
    }
    const head = readFields(reading.octets, from, to);
    reading.fault ??= head.fault;
    reading.headers += Math.min(head.bodyStart - from, MAX_HEADER_OCTETS);
    if (reading.headers > MAX_PART_HEADERS) {
      reading.fault ??= 'headers of parts longer than 1 MiB';
      break;
    }
    parts.push(readEntity(reading, head, to, absent, [...outer, boundary]));
  }
  return parts;
}

/**
 * Offsets of the parts between the delimiter lines of one boundary. A multipart whose closing delimiter is missing ends where its region ends:
 * readers agree on that (RFC 2046 §5.1.2), and truncated or hand-made mail is sent like that.
 */
function* regions(reading: Reading, boundary: string, start: number, end: number): Generator<readonly [number, number]> {
  const region = reading.octets.subarray(0, end);
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  let open = -1;
  // The line end before the first delimiter may be that of the blank line after the header.
  for (let at = region.indexOf(delimiter, Math.max(0, start - 2)); at >= 0; ) {
    const line = delimiterLine(region, at + delimiter.length);
    if (line === undefined) {
      reading.fault ??= 'a line that merely begins with a boundary';
      at = region.indexOf(delimiter, at + 2);
      continue;
    }
    if (open >= 0) yield [open, Math.max(open, at)];
    if (line.closing) {
      if (open < 0) reading.fault ??= 'multipart without parts';
      if (region.indexOf(delimiter, line.end) >= 0) reading.fault ??= 'a delimiter after the closing one';
      return;
    }
    open = Math.min(line.end + 2, end);
    at = region.indexOf(delimiter, line.end);
  }
  if (open < 0) reading.fault ??= 'a boundary that never appears';
  else yield [open, end];
}

/** What follows the boundary: `--` or not, padding, end of line or region. Undefined: this is no delimiter line. */
function delimiterLine(region: Buffer, from: number): { readonly closing: boolean; readonly end: number } | undefined {
  const closing = region[from] === DASH && region[from + 1] === DASH;
  let at = closing ? from + 2 : from;
  while (region[at] === 32 || region[at] === 9) at += 1;
  return at >= region.length || (region[at] === CR && region[at + 1] === LF) ? { closing, end: at } : undefined;
}

/** The first value of a field. */
function firstValue(fields: readonly Field[], name: string): string | undefined {
  return fields.find(field => field.name === name)?.value;
}

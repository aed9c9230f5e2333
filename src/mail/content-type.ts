/** Content-Type and Content-Disposition as one strict reading has them, and what in them readers take differently (RFC 2045 §5, RFC 2183, RFC 2231). */

export interface ContentType {
  /** `type/subtype`, lower case. */
  readonly type: string;
  /** Of a multipart; the octets as latin1. */
  readonly boundary: string | undefined;
  /** Lower case. */
  readonly charset: string | undefined;
  /** `format=flowed` and `delsp=yes` of RFC 3676. */
  readonly flowed: boolean;
  readonly delSp: boolean;
  /** A file name is given. */
  readonly named: boolean;
  /** Why readers would take the value differently; undefined where they agree. */
  readonly fault: string | undefined;
}

export interface Disposition {
  /** `other`: neither of the two, which RFC 2183 §2.8 would have treated as an attachment and which many readers show. */
  readonly kind: 'inline' | 'attachment' | 'other';
  readonly named: boolean;
}

interface Parameter {
  readonly name: string;
  readonly value: string;
  /** Nothing stands in or beside the value that another reader would make something else of. */
  readonly clean: boolean;
}

const TOKEN = /^[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+$/;
const MEDIA_TYPE = /^[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+\/[!#$%&'*+\-.^_`{|}~0-9A-Za-z]+$/;
// RFC 2046 §5.1.1: 1 to 70 of bchars, no space at the end. Further printable characters are seen in the wild, and read alike by everybody.
const BOUNDARY = /^[-0-9A-Za-z'()+_,./:=? !#$%&*<>@[\]^`{|}~]{0,69}[-0-9A-Za-z'()+_,./:=?!#$%&*<>@[\]^`{|}~]$/;
const ENCODED_WORD = /=\?[^?]*\?[bq]\?/i;

/** Reads a Content-Type value (folds may still be in it). `absent` is the type of an entity that has none (RFC 2045 §5.2, RFC 2046 §5.1.5). */
export function readContentType(value: string | undefined, absent: string): ContentType {
  if (value === undefined)
    return { type: absent, boundary: undefined, charset: undefined, flowed: false, delSp: false, named: false, fault: undefined };
  const semicolon = value.indexOf(';');
  const given = (semicolon < 0 ? value : value.slice(0, semicolon)).trim();
  const known = MEDIA_TYPE.test(given);
  const type = known ? given.toLowerCase() : 'text/plain';
  const parameters = semicolon < 0 ? [] : readParameters(value, semicolon + 1);
  const first = (name: string) => parameters.find(parameter => parameter.name === name)?.value;
  return {
    type,
    boundary: first('boundary'),
    charset: first('charset')?.toLowerCase(),
    flowed: first('format')?.toLowerCase() === 'flowed',
    delSp: first('delsp')?.toLowerCase() === 'yes',
    named: isNamed(parameters, 'name'),
    fault: known ? parameterFault(type, parameters) : 'Content-Type without a media type',
  };
}

/** Reads a Content-Disposition value; undefined where there is none. */
export function readDisposition(value: string | undefined): Disposition | undefined {
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(';');
  const given = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toLowerCase();
  const kind = given === 'inline' || given === 'attachment' ? given : 'other';
  return { kind, named: semicolon >= 0 && isNamed(readParameters(value, semicolon + 1), 'filename') };
}

function isNamed(parameters: readonly Parameter[], name: string): boolean {
  return parameters.some(parameter => (parameter.name === name || parameter.name.startsWith(`${name}*`)) && parameter.value !== '');
}

/** Only where parameters decide what is shown: of a multipart and of text. An attachment's file name may be as odd as it likes. */
function parameterFault(type: string, parameters: readonly Parameter[]): string | undefined {
  const multipart = type.startsWith('multipart/');
  if (!multipart && !type.startsWith('text/')) return undefined;
  for (const { name, clean } of parameters) {
    if (!TOKEN.test(name)) return 'Content-Type with an unreadable parameter';
    if (name.startsWith('boundary*') || name.startsWith('charset*')) return 'boundary or charset in the form of RFC 2231';
    if (!clean && name !== 'name' && !name.startsWith('name*')) return 'Content-Type with an unreadable parameter';
  }
  for (const name of ['boundary', 'charset']) {
    const values = parameters.filter(parameter => parameter.name === name).map(parameter => parameter.value);
    if (values.length > 1) return `two ${name} parameters`;
    if (values[0] !== undefined && ENCODED_WORD.test(values[0])) return `encoded word as ${name}`;
  }
  if (!multipart) return undefined;
  const boundary = parameters.find(parameter => parameter.name === 'boundary')?.value;
  if (boundary === undefined || boundary === '') return 'multipart without a boundary';
  return BOUNDARY.test(boundary) ? undefined : 'illegal boundary';
}

/** Parameters in order, duplicates kept. A piece without `=` is dropped, as every reader does, unless a quote or comment in it could hide others. Linear. */
function readParameters(text: string, from: number): Parameter[] {
  const parameters: Parameter[] = [];
  let equals = -1;
  for (let at = from; at < text.length; ) {
    const stop = indexOr(text, ';', at);
    if (equals < at) equals = indexOr(text, '=', at);
    if (equals > stop || equals === text.length) {
      if (/["\\()]/.test(text.slice(at, stop))) parameters.push({ name: '', value: '', clean: false });
      at = stop + 1;
      continue;
    }
    const name = text.slice(at, equals).trim().toLowerCase();
    const open = skipSpace(text, equals + 1);
    const parsed = text[open] === '"' ? readQuoted(text, open + 1) : readBare(text, open);
    parameters.push({ name, value: parsed.value, clean: parsed.clean });
    at = parsed.next;
  }
  return parameters;
}

function readQuoted(text: string, from: number): { value: string; clean: boolean; next: number } {
  let value = '';
  let clean = true;
  let run = from;
  let at = from;
  for (; at < text.length && text[at] !== '"'; at += 1) {
    if (text[at] !== '\\') continue;
    // RFC 2045 takes RFC 822's quoted-pair; many readers keep the backslash.
    clean = false;
    value += text.slice(run, at);
    at += 1;
    run = at;
  }
  value += text.slice(run, at);
  const next = indexOr(text, ';', at);
  return { value, clean: clean && at < text.length && text.slice(at + 1, next).trim() === '', next: next + 1 };
}

function readBare(text: string, from: number): { value: string; clean: boolean; next: number } {
  const next = indexOr(text, ';', from);
  const whole = text.slice(from, next).trim();
  const space = whole.search(/\s/);
  return { value: space < 0 ? whole : whole.slice(0, space), clean: !/[\s"\\()]/.test(whole), next: next + 1 };
}

function indexOr(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] as string)) at += 1;
  return at;
}

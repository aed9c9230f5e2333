/** DKIM for tests (RFC 6376): a verifier of one's own that needs no DNS, and a signer for the canonicalisations that libraries leave out. */
import { createHash, createSign, createVerify, type KeyObject } from 'node:crypto';

export type Canonicalization = 'simple' | 'relaxed';

export interface SigningOptions {
  readonly privateKey: KeyObject;
  readonly header: Canonicalization;
  readonly body: Canonicalization;
  /** Names of the signed fields, in the order of `h=`. A name more often than there are fields signs that there are no more. */
  readonly fields: readonly string[];
}

const SIGNATURE = /^dkim-signature$/i;

/** The message with a DKIM-Signature field put before it (a=rsa-sha256). */
export function signDkim(message: Buffer, { privateKey, header, body, fields }: SigningOptions): Buffer {
  const parts = splitMessage(message);
  const unsigned = [
    `DKIM-Signature: v=1; a=rsa-sha256; c=${header}/${body}; d=acme.example; s=test;`,
    `\th=${fields.join(':')};`,
    `\tbh=${sha256(canonicalBody(parts.body, body))};`,
    '\tb=',
  ].join('\r\n');
  const value = createSign('sha256')
    .update(signedText(parts.fields, fields, header, unsigned), 'latin1')
    .sign(privateKey, 'base64');
  const folded = value.replace(/.{70}(?=.)/g, '$&\r\n\t ');
  return Buffer.concat([Buffer.from(`${unsigned}${folded}\r\n`, 'latin1'), message]);
}

/** `pass`, or what is wrong with the message's one DKIM-Signature. */
export function verifyDkim(message: Buffer, publicKey: KeyObject): string {
  const { fields, body } = splitMessage(message);
  const signatures = fields.filter(field => SIGNATURE.test(nameOf(field)));
  const [signature] = signatures;
  if (signature === undefined || signatures.length > 1) return `${signatures.length} signatures`;
  const tags = readTags(signature.slice(signature.indexOf(':') + 1));
  if (tags.get('v') !== '1' || tags.get('a') !== 'rsa-sha256' || tags.has('l')) return 'not a signature that this verifier reads';
  // RFC 6376 §3.5: both are simple where c= is absent, and the body's is where only one is named.
  const [header = 'simple', ofBody = 'simple'] = (tags.get('c') ?? 'simple').split('/');
  if (!isCanonicalization(header) || !isCanonicalization(ofBody)) return 'unknown canonicalisation';
  if (sha256(canonicalBody(body, ofBody)) !== tags.get('bh')) return 'body hash differs';
  const names = (tags.get('h') ?? '').split(':');
  if (!names.some(name => name.toLowerCase() === 'from')) return 'From is not signed';
  // The value of b= counts as empty, its line breaks too; nothing else of the field changes (§3.7).
  const unsigned = signature.replace(/\r\n$/, '').replace(/((?:^[^:]*:|;)\s*b\s*=)[^;]*/, '$1');
  const text = signedText(fields, names, header, unsigned);
  const value = Buffer.from(tags.get('b') ?? '', 'base64');
  return createVerify('sha256').update(text, 'latin1').verify(publicKey, value) ? 'pass' : 'header hash differs';
}

/** RFC 6376 §3.4.3 and §3.4.4. */
export function canonicalBody(body: string, how: Canonicalization): string {
  const lines = how === 'simple' ? body : body.replace(/[ \t]+(?=\r\n|$)/g, '').replace(/[ \t]+/g, ' ');
  const text = lines === '' || lines.endsWith('\r\n') ? lines : `${lines}\r\n`;
  const bare = withoutEmptyLines(text);
  return bare === '' && how === 'simple' ? '\r\n' : bare;
}

/** RFC 6376 §3.4.1 and §3.4.2, of a field with its CRLF. */
export function canonicalField(field: string, how: Canonicalization): string {
  if (how === 'simple') return field;
  const value = field.slice(field.indexOf(':') + 1).replace(/\r\n(?=[ \t])/g, '');
  return `${nameOf(field).toLowerCase()}:${value.replace(/[ \t]+/g, ' ').replace(/^ | ?(?:\r\n)?$/g, '')}\r\n`;
}

/** Header fields with their CRLFs, as latin1, in order; and the body behind the empty line. */
export function splitMessage(message: Buffer): { readonly fields: readonly string[]; readonly body: string } {
  const text = message.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end + 2);
  return { fields: head.match(/[^\r\n][^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*/g) ?? [], body: end < 0 ? '' : text.slice(end + 4) };
}

/** From the last line up: a regular expression would look at each of many empty lines anew. */
function withoutEmptyLines(text: string): string {
  let end = text.length;
  while (text.endsWith('\r\n\r\n', end) || (end === 2 && text.startsWith('\r\n'))) end -= 2;
  return text.slice(0, end);
}

/** What is hashed: the signed fields, of equal ones the lowest first, and the signature's own field without its CRLF (RFC 6376 §5.4.2, §3.7). */
function signedText(fields: readonly string[], names: readonly string[], how: Canonicalization, signature: string): string {
  const left = [...fields];
  const signed = names.map(name => {
    const at = left.findLastIndex(field => nameOf(field).toLowerCase() === name.toLowerCase());
    return at < 0 ? '' : canonicalField(left.splice(at, 1).join(''), how);
  });
  return signed.join('') + canonicalField(`${signature}\r\n`, how).slice(0, -2);
}

function readTags(value: string): ReadonlyMap<string, string> {
  const bare = value.replace(/[ \t\r\n]+/g, '');
  return new Map(bare.split(';').flatMap(tag => (tag === '' ? [] : [[tag.split('=', 1)[0] ?? '', tag.slice(tag.indexOf('=') + 1)]])));
}

function nameOf(field: string): string {
  return field.slice(0, field.indexOf(':')).trimEnd();
}

function isCanonicalization(text: string): text is Canonicalization {
  return text === 'simple' || text === 'relaxed';
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('base64');
}

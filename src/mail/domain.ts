/** Domain names: one spelling (A-labels, lower case, no final dot), label boundaries, public suffixes. */
import { domainToASCII, domainToUnicode } from 'node:url';
import { getPublicSuffix } from 'tldts';

const LDH_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const ASCII = /^[\x00-\x7f]*$/;

/**
 * The one spelling of the domain name in `text`, or undefined where it is none: A-labels, lower case, without the final dot.
 * Wants at least two labels of letters, digits and hyphens (RFC 5321 §2.3.5), 63 octets each and 253 together, and a last label
 * that begins with a letter (RFC 1123 §2.1), so no address in numbers either. A-labels must be the ones that their Unicode form
 * has (RFC 5891 §5.4). Nothing is trimmed.
 */
export function parseDomain(text: string): string | undefined {
  // Also keeps the ICU calls away from texts that no domain can be as long as.
  if (text.length > 254) return undefined;
  const labels: string[] = [];
  for (const spelled of (text.endsWith('.') ? text.slice(0, -1) : text).split('.')) {
    const label = ASCII.test(spelled) ? asciiLabel(spelled.toLowerCase()) : unicodeLabel(spelled);
    if (label === undefined) return undefined;
    labels.push(label);
  }
  const domain = labels.join('.');
  if (labels.length < 2 || domain.length > 253 || !/^[a-z]/.test(labels.at(-1) as string)) return undefined;
  return domain;
}

/** True for a top-level domain, and for a suffix under which the public registers (ICANN section of the Public Suffix List): `com`, `co.uk`. Wants a domain as parseDomain gives it. */
export function isPublicSuffix(domain: string): boolean {
  return getPublicSuffix(domain, { allowPrivateDomains: false, extractHostname: false }) === domain;
}

/** The domain and each of its parents that has at least two labels, most specific first. */
export function suffixes(domain: string): readonly string[] {
  const found: string[] = [];
  for (let rest = domain, dot = rest.indexOf('.'); dot !== -1; rest = rest.slice(dot + 1), dot = rest.indexOf('.')) found.push(rest);
  return found;
}

/** True where `domain` is `parent` or lies under it, on label boundaries (A10). Both as parseDomain gives them. */
export function covers(parent: string, domain: string): boolean {
  return domain === parent || (domain.endsWith(parent) && domain[domain.length - parent.length - 1] === '.');
}

/** True where one of `parents` covers `domain`. */
export function coveredByAny(domain: string, parents: readonly string[]): boolean {
  return parents.some(parent => covers(parent, domain));
}

function asciiLabel(label: string): string | undefined {
  if (!LDH_LABEL.test(label)) return undefined;
  if (!label.startsWith('xn--')) return label;
  // Punycode of nothing but ASCII, or of what no U-label may hold: two readers of such a label see two domains.
  const unicode = domainToUnicode(label);
  return unicode !== '' && !ASCII.test(unicode) && domainToASCII(unicode) === label ? label : undefined;
}

function unicodeLabel(spelled: string): string | undefined {
  const label = domainToASCII(spelled);
  if (!label.startsWith('xn--') || !LDH_LABEL.test(label)) return undefined;
  // UTS46 also drops invisible characters and turns full-width letters, ligatures and the ideographic full stop into ASCII. Only a
  // difference of case and of normalisation is the same name (RFC 5895 §2); anything else looks like one name and is another.
  return domainToUnicode(label) === foldCase(spelled) ? label : undefined;
}

function foldCase(label: string): string {
  // By code point: a final sigma is a letter of its own in a domain, which toLowerCase of a whole word would make up.
  const lower = Array.from(label.normalize('NFC'), character => character.toLowerCase()).join('');
  return spellOutVowels(lower.normalize('NFC'));
}

/** Everyday Thai and Lao spell one vowel as one character, where compatibility mapping and domains have two (RFC 5892 disallows the one). */
export function spellOutVowels(text: string): string {
  return text.replaceAll('\u0e33', '\u0e4d\u0e32').replaceAll('\u0eb3', '\u0ecd\u0eb2');
}

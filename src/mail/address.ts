/** Addresses: parseAddress is the only maker, so octets to relay and keys to look up come from one parse. */
import { parseDomain, spellOutVowels } from './domain.ts';

/** A mailbox as it may be relayed and looked up. */
export interface Address {
  /** Exactly what goes between `<` and `>` upstream: parsing it gives this same Address. */
  readonly relayed: string;
  /** Local part as the person is known by: NFC, lower case, without `+tag`, in quotes only where it cannot do without. Never empty. */
  readonly local: string;
  /** The same with its `+tag` (equal to `local` where there is none): legacy hash lists hold either spelling. */
  readonly taggedLocal: string;
  /** A-labels, lower case, no final dot. */
  readonly domain: string;
  /** True where `relayed` holds non-ASCII characters, so that the upstream must speak SMTPUTF8. */
  readonly utf8: boolean;
}

/** Why a path is no address that may be relayed. `utf8`: non-ASCII characters, and SMTPUTF8 was not asked for (RFC 6531 §3.5). */
export interface PathProblem {
  readonly problem: 'syntax' | 'utf8';
  /** For a reply or an import report; one of a few fixed texts, so never the address. */
  readonly detail: string;
}

/** True for what parseAddress made of a good path. */
export function isAddress(parsed: Address | PathProblem): parsed is Address {
  return 'relayed' in parsed;
}

/**
 * Reads the text between `<` and `>` of MAIL or RCPT. Nothing is trimmed; the null reverse-path is the caller's.
 *
 * Relayed is what was checked, not what was typed: the source route is gone (RFC 5321 appendix C), needless quotes and the final dot
 * are gone, the domain is in A-labels, the local part in NFC (RFC 6532 §3.1: the same mailbox). Case and `+tag` are the mailbox
 * owner's to interpret and stay. Refused is what a server behind us might read as somebody else: `u%x@y`, `h!u@y`, `"u@x"@y`,
 * specials even in quotes, RFC 2047 words, invisible and compatibility characters; also IP literals and names without a dot (both
 * mean a host, not a person's domain) and `postmaster` alone, which is for a final host (RFC 5321 §4.5.1).
 */
export function parseAddress(path: string, options: { readonly utf8: boolean }): Address | PathProblem {
  const plain = plainAddress(path);
  if (plain !== undefined) return plain;
  if (!options.utf8 && !ASCII.test(path)) return { problem: 'utf8', detail: 'non-ASCII characters without SMTPUTF8' };
  const mailbox = path.startsWith('@') ? path.replace(SOURCE_ROUTE, '') : path;
  const at = mailbox.lastIndexOf('@');
  if (at === -1) return syntax('no domain');
  const domain = parseDomain(mailbox.slice(at + 1));
  if (domain === undefined) return syntax('not a domain name');
  const content = parseLocal(mailbox.slice(0, at));
  if (typeof content !== 'string') return content;
  const spelled = quoteWhereNeeded(content);
  const relayed = `${spelled}@${domain}`;
  // RFC 5321 §4.5.3.1.1, §4.5.3.1.3 (the path's 256 count its angle brackets).
  if (Buffer.byteLength(spelled) > 64) return syntax('local part longer than 64 octets');
  if (Buffer.byteLength(relayed) > 254) return syntax('longer than 254 octets');
  const folded = fold(content);
  const plus = folded.indexOf('+');
  return {
    relayed,
    // A local part that is all tag names nobody without it.
    local: quoteWhereNeeded(plus > 0 ? folded.slice(0, plus) : folded),
    taggedLocal: quoteWhereNeeded(folded),
    domain,
    utf8: !ASCII.test(relayed),
  };
}

/**
 * An address that is good as it stands, as most are: short, in lower case, of letters, digits, `_`, `-` and dots, no A-labels. parseAddress
 * would say the same of it, at six times the cost. undefined: ask parseAddress.
 */
export function plainAddress(text: string): Address | undefined {
  if (text.length > 64 || !PLAIN.test(text)) return undefined;
  const at = text.indexOf('@');
  const local = text.slice(0, at);
  return { relayed: text, local, taggedLocal: local, domain: text.slice(at + 1), utf8: false };
}

/** Reads an address that an operator typed or a list row holds: non-ASCII allowed, surrounding white space and one pair of `<>` tolerated. */
export function parsePerson(text: string): Address | PathProblem {
  const trimmed = text.trim();
  const bare = trimmed.startsWith('<') && trimmed.endsWith('>') ? trimmed.slice(1, -1).trim() : trimmed;
  return parseAddress(bare, { utf8: true });
}

/** The base form of the person: `local@domain`. Parsing it gives the same person. */
export function basePerson(address: Address): string {
  return `${address.local}@${address.domain}`;
}

const PLAIN = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*@(?:(?!xn--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?!xn--)[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
const ASCII = /^[\x00-\x7f]*$/;
/** RFC 5321 §4.1.2, A-d-l. It is dropped unread (appendix C), so a host is as good as a domain. */
const SOURCE_ROUTE = /^@[\p{L}\p{M}\p{N}.-]+(?:,@[\p{L}\p{M}\p{N}.-]+)*:/u;
/** RFC 5321 §4.1.2 Dot-string with RFC 6531 §3.3. */
const DOT_ATOM = /^[^\x00-\x20"(),.:;<>@[\\\]\x7f]+(?:\.[^\x00-\x20"(),.:;<>@[\\\]\x7f]+)*$/;
/** RFC 5321 §4.1.2 Quoted-string: a quoted pair is ASCII. */
const QUOTED = /^"(?:[^"\\]|\\[\x20-\x7e])*"$/;
/** What nobody sees, sees as a space, or what stands for octets that were no UTF-8. */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}\ufffd]|(?! )\p{Z}/u;
/** Harmless in quotes to a reader of RFC 5321; to one that drops the quotes they begin another address. */
const SPECIALS = /[(),:;<>@[\]]/;
/** `user%host`, `host!user`: only with a host to send on to; `100%@` and `!x@` are merely odd. */
const REROUTED = /%.*[\p{L}\p{N}]|[\p{L}\p{N}].*!/u;
/** RFC 2047 words are for display names, yet some servers decode them here, `=40` to `@` and all. */
const ENCODED_WORD = /=\?[^?]*\?[bq]\?/i;

function syntax(detail: string): PathProblem {
  return { problem: 'syntax', detail };
}

/** The content of a local part: without quotes and quoted pairs, NFC. */
function parseLocal(raw: string): string | PathProblem {
  if (Buffer.byteLength(raw) > 64) return syntax('local part longer than 64 octets');
  // First of all: U+037E is nothing else than a semicolon in NFC, and the checks below must see it.
  const text = raw.normalize('NFC');
  if (INVISIBLE.test(text)) return syntax('control or invisible characters');
  const quoted = text.startsWith('"');
  if (!(quoted ? QUOTED : DOT_ATOM).test(text))
    return syntax(quoted ? 'quotes not closed' : 'local part with characters that it may not hold');
  const content = quoted ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
  if (SPECIALS.test(content)) return syntax('specials in quotes');
  if (REROUTED.test(content)) return syntax('percent hack or bang path');
  if (ENCODED_WORD.test(content)) return syntax('encoded word');
  // Not mapped (RFC 6532 §3.1: NFKC may lose what makes two mailboxes two), but not relayed either: a server that maps would deliver elsewhere.
  const plain = spellOutVowels(content);
  if (plain.normalize('NFKC') !== plain.normalize('NFC')) return syntax('compatibility characters');
  return content;
}

function quoteWhereNeeded(content: string): string {
  return DOT_ATOM.test(content) ? content : `"${content.replace(/["\\]/g, '\\$&')}"`;
}

function fold(content: string): string {
  // toLowerCase makes a sigma final or not by its neighbours; whoever typed it in lower case may have had other ones.
  return spellOutVowels(content).toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}

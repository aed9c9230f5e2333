/** One command line taken apart. Paths come out exactly as received: nothing is trimmed, decoded as IDN, unquoted or compared. */
import type { Reply } from '../mail/reply.ts';
import { isReply, type MailParameters } from './gate.ts';
import { ARGUMENTS, DUPLICATE, NOT_UTF8_RECIPIENT, NOT_UTF8_SENDER, PARAMETER, PARAMETER_VALUE, TOO_LARGE } from './replies.ts';

export interface Command {
  /** Upper case. */
  readonly verb: string;
  /** What follows the verb's space, octets as Latin-1, without trailing blanks (RFC 5321 §4.1.1 asks to bear those). */
  readonly argument: string;
}

/** The command in a line without its CRLF, octets as Latin-1; undefined where it begins with no verb. */
export function parseCommand(line: string): Command | undefined {
  // By hand: a pattern with blanks at both ends of a free text takes quadratic time on a line of blanks.
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--;
  const blank = line.indexOf(' ');
  const verb = line.slice(0, blank === -1 ? end : Math.min(blank, end));
  if (!/^[A-Za-z][A-Za-z0-9]*$/.test(verb)) return undefined;
  let start = verb.length;
  while (start < end && line[start] === ' ') start++;
  return { verb: verb.toUpperCase(), argument: line.slice(start, end) };
}

/** What a client may call itself: printable ASCII without what would change the meaning of a Received field. */
export function parseHelo(argument: string): string | undefined {
  return /^[^\x00-\x20\x7f-\xff()<>@,;\\"]{1,255}$/.test(argument) ? argument : undefined;
}

/** MAIL's argument, or the reply that refuses it. */
export function parseMail(argument: string, maxMessageBytes: number): { path: string; parameters: MailParameters } | Reply {
  const parsed = parsePath(argument, /^FROM: */i, NOT_UTF8_SENDER);
  if (isReply(parsed)) return parsed;
  const parameters = mailParameters(parsed.parameters);
  if (isReply(parameters)) return parameters;
  // RFC 1870 §6.1: refused before a single octet of it travels.
  return (parameters.size ?? 0) > maxMessageBytes ? TOO_LARGE : { path: parsed.path, parameters };
}

/** RCPT's path, or the reply that refuses it. There is no parameter to offer: DSN is not announced. */
export function parseRcpt(argument: string): { path: string } | Reply {
  const parsed = parsePath(argument, /^TO: */i, NOT_UTF8_RECIPIENT);
  if (isReply(parsed)) return parsed;
  return parsed.parameters.length === 0 ? parsed : PARAMETER;
}

interface Path {
  readonly path: string;
  readonly parameters: readonly string[];
}

function parsePath(argument: string, prefix: RegExp, notUtf8: Reply): Path | Reply {
  const start = prefix.exec(argument)?.[0].length;
  if (start === undefined || argument[start] !== '<') return ARGUMENTS;
  const end = closingAngle(argument, start + 1);
  const rest = argument.slice(end + 1);
  if (end === -1 || (rest !== '' && rest[0] !== ' ')) return ARGUMENTS;
  const path = utf8(argument.slice(start + 1, end));
  return path === undefined ? notUtf8 : { path, parameters: rest.split(' ').filter(word => word !== '') };
}

/** The `>` that ends the path: one within a quoted string does not (RFC 5321 §4.1.2). -1 where there is none, or a second `<` before it. */
function closingAngle(text: string, from: number): number {
  let quoted = false;
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (quoted && char === '\\') i++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === '<') return -1;
    else if (!quoted && char === '>') return i;
  }
  return -1;
}

// ignoreBOM keeps a leading U+FEFF: what is checked must be what was sent.
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that Latin-1 octets spell in UTF-8; undefined where they are not UTF-8. */
export function utf8(latin1: string): string | undefined {
  if (/^[\x00-\x7f]*$/.test(latin1)) return latin1;
  try {
    return strictUtf8.decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return undefined;
  }
}

function mailParameters(words: readonly string[]): MailParameters | Reply {
  const seen = new Map<string, string | undefined>();
  for (const word of words) {
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([\x21-\x3c\x3e-\x7e]+))?$/.exec(word);
    if (match?.[1] === undefined) return ARGUMENTS;
    const name = match[1].toUpperCase();
    if (seen.has(name)) return DUPLICATE;
    seen.set(name, match[2]);
  }
  for (const [name, value] of seen) {
    const form = PARAMETERS[name];
    if (form === undefined) return PARAMETER;
    if (!form.test(value ?? '')) return PARAMETER_VALUE;
  }
  const size = seen.get('SIZE');
  return {
    size: size === undefined ? undefined : Number(size),
    utf8: seen.has('SMTPUTF8'),
    body: seen.get('BODY')?.toUpperCase() === '8BITMIME' ? '8bitmime' : '7bit',
  };
}

/** What each parameter's value must look like. AUTH is read and ignored: nobody here is trusted to assert it (RFC 4954 §5). */
const PARAMETERS: Readonly<Record<string, RegExp>> = {
  __proto__: null as never,
  SIZE: /^[0-9]{1,20}$/,
  BODY: /^(?:7BIT|8BITMIME)$/i,
  SMTPUTF8: /^$/,
  AUTH: /^.+$/,
};

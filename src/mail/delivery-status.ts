/** Reads delivery status reports (RFC 3464, internationalised by RFC 6533), as sloppy as servers write them. */
import { unwrapped } from './rewritten.ts';

/** What a report says of one recipient. */
export interface RecipientStatus {
  /** The address to which the message was sent, as far as the report knows: Original-Recipient. */
  readonly original: string | undefined;
  /** Where it was to be delivered: Final-Recipient, which an alias or a forward may have changed. */
  readonly final: string | undefined;
  /** Lower case: `failed`, `delayed`, `delivered`, `relayed`, `expanded`; undefined where it is missing. */
  readonly action: string | undefined;
  /** `5.1.1`. */
  readonly status: string | undefined;
  /** Without its type, on one line. */
  readonly diagnostic: string | undefined;
}

export interface DeliveryStatus {
  /** Host name, lower case. */
  readonly reportingMta: string | undefined;
  /** The returned message's reverse-path, where the server adds it (Postfix: X-Postfix-Sender). */
  readonly sender: string | undefined;
  readonly recipients: readonly RecipientStatus[];
}

/** Groups that are read, at most: the message's own, and a thousand recipients. */
const MAX_GROUPS = 1001;

type Group = Map<string, string>;

const FIELD = /^([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:[ \t]*(.*)$/;
const NAMES_RECIPIENT = ['final-recipient', 'original-recipient', 'x-actual-recipient'];

/**
 * The report in the body of a message/delivery-status or message/global-delivery-status part, or pasted into text. Missing and superfluous
 * blank lines and broken folding are mended: a recipient's field that stands already begins the next recipient. Never throws; linear.
 */
export function readDeliveryStatus(text: string): DeliveryStatus {
  const groups = readGroups(text);
  const perMessage = groups.find(group => group.has('reporting-mta'));
  return {
    reportingMta: afterType(perMessage?.get('reporting-mta'))
      ?.replace(/[\s(].*$/s, '')
      .toLowerCase(),
    sender: typedAddress(perMessage?.get('x-postfix-sender') ?? perMessage?.get('original-mail-from')),
    recipients: groups.filter(group => namesSomebody(group) || group.has('action')).map(recipientOf),
  };
}

/**
 * The address in a typed field (`rfc822; jane@widgets.example`, RFC 3464 §2.1.2; `utf-8; …` of RFC 6533 §3 in all its forms), with angle
 * brackets, comments and rewriting undone; undefined where it holds none (X.400, a local name).
 */
export function typedAddress(value: string | undefined): string | undefined {
  const bare = afterType(value)?.slice(0, 1000);
  if (bare === undefined) return undefined;
  const decoded = bare.replace(/\\x\{([0-9a-f]{1,6})\}/gi, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
  const bracketed = /<([^<>]+)>/.exec(decoded)?.[1] ?? decoded;
  const address = /(?:"[^"]{1,64}"|[^\s<>(),;:"]+)@[^\s<>(),;:"@]+/.exec(bracketed)?.[0];
  return address === undefined ? undefined : unwrapped(address.replace(/\.$/, ''));
}

function readGroups(text: string): readonly Group[] {
  const groups: Group[] = [];
  let group: Group = new Map();
  let last: string | undefined;
  const close = (): void => {
    const before = groups.at(-1);
    if (group.size === 0) return;
    // A group that names nobody, behind one that does: its fields were torn off by a blank line.
    if (before !== undefined && namesSomebody(before) && !namesSomebody(group)) {
      for (const [name, value] of group) if (!before.has(name)) before.set(name, value);
    } else groups.push(group);
    group = new Map();
  };
  for (const line of text.split(/\r?\n/)) {
    if (groups.length === MAX_GROUPS) break;
    if (line.trim() === '') {
      close();
      last = undefined;
      continue;
    }
    const field = /^[ \t]/.test(line) ? null : FIELD.exec(line);
    if (field === null) {
      if (last !== undefined) group.set(last, `${group.get(last)} ${line.trim()}`.slice(0, 4000));
      continue;
    }
    const [, given = '', value = ''] = field;
    last = given.toLowerCase();
    if (group.has(last) && NAMES_RECIPIENT.includes(last)) close();
    if (!group.has(last)) group.set(last, value.trim().slice(0, 4000));
  }
  close();
  return groups;
}

function namesSomebody(group: Group): boolean {
  return NAMES_RECIPIENT.some(name => group.has(name));
}

function recipientOf(group: Group): RecipientStatus {
  return {
    original: typedAddress(unxtext(group.get('original-recipient'))),
    final: typedAddress(group.get('final-recipient')) ?? typedAddress(group.get('x-actual-recipient')),
    action: /^[a-z]+/.exec(group.get('action')?.toLowerCase() ?? '')?.[0],
    status: /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])/.exec(group.get('status') ?? '')?.[0],
    diagnostic: afterType(group.get('diagnostic-code')),
  };
}

/** RFC 3461 §4: servers that copy ORCPT as it came leave its xtext, in which these two signs must be spelled out. */
function unxtext(value: string | undefined): string | undefined {
  return value?.replace(/\+(2B|3D)/g, (_, hex: string) => (hex === '2B' ? '+' : '='));
}

/** The value behind `type;`; the whole where there is no type. */
function afterType(value: string | undefined): string | undefined {
  return value?.replace(/^[ \t]*[A-Za-z0-9-]{1,40}[ \t]*;/, '').trim();
}

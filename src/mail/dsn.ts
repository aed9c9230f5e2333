/** Delivery status notifications: tells a sender which recipients were refused for good (RFC 3464, 6522, 6533). */
import { isAscii, isUtf8 } from 'node:buffer';
import MimeNode from 'nodemailer/lib/mime-node';
import type { Address } from './address.ts';
import { mailDate } from './received.ts';
import { type Reply, replyLine } from './reply.ts';

export interface DsnFailure {
  readonly recipient: Address;
  /** Why, as it was said at RCPT or at the final dot. */
  readonly reply: Reply;
  /** Host name of the server that said so; absent where it was us. */
  readonly remoteMta?: string;
}

export interface DsnParts {
  /** Our own name; `postmaster` there is the author. */
  readonly reportingMta: string;
  /** The reverse-path of the message. */
  readonly to: Address;
  /** Milliseconds since 1970 UTC, as is `now`. */
  readonly arrivedAt: number;
  readonly now: number;
  /** At least one. */
  readonly failures: readonly DsnFailure[];
  /** The message's header section as received; returned at most 32 KiB of it. */
  readonly originalHeader: Buffer;
  /** Left side of the Message-ID: unique, of letters, digits, dots and hyphens. */
  readonly id: string;
}

const MAX_RETURNED_HEADER = 32 * 1024;

/**
 * The notification, CRLF line ends, to be sent with the null reverse-path. All 7-bit and within 998 octets a line, unless `to` itself is
 * international: then its To field holds UTF-8, and the upstream must speak SMTPUTF8.
 */
export function composeDsn(parts: DsnParts): Promise<Buffer> {
  // Not MailComposer: its root is always multipart/mixed, alternative or related. This is the node tree below it.
  const root = new MimeNode('multipart/report; report-type=delivery-status', { disableFileAccess: true, disableUrlAccess: true });
  root.setHeader({
    From: { name: 'Mail Delivery System', address: `postmaster@${parts.reportingMta}` },
    To: { name: '', address: parts.to.relayed },
    Subject: 'Undelivered mail: recipients were refused',
    Date: mailDate(parts.now),
    'Message-ID': `<${parts.id}@${parts.reportingMta}>`,
    'Auto-Submitted': 'auto-replied',
  });
  root.createChild('text/plain; charset=utf-8').setContent(explanation(parts));
  root.createChild('message/delivery-status').setContent(deliveryStatus(parts));
  addOriginalHeader(root, parts.originalHeader);
  return root.build();
}

/** RFC 6522 §3 item 1: for a person. */
function explanation({ reportingMta, failures }: DsnParts): string {
  return [
    `This is the mail gateway ${reportingMta}.`,
    '',
    'Your message was refused for the recipients below and was not sent to them.',
    'Its other recipients are not concerned.',
    ...failures.flatMap(({ recipient, reply }) => ['', `<${recipient.relayed}>`, `    ${replyLine(reply)}`]),
    '',
  ].join('\r\n');
}

/** RFC 3464 §2. */
function deliveryStatus({ reportingMta, arrivedAt, now, failures }: DsnParts): string {
  const groups = [
    [`Reporting-MTA: dns; ${reportingMta}`, `Arrival-Date: ${mailDate(arrivedAt)}`],
    ...failures.map(({ recipient, reply, remoteMta }) => [
      `Final-Recipient: ${typedAddress(recipient)}`,
      'Action: failed',
      `Status: ${reply.status}`,
      ...(remoteMta === undefined ? [] : [`Remote-MTA: dns; ${remoteMta}`]),
      fold(`Diagnostic-Code: smtp; ${replyLine(reply)}`),
      `Last-Attempt-Date: ${mailDate(now)}`,
    ]),
  ];
  return groups.map(fields => fields.map(field => `${field}\r\n`).join('')).join('\r\n');
}

/** RFC 6533 §3: `utf-8-addr-xtext`, the form that fits a 7-bit message/delivery-status. */
function typedAddress(recipient: Address): string {
  if (!recipient.utf8) return `rfc822; ${recipient.relayed}`;
  return `utf-8; ${recipient.relayed.replace(/[^\x21-\x2a\x2c-\x3c\x3e-\x5b\x5d-\x7e]/gu, character => `\\x{${character.codePointAt(0)?.toString(16).toUpperCase()}}`)}`;
}

/** Folds at spaces so that lines stay within 78 columns where words allow. Not for addresses: plain line readers look for them. */
function fold(field: string): string {
  return field.replace(/(?=.{78})(.{1,76}) (?=\S)/g, '$1\r\n ');
}

function addOriginalHeader(root: MimeNode, header: Buffer): void {
  const returned = cutHeader(header);
  if (isAscii(returned)) {
    // Handed over as text, so that short lines stay as they are.
    root.createChild('text/rfc822-headers').setContent(returned.toString('latin1'));
    return;
  }
  // RFC 6533 §6.3 for UTF-8; octets of no known charset stay with the older type. Both survive quoted-printable.
  const part = root.createChild(isUtf8(returned) ? 'message/global-headers' : 'text/rfc822-headers');
  part.setHeader('Content-Transfer-Encoding', 'quoted-printable');
  part.setContent(returned);
}

/** Whole lines only, without the blank line that ends the section. */
function cutHeader(header: Buffer): Buffer {
  const end = header.indexOf('\r\n\r\n');
  const section = end === -1 ? header : header.subarray(0, end + 2);
  if (section.length <= MAX_RETURNED_HEADER) return section;
  const cut = section.lastIndexOf('\r\n', MAX_RETURNED_HEADER - 2);
  return section.subarray(0, cut === -1 ? MAX_RETURNED_HEADER : cut + 2);
}

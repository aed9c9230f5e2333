/** What one upstream's announced abilities make of a transaction: the commands to say, or a refusal on its behalf before any is said. */
import { isAscii } from 'node:buffer';
import type { Address } from '../mail/address.ts';
import type { Envelope } from '../mail/envelope.ts';
import { type Reply, reject } from '../mail/reply.ts';
import type { Capabilities } from './capabilities.ts';
import { endsLine } from './stuff.ts';
import type { RelayResult } from './upstream.ts';

export interface Plan {
  /** MAIL, with CRLF. */
  readonly mail: string;
  /** Those to ask for, each with its RCPT, with CRLF. Never empty. */
  readonly recipients: readonly { readonly relayed: string; readonly rcpt: string }[];
  /** Those whom this upstream cannot be asked for. */
  readonly refused: ReadonlyMap<string, Reply>;
}

const HEADER_END = Buffer.from('\r\n\r\n');

const NO_UTF8_ADDRESS = reject(553, '5.6.7', 'The next relay cannot take an internationalised address');
const NO_UTF8_HEADER = reject(554, '5.6.9', 'The next relay cannot take an internationalised header');
const NO_EIGHT_BIT = reject(554, '5.6.3', 'The next relay cannot take 8-bit content');
const TOO_BIG = reject(552, '5.3.4', 'Message exceeds the size limit of the next relay');

/** The commands, or the refusal where the upstream announced that it cannot take this message, or nobody is left to ask for. */
export function planTransaction(envelope: Envelope, octets: readonly Buffer[], can: Capabilities): Plan | RelayResult {
  const size = sizeOf(octets);
  if (can.size !== undefined && can.size > 0 && size > can.size) return refusal(TOO_BIG);
  const sevenBit = octets.every(isAscii);
  // Declared but not so: content that is all ASCII needs no permission.
  if (!sevenBit && !can.eightBit) return refusal(NO_EIGHT_BIT);
  if (!can.utf8) {
    if (envelope.reversePath?.utf8) return refusal(NO_UTF8_ADDRESS);
    if (envelope.utf8 && !sevenBit && !isAscii(header(octets))) return refusal(NO_UTF8_HEADER);
  }
  const refused = new Map<string, Reply>();
  const recipients: { relayed: string; rcpt: string }[] = [];
  for (const address of envelope.recipients) {
    if (address.utf8 && !can.utf8) refused.set(address.relayed, NO_UTF8_ADDRESS);
    else recipients.push({ relayed: address.relayed, rcpt: `RCPT TO:<${path(address)}>\r\n` });
  }
  if (recipients.length === 0) return { reply: NO_UTF8_ADDRESS, refused, stage: 'rcpt' };

  const international = envelope.utf8 || envelope.reversePath?.utf8 === true || envelope.recipients.some(address => address.utf8);
  let mail = `MAIL FROM:<${envelope.reversePath === null ? '' : path(envelope.reversePath)}>`;
  if (can.size !== undefined) mail += ` SIZE=${size}`;
  if (can.eightBit && (!sevenBit || envelope.body === '8bitmime')) mail += ' BODY=8BITMIME';
  if (can.utf8 && international) mail += ' SMTPUTF8';
  return { mail: `${mail}\r\n`, recipients, refused };
}

function refusal(reply: Reply): RelayResult {
  return { reply, refused: new Map(), stage: 'mail' };
}

/** RFC 1870 §6: the octets of the message with CRLF line ends, without dot-stuffing and without the final dot. */
function sizeOf(octets: readonly Buffer[]): number {
  return octets.reduce((sum, piece) => sum + piece.length, endsLine(octets) ? 0 : 2);
}

/** The header section; everything where no empty line ends it. */
function header(octets: readonly Buffer[]): Buffer {
  const whole = octets.length === 1 && octets[0] !== undefined ? octets[0] : Buffer.concat(octets);
  const end = whole.indexOf(HEADER_END);
  return end < 0 ? whole : whole.subarray(0, end);
}

/** Addresses come from parseAddress, which lets no line end through; here one would become a command of its own. */
function path({ relayed }: Address): string {
  if (/[\r\n\0]/.test(relayed)) throw new Error('an address holds a line end');
  return relayed;
}

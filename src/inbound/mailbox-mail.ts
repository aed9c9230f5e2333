/** A message as it lies in a mailbox, made into one that came back: line ends, reverse-path, and whether it came from elsewhere at all. */
import { setImmediate } from 'node:timers/promises';
import type { ClientId } from '../ids.ts';
import { basePerson, isAddress, parsePerson } from '../mail/address.ts';
import { mailboxes } from '../mail/header.ts';
import { type Message, parseMessage } from '../mail/message.ts';
import type { Arrival } from './processor.ts';

/** A field longer than this is no list of addresses that a person wrote. */
const MAX_FIELD = 65_536;

/** Octets whose line ends are mended in one go. */
const PIECE = 1024 * 1024;
const CR = 13;
const LF = 10;

/** What is known of a message beside its octets. */
export interface Lying {
  readonly octets: Buffer;
  readonly at: number;
  readonly mailbox: string;
  readonly client: ClientId | undefined;
  /** Base forms of the addresses that the mailbox's owner writes from. */
  readonly own: ReadonlySet<string>;
}

/** The message as the processor takes it, or `own`: the mailbox's owner wrote it, so it is nobody's reply. */
export async function arrivalOf({ octets, at, mailbox, client, own }: Lying): Promise<Arrival | 'own'> {
  const whole = await withCrlf(octets);
  const message = parseMessage(whole);
  const returnPath = message.all('return-path')[0];
  const reversePath = /<([^<>]*)>/.exec(returnPath ?? '')?.[1] ?? '';
  // A bounce has the null reverse-path, and some servers write the mailbox's own address into its From.
  if (!(returnPath !== undefined && reversePath === '') && isOwn(message, own)) return 'own';
  // Tokens are in the header's addresses, where the processor looks for them in any case.
  const destination = { role: undefined, client, token: undefined };
  return { octets: whole, at, via: `mailbox:${mailbox}`, reversePath, destination };
}

/** The base forms of what are addresses: a user name need not be one. */
export function baseForms(texts: readonly string[]): readonly string[] {
  return texts.map(parsePerson).filter(isAddress).map(basePerson);
}

function isOwn(message: Message, own: ReadonlySet<string>): boolean {
  const written = message.all('from').filter(value => value.length <= MAX_FIELD);
  const from = written.flatMap(value => mailboxes(value) ?? []).map(({ address }) => basePerson(address));
  return from.length > 0 && from.every(person => own.has(person));
}

/** IMAP demands CRLF (RFC 9051 §2.3.1); some servers keep the line ends that were delivered. By pieces, so that nobody waits for a long one. */
async function withCrlf(octets: Buffer): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let from = 0; from < octets.length; ) {
    // No line end is cut in two.
    const end = from + PIECE;
    const to = octets[end - 1] === CR && octets[end] === LF ? end + 1 : end;
    pieces.push(pieceWithCrlf(octets.subarray(from, to)));
    from = to;
    if (from < octets.length) await setImmediate();
  }
  const whole = pieces.reduce((sum, { length }) => sum + length, 0);
  return whole === octets.length ? octets : Buffer.concat(pieces, whole);
}

function pieceWithCrlf(octets: Buffer): Buffer {
  const bare = countBare(octets);
  if (bare === 0) return octets;
  const whole = Buffer.allocUnsafe(octets.length + bare);
  let end = 0;
  let before = 0;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] as number;
    // What a CR without its LF lacks is seen only one octet later.
    if (octet === LF ? before !== CR : before === CR) whole[end++] = octet === LF ? CR : LF;
    whole[end++] = octet;
    before = octet;
  }
  if (before === CR) whole[end] = LF;
  return whole;
}

/** Each CR without its LF and LF without its CR. */
function countBare(octets: Buffer): number {
  let bare = 0;
  let before = 0;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] as number;
    if (octet === LF ? before !== CR : before === CR) bare += 1;
    before = octet;
  }
  return before === CR ? bare + 1 : bare;
}

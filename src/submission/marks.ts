/** Marks: the token with which a message is relayed in its return path and its Reply-To, so that what comes back names it. */
import type { Profile } from '../clients/profile.ts';
import { type Address, basePerson, isAddress, parseAddress } from '../mail/address.ts';
import { mailboxes } from '../mail/header.ts';
import type { Message } from '../mail/message.ts';

export interface Marked {
  readonly profile: Pick<Profile, 'id' | 'returnPath' | 'replyAddresses' | 'tagReplyTo'>;
  /** The platform's own. */
  readonly reversePath: Address | null;
  readonly message: Message;
  /** Makes this message's token. */
  readonly token: () => string;
}

export interface Marks {
  /** To relay with. */
  readonly reversePath: Address | null;
  /** A Reply-To field with its CRLF; empty where none is added. */
  readonly replyTo: Buffer;
}

const NONE = Buffer.alloc(0);

/** What the client's settings and the message allow of marks. */
export function marksOf(marked: Marked): Marks {
  return { reversePath: returnPath(marked), replyTo: replyTo(marked) };
}

/** Never in place of the null reverse-path: a bounce of a bounce would come back to us. */
function returnPath({ profile, reversePath, token }: Marked): Address | null {
  if (profile.returnPath === undefined || reversePath === null) return reversePath;
  const address = parseAddress(`bounce+${token()}@${profile.returnPath}`, { utf8: false });
  if (!isAddress(address)) throw new Error(`the return path of client ${profile.id} leaves no room for a token`);
  // An upstream that could not take the platform's own could not take our report to it either, so SMTPUTF8 stays as necessary as it was.
  return { ...address, utf8: reversePath.utf8 };
}

/**
 * The From's own address where it is a reply address of the client's, else the first of these, with the token. None where the message
 * has a Reply-To or a signature says that it has none; where the address has a tag already, needs quotes or SMTPUTF8, or no room is left.
 */
function replyTo({ profile, message, token }: Marked): Buffer {
  if (!profile.tagReplyTo || message.fields.some(({ name }) => name === 'reply-to') || signsNone(message, 'reply-to')) return NONE;
  const addresses = profile.replyAddresses.map(text => parseAddress(text, { utf8: false })).filter(isAddress);
  const author = mailboxes(message.all('from')[0] ?? '')?.[0]?.address;
  const own = addresses.find(address => author !== undefined && basePerson(address) === basePerson(author)) ?? addresses[0];
  if (own === undefined || own.taggedLocal !== own.local || own.relayed.startsWith('"')) return NONE;
  const tagged = parseAddress(own.relayed.replace(/@(?=[^@]*$)/, `+${token()}@`), { utf8: false });
  return isAddress(tagged) ? Buffer.from(`Reply-To: ${tagged.relayed}\r\n`) : NONE;
}

/** Whether a DKIM or ARC signature would break if such a field were added: its `h=` names it (RFC 6376 §5.4.2, RFC 8617 §4.1.2). */
function signsNone(message: Message, field: string): boolean {
  return [...message.all('dkim-signature'), ...message.all('arc-message-signature')].some(signature =>
    signature.split(';').some(tag => {
      const [name, value = ''] = tag.replace(/\s/g, '').toLowerCase().split('=', 2);
      return name === 'h' && value.split(':').includes(field);
    }),
  );
}

/** By what a message is known when it comes again, by whatever way: its Message-ID and a digest of its body (RFC 7352's idea). */
import { webcrypto } from 'node:crypto';
import type { Message } from '../mail/message.ts';
import { tagsOf } from './correlate.ts';
import type { Destination } from './processor.ts';

/**
 * The same for a mail and its copy in a mailbox. What its address adds is part of it: one that came to a reply address may come to
 * unsubscribe@ as well, and then says more. Off the main thread, because bodies are large.
 */
export async function identityOf(message: Message, destination: Destination): Promise<string> {
  const { octets } = message;
  const end = octets.indexOf('\r\n\r\n');
  const body = await webcrypto.subtle.digest('SHA-256', end < 0 ? octets : octets.subarray(end + 4));
  const names = messageIdOf(message) ?? ['from', 'date', 'subject'].map(name => message.all(name)[0] ?? '');
  const office = destination.role === 'reply' ? undefined : destination.role;
  return JSON.stringify([names, Buffer.from(body).toString('base64'), office, tagsOf(message, destination)]);
}

/** With angle brackets; undefined where there is none. */
export function messageIdOf(message: Message): string | undefined {
  return /<[^<>\s]{1,990}>/.exec(message.all('message-id')[0]?.slice(0, 1_000) ?? '')?.[0];
}

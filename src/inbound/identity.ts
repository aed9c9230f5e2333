/** By what a message is known when it comes again, by whatever way: its Message-ID, its author and a digest of its body (RFC 7352's idea). */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Address, basePerson } from '../mail/address.ts';
import type { Message } from '../mail/message.ts';
import { tagsOf } from './correlate.ts';
import type { Destination } from './processor.ts';

/** Octets of a body that are hashed in one go, so that nobody else waits long. */
const CHUNK = 1024 * 1024;

/**
 * The same for a mail and its copy in a mailbox. What its address adds is part of it: one that came to a reply address may come to
 * unsubscribe@ as well, and then says more. So are its writers: where a poor program gives two people's mail one Message-ID, each objects.
 */
export async function identityOf(message: Message, destination: Destination, writers: readonly Address[]): Promise<string> {
  const { octets } = message;
  const end = octets.indexOf('\r\n\r\n');
  const body = await digestOf(end < 0 ? octets : octets.subarray(end + 4));
  const names = messageIdOf(message) ?? ['from', 'date', 'subject'].map(name => message.all(name)[0] ?? '');
  const people = writers.map(basePerson).sort();
  const office = destination.role === 'reply' ? undefined : destination.role;
  return JSON.stringify([names, people, body, office, tagsOf(message, destination)]);
}

/** With angle brackets; undefined where there is none. */
export function messageIdOf(message: Message): string | undefined {
  return /<[^<>\s]{1,990}>/.exec(message.all('message-id')[0]?.slice(0, 1_000) ?? '')?.[0];
}

async function digestOf(octets: Buffer): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < octets.length; at += CHUNK) {
    if (at > 0) await setImmediate();
    hash.update(octets.subarray(at, at + CHUNK));
  }
  return hash.digest('base64');
}

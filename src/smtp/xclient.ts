/** XCLIENT (postfix.org/XCLIENT_README): a listed proxy says for whom it speaks. Only the address is believed; LOGIN never authenticates. */
import { isIP } from 'node:net';
import type { Reply } from '../mail/reply.ts';
import { ARGUMENTS } from './replies.ts';

/** What is announced. LOGIN is not, though a proxy that sends it anyway is borne. */
export const XCLIENT_ATTRIBUTES = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO'] as const;

const KNOWN: ReadonlySet<string> = new Set([...XCLIENT_ATTRIBUTES, 'LOGIN', 'DESTADDR', 'DESTPORT']);

/** The client's address, undefined where none was given; or the reply that refuses. An address that the proxy does not know is refused:
 * the session must not pass for the proxy's own. */
export function parseXclient(argument: string): { address: string | undefined } | Reply {
  let address: string | undefined;
  const words = argument.split(' ').filter(word => word !== '');
  if (words.length === 0) return ARGUMENTS;
  for (const word of words) {
    const match = /^([A-Za-z]+)=([\x21-\x7e]*)$/.exec(word);
    const name = match?.[1]?.toUpperCase() ?? '';
    if (!KNOWN.has(name)) return ARGUMENTS;
    if (name !== 'ADDR') continue;
    const value = plainAddress(match?.[2]?.replace(/^IPV6:/i, '') ?? '');
    if (address !== undefined || value === undefined) return ARGUMENTS;
    address = value;
  }
  return { address };
}

/** An IP address as Peer.remoteAddress has it: lower case, IPv4-mapped form removed; undefined where it is none, or has a zone. */
export function plainAddress(text: string): string | undefined {
  const bare = text.toLowerCase().replace(/^::ffff:(?=[0-9.]+$)/, '');
  return isIP(bare) === 0 || bare.includes('%') ? undefined : bare;
}

/** Blocks of IP addresses in CIDR notation (RFC 4632, RFC 4291 §2.3): who may log in from where. */
import { BlockList, isIP } from 'node:net';
import { LRUCache } from 'lru-cache';

export interface Block {
  /** `10.0.0.0/8`: canonical, host bits as given. */
  readonly text: string;
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
  contains(address: string): boolean;
}

const ASKED_KEPT = 64;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** The block in `text` (`10.0.0.0/8`, `2001:db8::/32`, or one address), or undefined where it is none. An IPv4-mapped block is an IPv4 one. */
export function parseBlock(text: string): Block | undefined {
  const [, host, width] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  if (host === undefined || isIP(host) === 0) return undefined;
  const address = normalizeAddress(host);
  const version = isIP(address);
  const mapped = isIP(host) !== version;
  const bits = version === 4 ? 32 : 128;
  const prefix = width === undefined ? bits : Number(width) - (mapped ? 96 : 0);
  if (prefix < 0 || prefix > bits) return undefined;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, prefix, family);
  // A BlockList makes an object for every question, and the same few machines ask all day.
  const asked = new LRUCache<string, boolean>({ max: ASKED_KEPT });
  return {
    text: `${address}/${prefix}`,
    address,
    prefix,
    family,
    contains: remote => {
      const known = asked.get(remote);
      if (known !== undefined) return known;
      const plain = normalizeAddress(remote);
      const inside = isIP(plain) === version && list.check(plain, family);
      asked.set(remote, inside);
      return inside;
    },
  };
}

/** The address without the IPv4-mapped form (RFC 4291 §2.5.5.2) and without a zone (RFC 4007 §11). */
export function normalizeAddress(address: string): string {
  const plain = address.replace(/%.*$/, '');
  return MAPPED.exec(plain)?.[1] ?? plain;
}

/** True where some address is in both: of two CIDR blocks one holds the other or they have nothing in common. */
export function overlap(a: Block, b: Block): boolean {
  return a.contains(b.address) || b.contains(a.address);
}

/** True where the block is too wide to stand for one machine's or one company's mail servers; then an address alone is no credential. */
export function isVast({ family, prefix }: Block): boolean {
  return prefix < (family === 'ipv4' ? 8 : 32);
}

/** Blocks that were read before and kept as text. */
export function toBlocks(texts: readonly string[]): readonly Block[] {
  return texts.flatMap(text => parseBlock(text) ?? []);
}

/** Whether whoever is at this address may come from there: where no blocks are named, from anywhere. */
export function isFrom(blocks: readonly Block[], address: string): boolean {
  return blocks.length === 0 || blocks.some(block => block.contains(address));
}

/** What one customer has: of IPv6 the /64 (RFC 6177), whose addresses one machine can change for every attempt; of IPv4 the address. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [front = '', back] = address.split('::');
  const groups = [front, back ?? ''].map(part => (part === '' ? [] : part.split(':')));
  const [first = [], last = []] = groups;
  const zeros = back === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const plain = (group: string): string => Number.parseInt(group, 16).toString(16);
  return [...first, ...new Array<string>(zeros).fill('0'), ...last].slice(0, 4).map(plain).join(':');
}

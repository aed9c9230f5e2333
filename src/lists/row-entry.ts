/** What one row of a list file says: whom or what it lists, and why; or what is wrong with it, without repeating it. */
import { HASH_OCTETS, type HashAlgorithm } from '../keys/digest.ts';
import { isAddress, parsePerson, plainAddress } from '../mail/address.ts';
import { isPublicSuffix, parseDomain } from '../mail/domain.ts';
import type { Target } from './standing.ts';

/** An address (also `Name <address>` and `mailto:`), a domain, `@domain`, `*@domain` or `*.domain`; or the problem. */
export function readTarget(text: string): Target | string {
  const plain = plainAddress(text);
  if (plain !== undefined) return plain;
  const angle = /<([^<>]*)>\s*$/.exec(text)?.[1];
  const bare = (angle ?? text).trim().replace(/^mailto:/i, '');
  const domainText = bare.replace(/^(\*\.|\*?@)/, '');
  if (!domainText.includes('@')) {
    const domain = parseDomain(domainText);
    if (domain !== undefined) return { domain };
    return /^[0-9a-f]{32}$|^[0-9a-f]{40}$|^[0-9a-f]{64}$/i.test(bare)
      ? 'looks like a hash: name its algorithm with --hash'
      : 'neither an address nor a domain';
  }
  const address = parsePerson(bare);
  return isAddress(address) ? address : `not an address: ${address.detail}`;
}

/** Why nothing like this is listed; undefined: it may be. */
export function targetProblem(target: Target): string | undefined {
  if (target.local !== undefined || !isPublicSuffix(target.domain)) return undefined;
  return 'a public suffix, under which anybody may register, cannot be listed';
}

/** A digest in hexadecimal, or (as data brokers' registries give it) in base64; or the problem. */
export function readHash(text: string, algorithm: HashAlgorithm): Buffer | string {
  const octets = HASH_OCTETS[algorithm];
  if (/^[0-9a-f]+$/i.test(text) && text.length === octets * 2) return Buffer.from(text, 'hex');
  const decoded = Buffer.from(text, 'base64');
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(text) && decoded.length === octets) return decoded;
  return `not a digest by ${algorithm}: ${octets * 2} hexadecimal digits are expected`;
}

/** The first cell that lists somebody: an address before a domain, because names and numbers may look like a domain. */
export function entryCell(cells: readonly string[], hash: HashAlgorithm | undefined): number | undefined {
  const find = (test: (cell: string) => boolean): number | undefined => {
    const index = cells.findIndex(cell => test(cell.trim()));
    return index < 0 ? undefined : index;
  };
  if (hash !== undefined) return find(cell => typeof readHash(cell, hash) !== 'string');
  return find(cell => cell.includes('@')) ?? find(cell => typeof readTarget(cell) !== 'string');
}

/** A line that is a remark: `# …`, unless it is somebody whose name begins so. */
export function isRemark(cells: readonly string[]): boolean {
  const first = (cells[0] ?? '').trim();
  return first.startsWith('#') && typeof readTarget(first) === 'string';
}

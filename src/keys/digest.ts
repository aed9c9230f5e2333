/** Digests: the only maker of the keyed names under which people, domains and imported hashes are stored and looked up. */
import crypto from 'node:crypto';
import { domainToUnicode } from 'node:url';
import { LRUCache } from 'lru-cache';
import type { Address } from '../mail/address.ts';
import type { Keyring } from './keyring.ts';

declare const brand: unique symbol;
/** 16 octets of HMAC-SHA-256. Pseudonymous, not anonymous: whoever holds the key can test an address against it. */
export type Digest = Buffer & { readonly [brand]: 'Digest' };

export const HASH_ALGORITHMS = ['sha1', 'sha256', 'md5'] as const;
/** How a legacy suppression list was hashed. */
export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number];

/** Octets of a digest by each algorithm. */
export const HASH_OCTETS: Readonly<Record<HashAlgorithm, number>> = { sha1: 20, sha256: 32, md5: 16 };

export const DIGEST_OCTETS = 16;
const DOMAINS_KEPT = 20_000;

/** Makes digests. Every answer has one digest a key of the ring, the current key's first: look-ups ask all, writes use the first. */
export class Digests {
  readonly #macs: readonly Mac[];
  // A recipient is asked for at RCPT and at the final dot; domains repeat all day.
  readonly #persons = new WeakMap<Address, readonly Digest[]>();
  readonly #domains = new LRUCache<string, readonly Digest[]>({ max: DOMAINS_KEPT });
  readonly #imported: Readonly<Record<HashAlgorithm, WeakMap<Address, readonly Digest[]>>> = {
    sha1: new WeakMap(),
    sha256: new WeakMap(),
    md5: new WeakMap(),
  };

  constructor(keyring: Keyring) {
    this.#macs = keyring.digestKeys.map(({ key }) => createMac(key));
  }

  /** Of the person behind an address: the base form, whatever the spelling and the tag. */
  person(address: Address): readonly Digest[] {
    const known = this.#persons.get(address);
    if (known !== undefined) return known;
    const digests = this.personOnce(address);
    this.#persons.set(address, digests);
    return digests;
  }

  /** The same without remembering it, for lists of millions: what is remembered by the object costs the garbage collector dearly. */
  personOnce({ local, domain }: Address): readonly Digest[] {
    return this.#all(`person\0${local}@${domain}`);
  }

  /** Of a domain as parseDomain gives it. */
  domain(name: string): readonly Digest[] {
    const known = this.#domains.get(name);
    if (known !== undefined) return known;
    const digests = this.#all(`domain\0${name}`);
    this.#domains.set(name, digests);
    return digests;
  }

  /** Of another name (a username, say). `purpose` keeps names of different kinds apart. */
  name(purpose: string, text: string): readonly Digest[] {
    return this.#all(`name\0${purpose}\0${text}`);
  }

  /** Of one line of a legacy hash list: HMAC(key, algorithm ‖ digest), so that the guessable hash itself is not kept. */
  imported(algorithm: HashAlgorithm, digest: Buffer): readonly Digest[] {
    if (digest.length !== HASH_OCTETS[algorithm]) throw new RangeError(`a digest by ${algorithm} has ${HASH_OCTETS[algorithm]} octets`);
    return this.#all(`hash\0${algorithm}\0${digest.toString('hex')}`);
  }

  /** What a legacy list would hold of this person, in every spelling: with and without tag, domain in A-labels and in Unicode. */
  importedOf(address: Address, algorithm: HashAlgorithm): readonly Digest[] {
    const known = this.#imported[algorithm].get(address);
    if (known !== undefined) return known;
    const digests = spellings(address).flatMap(text => this.imported(algorithm, legacyHash(algorithm, text)));
    this.#imported[algorithm].set(address, digests);
    return digests;
  }

  #all(text: string): readonly Digest[] {
    return this.#macs.map(mac => mac(text) as Digest);
  }
}

type Mac = (text: string) => Buffer;

/** Node's `hash`, where there is one. */
export type OneShotHash = (algorithm: string, data: Buffer, encoding: 'binary') => string;

/**
 * HMAC-SHA-256 (RFC 2104) under a key of at most 64 octets, cut to 16 octets. Two one-shot hashes take half of createHmac's
 * time and leave no native object behind for the garbage collector; Node before 20.12 has none, hence the other way.
 */
export function createMac(key: Buffer, oneShot: OneShotHash | undefined = crypto.hash as OneShotHash | undefined): Mac {
  if (oneShot === undefined) return text => crypto.createHmac('sha256', key).update(text).digest().subarray(0, DIGEST_OCTETS);
  const block = 64;
  const inner = Buffer.alloc(block + 1024, 0x36);
  const outer = Buffer.alloc(block + 32, 0x5c);
  for (const [i, octet] of key.entries()) {
    inner[i] = octet ^ 0x36;
    outer[i] = octet ^ 0x5c;
  }
  return text => {
    // A code unit takes three octets at most; a text cut short would be another text.
    const room = text.length * 3 <= inner.length - block ? inner : Buffer.concat([inner.subarray(0, block), Buffer.alloc(text.length * 3)]);
    const end = block + room.write(text, block);
    // As text, which costs half of what a buffer does.
    outer.write(oneShot('sha256', room.subarray(0, end), 'binary'), block, 'latin1');
    return Buffer.from(oneShot('sha256', outer, 'binary').slice(0, DIGEST_OCTETS), 'latin1');
  };
}

function spellings({ local, taggedLocal, domain }: Address): readonly string[] {
  const domains = domain.includes('xn--') ? [domain, domainToUnicode(domain)] : [domain];
  const locals = local === taggedLocal ? [local] : [local, taggedLocal];
  return locals.flatMap(left => domains.map(right => `${left}@${right}`));
}

function legacyHash(algorithm: HashAlgorithm, text: string): Buffer {
  return crypto.createHash(algorithm).update(text).digest();
}

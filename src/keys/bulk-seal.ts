/**
 * Seals thousands of values at once: AES-256-CCM (RFC 3610, NIST SP 800-38C), computed block by block over all of them together.
 *
 * What costs in sealing one value is to set its cipher up, seven times what the octets take. CCM needs nothing but single blocks under one
 * key, so the first blocks of all values go through one call, then the second ones, and so on. Opening is Node's own CCM.
 */
import { type Cipher, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export interface Plain {
  readonly text: string;
  /** Where the value belongs: it does not open anywhere else. 1 to 65,279 octets. */
  readonly aad: string;
}

export interface Sealed {
  readonly sealed: Uint8Array;
  /** As when it was sealed. */
  readonly aad: string;
}

const BLOCK = 16;
const WORDS = BLOCK / 4;
const NONCE = 12;
const TAG = 16;
/** The version, too. */
const OVERHEAD = 1 + NONCE + TAG;
/** RFC 3610 §2.2: associated data, a tag of 16 octets, a length in 3. */
const MAC_FLAGS = 0x40 | (((TAG - 2) / 2) << 3) | 2;
/** RFC 3610 §2.3. */
const COUNTER_FLAGS = 2;
const MAX_AAD = 0xff00;
const MAX_TEXT = 0xffffff;

const blocks = (octets: number): number => Math.ceil(octets / BLOCK);

/** Seals under a key of 32 octets, in the order given: `version`, nonce, ciphertext, tag. @throws RangeError for a text or `aad` of another length */
export function sealAll(key: Buffer, plains: readonly Plain[], version: number): readonly Buffer[] {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const nonces = randomBytes(NONCE * plains.length);
  const lengths = Uint32Array.from(plains, ({ text }) => Buffer.byteLength(text));
  const layout = layOut(nonces, plains, lengths);
  const { octets, textAt } = layout;
  for (const [i, { text }] of plains.entries()) octets.write(text, textAt[i] as number);
  const tags = macs(cipher, layout);
  const stream = keystream(cipher, nonces, lengths);
  // One piece of memory for all of them: each of its own would cost more than what is done to it.
  const all = Buffer.allocUnsafeSlow(lengths.reduce((sum, length) => sum + length, 0) + plains.length * OVERHEAD);
  let [start, at] = [0, 0];
  return plains.map((_, i) => {
    const length = lengths[i] as number;
    const from = textAt[i] as number;
    const sealed = start;
    all[start++] = version;
    for (let k = 0; k < NONCE; k++) all[start++] = nonces[i * NONCE + k] as number;
    // RFC 3610 §2.3: the first block of the key stream is the tag's.
    for (let k = 0; k < length; k++) all[start++] = (octets[from + k] as number) ^ (stream[at + BLOCK + k] as number);
    for (let k = 0; k < TAG; k++) all[start++] = (tags[i * BLOCK + k] as number) ^ (stream[at + k] as number);
    at += (1 + blocks(length)) * BLOCK;
    return all.subarray(sealed, start);
  });
}

/** The text of one value that sealAll made; undefined where it was altered, belongs elsewhere, or another key made it. */
export function openOne(key: Buffer, sealed: Uint8Array, aad: Buffer): Buffer | undefined {
  const end = sealed.length - TAG;
  const decipher = createDecipheriv('aes-256-ccm', key, sealed.subarray(1, 1 + NONCE), { authTagLength: TAG });
  decipher.setAuthTag(sealed.subarray(end));
  decipher.setAAD(aad, { plaintextLength: end - 1 - NONCE });
  const text = decipher.update(sealed.subarray(1 + NONCE, end));
  try {
    decipher.final();
    return text;
  } catch {
    // The only way node says that the tag does not fit; an expected outcome here.
    return undefined;
  }
}

/** The texts of many such values, in their order; undefined as openOne says it. Each must be as long as an empty text's at least. */
export function openAll(key: Buffer, values: readonly Sealed[]): readonly (Buffer | undefined)[] {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const nonces = Buffer.allocUnsafe(NONCE * values.length);
  for (const [i, { sealed }] of values.entries()) for (let k = 0; k < NONCE; k++) nonces[i * NONCE + k] = sealed[1 + k] as number;
  const lengths = Uint32Array.from(values, ({ sealed }) => sealed.length - OVERHEAD);
  const layout = layOut(nonces, values, lengths);
  const { octets, textAt } = layout;
  const stream = keystream(cipher, nonces, lengths);
  let at = 0;
  // What the tags should be, where the stream lay that hid them.
  for (const [i, { sealed }] of values.entries()) {
    const length = lengths[i] as number;
    const to = textAt[i] as number;
    for (let k = 0; k < length; k++) octets[to + k] = (sealed[1 + NONCE + k] as number) ^ (stream[at + BLOCK + k] as number);
    for (let k = 0; k < TAG; k++) stream[i * BLOCK + k] = (sealed[1 + NONCE + length + k] as number) ^ (stream[at + k] as number);
    at += (1 + blocks(length)) * BLOCK;
  }
  const tags = macs(cipher, layout);
  return values.map((_, i) => {
    let unlike = 0;
    for (let k = i * BLOCK; k < (i + 1) * BLOCK; k++) unlike |= (tags[k] as number) ^ (stream[k] as number);
    const from = textAt[i] as number;
    return unlike === 0 ? octets.subarray(from, from + (lengths[i] as number)) : undefined;
  });
}

/** What the MACs of many values are made of, value after value. */
interface Layout {
  readonly words: Uint32Array;
  /** The same as `words`. */
  readonly octets: Buffer;
  /** Of each value the number of its first block; and at the end that of all blocks. */
  readonly first: Uint32Array;
  /** Of each value the octet where its text begins, and how many there are of it. */
  readonly textAt: Uint32Array;
  readonly lengths: Uint32Array;
}

/** RFC 3610 §2.2: the first block, the associated data with its length before it, and room for the text, all padded with zeros. */
function layOut(nonces: Buffer, places: readonly Pick<Plain, 'aad'>[], lengths: Uint32Array): Layout {
  const first = new Uint32Array(places.length + 1);
  const textAt = new Uint32Array(places.length);
  const aads = new Uint32Array(places.length);
  let block = 0;
  for (const [i, { aad }] of places.entries()) {
    const length = lengths[i] as number;
    const place = Buffer.byteLength(aad);
    if (place === 0 || place >= MAX_AAD || length > MAX_TEXT) throw new RangeError('not to be sealed: too long, or without a place');
    const textBlock = block + 1 + blocks(2 + place);
    first[i] = block;
    textAt[i] = textBlock * BLOCK;
    aads[i] = place;
    block = textBlock + blocks(length);
  }
  first[places.length] = block;
  const words = new Uint32Array(block * WORDS);
  const octets = Buffer.from(words.buffer);
  for (const [i, { aad }] of places.entries()) {
    let at = (first[i] as number) * BLOCK;
    octets[at] = MAC_FLAGS;
    putNonce(octets, at, nonces, i);
    octets.writeUIntBE(lengths[i] as number, at + 1 + NONCE, 3);
    at += BLOCK;
    octets.writeUInt16BE(aads[i] as number, at);
    octets.write(aad, at + 2);
  }
  return { words, octets, first, textAt, lengths };
}

/** RFC 3610 §2.2: CBC-MAC, one block of each value in turn. */
function macs(cipher: Cipher, { words, first, lengths: { length: count } }: Layout): Uint8Array {
  const chained = new Uint32Array(count * WORDS);
  const round = new Uint32Array(count * WORDS);
  const octets = Buffer.from(round.buffer);
  // Values that have a block left for this turn.
  const active = Uint32Array.from(chained.subarray(0, count).keys());
  for (let turn = 0, left = count; left > 0; turn++) {
    for (let a = 0; a < left; a++) {
      const i = active[a] as number;
      const from = ((first[i] as number) + turn) * WORDS;
      for (let k = 0; k < WORDS; k++) round[a * WORDS + k] = (words[from + k] as number) ^ (chained[i * WORDS + k] as number);
    }
    const done = wordsOf(cipher.update(octets.subarray(0, left * BLOCK)));
    const had = left;
    left = 0;
    for (let a = 0; a < had; a++) {
      const i = active[a] as number;
      for (let k = 0; k < WORDS; k++) chained[i * WORDS + k] = done[a * WORDS + k] as number;
      if ((first[i] as number) + turn + 1 < (first[i + 1] as number)) active[left++] = i;
    }
  }
  return new Uint8Array(chained.buffer);
}

/** RFC 3610 §2.3: one block for the tag and as many as the text needs, value after value. */
function keystream(cipher: Cipher, nonces: Buffer, lengths: Uint32Array): Buffer {
  const words = new Uint32Array(lengths.reduce((sum, length) => sum + 1 + blocks(length), 0) * WORDS);
  const octets = Buffer.from(words.buffer);
  let block = 0;
  for (let i = 0; i < lengths.length; i++) {
    const count = 1 + blocks(lengths[i] as number);
    octets[block * BLOCK] = COUNTER_FLAGS;
    putNonce(octets, block * BLOCK, nonces, i);
    for (let counter = 1; counter < count; counter++) {
      const to = (block + counter) * WORDS;
      for (let k = 0; k < WORDS; k++) words[to + k] = words[block * WORDS + k] as number;
      octets.writeUIntBE(counter, to * 4 + 1 + NONCE, 3);
    }
    block += count;
  }
  return cipher.update(octets);
}

/** The i-th nonce, into a block that begins at `at`, behind its flags. */
function putNonce(octets: Buffer, at: number, nonces: Buffer, i: number): void {
  for (let k = 0; k < NONCE; k++) octets[at + 1 + k] = nonces[i * NONCE + k] as number;
}

/** The same octets as words, in the order of this machine: only good for XOR. */
function wordsOf(octets: Buffer): Uint32Array {
  const aligned = octets.byteOffset % 4 === 0 ? octets : Buffer.from(octets);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

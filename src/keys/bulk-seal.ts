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

const BLOCK = 16;
const WORDS = BLOCK / 4;
const NONCE = 12;
const TAG = 16;
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
  const aads = plains.map(({ aad }) => Buffer.from(aad));
  const texts = plains.map(({ text }) => Buffer.from(text));
  const nonces = randomBytes(NONCE * plains.length);
  const tags = macs(cipher, nonces, aads, texts);
  const stream = keystream(cipher, nonces, texts);
  let at = 0;
  return texts.map((text, i) => {
    const sealed = Buffer.allocUnsafe(1 + NONCE + text.length + TAG);
    sealed[0] = version;
    nonces.copy(sealed, 1, i * NONCE, (i + 1) * NONCE);
    const textAt = 1 + NONCE;
    const tagAt = textAt + text.length;
    // RFC 3610 §2.3: the first block of the key stream is the tag's.
    for (let k = 0; k < TAG; k++) sealed[tagAt + k] = (tags[i * BLOCK + k] as number) ^ (stream[at + k] as number);
    at += BLOCK;
    for (let k = 0; k < text.length; k++) sealed[textAt + k] = (text[k] as number) ^ (stream[at + k] as number);
    at += blocks(text.length) * BLOCK;
    return sealed;
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

/** RFC 3610 §2.2: CBC-MAC over the first block, the associated data with its length before it, and the text, all padded with zeros. */
function macs(cipher: Cipher, nonces: Buffer, aads: readonly Buffer[], texts: readonly Buffer[]): Uint8Array {
  const counts = texts.map((text, i) => 1 + blocks(2 + (aads[i] as Buffer).length) + blocks(text.length));
  const starts: number[] = [];
  let total = 0;
  for (const count of counts) {
    starts.push(total);
    total += count;
  }
  const input = Buffer.alloc(total * BLOCK);
  for (const [i, text] of texts.entries()) {
    const aad = aads[i] as Buffer;
    if (aad.length === 0 || aad.length >= MAX_AAD || text.length > MAX_TEXT)
      throw new RangeError('not to be sealed: too long, or without a place');
    let at = (starts[i] as number) * BLOCK;
    input[at] = MAC_FLAGS;
    nonces.copy(input, at + 1, i * NONCE, (i + 1) * NONCE);
    input.writeUIntBE(text.length, at + 1 + NONCE, 3);
    at += BLOCK;
    input.writeUInt16BE(aad.length, at);
    aad.copy(input, at + 2);
    at += blocks(2 + aad.length) * BLOCK;
    text.copy(input, at);
  }
  const words = wordsOf(input);
  const chained = new Uint32Array(texts.length * WORDS);
  const round = new Uint32Array(texts.length * WORDS);
  const octets = Buffer.from(round.buffer);
  for (let j = 0, active = texts.map((_, i) => i); active.length > 0; j++, active = active.filter(i => (counts[i] as number) > j)) {
    let put = 0;
    for (const i of active) {
      const from = ((starts[i] as number) + j) * WORDS;
      for (let k = 0; k < WORDS; k++) round[put++] = (words[from + k] as number) ^ (chained[i * WORDS + k] as number);
    }
    const done = wordsOf(cipher.update(octets.subarray(0, put * 4)));
    let got = 0;
    for (const i of active) for (let k = 0; k < WORDS; k++) chained[i * WORDS + k] = done[got++] as number;
  }
  return new Uint8Array(chained.buffer);
}

/** RFC 3610 §2.3: one block for the tag and as many as the text needs, value after value. */
function keystream(cipher: Cipher, nonces: Buffer, texts: readonly Buffer[]): Buffer {
  const counts = texts.map(text => 1 + blocks(text.length));
  const counters = Buffer.alloc(counts.reduce((sum, count) => sum + count, 0) * BLOCK);
  let at = 0;
  for (const [i, count] of counts.entries()) {
    counters[at] = COUNTER_FLAGS;
    nonces.copy(counters, at + 1, i * NONCE, (i + 1) * NONCE);
    at += BLOCK;
    for (let counter = 1; counter < count; counter++) {
      counters.copyWithin(at, at - BLOCK, at - 3);
      counters.writeUIntBE(counter, at + 1 + NONCE, 3);
      at += BLOCK;
    }
  }
  return cipher.update(counters);
}

/** The same octets as words, in the order of this machine: only good for XOR. */
function wordsOf(octets: Buffer): Uint32Array {
  const aligned = octets.byteOffset % 4 === 0 ? octets : Buffer.from(octets);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

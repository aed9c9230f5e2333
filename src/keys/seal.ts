/** Sealing: AES-256-GCM (many at once: CCM) with a random nonce, bound by associated data to the place the value belongs to. */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { openAll, openOne, type Plain, type Sealed, sealAll } from './bulk-seal.ts';
import { fewRandom } from './random.ts';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
/** Of values that were sealed many at once. */
const BULK = 2;
const NONCE = 12;
const TAG = 16;

/** Octets that a sealed value is longer than its plain one. */
export const SEAL_OVERHEAD = 1 + NONCE + TAG;

/**
 * Seals and opens under one key; opens what older keys sealed, too. `aad` names where the value belongs (owner, set or log, id):
 * a value that was moved elsewhere does not open. Random nonces: good for 2^32 values a key (NIST SP 800-38D §8.3).
 */
export class Sealer {
  readonly #keys: readonly Buffer[];
  #bulkKeys: readonly Buffer[] | undefined;

  /** Keys of 32 octets; the first seals, all open. */
  constructor(keys: readonly Buffer[]) {
    if (keys.length === 0 || keys.some(key => key.length !== 32)) throw new RangeError('a sealer needs keys of 32 octets');
    this.#keys = keys;
  }

  /** Version octet, nonce, ciphertext, tag. */
  seal(plain: string | Uint8Array, aad: string): Buffer {
    const nonce = fewRandom(NONCE);
    const cipher = createCipheriv(ALGORITHM, this.#keys[0] as Buffer, nonce, { authTagLength: TAG }).setAAD(Buffer.from(aad));
    const text = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
    // Of this mode it is empty, and asked for because only then is there a tag.
    cipher.final();
    const sealed = Buffer.allocUnsafe(SEAL_OVERHEAD + text.length);
    sealed[0] = VERSION;
    nonce.copy(sealed, 1);
    text.copy(sealed, 1 + NONCE);
    cipher.getAuthTag().copy(sealed, 1 + NONCE + text.length);
    return sealed;
  }

  /** Many, in their order: good for the same as `seal`, and as long, at an eighth of the time for some hundred of them. */
  sealMany(plains: readonly Plain[]): readonly Buffer[] {
    return plains.length === 0 ? [] : sealAll(this.#bulk()[0] as Buffer, plains, BULK);
  }

  /** The plain octets; undefined where `sealed` was altered, belongs elsewhere, or no key of this sealer made it. */
  open(sealed: Uint8Array, aad: string): Buffer | undefined {
    if (sealed.length < SEAL_OVERHEAD || (sealed[0] !== VERSION && sealed[0] !== BULK)) return undefined;
    const data = Buffer.from(aad);
    const [keys, openWith] = sealed[0] === BULK ? [this.#bulk(), openOne] : [this.#keys, openGcm];
    for (const key of keys) {
      const plain = openWith(key, sealed, data);
      if (plain !== undefined) return plain;
    }
    return undefined;
  }

  /** Many, in their order, each as `open` does; at a fraction of the time those that sealMany made under the key that seals now. */
  openMany(values: readonly Sealed[]): readonly (Buffer | undefined)[] {
    const bulk = values.filter(({ sealed }) => sealed.length >= SEAL_OVERHEAD && sealed[0] === BULK);
    const opened = bulk.length === 0 ? [] : openAll(this.#bulk()[0] as Buffer, bulk);
    let next = 0;
    return values.map(value => (value === bulk[next] ? opened[next++] : undefined) ?? this.open(value.sealed, value.aad));
  }

  /** Keys of their own: what one mode computes must never be what another one does. */
  #bulk(): readonly Buffer[] {
    this.#bulkKeys ??= this.#keys.map(key => Buffer.from(hkdfSync('sha256', key, '', 'postern bulk seal', 32)));
    return this.#bulkKeys;
  }
}

function openGcm(key: Buffer, sealed: Uint8Array, aad: Buffer): Buffer | undefined {
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(1, 1 + NONCE), { authTagLength: TAG }).setAAD(aad);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const text = decipher.update(sealed.subarray(1 + NONCE, sealed.length - TAG));
  try {
    return Buffer.concat([text, decipher.final()]);
  } catch {
    // The only way node says that the tag does not fit; an expected outcome here.
    return undefined;
  }
}

/** How keys are laid out in LMDB: `owner NUL e|r name NUL id`, so that octet order keeps owners, sets and logs apart. */
import { isEntryKey, type Key, type Range } from './store.ts';

/** Octets between which a range lies: `from` inclusive, `to` exclusive. `idAt` is where the id begins in each of its keys. */
export interface Bounds {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly idAt: number;
}

export function encodeKey(key: Key): Buffer {
  if (isEntryKey(key)) {
    // A dozen of these for every recipient: one allocation each.
    const prefix = `${key.owner}\0e${key.set}\0`;
    const encoded = Buffer.allocUnsafe(prefix.length + key.id.length);
    encoded.write(prefix, 'latin1');
    key.id.copy(encoded, prefix.length);
    return encoded;
  }
  return Buffer.from(`${key.owner}\0r${key.log}\0${key.id}`, 'latin1');
}

export function bounds(range: Range): Bounds {
  const prefix = 'set' in range ? `${range.owner}\0e${range.set}\0` : `${range.owner}\0r${range.log}\0`;
  const from = 'log' in range && range.from !== undefined ? prefix + range.from : prefix;
  // The name ends in NUL, so everything of this range lies below the same name ending in 1.
  const to = 'log' in range && range.to !== undefined ? prefix + range.to : `${prefix.slice(0, -1)}\x01`;
  return { from: Buffer.from(from, 'latin1'), to: Buffer.from(to, 'latin1'), idAt: prefix.length };
}

/** The key of a range whose id is `id`. */
export function keyOf(range: Range, id: Buffer): Key {
  return 'set' in range ? { owner: range.owner, set: range.set, id } : { owner: range.owner, log: range.log, id: id.toString('latin1') };
}

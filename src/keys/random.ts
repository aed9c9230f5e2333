/** A few random octets, again and again. */
import { randomBytes } from 'node:crypto';

const DRAWN = 16_384;
let drawn = Buffer.alloc(0);

/** At most some dozen, never the same again. Drawn many at a time: asked for one by one, they cost more than what they are for. */
export function fewRandom(octets: number): Buffer {
  if (drawn.length < octets) drawn = randomBytes(DRAWN);
  const few = drawn.subarray(0, octets);
  drawn = drawn.subarray(octets);
  return few;
}

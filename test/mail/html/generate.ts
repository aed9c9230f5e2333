/** Generated test input: a seeded source of randomness, so that a failure can be seen again. */

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function choice<T>(next: () => number, from: readonly T[]): T {
  const found = from[Math.floor(next() * from.length)];
  if (found === undefined) throw new RangeError('nothing to choose from');
  return found;
}

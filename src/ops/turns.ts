/** Work over many things in short turns of the event loop, so that mail beside it is not held up. */
import { setImmediate as turn } from 'node:timers/promises';

/** What `work` makes of the things, in their order; it is handed `most` of them at a time, with a turn for everybody else in between. */
export async function inTurns<T, R>(
  things: readonly T[],
  most: number,
  work: (piece: readonly T[], from: number) => readonly R[] | Promise<readonly R[]>,
): Promise<readonly R[]> {
  if (things.length <= most) return work(things, 0);
  const made: R[] = [];
  for (let from = 0; from < things.length; from += most) {
    if (from > 0) await turn();
    // Not spread: that has a limit.
    for (const one of await work(things.slice(from, from + most), from)) made.push(one);
  }
  return made;
}

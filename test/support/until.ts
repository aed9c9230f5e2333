/** Waits in tests for what happens in other processes, without guessing how long that takes. */
import { setTimeout as sleep } from 'node:timers/promises';

/** The first result of `look` that is neither undefined nor false. Rejects with `what` after `ms`: long, because it is only waited out in failure. */
export async function until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>, ms = 40_000): Promise<T> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`not seen in ${ms / 1000} s: ${what}`);
}

/** A limit on how long an engine may keep its caller waiting. */
import { StoreUnavailable } from './store.ts';

/**
 * What `answer` resolves to, if it does within `ms` milliseconds, or came while this thread was busy with other things for so long. What
 * comes later is dropped: a late write may still happen.
 * @throws StoreUnavailable after `ms`.
 */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    // Node runs timers before it reads: what is there by now had better be read first.
    timer = setTimeout(() => setImmediate(() => reject(new StoreUnavailable(`The store gave no answer within ${ms} ms`))), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The entrance of the process in which the admin API runs one import: order and file in, progress and report out. */
import { once } from 'node:events';
import type { FromProcess, ToProcess } from './admin/import-process.ts';
import { openHouse } from './app.ts';
import { importList } from './lists/import.ts';
import { scrub } from './ops/log.ts';

const cancelled = new AbortController();
/** Whether the file came to its end. Whoever sends it may be gone without that, which looks the same on a pipe. */
const complete = new Promise<boolean>(resolve => {
  process.on('message', (message: ToProcess) => {
    if (message === 'complete') resolve(true);
    if (message === 'cancel') cancelled.abort();
  });
  process.once('disconnect', () => {
    cancelled.abort();
    resolve(false);
  });
});

const [message] = (await once(process, 'message')) as [ToProcess];
if (typeof message === 'object') await run(message);
if (process.connected) process.disconnect();

async function run({ order, file, cwd }: Exclude<ToProcess, string>): Promise<void> {
  try {
    const house = await openHouse({ file, cwd });
    try {
      const { scope, ...options } = order;
      const report = await importList(house.lists, scope, whole(), {
        ...options,
        signal: cancelled.signal,
        merging: (done, total, { added, existing }) => tell({ merging: { done, total, added, existing } }),
      });
      await tell({ report });
    } finally {
      await house.close();
    }
  } catch (error) {
    await tell({ failed: scrub(error instanceof Error ? error.message : 'unknown') });
  }
}

/** The file, which is whole when this ends without a cancel. */
async function* whole(): AsyncIterable<Buffer> {
  yield* process.stdin as AsyncIterable<Buffer>;
  if (!(await complete)) cancelled.abort();
}

function tell(message: FromProcess): Promise<void> {
  return new Promise(resolve => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

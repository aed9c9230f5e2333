/** Work that is done again and again while a process runs: one turn at a time, and what fails is tried again at the next. */
import type { Logger } from './log.ts';

/** Does `work` every `everyMs`. `stop` resolves when a running turn is over. */
export function regularly(everyMs: number, what: string, log: Logger, work: () => Promise<unknown>): { stop(): Promise<void> } {
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    running ??= work()
      .catch(error => log.warn({ err: error }, `${what} failed and is tried again`))
      .finally(() => {
        running = undefined;
      });
  }, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

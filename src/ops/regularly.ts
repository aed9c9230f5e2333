/** Work that is done again and again while a process runs: one turn at a time, and what fails is tried again at the next. */
import type { Logger } from './log.ts';

/** An outage of hours must not fill the disk: what fails again and again is logged when it begins to, and then no more often than this. */
const NOTED_MS = 60_000;

/** Does `work` every `everyMs`. `stop` resolves when a running turn is over. */
export function regularly(everyMs: number, what: string, log: Logger, work: () => Promise<unknown>): { stop(): Promise<void> } {
  let running: Promise<unknown> | undefined;
  let failing: { readonly notedAt: number; readonly unlogged: number } | undefined;
  const failed = (error: unknown) => {
    const now = performance.now();
    if (failing !== undefined && now - failing.notedAt < NOTED_MS) {
      failing = { ...failing, unlogged: failing.unlogged + 1 };
      return;
    }
    log.warn({ err: error, unlogged: failing?.unlogged ?? 0 }, `${what} failed and is tried again`);
    failing = { notedAt: now, unlogged: 0 };
  };
  const timer = setInterval(() => {
    running ??= work()
      .then(() => {
        failing = undefined;
      }, failed)
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

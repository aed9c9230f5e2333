/** A progress bar on stderr for long work, where a person looks at it. */
import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  /** So much of the whole is done. */
  at(done: number): void;
  /** May be called again. */
  end(): void;
}

/** `total` in whatever unit `at` is told; 0 where nobody knows. Silent unless stderr is a terminal. */
export function startProgress(title: string, total: number): Progress {
  if (!process.stderr.isTTY || total === 0) return { at: () => undefined, end: () => undefined };
  const bar = new SingleBar(
    { format: `${title} {bar} {percentage}% | {eta_formatted} left`, stream: process.stderr },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { at: done => bar.update(done), end: () => bar.isActive && bar.stop() };
}

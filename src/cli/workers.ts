/** Several worker processes behind one set of ports, one for each core: started, replaced where one dies, and stopped together. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningGate } from '../app.ts';
import { CommandFailure } from './exit.ts';

/** Where a gate listens: for submission, and for what comes back. */
export interface Places {
  readonly listening: RunningGate['addresses'];
  readonly inbound: RunningGate['inbound'];
}

/** How soon a worker that died is replaced: at once would spin where it dies at once. */
const REPLACE_MS = 1000;

/**
 * Runs `count` workers until SIGTERM or SIGINT; SIGHUP goes on to all of them. `announce` is told where they listen once all do.
 * @throws CommandFailure where a worker ends before it listens, with that worker's exit code
 */
export async function runWorkers(count: number, announce: (places: Places) => void): Promise<void> {
  // The first founds the store and makes the certificate where there is none; the others find them.
  const places = await startWorker();
  await Promise.all(Array.from({ length: count - 1 }, startWorker));
  announce(places);

  let stopping = false;
  cluster.on('exit', async (worker, code, signal) => {
    if (stopping) return;
    process.stderr.write(
      `${JSON.stringify({ level: 'error', msg: 'a worker died and is replaced', pid: worker.process.pid, code, signal })}\n`,
    );
    await sleep(REPLACE_MS);
    if (!stopping) cluster.fork();
  });
  const reload = () => everyWorker(worker => worker.process.kill('SIGHUP'));
  process.on('SIGHUP', reload);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  stopping = true;
  process.off('SIGHUP', reload);
  await Promise.all(
    everyWorker(async worker => {
      const exited = once(worker, 'exit');
      worker.process.kill('SIGTERM');
      await exited;
    }),
  );
}

/** Resolves when the new worker listens. @throws CommandFailure where it ends before */
async function startWorker(): Promise<Places> {
  const worker = cluster.fork();
  const listens = once(worker, 'message').then(([message]) => message as Places);
  const ends = once(worker, 'exit').then(([code]) => Number(code ?? 1));
  const outcome = await Promise.race([listens, ends]);
  if (typeof outcome !== 'number') return outcome;
  for (const other of Object.values(cluster.workers ?? {})) other?.process.kill('SIGTERM');
  throw new CommandFailure('a worker could not start, see above', outcome);
}

function everyWorker<T>(act: (worker: Worker) => T): T[] {
  return Object.values(cluster.workers ?? {}).flatMap(worker => (worker === undefined ? [] : [act(worker)]));
}

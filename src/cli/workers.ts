/** Several worker processes behind one set of ports, one for each core: started, replaced where one dies, and stopped together. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunningGate } from '../app.ts';
import { CommandFailure } from './exit.ts';
import { collectForWorkers } from './shared-metrics.ts';

/** Where a gate listens: for submission, for what comes back, and for its administrators. */
export interface Places {
  readonly listening: RunningGate['addresses'];
  readonly inbound: RunningGate['inbound'];
  readonly admin: RunningGate['admin'];
}

/** How soon a worker that died is replaced: at once would spin where it dies at once. */
const REPLACE_MS = 1000;

/** Set in the environment of the one worker that runs the admin API. */
const ADMIN_WORKER = 'ADMIN_WORKER_OF_GATE';

/** Whether the admin API runs in this process: the only one of its gate, or the worker that was told so. */
export function isAdminProcess(): boolean {
  return cluster.isPrimary || process.env[ADMIN_WORKER] === 'yes';
}

/**
 * Runs `count` workers until SIGTERM or SIGINT; SIGHUP goes on to all of them. `announce` is told where they listen once all do.
 * @throws CommandFailure where a worker ends before it listens, with that worker's exit code
 */
export async function runWorkers(count: number, announce: (places: Places) => void): Promise<void> {
  collectForWorkers();
  // The first founds the store and makes the certificate where there is none; the others find them.
  const places = await startWorker(true);
  let withAdmin = firstWorker();
  await Promise.all(Array.from({ length: count - 1 }, () => startWorker(false)));
  announce(places);

  let stopping = false;
  cluster.on('exit', async (worker, code, signal) => {
    if (stopping) return;
    process.stderr.write(
      `${JSON.stringify({ level: 'error', msg: 'a worker died and is replaced', pid: worker.process.pid, code, signal })}\n`,
    );
    await sleep(REPLACE_MS);
    if (stopping) return;
    const replacement = fork(worker === withAdmin);
    if (worker === withAdmin) withAdmin = replacement;
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
async function startWorker(admin: boolean): Promise<Places> {
  const worker = fork(admin);
  const listens = new Promise<Places>(resolve => {
    worker.on('message', message => {
      if ('listening' in message) resolve(message);
    });
  });
  const ends = once(worker, 'exit').then(([code]) => Number(code ?? 1));
  const outcome = await Promise.race([listens, ends]);
  if (typeof outcome !== 'number') return outcome;
  for (const other of Object.values(cluster.workers ?? {})) other?.process.kill('SIGTERM');
  throw new CommandFailure('a worker could not start, see above', outcome);
}

function fork(admin: boolean): Worker {
  return cluster.fork({ [ADMIN_WORKER]: admin ? 'yes' : 'no' });
}

function firstWorker(): Worker | undefined {
  return everyWorker(worker => worker)[0];
}

function everyWorker<T>(act: (worker: Worker) => T): T[] {
  return Object.values(cluster.workers ?? {}).flatMap(worker => (worker === undefined ? [] : [act(worker)]));
}

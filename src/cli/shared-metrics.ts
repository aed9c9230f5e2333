/** Metrics of several workers: the one that is asked collects everybody's, by way of the process that started them all. */
import cluster, { type Worker } from 'node:cluster';
import type { Metrics, Snapshot } from '../ops/metrics.ts';

/** What goes between workers and the process that started them. */
type Word =
  | { readonly metrics: 'all?' | 'yours?'; readonly id: number }
  | { readonly metrics: 'mine'; readonly id: number; readonly snapshot: Snapshot }
  | { readonly metrics: 'all'; readonly id: number; readonly snapshots: readonly Snapshot[] };

/** A worker that does not answer by then is left out: it may be dying. */
const PATIENCE_MS = 2_000;

/** Lets the workers of this process ask for everybody's metrics. */
export function collectForWorkers(): void {
  let asked = 0;
  cluster.on('message', async (asker: Worker, word: unknown) => {
    if (!isWord(word) || word.metrics !== 'all?') return;
    asked += 1;
    const id = asked;
    const snapshots = await Promise.all(Object.values(cluster.workers ?? {}).map(worker => snapshotOf(worker, id)));
    const all: Word = { metrics: 'all', id: word.id, snapshots: snapshots.filter(snapshot => snapshot !== undefined) };
    if (asker.isConnected()) asker.send(all);
  });
}

function snapshotOf(worker: Worker | undefined, id: number): Promise<Snapshot | undefined> {
  return new Promise(resolve => {
    if (worker?.isConnected() !== true) return resolve(undefined);
    const done = (snapshot?: Snapshot): void => {
      clearTimeout(limit);
      worker.off('message', listen);
      resolve(snapshot);
    };
    const listen = (word: unknown): void => {
      if (isWord(word) && word.metrics === 'mine' && word.id === id) done(word.snapshot);
    };
    const limit = setTimeout(done, PATIENCE_MS);
    worker.on('message', listen);
    worker.send({ metrics: 'yours?', id } satisfies Word);
  });
}

/**
 * Answers for this worker when it is asked. The function that comes back gives the metrics of all workers of the gate; of this one
 * alone, where the process that started them does not answer.
 */
export function shareMetrics(metrics: Metrics): () => Promise<readonly Snapshot[]> {
  let asked = 0;
  const waiting = new Map<number, (snapshots: readonly Snapshot[]) => void>();
  process.on('message', async (word: unknown) => {
    if (!isWord(word)) return;
    if (word.metrics === 'all') waiting.get(word.id)?.(word.snapshots);
    if (word.metrics === 'yours?') process.send?.({ metrics: 'mine', id: word.id, snapshot: await metrics.snapshot() } satisfies Word);
  });
  return async () => {
    asked += 1;
    const id = asked;
    const told = new Promise<readonly Snapshot[]>(resolve => {
      waiting.set(id, resolve);
      setTimeout(() => resolve([]), 2 * PATIENCE_MS).unref();
    });
    process.send?.({ metrics: 'all?', id } satisfies Word);
    const snapshots = await told;
    waiting.delete(id);
    return snapshots.length > 0 ? snapshots : [await metrics.snapshot()];
  };
}

function isWord(word: unknown): word is Word {
  return typeof word === 'object' && word !== null && 'metrics' in word && 'id' in word;
}

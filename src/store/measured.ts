/** A store whose answers are timed, for metrics. */
import { type Metrics, secondsSince } from '../ops/metrics.ts';
import type { Store } from './store.ts';

type Timed = 'find' | 'apply';

/** The same store: every answer of `find` and `apply` is timed, every failure counted. */
export function measuredStore(store: Store, { store: seconds, storeFailures }: Pick<Metrics, 'store' | 'storeFailures'>): Store {
  const timed = <T>(operation: Timed, answer: Promise<T>): Promise<T> => {
    const from = performance.now();
    answer.then(
      () => seconds.observe({ operation }, secondsSince(from)),
      () => storeFailures.inc({ operation }),
    );
    return answer;
  };
  for (const operation of ['find', 'apply'] satisfies Timed[]) storeFailures.inc({ operation }, 0);
  return {
    find: keys => timed('find', store.find(keys)),
    apply: (changes, expect) => timed('apply', store.apply(changes, expect)),
    scan: range => store.scan(range),
    isEmpty: () => store.isEmpty(),
    inspect: () => store.inspect(),
    ping: () => store.ping(),
    close: () => store.close(),
  };
}

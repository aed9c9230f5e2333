/** An upstream whose transactions are timed, for metrics. */
import { type Metrics, resultOf, secondsSince } from '../ops/metrics.ts';
import type { Upstream } from './upstream.ts';

/** The same upstream. A transaction that was held back counts by the refusal for which it was. */
export function measuredUpstream(upstream: Upstream, { upstream: seconds }: Pick<Metrics, 'upstream'>): Upstream {
  return {
    async relay(envelope, octets, consent) {
      const from = performance.now();
      try {
        const result = await upstream.relay(envelope, octets, consent);
        seconds.observe({ result: resultOf(result.reply.code) }, secondsSince(from));
        return result;
      } catch (error) {
        seconds.observe({ result: 'lost' }, secondsSince(from));
        throw error;
      }
    },
    verify: () => upstream.verify(),
    close: () => upstream.close(),
  };
}

/** How long it took from receipt to enforced: a histogram an hour and owner, written with the line that it tells of (A17). */
import type { RecordKey, Store, Value } from '../store/store.ts';
import { oneMore, sharedRecord } from './counters.ts';
import { readHours, type Span } from './hours.ts';
import type { Owner } from './pseudonyms.ts';

export const INBOUND_LATENCY = 'inbound-latency';

/** Percentiles as upper limits, in ms: the next power of two. Undefined where nothing came back. */
export interface InboundLatency {
  readonly count: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

/** One of the hour's records (`at` in ms since 1970 UTC): to be read first, and to be expected unchanged when it is written. */
export function latencyRecord(owner: Owner, at: number, share: number): RecordKey {
  return sharedRecord(owner, INBOUND_LATENCY, at, share);
}

/** The record with one more that took `ms`. */
export function latencyNoted(value: Value | undefined, ms: number): Value {
  return oneMore(value, String(bucketOf(ms)));
}

/** These owners' latencies of the hours of the span. @throws StoreUnavailable */
export async function readLatency(store: Store, owners: readonly Owner[], span: Span = {}): Promise<InboundLatency> {
  const buckets = new Map<number, number>();
  for (const owner of owners) {
    await readHours(store, owner, INBOUND_LATENCY, span, (_hour, bucket, count) => {
      buckets.set(Number(bucket), (buckets.get(Number(bucket)) ?? 0) + count);
    });
  }
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const count = sorted.reduce((sum, [, n]) => sum + n, 0);
  return { count, p50: percentile(sorted, count, 0.5), p99: percentile(sorted, count, 0.99) };
}

/** n: less than 2^n ms, and not less than half of it. */
function bucketOf(ms: number): number {
  return Math.floor(Math.log2(Math.max(ms, 0) + 1)) + 1;
}

function percentile(sorted: readonly (readonly [number, number])[], count: number, share: number): number | undefined {
  let seen = 0;
  for (const [bucket, n] of sorted) {
    seen += n;
    if (seen >= count * share) return 2 ** bucket;
  }
  return undefined;
}

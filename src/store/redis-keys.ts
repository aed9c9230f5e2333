/**
 * How keys are laid out in Redis. The hash tag `{owner}` keeps all of an owner on one node, so that one script changes it as a whole.
 *
 * - entries: hashes `postern:{owner}:e:<set>:<bucket>`, id → value. Redis packs a hash of up to 512 fields of up to 64 octets without
 *   pointers. Measured with Redis 7.0, 1 M entries, ids of 16 octets: 63 octets an entry for values of 36, 90 for values of 60; values
 *   over 64 are not packed (209 octets an entry for 120) unless `hash-max-listpack-value` is raised.
 * - records: one sorted set `postern:{owner}:r:<log>` of members `id NUL value`, all of score 0, so ordered by id.
 */
import { isEntryKey, type Key, type RecordKey, type Value } from './store.ts';

export const PREFIX = 'postern:';

/** 7 M entries of a set stay below 512 a bucket; an empty set costs a scan 64 round trips. */
const BUCKET_BITS = 14;
export const BUCKETS = 1 << BUCKET_BITS;

/** The Redis key that holds `key`. */
export function redisKey(key: Key): string {
  return isEntryKey(key) ? bucketKey(key.owner, key.set, bucketOf(key.id)) : logKey(key.owner, key.log);
}

export function bucketKey(owner: string, set: string, bucket: number): string {
  return `${PREFIX}{${owner}}:e:${set}:${bucket.toString(16)}`;
}

export function logKey(owner: string, log: string): string {
  return `${PREFIX}{${owner}}:r:${log}`;
}

/** Ids are digests, so their first octets spread them evenly; in order of the ids, so that a set can be read on from one of them. */
export function bucketOf(id: Buffer): number {
  return (((id[0] ?? 0) << 8) | (id[1] ?? 0)) >> (16 - BUCKET_BITS);
}

/** Takes a member of a log's sorted set apart. */
export function decodeMember(owner: string, log: string, member: Buffer): readonly [RecordKey, Value] {
  const end = member.indexOf(0);
  return [{ owner, log, id: member.toString('latin1', 0, end) }, member.subarray(end + 1)];
}

/** A test on each store: what one of them promises must be true of the other. */
import t, { type Test } from 'tap';
import { noRedis, startRedis } from './redis.ts';

/** `settings` name the store, as the configuration does: nothing for LMDB, which is in the house's own folder. */
export function onBothStores(
  name: string,
  test: (t: Test, settings: { readonly store?: { readonly url: string } }) => Promise<void>,
): void {
  t.test(`${name} (LMDB)`, t => test(t, {}));
  t.test(`${name} (Redis)`, { skip: noRedis }, async t => test(t, { store: { url: (await startRedis(t)).url } }));
}

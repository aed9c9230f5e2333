/** Import jobs as they are kept: pages of jobs, and of the bad rows of one, across the records that they lie in. */
import { type ImportJob, ImportRecords } from '../../src/admin/import-records.ts';
import { ACME, OTHER, openHouse } from '../lists/house.ts';
import { onBothStores } from '../support/stores.ts';

const JOB = { state: 'finished', list: 'exclusion', dryRun: false, strict: true, by: 'jo', createdAt: 0, seenAt: 0, octets: 1 } as const;
const COUNTS = { read: 0, added: 0, existing: 0, invalid: 0, merged: { done: 0, total: 0 }, errors: 0 };

onBothStores('jobs are listed newest first, and each has its own bad rows, in order', async (t, { store }) => {
  const house = await openHouse(t.testdir(), store === undefined ? {} : { storeUrl: store.url });
  t.teardown(() => house.close());
  const records = new ImportRecords(house);
  const jobs = Array.from({ length: 5 }, (_, i): ImportJob => ({ ...JOB, ...COUNTS, id: records.newId(0xfff0 + 8 * i) }));
  for (const job of jobs.toSorted((a, b) => (a.id.slice(-8) < b.id.slice(-8) ? -1 : 1))) await records.save(ACME, job);
  const ids = jobs.map(({ id }) => id).reverse();
  const listed = async (limit: number, before?: string) => (await records.list(ACME, limit, before)).map(({ id }) => id);
  t.same(await listed(3), ids.slice(0, 3));
  t.same(await listed(3, ids[2]), ids.slice(3));
  t.same(await listed(3, ids[4]), []);
  t.same(await records.list(OTHER, 3), [], 'A1');
  const [one, two] = ids as [string, string];
  await records.save(ACME, { ...(jobs[4] as ImportJob), state: 'refused' });
  t.match(await records.find(ACME, one), { state: 'refused' });
  t.equal(await records.find(OTHER, one), undefined, 'A1');

  const errors = Array.from({ length: 26_001 }, (_, i) => ({ line: i + 2, error: 'no address' }));
  await records.saveErrors(ACME, one, errors);
  await records.saveErrors(ACME, two, errors.slice(0, 1));
  for (const [from, limit] of [
    [0, 3],
    [498, 4],
    [999, 1_000],
    [25_999, 100],
  ] as const)
    t.same(await records.errors(ACME, one, from, limit), errors.slice(from, from + limit), `${limit} from ${from}`);
  t.same(await records.errors(ACME, one, 26_001, 10), []);
  t.same(await records.errors(ACME, two, 0, 10), errors.slice(0, 1));
});

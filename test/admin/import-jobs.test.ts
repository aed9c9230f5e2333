/** Import jobs: what is written down of one stays the truth, however long the writing takes. */
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import t from 'tap';
import { ImportJobs } from '../../src/admin/import-jobs.ts';
import { systemClock } from '../../src/ops/clock.ts';
import { ACME, openHouse } from '../lists/house.ts';

/** Longer than a running job goes without being written down. */
const LONGER_THAN_A_BEAT = 6_000;

t.test('an import that ended stays so, where its end takes longer to be told than a beat', async t => {
  const house = await openHouse(t.testdir());
  t.teardown(() => house.close());
  const report = { read: 1, added: 1, existing: 0, invalid: 0, errors: [] };
  const jobs = new ImportJobs({
    ...house,
    clock: systemClock,
    log: pino({ level: 'silent' }),
    outbox: { tell: () => sleep(LONGER_THAN_A_BEAT) },
    importer: () => ({ read: async () => true, cancel() {}, kill() {}, done: sleep(100).then(() => report) }),
    hasSpoolRoom: async () => true,
  });
  const begun = await jobs.begin(
    ACME,
    { scope: { owner: ACME }, dryRun: false, strict: false, platform: false },
    { who: { by: 'test', from: 'cli' }, own: true },
  );
  if (typeof begun === 'string') throw new Error(begun);
  await jobs.close();
  t.match(await jobs.find(ACME, begun.job.id), { state: 'finished', added: 1 });
  t.match(await jobs.list(ACME, 1), [{ id: begun.job.id, state: 'finished' }]);
});

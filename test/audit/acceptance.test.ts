/** What a restore lost of a trail: accepted on record by a named person, told for ever, and nothing that hides what else is done to a trail. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { Audit } from '../../src/audit/audit.ts';
import { headKey, recordKey } from '../../src/audit/chain.ts';
import type { Value } from '../../src/store/store.ts';
import { ACME, clockAt, openHouse } from '../lists/house.ts';

const NOW = Date.UTC(2026, 5, 1);
const ANN = { by: 'ann', from: '192.0.2.7' };
const BEA = { by: 'Bea', from: 'cli', why: 'backup of Sunday' };
const LONG = 20;

async function scene(t: Test) {
  const dir = mkdtempSync(join(tmpdir(), 'postern-acceptance-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const clock = clockAt(NOW);
  const house = await openHouse(dir, { storeUrl: 'lmdb:data', clock });
  t.teardown(() => house.close());
  const { store } = house;
  const keys = [headKey(ACME), ...Array.from({ length: LONG }, (_, i) => recordKey(ACME, i + 1))];
  return {
    dir,
    clock,
    store,
    /** Of a process of its own: what one knows of its anchors must not matter. */
    audit() {
      clock.at += 1;
      return new Audit({ ...house, clock, log: pino({ level: 'silent' }) });
    },
    backup: () => store.find(keys),
    restore: (values: readonly (Value | undefined)[]) => store.apply(keys.map((key, i) => ({ key, value: values[i] }))),
  };
}

async function write(audit: Audit, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await audit.record(ACME, { ...ANN, what: 'client.update' });
}

async function verified(audit: Audit): Promise<string[]> {
  const { findings } = await audit.verify(ACME);
  return findings.map(({ what, from, to }) => [what, from, to].filter(part => part !== undefined).join(' '));
}

t.test('A35: what a restore lost is accepted, and told ever after', async t => {
  const { audit, clock, backup, restore } = await scene(t);
  await write(audit(), 7);
  const copy = await backup();
  await write(audit(), 3);
  await restore(copy);
  t.same(await verified(audit()), ['cut 8 10']);
  t.same(await audit().accept(ACME, BEA), [{ from: 8, to: 10 }]);
  const loss = { from: 8, to: 10, n: 8, at: clock.at, by: 'Bea', why: 'backup of Sunday' };
  t.same(await audit().verify(ACME), { owner: ACME, records: 8, anchored: 8, findings: [], accepted: [loss] });
  await write(audit(), 4);
  t.same(await audit().verify(ACME), { owner: ACME, records: 12, anchored: 12, findings: [], accepted: [loss] });
  t.same(await audit().accept(ACME, BEA), [], 'nothing more is lost, and nothing more is written');
  t.same((await audit().verify(ACME)).records, 12);
});

t.test('a trail that went on before anybody accepted', async t => {
  const { audit, backup, restore } = await scene(t);
  await write(audit(), 4);
  const copy = await backup();
  await write(audit(), 4);
  await restore(copy);
  await write(audit(), 2);
  t.same(await verified(audit()), ['replaced 5', 'replaced 6', 'cut 7 8']);
  t.same(await audit().accept(ACME, BEA), [{ from: 5, to: 8 }]);
  t.same(await verified(audit()), []);
  await write(audit(), 5);
  t.same(await verified(audit()), []);
});

t.test('a copy older than the first line, and a second restore that loses the acceptance of the first', async t => {
  const { audit, backup, restore } = await scene(t);
  const empty = await backup();
  await write(audit(), 3);
  await restore(empty);
  t.same(await audit().accept(ACME, BEA), [{ from: 1, to: 3 }]);
  t.same(await verified(audit()), []);
  await restore(empty);
  t.same(await verified(audit()), ['head', 'cut 1 3'], 'the acceptance was a line like any other');
  t.same(await audit().accept(ACME, BEA), [{ from: 1, to: 3 }]);
  t.match(await audit().verify(ACME), { records: 1, findings: [], accepted: [{ n: 1 }] });
});

t.test('whoever has the store alone gains nothing by an acceptance', async t => {
  const { audit, store, backup, restore } = await scene(t);
  await write(audit(), 4);
  const copy = await backup();
  await write(audit(), 3);
  const before = await backup();
  await restore(copy);
  await audit().accept(ACME, BEA);
  await write(audit(), 1);
  const after = await backup();
  await restore(copy);
  t.same(await verified(audit()), ['cut 5 7'], 'cut again: the acceptance went with it');
  await restore(before);
  t.same(await verified(audit()), ['replaced 5', 'replaced 6'], 'what was given up does not come back unseen');
  await restore(after);
  await store.apply([{ key: recordKey(ACME, 6), value: undefined }]);
  t.same(await verified(audit()), ['cut 6 6'], 'what is written after it is anchored as ever');
});

t.test('only what a restore leaves is accepted', async t => {
  const { audit, store, backup, restore } = await scene(t);
  await write(audit(), 5);
  const whole = await backup();
  const gone = (...numbers: number[]) => store.apply(numbers.map(n => ({ key: recordKey(ACME, n), value: undefined })));
  await gone(3);
  t.match(await audit().accept(ACME, BEA), { problem: /record 3 is missing/ });
  await restore(whole);
  await gone(4, 5);
  t.match(await audit().accept(ACME, BEA), { problem: /records 4 to 5/ }, 'the head still names them');
  t.equal((await audit().verify(ACME)).records, 3, 'and nothing was written');
});

t.test('the last lines alone: a cut and a rollback show, an old edit does not', async t => {
  const { audit, store, backup, restore } = await scene(t);
  await write(audit(), 5);
  const copy = await backup();
  await write(audit(), 10);
  t.match(await audit().verify(ACME, 4), { records: 4, anchored: 15, findings: [] });
  await store.apply([{ key: recordKey(ACME, 2), value: undefined }]);
  t.match(await audit().verify(ACME, 4), { records: 4, findings: [] });
  await store.apply([{ key: recordKey(ACME, 13), value: undefined }]);
  t.match(await audit().verify(ACME, 4), { findings: [{ what: 'missing', from: 13 }] });
  await restore(copy);
  t.match(await audit().verify(ACME, 4), { records: 0, findings: [{ what: 'cut' }] });
  await write(audit(), 10);
  t.match(await audit().verify(ACME, 4), { records: 4, findings: [{ what: 'replaced' }, {}, {}, {}] });
});

t.test('a trail of very many lines is verified, too', async t => {
  const { audit, dir } = await scene(t);
  await write(audit(), 1);
  const link = 'x'.repeat(43);
  writeFileSync(join(dir, 'vault/acme.notes'), Array.from({ length: 300_000 }, (_, i) => `audit ${i + 2} ${link}\n`).join(''), {
    flag: 'a',
  });
  t.match(await verified(audit()), ['cut 2 300001']);
});

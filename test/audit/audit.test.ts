/** The audit trail on both engines: what it says, and that nothing happens to it unnoticed. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import type { AuditLine } from '../../src/audit/act.ts';
import { Audit } from '../../src/audit/audit.ts';
import { headKey, recordKey } from '../../src/audit/chain.ts';
import type { AuditFinding } from '../../src/audit/verify.ts';
import { addKey } from '../../src/keys/keyring.ts';
import { openVault } from '../../src/keys/vault.ts';
import type { Key, Store, Value } from '../../src/store/store.ts';
import { ACME, clockAt, type House, OTHER, openHouse, type TestClock } from '../lists/house.ts';
import { noRedis, startRedis } from '../support/redis.ts';

const NOW = Date.UTC(2026, 5, 1);
const ANN = { by: 'ann', from: '192.0.2.7' };
const log = pino({ level: 'silent' });

interface Scene {
  readonly house: House;
  readonly audit: Audit;
  readonly clock: TestClock;
  readonly dir: string;
  /** A second gate on the same store and vault. */
  again(): Promise<Audit>;
}

async function scene(t: Test, storeUrl: string): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'postern-audit-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const clock = clockAt(NOW);
  const open = async () => {
    const house = await openHouse(dir, { storeUrl, clock });
    t.teardown(() => house.close());
    return house;
  };
  const house = await open();
  const of = (house: House) => new Audit({ ...house, clock, log });
  return { house, audit: of(house), clock, dir, again: async () => of(await open()) };
}

async function lines(audit: Audit, query = {}): Promise<AuditLine[]> {
  const found: AuditLine[] = [];
  for await (const line of audit.list(ACME, query)) found.push(line);
  return found;
}

async function write(audit: Audit, count: number, from = 1): Promise<void> {
  for (let i = from; i < from + count; i++) await audit.record(ACME, { ...ANN, what: 'client.update', about: { i } });
}

const brief = (findings: readonly AuditFinding[]) =>
  findings.map(({ what, from, to }) => [what, from, to].filter(part => part !== undefined).join(' '));

async function verified(audit: Audit, owner: string = ACME): Promise<string[]> {
  return brief((await audit.verify(owner)).findings);
}

async function held(store: Store, key: Key): Promise<Value> {
  const [value] = await store.find([key]);
  if (value === undefined) throw new Error('nothing there');
  return value;
}

function flipped(value: Value): Value {
  const copy = Buffer.from(value);
  copy[copy.length - 20] = (copy[copy.length - 20] as number) ^ 1;
  return copy;
}

t.test('on LMDB', async t => promises(t, async t => scene(t, 'lmdb:data')));
t.test('on Redis', { skip: noRedis }, async t => promises(t, async t => scene(t, (await startRedis(t)).url)));

async function promises(t: Test, fresh: (t: Test) => Promise<Scene>): Promise<void> {
  t.test('A18: who, from where, when, what and why; newest first, by page and by time', async t => {
    const { audit, clock, house } = await fresh(t);
    t.same(await audit.verify(ACME), { owner: ACME, records: 0, anchored: 0, findings: [], accepted: [] });
    const first = await audit.record(ACME, { ...ANN, what: 'client.update', about: { fields: ['name'] }, why: 'a typo' });
    t.same(first, { n: 1, at: NOW, ...ANN, what: 'client.update', about: { fields: ['name'] }, why: 'a typo' });
    clock.at += 1000;
    await write(audit, 2);
    clock.at -= 500;
    await audit.record(OTHER, { ...ANN, what: 'export' });
    await write(audit, 1);
    t.same(
      (await lines(audit)).map(({ n, at }) => [n, at]),
      [
        [4, NOW + 1000],
        [3, NOW + 1000],
        [2, NOW + 1000],
        [1, NOW],
      ],
      'time does not run backwards in a trail',
    );
    t.same(
      (await lines(audit, { before: 4, limit: 2 })).map(({ n }) => n),
      [3, 2],
    );
    t.same(
      (await lines(audit, { from: NOW + 1000 })).map(({ n }) => n),
      [4, 3, 2],
    );
    t.same(await audit.verify(ACME), { owner: ACME, records: 4, anchored: 4, findings: [], accepted: [] });
    const owners = [];
    for (const owner of await audit.owners([])) {
      const { records, findings } = await audit.verify(owner);
      owners.push([owner, records, findings.length]);
    }
    t.same(owners, [
      [ACME, 4, 0],
      ['global', 0, 0],
      [OTHER, 1, 0],
    ]);
    t.notOk((await held(house.store, recordKey(ACME, 1))).includes('ann'), 'A29: nothing in clear');
  });

  t.test('A18: an edited record is found and named', async t => {
    const { audit, house } = await fresh(t);
    await write(audit, 5);
    const key = recordKey(ACME, 3);
    const value = await held(house.store, key);
    await house.store.apply([{ key, value: flipped(value) }]);
    t.same(await verified(audit), ['altered 3']);
    await house.store.apply([{ key, value }]);
    t.same(await verified(audit), []);
    await house.store.apply([{ key: headKey(ACME), value: flipped(await held(house.store, headKey(ACME))) }]);
    t.match(await verified(audit), ['head']);
  });

  t.test('A18: a removed record, and a removed stretch', async t => {
    const { audit, house } = await fresh(t);
    await write(audit, 6);
    await house.store.apply([2, 4, 5].map(n => ({ key: recordKey(ACME, n), value: undefined })));
    t.same(await verified(audit), ['missing 2 2', 'missing 4 5']);
  });

  t.test('A18: records swapped, moved from another trail, or put in', async t => {
    const { audit, house } = await fresh(t);
    await write(audit, 4);
    await audit.record(OTHER, { ...ANN, what: 'export' });
    const [two, three] = [await held(house.store, recordKey(ACME, 2)), await held(house.store, recordKey(ACME, 3))];
    await house.store.apply([
      { key: recordKey(ACME, 2), value: three },
      { key: recordKey(ACME, 3), value: two },
    ]);
    t.same(await verified(audit), ['altered 2', 'altered 3']);
    await house.store.apply([
      { key: recordKey(ACME, 2), value: two },
      { key: recordKey(ACME, 3), value: three },
      { key: recordKey(ACME, 1), value: await held(house.store, recordKey(OTHER, 1)) },
    ]);
    t.same(await verified(audit), ['altered 1']);
    await house.store.apply([{ key: { owner: ACME, log: 'audit', id: 'x' }, value: two }]);
    t.same(await verified(audit), ['altered 1', 'foreign']);
    await house.store.apply([{ key: recordKey(ACME, 5), value: two }]);
    t.same(await verified(audit), ['altered 1', 'altered 5', 'foreign', 'head 4']);
  });

  t.test('A18: the tail cut, with and without the head, and the whole trail', async t => {
    const { audit, house, clock } = await fresh(t);
    await write(audit, 3);
    const head = await held(house.store, headKey(ACME));
    await write(audit, 2, 4);
    const cut = [4, 5].map(n => ({ key: recordKey(ACME, n), value: undefined }));
    await house.store.apply(cut);
    t.same(await verified(audit), ['cut 4 5']);
    await house.store.apply([{ key: headKey(ACME), value: head }]);
    t.same(await verified(audit), ['cut 4 5'], 'the anchors know it');
    clock.at += 1;
    await write(audit, 3, 4);
    t.same(await verified(audit), ['replaced 4', 'replaced 5'], 'writing on does not cover it up');
    await house.store.apply([headKey(ACME), ...[1, 2, 3, 4, 5, 6].map(n => recordKey(ACME, n))].map(key => ({ key, value: undefined })));
    t.same(await verified(audit), ['head', 'cut 1 6']);
  });

  t.test('A18: an old record or an old head replayed', async t => {
    const { audit, house } = await fresh(t);
    await write(audit, 2);
    const [old, head] = [await held(house.store, recordKey(ACME, 2)), await held(house.store, headKey(ACME))];
    await house.store.apply([
      { key: recordKey(ACME, 2), value: undefined },
      { key: headKey(ACME), value: undefined },
    ]);
    await audit.record(ACME, { ...ANN, what: 'client.remove' });
    t.same(await verified(audit), ['replaced 2']);
    await write(audit, 1);
    await house.store.apply([{ key: recordKey(ACME, 2), value: old }]);
    t.same(await verified(audit), ['replaced 2', 'unlinked 3'], 'genuine, and out of its place in the chain');
    await house.store.apply([{ key: headKey(ACME), value: head }]);
    t.match(await verified(audit), ['replaced 2', 'unlinked 3', 'head 2']);
    await write(audit, 1);
    t.equal((await lines(audit)).length, 4, 'with a head that was set back, no record is written over');
  });

  t.test('A18: two gates write at once, and no line is lost', async t => {
    const { audit, again } = await fresh(t);
    const other = await again();
    await Promise.all(
      [audit, other].flatMap(gate => Array.from({ length: 20 }, (_, i) => gate.record(ACME, { ...ANN, what: 'a', about: { i } }))),
    );
    const all = await lines(audit);
    t.same(
      all.map(({ n }) => n),
      Array.from({ length: 40 }, (_, i) => 40 - i),
    );
    t.same(await other.verify(ACME), { owner: ACME, records: 40, anchored: 40, findings: [], accepted: [] });
  });

  t.test('a verification while others write finds nothing', async t => {
    const { audit, again } = await fresh(t);
    const other = await again();
    await write(audit, 30);
    const writing = write(audit, 40, 31);
    for (let i = 0; i < 10; i++) t.same(await verified(other), []);
    await writing;
    t.same(await verified(other), []);
  });

  t.test('a draft that lost its race writes nothing', async t => {
    const { audit, house } = await fresh(t);
    const [one, two] = [await audit.append(ACME, { ...ANN, what: 'one' }), await audit.append(ACME, { ...ANN, what: 'two' })];
    t.equal(await house.store.apply(two.changes, two.expect), true);
    t.equal(await house.store.apply(one.changes, one.expect), false);
    await Promise.all([one.settle(), two.settle()]);
    t.same(
      (await lines(audit)).map(({ what }) => what),
      ['two'],
    );
    t.same(await audit.verify(ACME), { owner: ACME, records: 1, anchored: 1, findings: [], accepted: [] });
  });

  t.test('together with a change: drafted anew where a race was lost, nothing where there is nothing to do', async t => {
    const { audit, house } = await fresh(t);
    let attempts = 0;
    const outcome = await audit.together(ACME, { ...ANN, what: 'three' }, async draft => {
      attempts += 1;
      const { changes, expect } = attempts === 1 ? await audit.append(ACME, { ...ANN, what: 'between' }) : draft;
      if (attempts === 1) await house.store.apply(changes, expect);
      return (await house.store.apply(draft.changes, draft.expect)) ? 'done' : undefined;
    });
    t.same([outcome, attempts], ['done', 2]);
    t.equal(await audit.together(ACME, { ...ANN, what: 'none' }, async () => 'nothing to do'), 'nothing to do');
    t.same(
      (await lines(audit)).map(({ what }) => what),
      ['three', 'between'],
    );
    t.same(await audit.verify(ACME), { owner: ACME, records: 2, anchored: 2, findings: [], accepted: [] });
  });

  t.test('a new master key: the trail goes on, and stays whole', async t => {
    const { audit, clock, dir, again } = await fresh(t);
    await write(audit, 2);
    clock.at += 1000;
    await addKey(join(dir, 'keys/postern.key'), clock);
    const rotated = await again();
    await write(rotated, 2, 3);
    t.same(await verified(rotated), []);
    t.equal((await lines(rotated)).length, 4);
  });
}

t.test('a vault that is away does not undo what was done; the next anchor covers it', async t => {
  const { house, clock } = await scene(t, 'lmdb:data');
  let away = true;
  const vault = {
    note: (owner: string, line: string) => (away ? Promise.reject(new Error('away')) : house.vault.note(owner, line)),
    notes: (owner: string) => house.vault.notes(owner),
    noted: () => house.vault.noted(),
  };
  const audit = new Audit({ ...house, vault, clock, log });
  await write(audit, 2);
  t.match(await audit.verify(ACME), { records: 2, anchored: 0, findings: [] });
  away = false;
  await write(audit, 1, 3);
  t.match(await audit.verify(ACME), { records: 3, anchored: 3, findings: [] });
});

t.test('what a crash left of a note is passed over, and joins no other', async t => {
  const { audit, dir } = await scene(t, 'lmdb:data');
  await write(audit, 1);
  appendFileSync(join(dir, 'vault/acme.notes'), 'audit 99 x');
  await write(audit, 1, 2);
  t.match(await audit.verify(ACME), { anchored: 2, findings: [] });
});

t.test('notes outlive the key that they are about, in either kind of vault', async t => {
  for (const kind of ['folder', ...(noRedis === false ? ['redis'] : [])]) {
    const { house, clock, dir } = await scene(t, 'lmdb:data');
    const vault = openVault(kind === 'redis' ? (await startRedis(t)).url : join(dir, 'second'), { keyring: house.keyring, clock });
    t.teardown(() => vault.close());
    t.same(await vault.notes('acme'), [], kind);
    t.same(await vault.noted(), []);
    await vault.create('acme');
    for (const line of ['one', 'two']) await vault.note('acme', line);
    t.equal(await vault.destroy('acme'), true);
    t.same(await vault.notes('acme'), ['one', 'two']);
    t.same(await vault.noted(), ['acme']);
  }
});

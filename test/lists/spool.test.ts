/** The spool gives everything back, sorted, whether it fits into memory or not, and leaves nothing readable behind. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { Spool } from '../../src/lists/spool.ts';

const keyOf = (i: number) => createHash('md5').update(String(i)).digest();

for (const count of [0, 1, 500, 60_000]) {
  t.test(`${count} records, some of one key`, async t => {
    const text = (i: number) => `record ${i} of somebody@customer.example, ${'ü'.repeat(i % 200)}`;
    const spool = new Spool(16);
    t.teardown(() => spool.close());
    for (let i = 0; i < count; i++) await spool.add(keyOf(i % 40_000), text(i));
    t.equal(spool.size, count);
    if (count > 50_000) t.notMatch(temporaryFiles(), 'customer.example', 'what waits in a file is sealed');
    const seen: string[] = [];
    let before: Buffer = Buffer.alloc(16);
    let [inOrder, whole] = [true, true];
    for await (const batch of spool.batches(100)) {
      const [first] = batch;
      if (first?.key.equals(before)) whole = false;
      for (const { key, text } of batch) {
        if (Buffer.compare(before, key) > 0) inOrder = false;
        before = key;
        seen.push(text);
      }
    }
    t.ok(inOrder, 'in the order of the keys');
    t.ok(whole, 'records of one key in one batch');
    const expected = Array.from({ length: count }, (_, i) => text(i));
    t.same(seen.toSorted(), expected.toSorted(), 'nothing lost, nothing twice');
    const early = seen.indexOf(text(7));
    if (count > 40_007) t.equal(seen[early + 1], text(40_007), 'of one key, the earlier first');
  });
}

t.test('keys that begin alike are told apart, however their records came', async t => {
  const spool = new Spool(16);
  t.teardown(() => spool.close());
  const alike = (last: number) => Buffer.concat([Buffer.from('000102030405060708090a0b0c0d0e', 'hex'), Buffer.from([last])]);
  const came = [7, 3, 7, 255, 0, 3, 7, 128, 0];
  for (const [i, last] of came.entries()) await spool.add(alike(last), `${last} ${i}`);
  const batches: string[][] = [];
  for await (const batch of spool.batches(1)) batches.push(batch.map(({ text }) => text));
  t.same(batches, [['0 4', '0 8'], ['3 1', '3 5'], ['7 0', '7 2', '7 6'], ['128 7'], ['255 3']]);
});

t.test('a temporary folder that is none is named', async t => {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = `${t.testdir()}/absent`;
  t.teardown(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  const spool = new Spool(16);
  await t.rejects(
    async () => {
      for (let i = 0; i < 100; i++) await spool.add(Buffer.alloc(16), 'x'.repeat(1_000));
    },
    { message: /no temporary file can be made in .*absent \(ENOENT\); set TMPDIR/ },
  );
  t.same(readdirSync(t.testdirName), []);
});

/** What this process holds open and has no name any more. */
function temporaryFiles(): string {
  const files = readdirSync('/proc/self/fd').filter(fd => {
    try {
      return /postern-.*\(deleted\)$/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  });
  if (files.length === 0) throw new Error('no temporary file');
  return files.map(fd => readFileSync(`/proc/self/fd/${fd}`, 'latin1')).join('');
}

/** The embedded engine: the conformance suite, and what only a directory on disk can show. */
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreMissing, StoreRefused, StoreUnavailable } from '../../src/store/store.ts';
import { conformance, ids, spawnChild } from './conformance.ts';

const log = pino({ level: 'silent' });
const options = { create: true, patient: false, log, admit: async () => undefined };

async function fresh(t: Test) {
  const url = `lmdb:${join(t.testdir(), 'data')}`;
  return {
    url,
    async handle(admit: (store: Store) => Promise<void> = options.admit): Promise<Store> {
      const store = await openStore(url, { ...options, admit });
      t.teardown(() => store.close());
      return store;
    },
  };
}

conformance(t, { fresh });

t.test('a store is created only where that is allowed', async t => {
  const dir = t.testdir({ empty: {}, hollow: { 'data.mdb': '' }, file: 'text' });
  for (const name of ['none', 'empty', 'hollow']) {
    const opened = openStore(`lmdb:./${name}`, { ...options, create: false, baseDir: dir });
    await t.rejects(opened, { name: 'StoreMissing', message: /postern serve.*postern client add/ });
  }
  t.notOk(existsSync(join(dir, 'none')), 'no folder is left behind');
  t.same(readdirSync(join(dir, 'empty')), []);
  await t.rejects(openStore(`lmdb:${join(dir, 'file')}`, options), StoreUnavailable);
  const unseen = openStore(`lmdb:${join(dir, 'file')}`, { ...options, create: false });
  await t.rejects(
    unseen,
    { name: 'StoreUnavailable', message: /cannot be opened: ENOTDIR/ },
    'what cannot be looked at is not said to be missing',
  );
  const store = await openStore('lmdb:./none', { ...options, baseDir: dir });
  await store.apply([{ key: { owner: 'a', log: 'l', id: 'i' }, value: Buffer.from('1') }]);
  await store.close();
  const again = await openStore(`lmdb:${join(dir, 'none')}`, { ...options, create: false });
  t.same(await ids(again, { owner: 'a', log: 'l' }), ['i']);
  await again.close();
});

t.test('opened once more in the same process while a transaction is on its way: neither waits for the other for ever', async t => {
  const place = await fresh(t);
  const first = await place.handle();
  const key = { owner: 'a', log: 'l', id: 'i' } as const;
  const writing = first.apply([{ key, value: Buffer.from('1') }]);
  // LMDB's own thread has the lock by then, and waits for this one.
  for (let turns = 0; turns < 2; turns++) await setImmediate();
  const until = performance.now() + 100;
  while (performance.now() < until);
  const second = await place.handle();
  t.equal(await writing, true);
  await first.close();
  t.equal(String((await second.find([key]))[0]), '1', 'closed by one, open for the other');
  await second.apply([{ key, value: Buffer.from('2') }]);
  await second.close();
  t.equal(String((await (await place.handle()).find([key]))[0]), '2');
});

t.test('an opened but never used store is still missing for who may not create one', async t => {
  const place = await fresh(t);
  await (await place.handle()).close();
  await t.rejects(openStore(place.url, { ...options, create: false }), StoreMissing);
});

t.test('A29: only the owner of the process can read the files', async t => {
  const dir = t.testdir();
  mkdirSync(join(dir, 'loose'), { mode: 0o755 });
  writeFileSync(join(dir, 'loose', 'lock.mdb'), '', { mode: 0o644 });
  for (const name of ['made', 'loose']) {
    const store = await openStore(`lmdb:${join(dir, name)}`, options);
    for (const file of ['data.mdb', 'lock.mdb']) t.equal(statSync(join(dir, name, file)).mode & 0o777, 0o600, `${name}/${file}`);
    const open = (await store.inspect()).some(finding => finding.text.includes('chmod'));
    t.equal(open, name === 'loose');
    await store.close();
  }
  t.equal(statSync(join(dir, 'made')).mode & 0o777, 0o700);
});

t.test('a URL of no known form is refused', async t => {
  for (const url of [
    '',
    'lmdb:',
    'mysql://x',
    './data',
    'redis://',
    'redis://a,b',
    'redis+sentinel://h',
    'redis://h/x',
    'redis+cluster://h/1',
  ]) {
    await t.rejects(openStore(url, options), StoreRefused, url);
  }
});

t.test('kill -9 under load: every acknowledged write is there, in both shapes', async t => {
  const place = await fresh(t);
  for (let round = 0; round < 2; round++) {
    const child = await spawnChild(place.url, 'write');
    t.teardown(() => child.kill('SIGKILL'));
    const acknowledged: string[] = [];
    for await (const line of createInterface(child.stdout as Readable)) {
      acknowledged.push(line);
      if (acknowledged.length === 1_000) child.kill('SIGKILL');
    }
    if (child.signalCode === null) await once(child, 'exit');
    const store = await place.handle();
    const found = await store.find(
      acknowledged.flatMap(id => [
        { owner: 'acme', log: 'crash', id },
        { owner: 'acme', set: 'crash', id: Buffer.from(id) },
      ]),
    );
    t.equal(found.filter(held => held === undefined).length, 0, `${acknowledged.length} acknowledged`);
    await store.close();
  }
});

t.test('a full disk is StoreUnavailable, harms nothing that was written, and passes', { skip: noTmpfs() }, async t => {
  const dir = mkdtempSync(join(tmpdir(), 'postern-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', dir]);
  const store = await openStore(`lmdb:${dir}`, options);
  t.teardown(async () => {
    await store.close();
    execFileSync('umount', [dir]);
    rmSync(dir, { recursive: true });
  });
  const key = (id: string) => ({ owner: 'acme', log: 'big', id });
  const big = Buffer.alloc(600_000);
  let written = 0;
  await t.rejects(async () => {
    for (; written < 10; written++)
      await store.apply([
        { key: key(String(written)), value: big },
        { key: key(`mark-${written}`), value: big.subarray(0, 1) },
      ]);
  }, StoreUnavailable);
  t.ok(written > 1 && written < 10);
  const [last, refused, mark] = await store.find([key(String(written - 1)), key(String(written)), key(`mark-${written}`)]);
  t.equal(last?.length, big.length);
  t.same([refused, mark], [undefined, undefined], 'all or none');
  execFileSync('mount', ['-o', 'remount,size=8m', dir]);
  t.equal(await store.apply([{ key: key('later'), value: big }]), true);
});

t.test('40 MB more than at first: the map grows, also for a process that had it open', async t => {
  const place = await fresh(t);
  const [writer, reader] = [await place.handle(), await place.handle()];
  const value = Buffer.alloc(1 << 20, 1);
  for (let n = 0; n < 40; n++) {
    await writer.apply([{ key: { owner: 'acme', log: 'big', id: String(n) }, value }]);
    const [held] = await reader.find([{ owner: 'acme', log: 'big', id: String(n) }]);
    if (held?.length !== value.length) t.fail(`value ${n}`);
  }
  t.equal((await ids(reader, { owner: 'acme', log: 'big' })).length, 40);
});

/** Why there can be no small file system here, or false. */
function noTmpfs(): string | false {
  const dir = mkdtempSync(join(tmpdir(), 'postern-mount-'));
  try {
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]).status !== 0)
      return 'a small tmpfs cannot be mounted here (needs root)';
    spawnSync('umount', [dir]);
    return false;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

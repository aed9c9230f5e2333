/** What every engine must do, run by each engine's own test on the real thing. */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { encodeHead, headKey, newHead, storeIsNew } from '../../src/store/head.ts';
import {
  type EntryKey,
  type Key,
  MAX_CHANGES,
  type Range,
  type RecordKey,
  type Store,
  StoreUnavailable,
  type Value,
} from '../../src/store/store.ts';

export interface Engine {
  /** An unused store of its own for each call; `handle` opens it once more. */
  fresh(t: Test): Promise<{ readonly url: string; handle(admit?: (store: Store) => Promise<void>): Promise<Store> }>;
}

const value = (text: string): Value => Buffer.from(text);
const entry = (set: string, id: string | Buffer, owner = 'acme'): EntryKey => ({ owner, set, id: Buffer.from(id as string) });
const record = (log: string, id: string, owner = 'acme'): RecordKey => ({ owner, log, id });
const digest = (n: number): Buffer => createHash('sha256').update(String(n)).digest().subarray(0, 16);

export function conformance(t: Test, engine: Engine): void {
  t.test('find answers in the order of the keys; what is missing is undefined', async t => {
    const store = await (await engine.fresh(t)).handle();
    await store.apply([
      { key: entry('s', 'a'), value: value('1') },
      { key: record('s', 'a'), value: value('2') },
      { key: entry('s', 'empty'), value: Buffer.alloc(0) },
      { key: record('s', 'empty'), value: Buffer.alloc(0) },
    ]);
    const keys = [
      record('s', 'a'),
      entry('s', 'b'),
      entry('s', 'a'),
      entry('s', 'a', 'other'),
      entry('s', 'empty'),
      record('s', 'empty'),
      record('s', 'a'),
    ];
    t.same(await texts(store, keys), ['2', undefined, '1', undefined, '', '', '2']);
    t.same(await store.find([]), []);
  });

  t.test('owners, sets and logs whose names begin alike are kept apart', async t => {
    const store = await (await engine.fresh(t)).handle();
    const keys: Key[] = [];
    for (const owner of ['a', 'ab', 'a.b', 'global']) {
      for (const name of ['s', 'sx', 's:x', 's x', 'e:s']) {
        for (const id of ['i', 'ix', '0']) keys.push(entry(name, id, owner), record(name, id, owner));
      }
    }
    await store.apply(keys.map((key, n) => ({ key, value: value(`v${n}`) })));
    t.same(
      await texts(store, keys),
      keys.map((_, n) => `v${n}`),
    );
    t.same((await ids(store, { owner: 'a', set: 's' })).sort(), ['0', 'i', 'ix']);
    t.same(await ids(store, { owner: 'a', log: 's' }), ['0', 'i', 'ix']);
  });

  t.test('octets are kept as they are: NUL, 0xff, no UTF-8, a megabyte', async t => {
    const store = await (await engine.fresh(t)).handle();
    const odd = [
      Buffer.from([0]),
      Buffer.from([0, 0]),
      Buffer.from([0xff]),
      Buffer.from([0xff, 0, 0xff, 0x0a, 0x0d]),
      Buffer.alloc(64, 0xc3),
    ];
    const big = Buffer.alloc(1 << 20, 'ÿ\0\r\n', 'latin1');
    const changes = [
      ...odd.map(id => ({ key: entry('odd', id), value: id as Value })),
      ...odd.map((octets, n) => ({ key: record('odd', `${n}`), value: octets as Value })),
      { key: entry('big', 'b'), value: big },
      { key: record('big', ' ~'), value: big },
    ];
    await store.apply(changes);
    const found = await store.find(changes.map(change => change.key));
    for (const [n, change] of changes.entries()) t.ok(found[n]?.equals(change.value), `value ${n}`);
    const scanned = new Set<string>();
    for await (const [key, held] of store.scan({ owner: 'acme', set: 'odd' })) {
      t.ok(held.equals((key as EntryKey).id));
      scanned.add((key as EntryKey).id.toString('hex'));
    }
    t.same(scanned, new Set(odd.map(id => id.toString('hex'))));
  });

  t.test('apply replaces and deletes, the last change of a key wins, and once more is the same', async t => {
    const store = await (await engine.fresh(t)).handle();
    for (const key of [entry('s', 'k'), record('l', 'k')]) {
      t.equal(await store.apply([{ key, value: value('a long value that must go') }]), true);
      for (let twice = 0; twice < 2; twice++) t.equal(await store.apply([{ key, value: value('b') }]), true);
      t.same(await texts(store, [key]), ['b']);
      for (let twice = 0; twice < 2; twice++) t.equal(await store.apply([{ key, value: undefined }]), true);
      t.same(await store.find([key]), [undefined]);
      await store.apply([
        { key, value: value('1') },
        { key, value: undefined },
        { key, value: value('2') },
      ]);
      t.same(await texts(store, [key]), ['2']);
    }
    t.same(await ids(store, { owner: 'acme', log: 'l' }), ['k']);
    t.equal(await store.apply([]), true);
  });

  t.test('an expectation that fails leaves everything as it was', async t => {
    const store = await (await engine.fresh(t)).handle();
    for (const held of [entry('s', 'held'), record('l', 'held')]) {
      const absent = { ...held, id: 'set' in held ? Buffer.from('no') : 'no' } as Key;
      await store.apply([{ key: held, value: value('1') }]);
      const table: [Key, Value | undefined, boolean][] = [
        [held, value('1'), true],
        [absent, undefined, true],
        [held, undefined, false],
        [held, value('2'), false],
        [held, value(''), false],
        [absent, value('1'), false],
        [absent, value(''), false],
      ];
      for (const [key, expected, written] of table) {
        const mark = entry('mark', 'm');
        await store.apply([{ key: mark, value: undefined }]);
        const changes = [
          { key: mark, value: value('m') },
          { key: entry('s', 'other'), value: value('x') },
        ];
        t.equal(
          await store.apply(changes, [
            { key: held, value: value('1') },
            { key, value: expected },
          ]),
          written,
        );
        t.equal((await store.find([mark]))[0] !== undefined, written);
      }
    }
  });

  t.test('with several owners, the one with expectations decides', async t => {
    const store = await (await engine.fresh(t)).handle();
    const [one, two] = [entry('s', 'k', 'one'), entry('s', 'k', 'two')];
    const changes = [
      { key: one, value: value('1') },
      { key: two, value: value('2') },
    ];
    t.equal(await store.apply(changes, [{ key: two, value: value('none') }]), false);
    t.same(await store.find([one, two]), [undefined, undefined]);
    t.equal(await store.apply(changes, [{ key: two, value: undefined }]), true);
    t.same(await texts(store, [one, two]), ['1', '2']);
  });

  t.test('what breaks the contract is refused before anything is written', async t => {
    const store = await (await engine.fresh(t)).handle();
    const key = entry('s', 'k');
    const many = Array.from({ length: MAX_CHANGES + 1 }, () => ({ key, value: value('x') }));
    await t.rejects(store.apply(many), RangeError);
    await t.rejects(store.apply([{ key, value: value('x') }], [{ key: entry('s', 'k', 'else'), value: undefined }]), RangeError);
    const expect = ['a', 'b'].map(owner => ({ key: entry('s', 'k', owner), value: undefined }));
    await t.rejects(
      store.apply(
        expect.map(({ key }) => ({ key, value: value('x') })),
        expect,
      ),
      RangeError,
    );
    const bad: Key[] = [
      entry('s', 'k', 'A}'),
      entry('s{x}', 'k'),
      entry('', 'k'),
      entry('s', ''),
      entry('s', 'k'.repeat(65)),
      record('l', ''),
      record('l', 'ä'),
      record('l\0', 'k'),
    ];
    for (const wrong of bad) {
      await t.rejects(
        store.apply([
          { key, value: value('x') },
          { key: wrong, value: value('x') },
        ]),
        RangeError,
      );
      await t.rejects(store.find([wrong]), RangeError);
    }
    t.same(await store.find([key]), [undefined]);
  });

  t.test('records are ordered by id, between from and to, both ways', async t => {
    const store = await (await engine.fresh(t)).handle();
    const all = ['', '0', 'a', 'a ', 'a!', 'aa', 'ab', 'b', 'b~', 'c', '~'].slice(1).sort();
    await store.apply(all.map(id => ({ key: record('l', id), value: value(id) })));
    const table: [string | undefined, string | undefined][] = [
      [undefined, undefined],
      ['a', 'b'],
      ['a ', 'ab'],
      ['a', 'a'],
      ['aaa', undefined],
      [undefined, 'a'],
      ['~', undefined],
      ['~~', undefined],
      ['c', 'a'],
    ];
    for (const [from, to] of table) {
      const expected = all.filter(id => (from === undefined || id >= from) && (to === undefined || id < to));
      const range = { owner: 'acme', log: 'l', ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
      t.same(await ids(store, range), expected, `${from}..${to}`);
      t.same(await ids(store, { ...range, reverse: true }), expected.toReversed(), `${from}..${to} reversed`);
      t.same(await ids(store, { ...range, limit: 2 }), expected.slice(0, 2), `${from}..${to}, two of them`);
      t.same(await ids(store, { ...range, limit: 2, reverse: true }), expected.toReversed().slice(0, 2), `${from}..${to}, the last two`);
    }
    t.same(await ids(store, { owner: 'acme', log: 'none' }), []);
  });

  t.test('a set is read in the order of its ids, and on from any of them, also one that is not there', async t => {
    const store = await (await engine.fresh(t)).handle();
    const all = [[0], [0, 0], [0, 0, 1], [0, 3], [0, 4], [1], [1, 0], [1, 0, 255], [127, 255, 3], [128], [255, 255], [255, 255, 255]].map(
      octets => Buffer.from(octets),
    );
    const hex = (id: Buffer) => id.toString('hex');
    await store.apply([...all].reverse().map(id => ({ key: entry('s', id), value: value(hex(id)) })));
    await store.apply([{ key: entry('sx', 'k'), value: value('another set') }]);
    const read = async (after?: Buffer): Promise<string[]> => {
      const found: string[] = [];
      for await (const [key, held] of store.scan({ owner: 'acme', set: 's', ...(after === undefined ? {} : { after }) })) {
        t.equal(held.toString(), hex((key as EntryKey).id));
        found.push(held.toString());
      }
      return found;
    };
    t.same(await read(), all.map(hex));
    for (const after of [...all, Buffer.from([0, 2]), Buffer.from([64]), Buffer.alloc(64, 255)]) {
      t.same(await read(after), all.filter(id => id.compare(after) > 0).map(hex), hex(after));
    }
    await t.rejects(read(Buffer.alloc(0)), RangeError);

    await store.apply(Array.from({ length: 5_000 }, (_, n) => ({ key: entry('many', digest(n)), value: value(String(n)) })));
    const paged: string[] = [];
    for (let after: Buffer | undefined; ; ) {
      const page: Buffer[] = [];
      for await (const [key] of store.scan({ owner: 'acme', set: 'many', ...(after === undefined ? {} : { after }) })) {
        page.push(key.id as Buffer);
        if (page.length === 700) break;
      }
      paged.push(...page.map(hex));
      if (page.length < 700) break;
      after = page.at(-1);
    }
    t.same(paged, Array.from({ length: 5_000 }, (_, n) => hex(digest(n))).sort());
  });

  t.test('10,000 changes in one apply; scans see each record in order and each entry once', async t => {
    const store = await (await engine.fresh(t)).handle();
    const id = (n: number) => String(n).padStart(6, '0');
    const each = Array.from({ length: MAX_CHANGES }, (_, n) => n);
    await store.apply(each.map(n => ({ key: record('l', id(n)), value: value(`r${n}`) })));
    await store.apply(each.map(n => ({ key: entry('s', digest(n)), value: value(`e${n}`) })));
    t.same(await ids(store, { owner: 'acme', log: 'l' }), each.map(id));
    t.same(
      await ids(store, { owner: 'acme', log: 'l', reverse: true, from: id(100), to: id(1000) }),
      each.slice(100, 1000).map(id).reverse(),
    );
    t.same(await ids(store, { owner: 'acme', log: 'l', from: id(100), limit: 300 }), each.slice(100, 400).map(id));
    t.same(await ids(store, { owner: 'acme', log: 'l', limit: 0 }), []);
    const seen = new Map<string, string>();
    let count = 0;
    for await (const [key, held] of store.scan({ owner: 'acme', set: 's' })) {
      seen.set((key as EntryKey).id.toString('hex'), held.toString());
      count++;
    }
    t.equal(count, MAX_CHANGES);
    t.same(seen, new Map(each.map(n => [digest(n).toString('hex'), `e${n}`])));
    let first = 0;
    for await (const _ of store.scan({ owner: 'acme', log: 'l' })) if (++first === 10) break;
    t.equal((await store.find([record('l', id(5))]))[0]?.toString(), 'r5', 'a scan that was left early harms nothing');
  });

  t.test('no increment is lost among concurrent writers of two handles', async t => {
    const place = await engine.fresh(t);
    const stores = [await place.handle(), await place.handle()];
    const key = record('counter', 'n');
    const increment = async (store: Store): Promise<void> => {
      for (;;) {
        const [held] = await store.find([key]);
        const next = value(String(Number(held ?? 0) + 1));
        if (await store.apply([{ key, value: next }], [{ key, value: held }])) return;
      }
    };
    const writers = stores.flatMap(store =>
      [1, 2, 3, 4].map(async () => {
        for (let n = 0; n < 25; n++) await increment(store);
      }),
    );
    await Promise.all(writers);
    t.same(await texts(stores[0] as Store, [key]), ['200']);
  });

  t.test('law 4: another handle sees a resolved apply in its next find, in the same tick too', async t => {
    const place = await engine.fresh(t);
    const [writer, reader] = [await place.handle(), await place.handle()];
    for (let n = 0; n < 200; n++) {
      const key = record('seen', String(n));
      t.same(await reader.find([key]), [undefined]);
      await writer.apply([{ key, value: value('yes') }]);
      const [held] = await reader.find([key]);
      if (held?.toString() !== 'yes') t.fail(`apply ${n} was not seen`);
    }
  });

  t.test('law 4: another process sees a resolved apply in its next find', async t => {
    const place = await engine.fresh(t);
    const store = await place.handle();
    const child = await spawnChild(place.url, 'find');
    t.teardown(() => child.kill('SIGKILL'));
    for (let n = 0; n < 100; n++) {
      await store.apply([{ key: record('seen', String(n)), value: value(`v${n}`) }]);
      const answer = once(child, 'message');
      child.send(String(n));
      t.equal((await answer)[0], `v${n}`);
    }
    const exit = once(child, 'exit');
    child.disconnect();
    await exit;
  });

  t.test('a new store is told from one that lost its head', async t => {
    const place = await engine.fresh(t);
    const store = await place.handle();
    t.equal(await store.isEmpty(), true);
    t.equal(await storeIsNew(store), true);
    await store.apply([{ key: entry('s', 'k'), value: value('') }]);
    t.equal(await store.isEmpty(), false);
    t.equal(await storeIsNew(store), false);
    await store.apply([{ key: headKey('global'), value: encodeHead(newHead('f')) }]);
    t.equal(await storeIsNew(store), false);
  });

  t.test('nothing is answered before the store is admitted; the admission itself may read and write', async t => {
    const place = await engine.fresh(t);
    const key = record('l', 'replayed');
    const store = await place.handle(async bare => {
      await bare.apply([{ key, value: value('from the ledger') }]);
      t.equal((await bare.find([key]))[0]?.toString(), 'from the ledger');
    });
    t.same(await texts(store, [key]), ['from the ledger']);
    await t.rejects(
      place.handle(() => Promise.reject(new Error('no ledger'))),
      { message: 'no ledger' },
    );
  });

  t.test('it can be pinged and inspected; after close everything is StoreUnavailable', async t => {
    const store = await (await engine.fresh(t)).handle();
    await store.ping();
    const findings = await store.inspect();
    t.ok(findings.length > 0);
    for (const { level, text } of findings) t.ok(['ok', 'warn', 'fail'].includes(level) && text.length > 0, text);
    const key = record('l', 'late');
    const last = store.apply([{ key, value: value('1') }]);
    await store.close();
    t.equal(await last, true, 'close waits for what is being written');
    await store.close();
    await t.rejects(store.find([key]), StoreUnavailable);
    await t.rejects(store.apply([{ key, value: value('2') }]), StoreUnavailable);
    await t.rejects(store.apply([]), StoreUnavailable);
    await t.rejects(ids(store, { owner: 'acme', log: 'l' }), StoreUnavailable);
    const others: (() => Promise<void>)[] = [
      () => store.ping(),
      async () => void (await store.isEmpty()),
      async () => void (await store.inspect()),
    ];
    for (const ask of others) await t.rejects(ask(), StoreUnavailable);
  });
}

/** Starts test/store/child.ts; for `find`, waits until it is ready. */
export async function spawnChild(url: string, task: 'find' | 'write'): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('child.ts', import.meta.url));
  const child = fork(script, [url, task], { execArgv: ['--import=tsx'], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  if (task === 'find') await once(child, 'message');
  return child;
}

export async function ids(store: Store, range: Range): Promise<string[]> {
  const found: string[] = [];
  for await (const [key] of store.scan(range)) found.push(key.id.toString());
  return found;
}

async function texts(store: Store, keys: readonly Key[]): Promise<(string | undefined)[]> {
  return (await store.find(keys)).map(held => held?.toString());
}

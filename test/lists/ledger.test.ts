/** The objection ledger on a file and on a real Redis: nothing acknowledged gets lost, and what is wrong with it is said, not skipped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { FileLedger } from '../../src/lists/file-ledger.ts';
import { importList } from '../../src/lists/import.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, address, clockAt, type House, openHouse } from './house.ts';

const NOW = Date.UTC(2026, 5, 1);
const MINUTE = 60_000;
const acme = { owner: ACME };
const objection = { reason: 'objection', source: 'recipient' } as const;
const lift = { by: 'Ann Example', why: 'asked for it' };

const logFile = (dir: string) => join(dir, 'ledger/objections.log');
const listed = async (house: House, text: string) => (await house.lists.standing(address(text), ACME, [])).length > 0;

async function inHouse<T>(dir: string, options: Parameters<typeof openHouse>[1], work: (house: House) => Promise<T>): Promise<T> {
  const house = await openHouse(dir, options);
  try {
    return await work(house);
  } finally {
    await house.close();
  }
}

function optOuts(lists: House['lists'], name: string, count: number): Promise<unknown> {
  const rows = Array.from({ length: count }, (_, i) => `${name}${i}@example.com\n`).join('');
  return importList(lists, acme, Readable.from([Buffer.from(rows)], { objectMode: false }), { reason: 'opt-out' });
}

function keepCopy(dir: string): { restore(): void } {
  cpSync(join(dir, 'data'), join(dir, 'copy'), { recursive: true });
  return {
    restore() {
      rmSync(join(dir, 'data'), { recursive: true });
      cpSync(join(dir, 'copy'), join(dir, 'data'), { recursive: true });
    },
  };
}

t.test('on a file', async t => keepsItsWord(t, async () => 'file:ledger/objections.log'));
t.test('on Redis', { skip: noRedis }, async t => keepsItsWord(t, async t => (await startRedis(t)).url));

async function keepsItsWord(t: Test, fresh: (t: Test) => Promise<string>): Promise<void> {
  t.test('a store put back from an old copy gets back every objection, and no lift is undone', async t => {
    const dir = t.testdir();
    const clock = clockAt(NOW);
    const options = { ledgerUrl: await fresh(t), clock };
    await inHouse(dir, options, async ({ lists }) => {
      await lists.suppress(acme, address('before@example.com'), objection);
      await lists.suppress(acme, address('lifted@example.com'), objection);
    });
    const copy = keepCopy(dir);
    clock.at += 60 * MINUTE;
    await inHouse(dir, options, async ({ lists }) => {
      await lists.lift(acme, address('lifted@example.com'), lift);
      await lists.suppress(acme, address('after@example.com'), objection);
      await lists.add(acme, address('replied@example.com'), { reason: 'reply', source: 'inbound' });
      await lists.add(acme, address('replied@example.com'), { reason: 'manual', source: 'operator' });
      await lists.suppress(acme, address('both@example.com'), objection);
      await lists.lift(acme, address('both@example.com'), lift);
      await lists.suppress(acme, address('again@example.com'), objection);
      await lists.lift(acme, address('again@example.com'), lift);
      await lists.suppress(acme, address('again@example.com'), objection);
    });
    copy.restore();
    await inHouse(dir, options, async house => {
      t.equal(house.replayed.restored, 6, 'three lifts; after, replied, again');
      for (const name of ['before', 'after', 'replied', 'again']) t.ok(await listed(house, `${name}@example.com`), name);
      for (const name of ['lifted', 'both']) t.notOk(await listed(house, `${name}@example.com`), name);
      t.same(await house.lists.remove(acme, address('replied@example.com')), { kept: ['reply'] });
      t.equal((await house.ledger.replay(house.store)).restored, 0, 'once is enough');
    });
  });

  t.test('a running store that lost its last second gets it back, and nothing else is touched', async t => {
    const dir = t.testdir();
    const options = { ledgerUrl: await fresh(t), clock: clockAt(NOW) };
    await inHouse(dir, options, async house => {
      const [jane, joan] = [address('jane@example.com'), address('joan@example.com')];
      await house.lists.add(acme, jane, { reason: 'opt-out', source: 'recipient' });
      await house.lists.suppress(acme, joan, objection);
      const [id] = house.digests.person(jane);
      await house.store.apply([{ key: { owner: ACME, set: 'exclusion', id: id as Buffer }, value: undefined }]);
      await house.lists.add(acme, jane, { reason: 'manual', source: 'operator' });
      const before = await house.store.find([{ owner: ACME, set: 'suppression', id: house.digests.person(joan)[0] as Buffer }]);
      t.same(await house.ledger.replay(house.store), { read: 2, restored: 1 });
      const [hit] = await house.lists.standing(jane, ACME, []);
      t.same(
        hit?.acts.map(({ reason }) => reason),
        ['manual', 'opt-out'],
      );
      t.same(await house.store.find([{ owner: ACME, set: 'suppression', id: house.digests.person(joan)[0] as Buffer }]), before);
    });
  });

  t.test('a replay reads no more than what came since the mark, and ten minutes', async t => {
    const dir = t.testdir();
    const ledgerUrl = await fresh(t);
    const clock = clockAt(NOW);
    const suppress = ({ lists }: House, name: string) => lists.suppress(acme, address(`${name}@example.com`), objection);
    await inHouse(dir, { ledgerUrl, clock }, async house => {
      for (let i = 0; i < 5; i++) await suppress(house, `a${i}`);
    });
    clock.at += 11 * MINUTE;
    const file = ledgerUrl.startsWith('file');
    // The stream's times are the server's, which no test can turn.
    await inHouse(dir, { ledgerUrl, clock }, async house => {
      t.equal(house.replayed.read, 5);
      await suppress(house, 'b');
    });
    await inHouse(dir, { ledgerUrl, clock }, async house => t.equal(house.replayed.read, file ? 1 : 6));
  });

  t.test('a million objections of one day are compared once, and what came behind them is read', async t => {
    const dir = t.testdir();
    const ledgerUrl = await fresh(t);
    const options = { ledgerUrl, clock: clockAt(NOW) };
    const empty = await inHouse(dir, options, async ({ lists }) => {
      await lists.suppress(acme, address('first@example.com'), objection);
      return keepCopy(dir);
    });
    await inHouse(dir, options, ({ lists }) => optOuts(lists, 'many', 1_200));
    await inHouse(dir, options, async house => t.equal(house.replayed.read, 1_201, 'a process that did not write them compares them'));
    await inHouse(dir, options, async house => {
      t.equal(house.replayed.read, 0);
      await house.lists.suppress(acme, address('later@example.com'), objection);
      await house.lists.lift(acme, address('first@example.com'), lift);
    });
    await inHouse(dir, options, async house => {
      t.same(house.replayed, { read: 2, restored: 0 });
      t.notOk(await listed(house, 'first@example.com'));
    });
    empty.restore();
    await inHouse(dir, options, async house => {
      t.equal(house.replayed.read, 1_203, 'an old copy of the store knows no better than it did');
      for (const name of ['many0', 'many1199', 'later']) t.ok(await listed(house, `${name}@example.com`));
      t.notOk(await listed(house, 'first@example.com'));
    });
  });

  t.test('the mark does not pass what the store may lack', async t => {
    const dir = t.testdir();
    const ledgerUrl = await fresh(t);
    const clock = clockAt(NOW);
    const id = Buffer.alloc(16, 7);
    await inHouse(dir, { ledgerUrl, clock }, async house => {
      await house.lists.suppress(acme, address('first@example.com'), objection);
      clock.at += 1;
      const change = { set: 'suppression', id, value: Buffer.from('sealed'), acts: [{ ...objection, at: NOW }] };
      await house.ledger.append({ kind: 'objection', owner: ACME, changes: [change] });
      clock.at += 60 * MINUTE;
      await house.lists.suppress(acme, address('last@example.com'), objection);
    });
    await inHouse(dir, { ledgerUrl, clock }, async house => {
      t.equal(house.replayed.restored, 1);
      t.same(await house.store.find([{ owner: ACME, set: 'suppression', id }]), [Buffer.from('sealed')]);
    });
  });

  t.test('a ledger of another key ring is refused', async t => {
    const dir = t.testdir();
    const ledgerUrl = await fresh(t);
    await inHouse(dir, { ledgerUrl }, ({ lists }) => lists.suppress(acme, address('jane@example.com'), objection));
    const other = openHouse(dir, { ledgerUrl, storeUrl: 'lmdb:other', keysFile: 'other/postern.key', vault: 'other/vault' });
    await t.rejects(other, { name: 'StoreRefused', message: /belongs to another key ring/ });
  });

  t.test('an empty store beside a ledger that holds objections is refused: it was lost', async t => {
    const dir = t.testdir();
    const ledgerUrl = await fresh(t);
    await inHouse(dir, { ledgerUrl }, ({ lists }) => lists.suppress(acme, address('jane@example.com'), objection));
    rmSync(join(dir, 'data'), { recursive: true });
    for (const attempt of ['first', 'second']) {
      // Even without the vault, which would say the same.
      await t.rejects(openHouse(dir, { ledgerUrl, vault: 'new' }), { message: /store is empty, but .*: it was lost/ }, attempt);
    }
  });
}

t.test('a ledger that is gone is missed', async t => {
  const refused = { name: 'StoreRefused', message: /objections\.log is missing or empty; put it back/ };
  const dir = t.testdir();
  await t.rejects(openHouse(dir, { create: false }), { name: 'StoreMissing' }, 'a command that creates nothing');
  t.notOk(existsSync(logFile(dir)));
  await inHouse(dir, {}, ({ lists }) => lists.suppress(acme, address('jane@example.com'), objection));
  const kept = readFileSync(logFile(dir));
  rmSync(logFile(dir));
  await t.rejects(openHouse(dir), refused, 'deleted');
  t.notOk(existsSync(logFile(dir)), 'and not made anew');
  writeFileSync(logFile(dir), '');
  await t.rejects(openHouse(dir), refused, 'emptied');
  writeFileSync(logFile(dir), 'something else\n');
  await t.rejects(openHouse(dir), { name: 'StoreRefused', message: /is no ledger/ });
  writeFileSync(logFile(dir), kept);
  await inHouse(dir, { create: false }, async house => t.ok(await listed(house, 'jane@example.com')));
});

t.test('a ledger in Redis that is gone is missed', { skip: noRedis }, async t => {
  const dir = t.testdir();
  const redis = await startRedis(t);
  const options = { ledgerUrl: redis.url };
  await inHouse(dir, options, ({ lists }) => lists.suppress(acme, address('jane@example.com'), objection));
  const direct = new Redis(redis.url, { protocol: 2 });
  t.teardown(() => direct.disconnect());
  await direct.del('postern:{ledger}:header');
  await t.rejects(openHouse(dir, options), { name: 'StoreRefused', message: /lost its header/ });
  await redis.empty();
  await t.rejects(openHouse(dir, options), { name: 'StoreRefused', message: /is missing or empty/ });
  await redis.restart(['--appendonly', 'no']);
  await t.rejects(openHouse(dir, options), { name: 'StoreRefused', message: /ledger\.url: .* set appendonly yes/ });
  await redis.kill();
  await t.rejects(openHouse(dir, options), { name: 'StoreUnavailable', message: /ECONNREFUSED/ });
});

t.test('an objection that the ledger cannot take is not acknowledged and not in the store', async t => {
  const dir = t.testdir();
  await inHouse(dir, {}, async house => {
    await house.lists.suppress(acme, address('jane@example.com'), objection);
    renameSync(logFile(dir), `${logFile(dir)}.1`);
    const unavailable = { name: 'StoreUnavailable', message: /^ledger file:.*objections\.log cannot be used/ };
    await t.rejects(house.lists.suppress(acme, address('joan@example.com'), objection), unavailable);
    t.notOk(await listed(house, 'joan@example.com'));
    await t.rejects(house.lists.lift(acme, address('jane@example.com'), lift), unavailable);
    t.ok(await listed(house, 'jane@example.com'), 'a lift that is not on record is not done');
    renameSync(`${logFile(dir)}.1`, logFile(dir));
    await house.lists.suppress(acme, address('joan@example.com'), objection);
    t.ok(await listed(house, 'joan@example.com'));
  });
});

t.test('what a crash left half written is passed over, and nothing is glued to it', async t => {
  const dir = t.testdir();
  const suppress = (name: string) => inHouse(dir, {}, ({ lists }) => lists.suppress(acme, address(`${name}@example.com`), objection));
  await suppress('first');
  const copy = keepCopy(dir);
  const whole = readFileSync(logFile(dir), 'latin1').trimEnd().split('\n').at(-1) ?? '';
  const tails = [
    whole.slice(0, 5),
    whole.slice(0, 20),
    whole.slice(0, -1),
    `\n${whole.slice(0, 30)}`,
    '\0\0\0\0',
    `${whole.slice(0, 40)}\0\0\0`,
  ];
  for (const [i, tail] of tails.entries()) {
    appendFileSync(logFile(dir), `\n${tail}`, 'latin1');
    await suppress(`after${i}`);
  }
  copy.restore();
  await inHouse(dir, {}, async house => {
    t.equal(house.replayed.restored, tails.length);
    for (const i of tails.keys()) t.ok(await listed(house, `after${i}@example.com`));
  });
});

t.test('an altered line, or one that is none, stops everything', async t => {
  const dir = t.testdir();
  await inHouse(dir, {}, ({ lists }) => lists.suppress(acme, address('jane@example.com'), objection));
  const text = readFileSync(logFile(dir), 'latin1');
  const at = text.length - 40;
  const altered = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
  writeFileSync(logFile(dir), altered, 'latin1');
  await t.rejects(openHouse(dir), { name: 'StoreRefused', message: /does not open: it was altered/ });
  writeFileSync(logFile(dir), `${text}hello\n`, 'latin1');
  await t.rejects(openHouse(dir), { name: 'StoreRefused', message: /holds a line that is none/ });
  writeFileSync(logFile(dir), text, 'latin1');
  await inHouse(dir, {}, async house => t.ok(await listed(house, 'jane@example.com')));
});

t.test('gates with ledgers of their own: neither brings back what was lifted at the other', { skip: noRedis }, async t => {
  const dir = t.testdir();
  const redis = await startRedis(t);
  const gate = (name: string) => ({ storeUrl: redis.url, ledgerUrl: `file:${name}/objections.log`, place: name });
  const one = await openHouse(dir, gate('one'));
  const two = await openHouse(dir, gate('two'));
  t.teardown(() => Promise.all([one.close(), two.close()]));
  const jane = address('jane@example.com');
  await one.lists.suppress(acme, jane, objection);
  await two.lists.lift(acme, jane, lift);
  t.same(await one.ledger.replay(one.store), { read: 1, restored: 0 });
  t.notOk(await listed(one, 'jane@example.com'));
  await two.lists.suppress(acme, jane, objection);
  t.same(await one.ledger.replay(one.store), { read: 1, restored: 0 });
  t.ok(await listed(one, 'jane@example.com'));
  await t.rejects(openHouse(dir, { ...gate('three'), place: 'one' }), { message: /is missing or empty/ }, 'a gate that lost its ledger');
});

t.test('kill -9 of an appending process: every acknowledged objection is in ledger and store', async t => {
  const dir = t.testdir();
  await inHouse(dir, {}, async () => undefined);
  const copy = keepCopy(dir);
  const acknowledged: string[] = [];
  for (const name of ['one', 'two', 'three']) {
    const child = start(dir, name);
    let told = 0;
    for await (const line of linesOf(child)) {
      acknowledged.push(line);
      told += 1;
      if (told === 40) child.kill('SIGKILL');
    }
    await inHouse(dir, {}, async house => {
      for (const person of acknowledged) if (!(await listed(house, person))) t.fail(`${person} was acknowledged and is not listed`);
    });
  }
  t.ok(acknowledged.length >= 120);
  copy.restore();
  await inHouse(dir, {}, async house => {
    t.ok(house.replayed.restored >= acknowledged.length);
    for (const person of acknowledged) if (!(await listed(house, person))) t.fail(`${person} was not brought back`);
  });
});

t.test('several processes append to one file at the same time', async t => {
  const dir = t.testdir();
  await inHouse(dir, {}, async () => undefined);
  const copy = keepCopy(dir);
  const names = ['one', 'two', 'three'];
  const told = await Promise.all(
    names.map(async name => {
      const lines: string[] = [];
      for await (const line of linesOf(start(dir, name, 60))) lines.push(line);
      return lines;
    }),
  );
  for (const lines of told) t.equal(lines.at(-1), 'done');
  copy.restore();
  await inHouse(dir, {}, async house => {
    t.equal(house.replayed.restored, names.length * 60);
    for (const name of names) for (const n of [0, 31, 59]) t.ok(await listed(house, `${name}${n}@example.com`));
  });
});

t.test('many appends share a write, and a late line is found without reading the file', async t => {
  const file = join(t.testdir(), 'ledger', 'big.log');
  const clock = clockAt(NOW);
  const ledger = new FileLedger(file, clock);
  t.teardown(() => ledger.close());
  await ledger.create('postern-ledger 1 id print');
  for (let block = 0; block < 40; block++) {
    clock.at = NOW + block * MINUTE;
    await Promise.all(Array.from({ length: 100 }, (_, i) => ledger.append(Buffer.alloc(300, `${block} ${i} `))));
  }
  const text = readFileSync(file, 'latin1');
  t.ok(text.length > 1_500_000);
  t.ok(text.split('\n\n').length <= 81, 'each hundred took a write or two');
  for (const [minutes, expected] of [
    [0, 4_000],
    [0.5, 3_900],
    [20, 2_000],
    [39, 100],
    [39.5, 0],
  ] as const) {
    let [count, first] = [0, Number.POSITIVE_INFINITY];
    for await (const { time } of ledger.read(NOW + minutes * MINUTE)) {
      count += 1;
      first = Math.min(first, time);
    }
    t.equal(count, expected, `from minute ${minutes}`);
    t.ok(first >= NOW + minutes * MINUTE);
  }
});

t.test('a store that may forget its last seconds is not believed for ten minutes', { skip: noRedis }, async t => {
  const dir = t.testdir();
  const options = { storeUrl: (await startRedis(t)).url, clock: clockAt(NOW) };
  const read = () => inHouse(dir, options, async house => house.replayed.read);
  await inHouse(dir, options, ({ lists }) => optOuts(lists, 'many', 1_200));
  t.same([await read(), await read()], [1_200, 1_200]);
  options.clock.at += 11 * MINUTE;
  t.same([await read(), await read()], [1_200, 0]);
});

t.test('a ledger that was put back from its backup is read from the time of the mark', async t => {
  const dir = t.testdir();
  const clock = clockAt(NOW);
  const add = (name: string, n: number) => inHouse(dir, { clock }, ({ lists }) => optOuts(lists, name, n));
  const replayed = () => inHouse(dir, { clock }, async house => house.replayed.read);
  await add('kept', 10);
  cpSync(logFile(dir), join(dir, 'backup'));
  await add('gone', 1_200);
  t.same([await replayed(), await replayed()], [1_210, 0]);
  cpSync(join(dir, 'backup'), logFile(dir));
  t.equal(await replayed(), 10, 'it is shorter now');
  await add('other', 1_500);
  t.equal(await replayed(), 1_510, 'other lines stand where the last one was');
  t.equal(await replayed(), 0);
});

t.test('time in the file does not run backwards, whosever clock does', async t => {
  const file = join(t.testdir(), 'objections.log');
  const [fast, slow] = [clockAt(NOW + MINUTE), clockAt(NOW)];
  const [one, two] = [new FileLedger(file, fast), new FileLedger(file, slow)];
  t.teardown(() => Promise.all([one.close(), two.close()]));
  await one.create('postern-ledger 1 id print');
  const times = [];
  times.push(await two.append(Buffer.from('a')), await one.append(Buffer.from('b')), await two.append(Buffer.from('c')));
  fast.at = NOW - MINUTE;
  times.push(await one.append(Buffer.from('d')));
  t.same(times, [NOW, NOW + MINUTE, NOW + MINUTE, NOW + MINUTE]);
});

function start(dir: string, name: string, limit?: number): ChildProcess {
  const script = fileURLToPath(new URL('./ledger-child.ts', import.meta.url));
  const args = ['--import=tsx', script, dir, name, ...(limit === undefined ? [] : [String(limit)])];
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function* linesOf(child: ChildProcess): AsyncIterable<string> {
  const ended = once(child, 'exit');
  if (child.stdout === null) throw new Error('no output');
  // A killed process may leave half a line: it acknowledged nothing with it.
  for await (const line of createInterface({ input: child.stdout })) if (line === 'done' || line.endsWith('@example.com')) yield line;
  await ended;
}

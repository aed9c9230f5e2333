/** The fleet engine: the conformance suite on a real Redis, and every way in which a Redis fails. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { type OpenOptions, openStore } from '../../src/store/open.ts';
import { type Finding, type Store, StoreMissing, StoreUnavailable } from '../../src/store/store.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { conformance } from './conformance.ts';

const KEY = { owner: 'acme', log: 'l', id: 'k' } as const;
const ENTRY = { owner: 'acme', set: 's', id: Buffer.from('k') } as const;

function options(more: Partial<OpenOptions> = {}): OpenOptions {
  // Where no outage is tested, a busy machine must not look like one.
  return { create: true, patient: false, log: pino({ level: 'silent' }), admit: async () => undefined, timeoutMs: 5_000, ...more };
}

async function open(t: Test, url: string, more: Partial<OpenOptions> = {}): Promise<Store> {
  const store = await openStore(url, options(more));
  t.teardown(() => store.close());
  return store;
}

/** Resolves once `store` answers again. */
async function available(store: Store): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      await store.find([KEY]);
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await sleep(50);
    }
  }
  throw new Error('the store did not recover within 10 s');
}

/** A log that can be waited for. */
function recorder() {
  const lines: string[] = [];
  return {
    log: pino({ level: 'info' }, { write: line => void lines.push(line) }),
    async says(text: RegExp): Promise<void> {
      for (let tries = 0; tries < 200; tries++) {
        if (lines.some(line => text.test(line))) return;
        await sleep(50);
      }
      throw new Error(`the log never said ${text}: ${lines.join('')}`);
    },
  };
}

async function rejectsSoon(t: Test, ask: () => Promise<unknown>, what: string): Promise<void> {
  const began = performance.now();
  await t.rejects(ask(), StoreUnavailable, what);
  const took = performance.now() - began;
  t.ok(took < 1_000, `${what}: ${Math.round(took)} ms`);
}

t.test('conformance', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  const cleaner = new Redis(redis.port, '127.0.0.1', { protocol: 2 });
  t.teardown(() => cleaner.disconnect());
  conformance(t, {
    async fresh(t) {
      await cleaner.flushall();
      const handle = (admit?: (store: Store) => Promise<void>) => open(t, redis.url, admit ? { admit } : {});
      return { url: redis.url, handle };
    },
  });
});

t.test('outages', { skip: noRedis }, async t => {
  t.test('killed: rejects at once; restarted: recovers by itself, admitted before anything is answered', async t => {
    const redis = await startRedis(t, { args: ['--appendfsync', 'always'] });
    let admissions = 0;
    let release = (): void => undefined;
    const released = new Promise<void>(resolve => {
      release = resolve;
    });
    const admit = async (bare: Store): Promise<void> => {
      if (admissions++ === 0) return;
      await bare.ping();
      await released;
    };
    const store = await open(t, redis.url, { admit, timeoutMs: 250 });
    await store.apply([{ key: KEY, value: Buffer.from('1') }]);
    await redis.kill();
    await rejectsSoon(t, () => store.find([KEY]), 'find');
    await rejectsSoon(t, () => store.apply([{ key: KEY, value: Buffer.from('2') }]), 'apply');
    await redis.restart();
    for (let tries = 0; admissions < 2 && tries < 200; tries++) await sleep(50);
    t.ok(admissions >= 2);
    await rejectsSoon(t, () => store.find([KEY]), 'connected, not admitted');
    await rejectsSoon(t, () => store.apply([{ key: KEY, value: Buffer.from('2') }]), 'apply, not admitted');
    release();
    await available(store);
    t.equal((await store.find([KEY]))[0]?.toString(), '1');
  });

  t.test('frozen: rejects within the time limit; thawed: answers again', async t => {
    const redis = await startRedis(t);
    const store = await open(t, redis.url, { timeoutMs: 250 });
    redis.freeze();
    for (let n = 0; n < 3; n++) await rejectsSoon(t, () => store.find([KEY]), 'find');
    await Promise.all(Array.from({ length: 50 }, () => t.rejects(store.apply([{ key: KEY, value: Buffer.from('1') }]), StoreUnavailable)));
    await sleep(2_500); // longer than the connection is kept without a word
    await rejectsSoon(t, () => store.find([KEY]), 'find, given up');
    redis.thaw();
    await available(store);
  });

  t.test('a large apply is given longer than a small one', async t => {
    const redis = await startRedis(t);
    const store = await open(t, redis.url, { timeoutMs: 250 });
    const other = new Redis(redis.port, '127.0.0.1', { protocol: 2 });
    t.teardown(() => other.disconnect());
    const many = Array.from({ length: 10_000 }, (_, i) => ({ key: { ...KEY, id: `k${i}` }, value: Buffer.from('1') }));
    await other.call('client', 'pause', 350, 'all');
    t.equal(await store.apply(many), true);
    await other.call('client', 'pause', 1_000, 'all');
    await t.rejects(store.apply(many.slice(0, 1)), StoreUnavailable);
  });

  t.test('an admission that fails is tried again', async t => {
    const redis = await startRedis(t);
    let failures = 3;
    const store = await open(t, redis.url, {
      patient: true,
      admit: async () => {
        if (failures-- > 0) throw new Error('the ledger is not there');
      },
    });
    await t.rejects(store.find([KEY]), StoreUnavailable);
    await available(store);
    t.equal(failures, -1);
  });

  t.test('a connection lost during the admission does not open the gate', async t => {
    const redis = await startRedis(t);
    const admitted: number[] = [];
    const store = await open(t, redis.url, {
      patient: true,
      admit: async () => {
        admitted.push(admitted.length);
        if (admitted.length === 1) await redis.restart();
      },
    });
    await available(store);
    t.same(admitted, [0, 1]);
  });

  t.test('down at start: a server waits for it, a command says so', async t => {
    const redis = await startRedis(t);
    await redis.kill();
    await t.rejects(openStore(redis.url, options()), { name: 'StoreUnavailable', message: /ECONNREFUSED/ });
    const store = await open(t, redis.url, { patient: true });
    await rejectsSoon(t, () => store.find([KEY]), 'find');
    await redis.restart();
    await available(store);
  });

  t.test('writes refused for want of memory are StoreUnavailable, reads go on', async t => {
    const redis = await startRedis(t);
    const store = await open(t, redis.url);
    await store.apply([{ key: KEY, value: Buffer.from('1') }]);
    await command(redis, 'config', 'set', 'maxmemory', '1');
    await t.rejects(store.apply([{ key: KEY, value: Buffer.from('2') }]), StoreUnavailable);
    t.equal((await store.find([KEY]))[0]?.toString(), '1');
  });

  t.test('a script cache that was emptied is filled again', async t => {
    const redis = await startRedis(t);
    const store = await open(t, redis.url);
    await command(redis, 'script', 'flush');
    await store.apply([{ key: KEY, value: Buffer.from('1') }]);
    await command(redis, 'script', 'flush');
    t.equal((await store.find([KEY]))[0]?.toString(), '1');
  });

  t.test('a fault of ours is no outage, and its message holds no key', async t => {
    const redis = await startRedis(t);
    const store = await open(t, redis.url);
    await command(redis, 'set', 'postern:{acme}:r:l', 'not a sorted set');
    const error = await store.find([KEY]).catch(error => error);
    t.ok(error instanceof Error && !(error instanceof StoreUnavailable));
    t.match(error.message, 'WRONGTYPE');
    t.notMatch(JSON.stringify({ ...error }) + error.message, 'acme');
  });
});

t.test('a Redis that may forget is refused', { skip: noRedis }, async t => {
  const bad: [string[], RegExp][] = [
    [['--appendonly', 'no'], /appendonly yes/],
    [['--maxmemory-policy', 'allkeys-lru'], /maxmemory-policy noeviction/],
    [['--maxmemory', '50mb', '--maxmemory-policy', 'volatile-ttl'], /maxmemory-policy noeviction/],
  ];
  for (const [args, message] of bad) {
    t.test(args.join(' '), async t => {
      const redis = await startRedis(t, { args });
      for (const patient of [false, true]) {
        await t.rejects(openStore(redis.url, options({ patient })), { name: 'StoreRefused', message });
      }
      await redis.restart(['--appendonly', 'yes', '--maxmemory-policy', 'noeviction']);
      let admissions = 0;
      const { log, says } = recorder();
      const store = await open(t, redis.url, { log, admit: async () => void admissions++ });
      await redis.restart(args);
      await says(message);
      await rejectsSoon(t, () => store.find([KEY]), 'after it came back unfit');
      t.equal(admissions, 1);
    });
  }

  t.test('a replica is not read, and comes to be once it is the master', async t => {
    const master = await startRedis(t);
    const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(master.port)] });
    await t.rejects(openStore(replica.url, options()), { name: 'StoreUnavailable', message: /replica/ });
    const store = await open(t, replica.url, { patient: true });
    await t.rejects(store.find([KEY]), StoreUnavailable);
    await command(replica, 'replicaof', 'no', 'one');
    await available(store);
  });

  t.test('a Redis whose AOF is switched off under way is left within seconds', async t => {
    const redis = await startRedis(t);
    const { log, says } = recorder();
    const store = await open(t, redis.url, { log });
    await command(redis, 'config', 'set', 'appendonly', 'no');
    await says(/appendonly yes/);
    await t.rejects(store.find([KEY]), StoreUnavailable);
    await command(redis, 'config', 'set', 'appendonly', 'yes');
    await available(store);
  });

  t.test('a master that is demoted without dropping us is left at the first write', async t => {
    const [one, two] = [await startRedis(t), await startRedis(t)];
    const store = await open(t, one.url);
    await command(one, 'replicaof', '127.0.0.1', String(two.port));
    await t.rejects(store.apply([{ key: KEY, value: Buffer.from('1') }]), StoreUnavailable);
    await sleep(300);
    await t.rejects(store.find([KEY]), StoreUnavailable);
    await command(one, 'replicaof', 'no', 'one');
    await available(store);
  });
});

t.test('what is there, and what could be lost', { skip: noRedis }, async t => {
  t.test('a store is created only where that is allowed; an emptied one is not taken for a store', async t => {
    const redis = await startRedis(t);
    const url = redis.url.replace('//', '//user:secret@');
    const missing = await openStore(redis.url, options({ create: false })).catch(error => error);
    t.ok(missing instanceof StoreMissing);
    await t.rejects(openStore(url, options()), { name: 'StoreUnavailable', message: /WRONGPASS|NOAUTH/ });
    const store = await open(t, redis.url);
    await store.apply([{ key: KEY, value: Buffer.from('1') }]);
    const { log, says } = recorder();
    const command = await open(t, redis.url, { create: false, log });
    await redis.empty();
    await says(/There is no store at/);
    await t.rejects(command.find([KEY]), StoreUnavailable);
    await available(store);
    t.same(await store.find([KEY]), [undefined], 'who may create a store is told the truth: its head records are gone');
  });

  t.test('password, database number, and credentials in no message', async t => {
    const redis = await startRedis(t);
    await command(redis, 'config', 'set', 'requirepass', 'p@ss/word');
    const url = `redis://:${encodeURIComponent('p@ss/word')}@127.0.0.1:${redis.port}/5`;
    const missing = await openStore(url, options({ create: false })).catch(error => error);
    t.ok(missing instanceof StoreMissing);
    t.match(missing.message, `redis://127.0.0.1:${redis.port}/5`);
    t.notMatch(missing.message, /p@ss|p%40ss/);
    const store = await open(t, url);
    await store.apply([{ key: ENTRY, value: Buffer.from('1') }]);
    const other = await open(t, url.replace(/5$/, '6'));
    t.equal(await other.isEmpty(), true);
  });

  t.test('entries of a set share compact hashes', async t => {
    const redis = await startRedis(t);
    const store = await open(t, redis.url);
    await store.apply([{ key: ENTRY, value: Buffer.alloc(36) }]);
    const [name] = (await command(redis, 'keys', '*')) as string[];
    t.equal(name, 'postern:{acme}:e:s:1ac0', 'the first 14 bits of the id name the bucket');
    t.equal(await command(redis, 'object', 'encoding', name as string), 'listpack');
  });

  t.test('doctor is told of appendfsync and replicas; changes wait for a replica', async t => {
    const master = await startRedis(t, { args: ['--appendfsync', 'always', '--repl-diskless-sync-delay', '0'] });
    const alone = await open(t, master.url);
    t.match(levels(await alone.inspect()), ['ok AOF on', 'ok appendfsync always', 'warn no replica']);
    const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(master.port)] });
    for (let tries = 0; tries < 200 && !/master_link_status:up/.test(String(await command(replica, 'info', 'replication'))); tries++)
      await sleep(50);
    await command(master, 'config', 'set', 'appendfsync', 'everysec');
    const { log, says } = recorder();
    const store = await open(t, master.url, { log });
    t.match(levels(await store.inspect()), ['ok AOF on', 'warn appendfsync everysec', 'ok 1 replica']);
    const waits = async () => Number(/cmdstat_wait:calls=(\d+)/.exec(String(await command(master, 'info', 'commandstats')))?.[1] ?? 0);
    const write = (id: string) => store.apply([{ key: { ...KEY, id }, value: Buffer.from(id) }]);
    await write('alone');
    t.equal(await waits(), 1);
    await Promise.all(Array.from({ length: 300 }, (_, n) => write(String(n))));
    t.ok((await waits()) < 100, `300 changes at once shared ${(await waits()) - 1} waits`);
    replica.freeze();
    t.equal(await store.apply([{ key: KEY, value: Buffer.from('late') }]), true, 'a replica that does not answer is not waited for');
    await says(/no replica confirmed/);
  });

  function levels(findings: readonly Finding[]): string[] {
    const words = /AOF on|appendfsync \w+|no replica|\d+ replica/;
    return findings.map(({ level, text }) => `${level} ${words.exec(text)?.[0]}`);
  }
});

async function command(redis: TestRedis, name: string, ...args: string[]): Promise<unknown> {
  const client = new Redis(redis.port, '127.0.0.1', { protocol: 2 });
  try {
    return await client.call(name, args);
  } finally {
    client.disconnect();
  }
}

/** Redis as fleets run it: a Cluster of two nodes, and a master that fails over under Sentinel. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { type OpenOptions, openStore } from '../../src/store/open.ts';
import { parseRedisUrl } from '../../src/store/redis-url.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { freePort } from '../support/ports.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';

const options: OpenOptions = {
  create: true,
  patient: false,
  log: pino({ level: 'silent' }),
  admit: async () => undefined,
  timeoutMs: 5_000,
};
const record = (owner: string) => ({ owner, log: 'l', id: 'k' });
const entry = (owner: string) => ({ owner, set: 's', id: Buffer.from('k') });

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error(`never: ${what}`);
}

async function answers(store: Store, owner: string): Promise<boolean> {
  try {
    await store.find([record(owner)]);
    return true;
  } catch (error) {
    if (error instanceof StoreUnavailable) return false;
    throw error;
  }
}

async function command(port: number, name: string, ...args: (string | number)[]): Promise<string> {
  const client = new Redis(port, '127.0.0.1', { protocol: 2 });
  client.on('error', () => undefined); // told by the command itself
  try {
    return String(await client.call(name, args));
  } finally {
    client.disconnect();
  }
}

async function startCluster(t: Test): Promise<[TestRedis, TestRedis]> {
  const node = async () => {
    const bus = await freePort();
    const args = ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '1000'];
    return { redis: await startRedis(t, { args }), bus };
  };
  const [one, two] = [await node(), await node()];
  await command(one.redis.port, 'cluster', 'addslotsrange', 0, 8191);
  await command(two.redis.port, 'cluster', 'addslotsrange', 8192, 16383);
  await command(one.redis.port, 'cluster', 'meet', '127.0.0.1', two.redis.port, two.bus);
  for (const { redis } of [one, two]) {
    await until('the cluster is whole', async () => /cluster_state:ok/.test(await command(redis.port, 'cluster', 'info')));
    await until('both nodes are known', async () => (await command(redis.port, 'cluster', 'slots')).includes(String(two.redis.port)));
  }
  return [one.redis, two.redis];
}

t.test('a Cluster', { skip: noRedis }, async t => {
  const [one, two] = await startCluster(t);
  const hosts = `127.0.0.1:${one.port},127.0.0.1:${two.port}`;
  let admissions = 0;
  const store = await openStore(`redis+cluster://${hosts}`, { ...options, timeoutMs: 1_000, admit: async () => void admissions++ });
  t.teardown(() => store.close());
  // The owners' slots: some lie on each node.
  const owners = ['a', 'b', 'c', 'd', 'e', 'f', 'global'];

  t.equal(await store.isEmpty(), true);
  const changes = owners.flatMap(owner => [record(owner), entry(owner)].map(key => ({ key, value: Buffer.from(owner) })));
  t.equal(await store.apply(changes, [{ key: entry('c'), value: undefined }]), true);
  for (const { port } of [one, two]) t.ok(Number(await command(port, 'dbsize')) >= 2, 'each node holds some owners');
  const found = await store.find(changes.map(change => change.key));
  t.same(
    found.map(String),
    changes.map(change => String(change.value)),
  );
  t.equal(await store.isEmpty(), false);
  for (const owner of owners) {
    const seen: string[] = [];
    for await (const [key] of store.scan({ owner, set: 's' })) seen.push(key.id.toString());
    t.same(seen, ['k']);
  }
  t.equal((await store.inspect()).filter(finding => finding.text.includes('AOF on')).length, 2);
  await store.ping();

  const before = admissions;
  await two.kill();
  await until('the loss of a node shuts the whole store', async () => !(await answers(store, 'a')));
  await t.rejects(store.find(changes.map(change => change.key)), StoreUnavailable);
  await two.restart();
  await until('it is whole again', async () => answers(store, 'a'));
  t.ok(admissions > before, 'admitted anew');
  t.same(
    (await store.find(changes.map(change => change.key))).map(String),
    changes.map(change => String(change.value)),
  );

  const moved = admissions;
  await moveSlotOf('a', [one, two]);
  await until('an owner that moved is found again', async () => answers(store, 'a'));
  await until('it was admitted anew', async () => {
    await answers(store, 'a');
    return admissions > moved;
  });
  await until('and answers', async () => answers(store, 'a'));
  t.same((await store.find([record('a')])).map(String), ['a']);
});

/** Moves the slot of an owner from the node that has it to the other one, as an operator would. */
async function moveSlotOf(owner: string, nodes: readonly [TestRedis, TestRedis]): Promise<void> {
  const slot = Number(await command(nodes[0].port, 'cluster', 'keyslot', `{${owner}}`));
  const holds = async (node: TestRedis) => Number(await command(node.port, 'cluster', 'countkeysinslot', slot)) > 0;
  const [from, to] = (await holds(nodes[0])) ? nodes : [nodes[1], nodes[0]];
  const [fromId, toId] = [await command(from.port, 'cluster', 'myid'), await command(to.port, 'cluster', 'myid')];
  await command(to.port, 'cluster', 'setslot', slot, 'importing', fromId);
  await command(from.port, 'cluster', 'setslot', slot, 'migrating', toId);
  const keys = (await command(from.port, 'cluster', 'getkeysinslot', slot, 100)).split(',');
  await command(from.port, 'migrate', '127.0.0.1', to.port, '', 0, 5_000, 'keys', ...keys);
  for (const { port } of [to, from]) await command(port, 'cluster', 'setslot', slot, 'node', toId);
}

t.test('a failover under Sentinel', { skip: noRedis }, async t => {
  const master = await startRedis(t, { args: ['--repl-diskless-sync-delay', '0'] });
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(master.port)] });
  await until('the replica is in step', async () => /master_link_status:up/.test(await command(replica.port, 'info', 'replication')));
  const sentinel = await startSentinel(t, master.port);

  const told: string[] = [];
  const log = pino({ level: 'info' }, { write: line => void told.push(line) });
  let admissions = 0;
  const url = `redis+sentinel://127.0.0.1:${sentinel}/mymaster`;
  const store = await openStore(url, { ...options, log, timeoutMs: 1_000, admit: async () => void admissions++ });
  t.teardown(() => store.close());
  await store.apply([{ key: record('acme'), value: Buffer.from('kept') }]);
  // A replica that needs more than 100 ms is not waited for, and a busy machine may have one.
  await until('the replica has it', async () => (await command(replica.port, 'zcard', 'postern:{acme}:r:l')) === '1');
  await master.kill();
  await t.rejects(store.find([record('acme')]), StoreUnavailable);
  await until('the replica has taken over', async () => answers(store, 'acme'));
  t.ok(admissions >= 2, 'the new master was admitted');
  t.equal((await store.find([record('acme')]))[0]?.toString(), 'kept');
  t.match(await command(replica.port, 'info', 'replication'), 'role:master');
  t.match(told.join(''), 'the store is unavailable');
});

async function startSentinel(t: Test, masterPort: number): Promise<number> {
  const port = await freePort();
  const dir = t.testdir();
  const file = join(dir, 'sentinel.conf');
  writeFileSync(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${dir}`,
      `sentinel monitor mymaster 127.0.0.1 ${masterPort} 1`,
      'sentinel down-after-milliseconds mymaster 500',
      'sentinel failover-timeout mymaster 3000',
      '',
    ].join('\n'),
  );
  const server = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' });
  t.teardown(() => void server.kill('SIGKILL'));
  const asked = async () => {
    try {
      return /num-slaves,1,/.test(await command(port, 'sentinel', 'master', 'mymaster'));
    } catch {
      return false; // not listening yet
    }
  };
  await until('Sentinel knows master and replica', asked);
  return port;
}

t.test('URLs', async t => {
  const table: [string, object][] = [
    ['redis://h', { form: 'single', tls: false, hosts: [{ host: 'h', port: 6379 }], db: 0, label: 'redis://h' }],
    [
      'rediss://u:p%40@[::1]:7000/3',
      { tls: true, hosts: [{ host: '::1', port: 7000 }], username: 'u', password: 'p@', db: 3, label: 'rediss://[::1]:7000/3' },
    ],
    [
      'redis+sentinel://:pw@a,b:1/main/2?sentinelPassword=s%20p',
      { form: 'sentinel', master: 'main', db: 2, password: 'pw', sentinelPassword: 's p', label: 'redis+sentinel://a,b:1/main/2' },
    ],
    [
      'redis+cluster://a:1,b:2',
      {
        form: 'cluster',
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
        ],
        label: 'redis+cluster://a:1,b:2',
      },
    ],
  ];
  for (const [url, expected] of table) t.match(parseRedisUrl(url), expected, url);
  t.same(parseRedisUrl('redis+sentinel://a/m').hosts, [{ host: 'a', port: 26379 }]);
  for (const url of [
    'redis:/h',
    'redis://u:secret@h:99999',
    'redis://u:secret@h/0/1',
    'redis://u:secret%@h',
    'redis+x://secret@h',
    'redis+cluster://u:secret@h/3',
  ]) {
    t.throws(() => parseRedisUrl(url), RangeError, url);
    try {
      parseRedisUrl(url);
    } catch (error) {
      t.notMatch((error as Error).message, 'secret');
    }
  }
});

/** The vault: one key per owner, the same for every process, gone for all when it is destroyed. On files and on a real Redis. */
import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { Keyring } from '../../src/keys/keyring.ts';
import { openVault, type Vault } from '../../src/keys/vault.ts';
import { noRedis, startRedis } from '../support/redis.ts';

const older = { id: 'older', key: randomBytes(32), since: 0 };
const keyring = new Keyring([older], 9);

async function promises(t: Test, where: string): Promise<void> {
  let now = 1_000;
  const clock = { now: () => now };
  const open = () => openVault(where, { keyring, clock });
  const [server, cli] = [await open(), await open()];
  t.teardown(async () => {
    for (const vault of [server, cli]) await vault.close();
  });
  t.equal(await server.sealer('acme'), undefined);
  const [one, two] = await Promise.all([server.create('acme'), cli.create('acme')]);
  const sealed = one.seal('plain', 'here');
  t.equal(two.open(sealed, 'here')?.toString(), 'plain', 'two processes that make a key at once have the same');
  t.equal((await server.create('acme')).open(sealed, 'here')?.toString(), 'plain', 'an owner keeps the key it has');
  await cli.create('other');
  t.equal((await server.sealer('other'))?.open(sealed, 'here'), undefined, 'each owner has a key of its own');
  t.equal(await cli.destroy('acme'), true);
  t.equal(await cli.destroy('acme'), false);
  t.equal(await cli.sealer('acme'), undefined);
  now += 5_000;
  t.equal(await server.sealer('acme'), undefined, 'another process notices');
  t.equal((await cli.create('acme')).open(sealed, 'here'), undefined, 'a new key does not bring the data back');
  t.ok(await server.sealer('acme'), 'a key made elsewhere is found at once');
  await t.rejects(server.sealer('../acme'), RangeError);

  const rotated = openVault(where, { keyring: new Keyring([{ id: 'newer', key: randomBytes(32), since: 1 }, older], 9), clock });
  t.ok(await rotated.sealer('acme'), 'a rotated ring unwraps what the old one wrapped');
  const foreign = openVault(where, { keyring: new Keyring([{ id: 'x', key: randomBytes(32), since: 0 }], 9), clock });
  await t.rejects(foreign.sealer('acme'), { name: 'VaultUnavailable', message: /acme was wrapped under another key ring/ });
  for (const vault of [rotated, foreign]) await vault.close();
}

t.test('a vault in a folder', async t => {
  const folder = join(t.testdir(), 'clients');
  await promises(t, folder);
  t.same(
    (await readdir(folder)).filter(name => name.startsWith('.')),
    [],
    'nothing half made is left',
  );
  t.equal((await stat(folder)).mode & 0o777, 0o700);
  t.equal((await stat(join(folder, 'acme.key'))).mode & 0o777, 0o600);
});

t.test('a destroyed key is overwritten, not only unlinked', async t => {
  const folder = join(t.testdir(), 'clients');
  const vault: Vault = openVault(folder, { keyring, clock: { now: () => 0 } });
  await vault.create('acme');
  const file = join(folder, 'acme.key');
  const before = await readFile(file);
  await link(file, join(folder, 'copy'));
  await vault.destroy('acme');
  t.notSame(await readFile(join(folder, 'copy')), before);
});

t.test('a damaged key is a fault, not an absence', async t => {
  const folder = join(t.testdir(), 'clients');
  const vault = openVault(folder, { keyring, clock: { now: () => 0 } });
  await vault.create('acme');
  await writeFile(join(folder, 'acme.key'), 'nonsense\n');
  const again = openVault(folder, { keyring, clock: { now: () => 0 } });
  await t.rejects(again.sealer('acme'), { name: 'VaultUnavailable' });
  await writeFile(join(folder, 'acme.key', '..', '..', 'blocked'), '');
  const blocked = openVault(join(folder, '..', 'blocked'), { keyring, clock: { now: () => 0 } });
  await t.rejects(blocked.sealer('acme'), { name: 'VaultUnavailable', message: /ENOTDIR/ });
});

t.test('a vault in a Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  await promises(t, redis.url);
});

/** Reconnecting takes a moment. */
async function answers(t: Test, vault: Vault, what: string): Promise<void> {
  let answer: unknown;
  for (let i = 0; i < 100 && answer === undefined; i++) {
    answer = await vault.sealer('acme').catch(() => undefined);
    if (answer === undefined) await sleep(50);
  }
  t.ok(answer, what);
}

t.test('a vault whose Redis is away, frozen or forgetful gives no answer', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  const vault = openVault(redis.url, { keyring, clock: { now: () => 0 } });
  t.teardown(() => vault.close());
  await vault.create('acme');
  redis.freeze();
  await t.rejects(vault.sealer('other'), { name: 'VaultUnavailable', message: /does not answer/ });
  redis.thaw();
  await redis.kill();
  await t.rejects(vault.sealer('other'), { name: 'VaultUnavailable' });
  const fresh = async () => {
    const another = openVault(redis.url, { keyring, clock: { now: () => 0 } });
    await another.sealer('acme').finally(() => another.close());
  };
  await t.rejects(fresh(), { name: 'VaultUnavailable', message: /ECONNREFUSED/ });
  await redis.restart(['--appendonly', 'no']);
  await t.rejects(fresh(), { name: 'VaultRefused', message: /set appendonly yes/ });
  await redis.restart(['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru']);
  await t.rejects(fresh(), { name: 'VaultRefused', message: /set maxmemory-policy noeviction/ });
  await redis.restart([]);
  await answers(t, vault, 'the vault that was there all along');
  const secret = t.throws(() => openVault('redis://user:hunter2@127.0.0.1:port', { keyring, clock: { now: () => 0 } })) as Error;
  t.notMatch(secret.message, /hunter2/);
});

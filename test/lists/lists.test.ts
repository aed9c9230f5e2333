/** Lists on both real engines: who is found, who is not, and what stays whatever happens. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import type { AuditLine } from '../../src/audit/act.ts';
import { type CampaignId, type ClientId, campaignId, clientId } from '../../src/ids.ts';
import { HASH_ALGORITHMS } from '../../src/keys/digest.ts';
import { addKey } from '../../src/keys/keyring.ts';
import type { ListEntry, NewAct } from '../../src/lists/lists.ts';
import { REASONS, type Scope } from '../../src/lists/standing.ts';
import { headKey } from '../../src/store/head.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, address, clockAt, type House, OTHER, openHouse } from './house.ts';

const SPRING = campaignId('spring') as CampaignId;
const NOW = Date.UTC(2026, 5, 1);
const global: Scope = { owner: 'global' };
const acme: Scope = { owner: ACME };
const spring: Scope = { owner: ACME, campaign: SPRING };
const manual: NewAct = { reason: 'manual', source: 'operator' };
const optOut: NewAct = { reason: 'opt-out', source: 'recipient' };

/** Where lists of one engine live: `open` opens the same once more. */
interface Place {
  open(): Promise<House>;
  readonly dir: string;
  readonly storeUrl: string;
}
type Fresh = (t: Test) => Promise<Place>;

function place(t: Test, storeUrl: string): Place {
  const dir = t.testdir();
  const clock = clockAt(NOW);
  const open = async () => {
    const house = await openHouse(dir, { storeUrl, clock });
    t.teardown(() => house.close());
    return house;
  };
  return { open, dir, storeUrl };
}

t.test('on LMDB', async t => promises(t, async t => place(t, 'lmdb:data')));
t.test('on Redis', { skip: noRedis }, async t => promises(t, async t => place(t, (await startRedis(t)).url)));

async function found(house: House, text: string, client: ClientId = ACME, campaigns: readonly CampaignId[] = [SPRING]): Promise<string[]> {
  const standing = await house.lists.standing(address(text), client, campaigns);
  return standing.map(({ list, match, scope, acts }) => {
    const where = scope.campaign === undefined ? scope.owner : `${scope.owner}/${scope.campaign}`;
    return `${list} ${match} ${where} ${acts.map(({ reason }) => reason).join('+')}`;
  });
}

async function shown(house: House, scope: Scope): Promise<ListEntry[]> {
  const entries: ListEntry[] = [];
  for await (const entry of house.lists.show(scope)) entries.push(entry);
  return entries;
}

async function trail(house: House): Promise<AuditLine[]> {
  const lines: AuditLine[] = [];
  for await (const line of house.audit.list(ACME)) lines.push(line);
  return lines;
}

async function promises(t: Test, fresh: Fresh): Promise<void> {
  t.test('A1: what one client lists blocks no other, what is global blocks all', async t => {
    const house = await (await fresh(t)).open();
    t.equal(await house.lists.add(acme, address('jane@example.com'), manual), 'added');
    t.equal(await house.lists.suppress(acme, address('joan@example.com'), optOut), 'added');
    t.same(await found(house, 'jane@example.com'), ['exclusion address acme manual']);
    t.same(await found(house, 'joan@example.com'), ['suppression address acme opt-out']);
    for (const text of ['jane@example.com', 'joan@example.com']) t.same(await found(house, text, OTHER), []);
    t.same(await shown(house, { owner: OTHER }), []);
    await house.lists.add(global, address('jane@example.com'), manual);
    t.same(await found(house, 'jane@example.com', OTHER), ['exclusion address global manual']);
    t.same(await found(house, 'jane@example.com'), ['exclusion address global manual', 'exclusion address acme manual'], 'widest first');
  });

  t.test('a campaign lists for itself alone', async t => {
    const house = await (await fresh(t)).open();
    await house.lists.add(spring, address('jane@example.com'), { reason: 'reply', source: 'inbound' });
    t.same(await found(house, 'jane@example.com'), ['exclusion address acme/spring reply']);
    t.same(await found(house, 'jane@example.com', ACME, []), []);
    t.same(await found(house, 'jane@example.com', ACME, [campaignId('autumn') as CampaignId]), []);
    t.same(await found(house, 'jane@example.com', OTHER, [SPRING]), [], "another client's campaign of the same name");
  });

  t.test('A18, A19: one entry binds every spelling, a domain its subdomains', async t => {
    const house = await (await fresh(t)).open();
    await house.lists.add(acme, address('jane.doe@example.com'), manual);
    await house.lists.add(acme, { domain: 'xn--bcher-kva.example' }, manual);
    const excluded = [
      'jane.doe@example.com',
      'JANE.DOE@EXAMPLE.COM',
      '"jane.doe"@example.com',
      'jane.doe+news@example.com',
      'jane.doe@example.com.',
      '@relay.example,@two.example:jane.doe@example.com',
      'anyone@bücher.example',
      'anyone@xn--bcher-kva.example',
      'anyone@BÜCHER.example',
      'anyone@sub.sub.bücher.example',
    ];
    for (const text of excluded) t.equal((await found(house, text)).length, 1, text);
    const free = [
      'janedoe@example.com',
      'jane.doe@sub.example.com',
      'doe@example.com',
      'anyone@notbücher.example',
      'anyone@xn--bcher-kva.example.com',
    ];
    for (const text of free) t.same(await found(house, text), [], text);
  });

  t.test('A18: a public suffix is refused, its neighbours in the batch are not', async t => {
    const house = await (await fresh(t)).open();
    const targets = [
      { domain: 'com' },
      { domain: 'example.com' },
      { domain: 'co.uk' },
      address('a@example.org'),
      address('A+x@example.org'),
    ];
    const results = await house.lists.addMany(
      acme,
      targets.map(target => ({ target, act: manual })),
    );
    t.match(results, [{ problem: /public suffix/ }, 'added', { problem: /public suffix/ }, 'added', 'existing']);
    t.equal((await shown(house, acme)).length, 2);
  });

  t.test('a dry run says what would happen and writes nothing', async t => {
    const house = await (await fresh(t)).open();
    await house.lists.add(acme, address('a@example.com'), manual);
    const targets = ['a@example.com', 'b@example.com'].map(text => ({ target: address(text), act: manual }));
    t.same(await house.lists.addMany(acme, targets, { dryRun: true }), ['existing', 'added']);
    t.same(await found(house, 'b@example.com'), []);
    const hash = createHash('md5').update('b@example.com').digest();
    t.same(await house.lists.addHashes(acme, 'md5', [hash], { dryRun: true }), ['added']);
    t.same(await found(house, 'b@example.com'), []);
  });

  t.test('A18: many at once, some of them known', async t => {
    const house = await (await fresh(t)).open();
    const targets = Array.from({ length: 2_500 }, (_, i) => ({
      target: address(`p${i}@example.com`),
      act: { ...manual, reason: 'import' as const },
    }));
    await house.lists.addMany(acme, targets.slice(1_200, 1_300));
    const results = await house.lists.addMany(acme, targets);
    t.equal(results.filter(result => result === 'added').length, 2_400);
    for (const i of [0, 999, 1_000, 1_250, 2_499]) t.same(await found(house, `p${i}@example.com`), ['exclusion address acme import']);
    t.equal((await shown(house, acme)).length, 2_500);
  });

  t.test('A23: legacy hash lists bind the person, in the scope that holds them', async t => {
    const here = await fresh(t);
    const [house, gate] = [await here.open(), await here.open()];
    const hashed = (algorithm: string, text: string) => createHash(algorithm).update(text).digest();
    for (const algorithm of HASH_ALGORITHMS) {
      t.same(await found(gate, `${algorithm}@example.com`), [], 'the gate has read the heads without this algorithm');
      const hashes = [
        hashed(algorithm, `${algorithm}@example.com`),
        hashed(algorithm, `${algorithm}+tag@example.org`),
        Buffer.from('short'),
      ];
      t.match(await house.lists.addHashes(spring, algorithm, hashes), ['added', 'added', { problem: new RegExp(algorithm) }]);
      t.same(await house.lists.addHashes(spring, algorithm, hashes.slice(0, 2)), ['existing', 'existing']);
      for (const text of [`${algorithm}@example.com`, `${algorithm.toUpperCase()}+x@Example.com`, `${algorithm}+tag@example.org`]) {
        t.same(await found(gate, text), ['suppression hash acme/spring import'], `another process asks for it at once: ${text}`);
      }
      t.same(await found(gate, `${algorithm}@example.org`), [], 'hashed with a tag, so only known with it');
      t.same(await found(gate, `${algorithm}@example.com`, ACME, []), []);
    }
  });

  t.test('A23: who is suppressed stays so when imported anew', async t => {
    const house = await (await fresh(t)).open();
    await house.lists.suppress(acme, address('jane@example.com'), { reason: 'erasure', source: 'operator' });
    await house.lists.add(acme, address('jane@example.com'), { reason: 'import', source: 'import' });
    t.same(await house.lists.remove(acme, address('jane@example.com')), { kept: ['erasure'] });
    t.same(await found(house, 'jane@example.com'), ['suppression address acme erasure']);
  });

  t.test('an entry holds one act a reason, the first', async t => {
    const house = await (await fresh(t)).open();
    const jane = address('jane@example.com');
    t.equal(await house.lists.add(acme, jane, { ...manual, by: 'ann', at: NOW - 5_000 }), 'added');
    t.equal(await house.lists.add(acme, jane, { ...manual, by: 'bob' }), 'existing');
    t.equal(await house.lists.add(acme, jane, { ...optOut, at: NOW + 9_999_999 }), 'existing');
    t.same(await shown(house, acme), [
      {
        id: house.digests.person(jane)[0]?.toString('hex'),
        list: 'exclusion',
        match: 'address',
        target: 'jane@example.com',
        digest: house.digests.person(jane)[0]?.toString('hex').slice(0, 12),
        acts: [
          { reason: 'manual', source: 'operator', at: NOW - 5_000, by: 'ann' },
          { reason: 'opt-out', source: 'recipient', at: NOW },
        ],
      },
    ]);
  });

  t.test('an operator removes what operators and imports put in, and nothing else', async t => {
    const house = await (await fresh(t)).open();
    const jane = address('jane@example.com');
    t.equal(await house.lists.remove(acme, jane), 'absent');
    for (const reason of REASONS) {
      await house.lists.add(acme, jane, { reason, source: 'operator' });
      const own = reason === 'manual' || reason === 'import' || reason === 'policy';
      t.same(await house.lists.remove(acme, jane), own ? 'removed' : { kept: [reason] }, reason);
      if (!own) t.equal(await house.lists.lift(acme, jane, { by: 'Ann Example', why: 'asked for it in writing' }), 'lifted', reason);
      t.same(await found(house, 'jane@example.com'), [], reason);
    }
    await house.lists.add(acme, jane, manual);
    await house.lists.add(acme, jane, optOut);
    t.same(await house.lists.remove(acme, jane), { kept: ['opt-out'] });
    t.same(await found(house, 'jane@example.com'), ['exclusion address acme opt-out']);
    await house.lists.add(acme, { domain: 'example.com' }, manual);
    t.equal(await house.lists.remove(acme, { domain: 'example.com' }), 'removed');
    await house.lists.suppress(spring, jane, optOut);
    t.same(await house.lists.remove(spring, jane), { kept: ['opt-out'] });
  });

  t.test('a named person lifts in one scope, on record, and leaves the operator’s own entry', async t => {
    const house = await (await fresh(t)).open();
    const jane = address('jane@example.com');
    const act = { by: 'Ann Example', why: 'asked for it in writing' };
    t.equal(await house.lists.lift(acme, jane, act), 'absent');
    for (const scope of [acme, spring]) await house.lists.suppress(scope, jane, optOut);
    await house.lists.add(acme, jane, manual);
    await house.lists.add(acme, jane, { reason: 'reply', source: 'inbound' });
    await house.lists.addHashes(acme, 'sha1', [createHash('sha1').update('jane@example.com').digest()]);
    t.equal(await house.lists.lift(acme, address('Jane+x@example.com'), act), 'lifted');
    t.same(await found(house, 'jane@example.com'), ['exclusion address acme manual', 'suppression address acme/spring opt-out']);
    t.equal(await house.lists.lift(acme, jane, act), 'absent');
    const records = await trail(house);
    t.equal(records.length, 1);
    const about = { scope: 'acme', whom: house.digests.person(jane)[0]?.toString('hex'), reasons: ['reply', 'opt-out', 'import'] };
    t.same(records, [{ n: 1, at: NOW, ...act, from: 'cli', what: 'lift', about }]);
    await house.lists.suppress(acme, jane, optOut);
    t.match(
      await found(house, 'jane@example.com', ACME, []),
      ['exclusion address acme manual', 'suppression address acme opt-out'],
      'whoever objects again is listed again',
    );
  });

  t.test('writers at the same time lose nothing of each other', async t => {
    const here = await fresh(t);
    const [one, two] = [await here.open(), await here.open()];
    const jane = address('jane@example.com');
    const writes = REASONS.flatMap(reason => [one, two].map(house => house.lists.add(acme, jane, { reason, source: 'operator' })));
    const results = await Promise.all(writes);
    t.equal(results.filter(result => result === 'added').length, 1);
    const [hit] = await one.lists.standing(jane, ACME, []);
    t.same(hit?.acts.map(({ reason }) => reason).toSorted(), [...REASONS].sort());
  });

  t.test('A21, A29: no address stands in the store, in the ledger or in the vault', async t => {
    const here = await fresh(t);
    const house = await here.open();
    const names = ['jane.roe', 'JANE.ROE', 'secret-domain'];
    const jane = address('jane.roe@secret-domain.example');
    await house.lists.add(acme, jane, { ...manual, by: 'ann' });
    await house.lists.add(acme, jane, optOut);
    await house.lists.add(acme, { domain: 'secret-domain.example' }, manual);
    await house.lists.suppress(acme, jane, optOut);
    await house.lists.addHashes(acme, 'sha1', [createHash('sha1').update('jane.roe@secret-domain.example').digest()]);
    await house.lists.lift(acme, jane, { by: 'Ann', why: 'because' });
    await house.lists.suppress(acme, jane, optOut);
    const sha1 = createHash('sha1').update('jane.roe@secret-domain.example').digest();
    const octets = [...filesIn(here.dir), ...(await redisValues(here.storeUrl))];
    t.ok(
      octets.some(text => text.includes('fingerprint')),
      'the search looks where the data is',
    );
    for (const secret of [...names, sha1, sha1.toString('hex')])
      t.notOk(
        octets.some(text => text.includes(secret)),
        String(secret),
      );
  });

  t.test('an entry that cannot be opened lists all the same', async t => {
    const here = await fresh(t);
    const house = await here.open();
    const jane = address('jane@example.com');
    await house.lists.add(acme, jane, manual);
    await house.lists.suppress(acme, jane, optOut);
    await house.vault.destroy(ACME);
    t.same(await found(house, 'jane@example.com'), ['exclusion address acme ', 'suppression address acme ']);
    t.match(await shown(house, acme), [
      { list: 'exclusion', acts: [] },
      { list: 'suppression', acts: [] },
    ]);
    await t.rejects(house.lists.add(acme, address('joan@example.com'), manual), /acme has no data key in the vault/);
    await house.vault.create(ACME);
    t.equal(await house.lists.add(acme, jane, manual), 'existing', 'a new key does not overwrite it');
    t.same(await house.lists.remove(acme, jane), { kept: [] });
    t.same(await found(house, 'jane@example.com'), ['exclusion address acme ', 'suppression address acme ']);
    t.equal(await house.lists.lift(acme, jane, { by: 'Ann', why: 'because' }), 'lifted');
    t.same(await found(house, 'jane@example.com'), []);
  });

  t.test('a scope whose owner the store does not know is no answer and takes nothing', async t => {
    const house = await (await fresh(t)).open();
    const ghost = { owner: clientId('ghost') as ClientId };
    await house.vault.create('ghost');
    const refused = { name: 'StoreUnavailable' };
    const jane = address('jane@example.com');
    await t.rejects(house.lists.standing(jane, ghost.owner, []), refused);
    await t.rejects(house.lists.add(ghost, jane, optOut), refused);
    await t.rejects(house.lists.suppress(ghost, jane, optOut), refused);
    await t.rejects(house.lists.addHashes(ghost, 'md5', [Buffer.alloc(16)]), refused);
    await t.rejects(house.lists.remove(ghost, jane), refused);
    await t.rejects(house.lists.lift(ghost, jane, { by: 'Ann', why: 'because' }), refused);
    await t.rejects(shown(house, ghost), refused);
    await house.store.apply([{ key: headKey('global'), value: undefined }]);
    await t.rejects(house.lists.standing(jane, ACME, []), refused, 'a store without the global head is not ours');
  });

  t.test('a rotated ring finds what both keys made; a gate with the old ring does not guess', async t => {
    const here = await fresh(t);
    const old = await here.open();
    const [jane, joan] = [address('jane@example.com'), address('joan@example.com')];
    await old.lists.add(acme, jane, manual);
    await addKey(join(here.dir, 'keys/postern.key'), { now: () => NOW - 1 });
    const rotated = await here.open();
    t.same(await found(rotated, 'jane@example.com'), ['exclusion address acme manual']);
    t.same(await found(old, 'jane@example.com'), ['exclusion address acme manual'], 'nothing was made under the new key yet');
    t.equal(await rotated.lists.add(acme, jane, manual), 'existing');
    t.equal(await rotated.lists.suppress(acme, joan, optOut), 'added');
    t.same(await found(rotated, 'joan@example.com'), ['suppression address acme opt-out']);
    await t.rejects(found(old, 'joan@example.com'), { name: 'StoreUnavailable', message: /newer key/ });
    t.same(await found(old, 'joan@example.com', OTHER), [], 'another client’s lists are still whole for it');
    await rotated.lists.add(acme, jane, optOut);
    t.same(
      await found(rotated, 'jane@example.com'),
      ['exclusion address acme opt-out', 'exclusion address acme manual'],
      'the act stands under the new key, the old entry stays',
    );
    t.equal(await rotated.lists.lift(acme, jane, { by: 'Ann', why: 'because' }), 'lifted');
    t.equal(await rotated.lists.remove(acme, jane), 'removed');
    t.same(await found(rotated, 'jane@example.com'), []);
  });
}

function filesIn(dir: string): Buffer[] {
  const names = readdirSync(dir, { recursive: true, withFileTypes: true }).filter(file => file.isFile());
  return names.map(file => readFileSync(join(file.parentPath, file.name)));
}

async function redisValues(url: string): Promise<Buffer[]> {
  if (!url.startsWith('redis')) return [];
  const redis = new Redis(url, { protocol: 2 });
  const values: Buffer[] = [];
  for (const key of await redis.keys('*')) {
    values.push(Buffer.from(key));
    const type = await redis.type(key);
    if (type === 'hash') values.push(...Object.values(await redis.hgetallBuffer(key)));
    else if (type === 'zset') values.push(...(await redis.zrangeBuffer(key, '0', '-1')));
    else if (type === 'string') values.push((await redis.getBuffer(key)) as Buffer);
    else throw new Error(`unexpected type ${type}`);
  }
  redis.disconnect();
  return values;
}

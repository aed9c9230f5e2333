/** Tests of credentials: names, addresses, rotation, and what stands in the store. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { Clients } from '../../src/clients/clients.ts';
import { claimKeys, SealedRecords } from '../../src/clients/records.ts';
import type { CredentialId } from '../../src/ids.ts';
import { Digests } from '../../src/keys/digest.ts';
import { addKey, loadKeyring } from '../../src/keys/keyring.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { good, type House, input, newHouse, problem } from './house.ts';

type Test = Parameters<typeof newHouse>[0] & Parameters<typeof startRedis>[0];

const IP = '192.0.2.10';
const id = (username: string) => username as CredentialId;

for (const engine of ['lmdb', 'redis'] as const) {
  t.test(`credentials on ${engine}`, { skip: engine === 'redis' ? noRedis : false }, async t => {
    const open = async (t: Test): Promise<House> => {
      const house = await newHouse(t, engine === 'redis' ? (await startRedis(t)).url : undefined);
      for (const name of ['acme', 'beta']) good(await house.clients.add(input(name)));
      return house;
    };

    t.test('A31: a username is one credential of one client', async t => {
      const { clients } = await open(t);
      const { credential, password } = good(await clients.addCredential({ client: 'acme', username: 'sender' }));
      t.match(credential, { id: 'sender', client: 'acme', password: true, ips: [], disabled: false });
      t.match(password, /^[A-Za-z0-9]{24,}$/);
      t.equal(problem(await clients.addCredential({ client: 'acme', username: 'sender' })), 'exists');
      t.equal(problem(await clients.addCredential({ client: 'beta', username: 'sender' })), 'taken');
      t.equal(problem(await clients.addCredential({ client: 'gamma', username: 'other' })), 'unknown');
      t.equal(problem(await clients.addCredential({ client: 'acme', username: 'with space' })), 'invalid');
      t.equal(problem(await clients.addCredential({ client: 'acme', username: 'c', campaign: 'q3' })), 'unknown');
      t.equal(problem(await clients.addCredential({ client: 'acme', username: 'c', policy: 'none' })), 'invalid');
      t.equal(problem(await clients.addCredential({ client: 'acme', username: 'c', ips: ['nowhere'] })), 'invalid');
      good(await clients.addCampaign('acme', 'q3', []));
      t.match(good(await clients.addCredential({ client: 'acme', username: 'c', campaign: 'q3' })).credential, { campaign: 'q3' });
      t.same(
        good(await clients.credentials('acme'))
          .map(({ id }) => id)
          .sort(),
        ['c', 'sender'],
      );
      t.same(good(await clients.credentials('beta')), [], "A1: not another client's");
      t.equal(problem(await clients.credentials('gamma')), 'unknown');
      t.notOk(JSON.stringify(await clients.credentials('acme')).includes('argon2'), 'no hash leaves the part');
    });

    t.test('of many who want one name at once, one gets it', async t => {
      const { clients, parts } = await open(t);
      const outcomes = await Promise.all(
        ['acme', 'beta', 'acme', 'beta'].map(client => new Clients(parts).addCredential({ client, username: 'sender' })),
      );
      const winners = outcomes.filter(outcome => problem(outcome) === undefined);
      t.equal(winners.length, 1);
      const listed = [...good(await clients.credentials('acme')), ...good(await clients.credentials('beta'))];
      t.equal(listed.length, 1);
      t.equal((await clients.current(id('sender')))?.client, listed[0]?.client);
    });

    t.test('a claim that a crash left without a record holds nobody', async t => {
      const { clients, parts } = await open(t);
      const [key] = claimKeys(parts.digests, 'sender');
      if (key === undefined) throw new Error('no key');
      await parts.store.apply([new SealedRecords(parts.keyring).put(key, { client: 'beta', record: 'gone' })]);
      t.equal(await clients.current(id('sender')), undefined);
      good(await clients.addCredential({ client: 'acme', username: 'sender' }));
      t.equal((await clients.current(id('sender')))?.client, 'acme');
    });

    t.test('rotated and disabled: at once, on every gate', async t => {
      const { clients, parts } = await open(t);
      const gate = new Clients(parts);
      const first = good(await clients.addCredential({ client: 'acme', username: 'sender' })).password ?? '';
      t.match(await gate.authenticate('sender', first, IP), { credential: { id: 'sender' } });
      const second = good(await clients.rotateCredential('sender')).password ?? '';
      t.not(second, first);
      t.equal(await gate.authenticate('sender', first, IP), 'bad', 'the old one is dead, though it was just verified');
      t.match(await gate.authenticate('sender', second, IP), { credential: { id: 'sender' } });
      t.equal(good(await clients.disableCredential('sender')).disabled, true);
      t.equal((await gate.current(id('sender')))?.disabled, true);
      t.equal(await gate.authenticate('sender', second, IP), 'disabled');
      t.equal(problem(await clients.rotateCredential('sender')), 'disabled');
      t.equal(problem(await clients.rotateCredential('nobody')), 'unknown');
      t.equal(problem(await clients.disableCredential('nobody')), 'unknown');
      const third = good(await clients.addCredential({ client: 'acme', username: 'sender', ips: [IP] })).password ?? '';
      t.equal(await gate.authenticate('sender', second, IP), 'bad');
      t.match(await gate.authenticate('sender', third, IP), { credential: { ips: [`${IP}/32`], disabled: false } });
      good(await clients.disableCredential('sender'));
      t.equal(problem(await clients.addCredential({ client: 'beta', username: 'sender' })), 'taken', "a disabled name stays its client's");
      good(await clients.remove('acme'));
      t.equal((await gate.current(id('sender')))?.disabled, true);
    });

    t.test('A33: an address alone: listed ones only, and one credential an address', async t => {
      const { clients, parts } = await open(t);
      const gate = new Clients(parts);
      t.equal(await gate.byAddress(IP), undefined, 'nobody by default');
      t.equal(problem(await clients.addCredential({ client: 'acme', username: 'relay', password: false })), 'invalid');
      t.equal(problem(await clients.addCredential({ client: 'acme', username: 'relay', password: false, ips: ['0.0.0.0/0'] })), 'invalid');
      const door = good(await clients.addCredential({ client: 'acme', username: 'relay', password: false, ips: ['192.0.2.0/28'] }));
      t.equal(door.password, undefined);
      t.equal((await gate.byAddress(IP))?.id, 'relay');
      t.equal((await gate.byAddress(`::ffff:${IP}`))?.id, 'relay');
      t.equal(await gate.byAddress('192.0.2.16'), undefined);
      t.equal(await gate.authenticate('relay', '', IP), 'bad', 'no password is no empty password');
      t.equal(problem(await clients.rotateCredential('relay')), 'invalid');
      const narrow = { client: 'beta', username: 'narrow', password: false };
      t.equal(problem(await clients.addCredential({ ...narrow, ips: [`${IP}/31`] })), 'taken');
      t.equal(problem(await clients.addCredential({ ...narrow, ips: ['198.51.100.1', '192.0.2.0/24'] })), 'taken');
      good(await clients.addCredential({ ...narrow, ips: ['2001:db8::/48', '192.0.2.16/28'] }));
      t.equal((await gate.byAddress('192.0.2.17'))?.id, 'narrow');
      t.equal((await gate.byAddress('2001:db8::25'))?.id, 'narrow');
      good(await clients.addCredential({ client: 'beta', username: 'guarded', ips: [IP] }));
      t.equal((await gate.byAddress(IP))?.id, 'relay', 'one with a password is none without');
      good(await clients.disableCredential('relay'));
      t.equal(await gate.byAddress(IP), undefined);
      good(await clients.addCredential({ client: 'beta', username: 'wide', password: false, ips: ['192.0.2.0/28'] }));
      t.equal((await gate.byAddress(IP))?.id, 'wide', "a disabled one is in nobody's way");
      good(await clients.disableCredential('wide'));
      good(await clients.addCredential({ client: 'beta', username: 'wide', ips: ['192.0.2.0/28'] }));
      t.equal(await gate.byAddress(IP), undefined, 'back, but with a password');
      good(await clients.remove('beta'));
      t.equal(await gate.byAddress('192.0.2.17'), undefined);
    });

    t.test('A18: what is done to a credential is on record', async t => {
      const { clients, parts, clock } = await open(t);
      const ann = { by: 'ann', from: '192.0.2.7' };
      good(await clients.addCredential({ client: 'acme', username: 'plain' }));
      good(await clients.addCredential({ client: 'acme', username: 'receipts', policy: 'transactional' }, ann));
      good(await clients.rotateCredential('plain', ann));
      good(await clients.disableCredential('plain', { ...ann, why: 'not used' }));
      const lines: unknown[] = [];
      for await (const line of parts.audit.list('acme', { limit: 4 })) lines.push(line);
      const receipts = { credential: 'receipts', policy: 'transactional', ips: [], password: true };
      t.same(lines, [
        { n: 5, at: clock.at, ...ann, what: 'credential.disable', about: { credential: 'plain' }, why: 'not used' },
        { n: 4, at: clock.at, ...ann, what: 'credential.rotate', about: { credential: 'plain' } },
        { n: 3, at: clock.at, ...ann, what: 'credential.add', about: receipts },
        {
          n: 2,
          at: clock.at,
          by: 'postern',
          from: 'postern',
          what: 'credential.add',
          about: { credential: 'plain', ips: [], password: true },
        },
      ]);
      t.equal((await clients.current(id('receipts')))?.policy, 'transactional');
    });

    t.test('A29: nothing of it stands in clear', async t => {
      const house = await open(t);
      const { clients, parts, dir } = house;
      const username = 'jane.doe@acme.example';
      const { password } = good(await clients.addCredential({ client: 'acme', username, password: true, ips: [IP] }));
      good(
        await clients.addCredential({
          client: 'acme',
          username: 'door@acme.example',
          password: false,
          ips: ['198.51.100.0/24'],
          policy: 'transactional',
        }),
      );
      const secrets = ['jane', 'doe@', '@acme', 'www.acme', 'GmbH', 'argon2', IP, '198.51', password ?? 'none'];
      const dump = engine === 'redis' ? await keysAndValues(house) : Buffer.concat(await files(join(dir, 'data')));
      t.ok(dump.length > 1000);
      for (const secret of secrets) t.notOk(dump.includes(secret), secret);
      t.ok(await parts.store.find([]), 'still open');
    });

    t.test('a new master key: old names are found, new ones too', async t => {
      const { clients, parts, dir, clock } = await open(t);
      const before = good(await clients.addCredential({ client: 'acme', username: 'before' })).password ?? '';
      clock.at += 1000;
      await addKey(join(dir, 'keys/postern.key'), clock);
      const keyring = await loadKeyring({ file: join(dir, 'keys/postern.key') }, clock);
      const rotated = new Clients({ ...parts, keyring, digests: new Digests(keyring) });
      t.match(await rotated.authenticate('before', before, IP), { credential: { id: 'before' } });
      t.equal(problem(await rotated.addCredential({ client: 'beta', username: 'before' })), 'taken');
      good(await rotated.disableCredential('before'));
      const after = good(await rotated.addCredential({ client: 'acme', username: 'before' })).password ?? '';
      t.match(await rotated.authenticate('before', after, IP), { credential: { id: 'before' } });
      t.equal(await rotated.authenticate('before', before, IP), 'bad');
      t.equal(good(await rotated.credentials('acme')).length, 1);
    });
  });
}

/** Everything a Redis dump would hold of clients; the keys' own names are covered by the store's tests. */
async function keysAndValues({ parts }: House): Promise<Buffer> {
  const found: Buffer[] = [];
  for (const range of [
    { owner: 'acme', log: 'client' },
    { owner: 'acme', log: 'credentials' },
    { owner: 'acme', log: 'audit' },
    { owner: 'acme', log: 'head' },
    { owner: 'global', log: 'clients' },
    { owner: 'global', log: 'open-doors' },
    { owner: 'global', set: 'usernames' },
  ]) {
    let some = false;
    for await (const [key, value] of parts.store.scan(range)) {
      found.push(Buffer.from(key.id), value);
      some = true;
    }
    if (!some) throw new Error(`nothing in ${JSON.stringify(range)}`);
  }
  return Buffer.concat(found);
}

async function files(folder: string): Promise<Buffer[]> {
  return Promise.all((await readdir(folder)).map(name => readFile(join(folder, name))));
}

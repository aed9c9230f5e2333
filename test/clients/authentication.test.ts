/** Tests of logging in. */
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { Authenticator } from '../../src/clients/authentication.ts';
import { Failures } from '../../src/clients/failures.ts';
import { CredentialLookup } from '../../src/clients/lookup.ts';
import { AuthenticationBusy, Passwords } from '../../src/clients/password.ts';
import { SealedRecords } from '../../src/clients/records.ts';
import { GLOBAL } from '../../src/ids.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { startRedis } from '../support/redis.ts';
import { good, input, newHouse } from './house.ts';

const IP = '192.0.2.10';

/** The real thing, counting. */
class CountedPasswords extends Passwords {
  verified = 0;
  override verify(hashed: string | undefined, password: string): Promise<boolean> {
    this.verified += 1;
    return super.verify(hashed, password);
  }
}

async function open(t: Parameters<typeof newHouse>[0], storeUrl?: string) {
  const house = await newHouse(t, storeUrl);
  good(await house.clients.add(input('acme')));
  const passwords = new CountedPasswords();
  const records = new SealedRecords(house.parts.keyring);
  /** Of one process of one gate. */
  const another = (parts = house.parts) =>
    new Authenticator(new CredentialLookup(parts, records), passwords, new Failures(parts, records), house.clock);
  return { ...house, passwords, authenticator: another(), another };
}

t.test('A30: password and address, both; whatever is wrong, the answer is one', async t => {
  const { clients, authenticator, passwords } = await open(t);
  const { password } = good(await clients.addCredential({ client: 'acme', username: 'bound', ips: ['192.0.2.0/28', '2001:db8::/48'] }));
  const free = good(await clients.addCredential({ client: 'acme', username: 'free' }));
  const off = good(await clients.addCredential({ client: 'acme', username: 'off', ips: [IP] }));
  good(await clients.disableCredential('off'));
  for (const [username, given, address, expected] of [
    ['bound', password, IP, 'good'],
    ['bound', password, `::ffff:${IP}`, 'good'],
    ['bound', password, '2001:db8::1', 'good'],
    ['bound', password, '192.0.2.16', 'bad'],
    ['bound', password, '::1', 'bad'],
    ['bound', `${password}x`, IP, 'bad'],
    ['bound', '', IP, 'bad'],
    ['Bound', password, IP, 'bad'],
    ['nobody', password, IP, 'bad'],
    ['free', password, IP, 'bad'],
    ['free', free.password, '203.0.113.9', 'good'],
    ['off', off.password, IP, 'disabled'],
    ['off', off.password, '192.0.2.11', 'bad'],
    ['off', 'wrong', IP, 'bad'],
  ] as const) {
    const answer = await authenticator.authenticate(username, given ?? '', address);
    t.equal(typeof answer === 'string' ? answer : 'good', expected, `${username} from ${address}`);
  }
  const before = passwords.verified;
  await authenticator.authenticate('nobody at all', 'x', IP);
  t.equal(passwords.verified, before + 1, 'an unknown name costs as much as a known one');
});

t.test('A31: a verified password is remembered for a minute, for its hash only', async t => {
  const { clients, authenticator, passwords, clock } = await open(t);
  const password = good(await clients.addCredential({ client: 'acme', username: 'sender' })).password ?? '';
  const login = () => authenticator.authenticate('sender', password, IP);
  t.match(await login(), { credential: { id: 'sender' } });
  for (let i = 0; i < 5; i++) t.match(await login(), { credential: { id: 'sender' } });
  t.equal(passwords.verified, 1);
  good(await clients.addCampaign('acme', 'q3', []));
  t.match(await login(), { credential: { id: 'sender' } });
  t.equal(passwords.verified, 1, 'another change of the client does not make everybody be hashed again');
  clock.at += 59_999;
  await login();
  t.equal(passwords.verified, 1);
  clock.at += 1;
  await login();
  t.equal(passwords.verified, 2, 'a minute is over');
  good(await clients.rotateCredential('sender'));
  t.equal(await login(), 'bad');
  good(await clients.disableCredential('sender'));
  t.equal(await login(), 'bad', 'the old password does not even learn that it is disabled');
});

t.test('whoever fails too often waits; others do not', async t => {
  const { clients, authenticator, passwords, clock } = await open(t);
  const password = good(await clients.addCredential({ client: 'acme', username: 'sender' })).password ?? '';
  for (let i = 0; i < 10; i++) t.equal(await authenticator.authenticate('sender', `wrong ${i}`, IP), 'bad');
  await t.rejects(authenticator.authenticate('sender', 'wrong again', IP), AuthenticationBusy);
  t.equal(passwords.verified, 10, 'nothing is hashed for them');
  await t.rejects(
    authenticator.authenticate('sender', password, IP),
    AuthenticationBusy,
    'not even the right one: a refusal would be a lie',
  );
  t.match(await authenticator.authenticate('sender', password, '192.0.2.11'), { credential: { id: 'sender' } }, 'from elsewhere it works');
  t.match(
    await authenticator.authenticate('sender', password, IP),
    { credential: { id: 'sender' } },
    'what is known to be right needs no hashing',
  );
  clock.at += 60_000;
  t.equal(await authenticator.authenticate('sender', 'wrong', IP), 'bad', 'a minute later it is asked again');
});

for (const engine of ['lmdb', 'redis'])
  t.test(`A30: guesses count for all gates of a store together: ${engine}`, async t => {
    const { clients, authenticator, another, passwords, clock, parts } = await open(
      t,
      engine === 'redis' ? (await startRedis(t)).url : undefined,
    );
    const password = good(await clients.addCredential({ client: 'acme', username: 'sender' })).password ?? '';
    const gates = [authenticator, another(), another()];
    const guess = (i: number, from = IP) => (gates[i % gates.length] as Authenticator).authenticate('sender', `wrong ${i}`, from);
    for (let i = 0; i < 10; i++) t.equal(await guess(i), 'bad');
    for (const gate of gates) await t.rejects(gate.authenticate('sender', password, IP), AuthenticationBusy);
    t.equal(passwords.verified, 10);
    const together = await Promise.all(Array.from({ length: 9 }, (_, i) => guess(i, '192.0.2.11')));
    t.same([...new Set(together)], ['bad']);
    t.equal(await guess(9, '192.0.2.11'), 'bad');
    await t.rejects(guess(10, '192.0.2.11'), AuthenticationBusy, 'none of those at once was lost');
    clock.at += 60_000;
    t.match(await another().authenticate('sender', password, IP), { credential: { id: 'sender' } }, 'a minute later');

    const kept = async () => {
      let count = 0;
      for await (const _ of parts.store.scan({ owner: GLOBAL, set: 'smtp-login-failures' })) count += 1;
      return count;
    };
    t.equal(await kept(), 4);
    clock.at += 3_600_000;
    t.equal(await guess(0), 'bad');
    t.equal(await kept(), 2, 'what is over is not kept');
  });

t.test('a count that cannot be kept is no answer, right or wrong; a password known to be right needs none', async t => {
  const { clients, another, parts } = await open(t);
  const password = good(await clients.addCredential({ client: 'acme', username: 'sender' })).password ?? '';
  const gone = () => Promise.reject(new StoreUnavailable('down'));
  const { store } = parts;
  const find: typeof store.find = keys => (keys.some(key => 'set' in key && key.set === 'smtp-login-failures') ? gone() : store.find(keys));
  const blind = another({ ...parts, store: { ...store, find } });
  for (const given of [password, 'wrong']) await t.rejects(blind.authenticate('sender', given, IP), StoreUnavailable);
  const mute = another({ ...parts, store: { ...store, find: keys => store.find(keys), scan: range => store.scan(range), apply: gone } });
  t.match(await mute.authenticate('sender', password, IP), { credential: { id: 'sender' } });
  await t.rejects(mute.authenticate('sender', 'wrong', IP), StoreUnavailable, 'nobody guesses uncounted');
});

t.test('A30: of many guesses at once no more are looked at than one after the other; of right ones, one is hashed', async t => {
  const { clients, another, passwords, parts } = await open(t);
  const password = good(await clients.addCredential({ client: 'acme', username: 'sender' })).password ?? '';
  const { store } = parts;
  const apply: typeof store.apply = async (...given) => setTimeout(50).then(() => store.apply(...given));
  const gate = another({ ...parts, store: { ...store, find: keys => store.find(keys), scan: range => store.scan(range), apply } });
  const all = (password: string, from: string) =>
    Promise.all(
      Array.from({ length: 40 }, () =>
        gate.authenticate('sender', password, from).catch(error => (error instanceof AuthenticationBusy ? 'wait' : 'fault')),
      ),
    );
  const guesses = await all('wrong', '192.0.2.11');
  t.same([guesses.filter(answer => answer === 'bad').length, guesses.filter(answer => answer === 'wait').length], [10, 30]);
  t.equal(passwords.verified, 10);
  for (const answer of await all(password, IP)) t.match(answer, { credential: { id: 'sender' } });
  t.equal(passwords.verified, 11);
});

t.test('an address that tries many names waits, too', async t => {
  const { authenticator, passwords } = await open(t);
  passwords.verify = async () => false; // sixty real hashes would only cost time
  for (let i = 0; i < 60; i++) t.equal(await authenticator.authenticate(`name${i}`, 'x', IP), 'bad');
  await t.rejects(authenticator.authenticate('yet another', 'x', IP), AuthenticationBusy);
  t.equal(await authenticator.authenticate('yet another', 'x', '192.0.2.11'), 'bad');
});

t.test('of IPv6 a whole /64 is one stranger: every address of it is in one hand', async t => {
  const { clients, authenticator } = await open(t);
  const password = good(await clients.addCredential({ client: 'acme', username: 'sender' })).password ?? '';
  for (let i = 0; i < 10; i++) t.equal(await authenticator.authenticate('sender', `wrong ${i}`, `2001:db8:1:2::${i}`), 'bad');
  for (const address of ['2001:db8:1:2:ffff::1', '2001:0db8:0001:0002::a', '2001:db8:1:2:0:0:0:b%eth0'])
    await t.rejects(authenticator.authenticate('sender', password, address), AuthenticationBusy, address);
  t.match(await authenticator.authenticate('sender', password, '2001:db8:1:3::1'), { credential: { id: 'sender' } }, 'the next one');
});

t.test('a store that is gone is no answer, verified before or not', async t => {
  const { clients, authenticator, parts, another } = await open(t);
  const password = good(await clients.addCredential({ client: 'acme', username: 'sender' })).password ?? '';
  await authenticator.authenticate('sender', password, IP);
  const down = {
    ...parts,
    store: { ...parts.store, find: () => Promise.reject(new StoreUnavailable('down')) } as typeof parts.store,
  };
  await t.rejects(another(down).authenticate('sender', password, IP), StoreUnavailable);
});

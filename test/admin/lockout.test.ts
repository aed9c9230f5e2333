/** Lock-out: counted in the store, so that a fleet counts as one gate does and a restart forgives nothing; who counts as the same stranger. */
import { setTimeout } from 'node:timers/promises';
import { generateSync } from 'otplib';
import t from 'tap';
import { Accounts } from '../../src/accounts/accounts.ts';
import { pauseAfter } from '../../src/accounts/lockout.ts';
import { networkOf } from '../../src/clients/addresses.ts';
import { Digests } from '../../src/keys/digest.ts';
import { onBothStores } from '../support/stores.ts';
import { until } from '../support/until.ts';
import { good, newOffice, type Office, PASSWORD } from './support.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const CLI = { by: 'test', from: 'cli' };

/** Another gate of the same store, or the same one after a restart. */
const gate = ({ house }: Office): Accounts => new Accounts({ ...house, digests: new Digests(house.keyring) });

const attempt = (accounts: Accounts, name: string, from: string, password = 'wrong', code?: string) =>
  accounts.login({ name, password, code }, from);

/** Five failures from each of so many networks. */
async function failAll(accounts: Accounts, name: string, networks: number, first = 0): Promise<void> {
  for (let i = first; i < first + networks; i++) for (let j = 0; j < 5; j++) await attempt(accounts, name, `198.51.${i >> 8}.${i & 255}`);
}

async function trail({ house }: Office): Promise<readonly string[]> {
  const lines = [];
  for await (const { what, about } of house.audit.list('global')) lines.push(`${what} ${JSON.stringify(about)}`);
  return lines;
}

async function alarms({ house }: Office): Promise<readonly string[]> {
  const { values } = await house.metrics.alarms.get();
  return values.filter(({ value }) => value > 0).map(({ labels, value }) => `${labels.alarm} ${value}`);
}

onBothStores('A30: ten gates give five tries, not fifty, and a restart gives none', async (t, settings) => {
  const office = await newOffice(t, { settings });
  const { name } = await office.token('operator');
  for (const account of [name, 'nobody']) {
    for (let i = 0; i < 5; i++) t.equal(await attempt(gate(office), account, '192.0.2.7'), 'bad', `${account} ${i}`);
    t.match(await attempt(gate(office), account, '192.0.2.7', PASSWORD), { wait: Number }, `${account} has to wait everywhere`);
  }
  t.match(await attempt(gate(office), name, '192.0.2.8', PASSWORD), { holder: { name } }, 'not so from elsewhere');
  await until('the lock-out in the trail', async () => (await trail(office)).includes(`account.lockout {"account":"${name}"}`));
  office.clock.offset += 15 * MINUTE_MS;
  t.match(await attempt(gate(office), name, '192.0.2.7', PASSWORD), { holder: { name } }, 'it passes');
});

onBothStores('A30: of many guesses at once no more are looked at than one after the other', async (t, settings) => {
  const office = await newOffice(t, { settings });
  const { name } = await office.token('operator');
  // So slow that of all that is counted at once one gets through each time.
  const { store } = office.house;
  const apply = store.apply.bind(store);
  store.apply = async (...given) => setTimeout(200).then(() => apply(...given));
  const guesses = [...new Array<string>(40).fill('wrong'), PASSWORD];
  const answers = await Promise.all(guesses.map(password => attempt(office.house.accounts, name, '192.0.2.7', password)));
  t.match(answers.at(-1), { wait: Number }, 'the right one came too late');
  t.match(answers.at(-2), { wait: Number }, 'and is told no otherwise than the wrong ones beside it');
});

t.test('A30: another address of the same IPv6 network is no new start', async t => {
  const office = await newOffice(t);
  const { name } = await office.token('operator');
  for (let i = 1; i <= 5; i++) await attempt(office.house.accounts, name, `2001:db8:1:2::${i}`);
  t.match(await attempt(office.house.accounts, name, '2001:db8:1:2:aaaa:bbbb:cccc:dddd', PASSWORD), { wait: Number });
  t.match(await attempt(office.house.accounts, name, '2001:db8:1:3::1', PASSWORD), { holder: { name } }, 'another network');
});

t.test('A30: many networks slow each other down; the person goes on from where they work, and an admin opens the rest', async t => {
  const office = await newOffice(t, { settings: { log: { level: 'error' } } });
  const { accounts } = office.house;
  const { name } = await office.token('operator');
  t.match(await attempt(accounts, name, '203.0.113.5', PASSWORD), { holder: { name } }, 'at work');
  for (const account of [name, 'nobody']) {
    await failAll(accounts, account, 9);
    t.equal(await attempt(accounts, account, '192.0.2.1'), 'bad');
    await failAll(accounts, account, 1, 9);
    t.match(await attempt(accounts, account, '192.0.2.2', PASSWORD), { wait: Number }, `${account} from a network that never was here`);
  }
  await until('the lock-out in the trail', async () =>
    (await trail(office)).includes(`account.lockout {"account":"${name}","everywhere":true}`),
  );
  t.ok((await alarms(office)).includes('failed-logins-account 1'), 'one alarm, none for a name that nobody has');
  good(await accounts.directory.update(name, { disabled: false }, CLI));
  t.match(await attempt(gate(office), name, '192.0.2.2', PASSWORD), { holder: { name } }, 'opened by an admin');
});

t.test('A30: whoever closes an account to the world does not close it to its owner', async t => {
  const office = await newOffice(t);
  const { accounts } = office.house;
  const { name } = await office.token('operator');
  t.match(await attempt(accounts, name, '203.0.113.5', PASSWORD), { holder: { name } });
  await failAll(accounts, name, 11);
  t.match(await attempt(accounts, name, '192.0.2.2', PASSWORD), { wait: Number });
  t.match(await attempt(gate(office), name, '203.0.113.5', PASSWORD), { holder: { name } }, 'where they work');
  t.match(await attempt(accounts, name, '192.0.2.2', PASSWORD), { holder: { name } }, 'that was no failure in a row any more');
});

t.test('pauses: a minute, doubling up to a day, and so fewer than 100 guesses in a month', async t => {
  t.same(
    [49, 50, 51, 52].map(count => pauseAfter(count, 50)),
    [0, MINUTE_MS, 2 * MINUTE_MS, 4 * MINUTE_MS],
  );
  let [count, at] = [0, 0];
  for (; at < 30 * DAY_MS; count++) at += pauseAfter(count + 1, 50);
  t.ok(count < 100, `${count}`);
});

t.test('a thief of the password guesses codes: counted for all gates and networks, alarmed, opened by a new password', async t => {
  const office = await newOffice(t, { settings: { log: { level: 'error' } } });
  const { accounts } = office.house;
  const { name } = await office.token('operator');
  const holder = await accounts.directory.find(name);
  if (holder === undefined) throw new Error('no account');
  const { secret } = good(await accounts.enrolTotp(holder, CLI));
  const code = () => generateSync({ secret, epoch: Math.floor(office.clock.now() / 1_000) });
  good(await accounts.confirmTotp(holder, code(), CLI));
  office.clock.offset += MINUTE_MS;
  const wrong = code() === '000000' ? '111111' : '000000';
  const guess = (i: number) => attempt(gate(office), name, `198.51.100.${i}`, PASSWORD, wrong);
  t.same(await Promise.all([1, 2, 3, 4, 5].map(guess)), ['bad', 'bad', 'bad', 'bad', 'bad']);
  t.match(await attempt(gate(office), name, '192.0.2.9', PASSWORD, code()), { wait: 60 }, 'even the right one waits, from anywhere');
  t.equal(await attempt(gate(office), name, '192.0.2.9', PASSWORD), 'code');
  t.ok((await alarms(office)).includes('wrong-codes 1'));
  t.ok((await trail(office)).includes(`account.codes.lockout {"account":"${name}"}`));
  office.clock.offset += MINUTE_MS;
  t.equal(await guess(6), 'bad');
  t.match(await guess(7), { wait: 120 }, 'twice as long');
  good(await accounts.directory.setPassword(name, `${PASSWORD}!`, CLI));
  const entered = await attempt(gate(office), name, '192.0.2.9', `${PASSWORD}!`, code());
  t.match(entered, { holder: { name } });
  t.equal(await attempt(gate(office), name, '192.0.2.10', `${PASSWORD}!`, code()), 'bad', 'a code is good once in the whole fleet');
});

onBothStores('of one code, shown at many gates at once, one log-in comes', async (t, settings) => {
  const office = await newOffice(t, { settings });
  const { accounts } = office.house;
  const { name } = await office.token('operator');
  const holder = await accounts.directory.find(name);
  if (holder === undefined) throw new Error('no account');
  const { secret } = good(await accounts.enrolTotp(holder, CLI));
  const code = () => generateSync({ secret, epoch: Math.floor(office.clock.now() / 1_000) });
  good(await accounts.confirmTotp(holder, code(), CLI));
  office.clock.offset += MINUTE_MS;
  const shown = code();
  const answers = await Promise.all([1, 2, 3, 4].map(i => attempt(gate(office), name, `198.51.100.${i}`, PASSWORD, shown)));
  t.equal(answers.filter(answer => answer !== 'bad').length, 1);
});

onBothStores('what is forgotten leaves the store', async (t, settings) => {
  const office = await newOffice(t, { settings });
  const { accounts, store } = office.house;
  await failAll(accounts, 'nobody', 3);
  const kept = async (): Promise<number> => {
    let count = 0;
    for await (const _ of store.scan({ owner: 'global', set: 'login-failures' })) count += 1;
    return count;
  };
  t.equal(await kept(), 7, 'three networks, each alone and with the name, and the name');
  office.clock.offset += 31 * DAY_MS;
  await attempt(accounts, 'somebody', '192.0.2.1');
  t.equal(await kept(), 3);
});

t.test('networks of addresses', async t => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::1', '0:0:0:0'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:DB8:0001:2:3::', '2001:db8:1:2'],
    ['2001:db8::2:3:4:5:6', '2001:db8:0:2'],
  ] as const)
    t.equal(networkOf(address), network, address);
});

/** Accounts over HTTP: sessions, second factor, lock-out, addresses, policy, API tokens; one answer for whatever is wrong (A30–A32). */
import { generateSync } from 'otplib';
import t from 'tap';
import { ABSOLUTE_MS, IDLE_MS } from '../../src/accounts/sessions.ts';
import { onBothStores } from '../support/stores.ts';
import { type Answer, type Ask, newOffice, type Office, PASSWORD } from './support.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const BY = { by: 'test', from: 'cli' };

interface Browser {
  readonly ask: Ask;
  readonly login: Answer;
}

async function login(office: Office, account: string, more: object = {}): Promise<Browser> {
  const answer = await office.ask('POST', '/v1/session', { account, password: PASSWORD, ...more });
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  const csrf = answer.status === 200 ? answer.json<{ csrfToken: string }>().csrfToken : '';
  const ask: Ask = (method, path, body, headers = {}) => office.ask(method, path, body, { cookie, 'x-csrf-token': csrf, ...headers });
  return { ask, login: answer };
}

t.test('a session: cookie, CSRF token, logout', async t => {
  const office = await newOffice(t);
  const { name } = await office.token('operator');
  const { ask, login: begun } = await login(office, name);
  t.match(begun.headers.get('set-cookie'), /^postern=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  t.match(begun.json(), { account: { name, role: 'operator' }, policyAccepted: true });
  t.match((await ask('GET', '/v1/session')).json(), { account: { name } });
  t.match(await ask('DELETE', '/v1/session', undefined, { 'x-csrf-token': '' }), { status: 403 });
  t.match(await ask('DELETE', '/v1/session', undefined, { 'x-csrf-token': 'x'.repeat(24) }), { status: 403 });
  t.match(await ask('DELETE', '/v1/session'), { status: 204 });
  t.match(await ask('GET', '/v1/session'), { status: 401 });
});

t.test('a session ends by idling, by age, with the account and with its password', async t => {
  const office = await newOffice(t);
  const { directory } = office.house.accounts;
  const { name } = await office.token('operator');
  const idle = (await login(office, name)).ask;
  office.clock.offset += IDLE_MS;
  t.match(await idle('GET', '/v1/session'), { status: 401 }, 'idle');
  const old = (await login(office, name)).ask;
  for (let at = 0; at < ABSOLUTE_MS - IDLE_MS; at += IDLE_MS - MINUTE_MS) {
    office.clock.offset += IDLE_MS - MINUTE_MS;
    t.match(await old('GET', '/v1/session'), { status: 200 }, 'kept alive by use');
  }
  office.clock.offset += IDLE_MS - MINUTE_MS;
  t.match(await old('GET', '/v1/session'), { status: 401 }, 'too old');
  const changed = (await login(office, name)).ask;
  t.match(await changed('POST', '/v1/session/password', { current: 'wrong', password: `${PASSWORD}!` }), { status: 403 });
  t.match(await changed('POST', '/v1/session/password', { current: PASSWORD, password: 'short' }), { status: 422 });
  t.match(await changed('POST', '/v1/session/password', { current: PASSWORD, password: `${PASSWORD}!` }), { status: 204 });
  t.match(await changed('GET', '/v1/session'), { status: 401 }, 'the password was changed');
  t.match((await login(office, name)).login, { status: 401 }, 'the old one is dead');
  const { ask } = await login(office, name, { password: `${PASSWORD}!` });
  t.match(await ask('GET', '/v1/session'), { status: 200 });
  await directory.update(name, { disabled: true }, BY);
  t.match(await ask('GET', '/v1/session'), { status: 401 }, 'disabled');
  await directory.update(name, { disabled: false }, BY);
  t.match(await ask('GET', '/v1/session'), { status: 401 }, 'and not back with it');
});

t.test('A30: password and address, both; a wrong one of either is told alike, and so is a name that nobody has', async t => {
  const office = await newOffice(t);
  const elsewhere = await office.token('operator', { ips: ['192.0.2.0/24'] });
  const here = await office.token('operator', { ips: ['127.0.0.0/8'] });
  const answers = [
    (await login(office, elsewhere.name)).login,
    (await login(office, here.name, { password: 'wrong' })).login,
    (await login(office, 'nobody')).login,
    (await login(office, 'no such@name')).login,
  ];
  for (const answer of answers) t.match(answer, { status: 401, text: answers[0]?.text });
  t.match((await login(office, here.name)).login, { status: 200 });
  t.match(await office.withToken(elsewhere.token)('GET', '/v1/session'), { status: 401 }, 'of tokens, too');
  t.match(await office.withToken(here.token)('GET', '/v1/session'), { status: 200 });
});

t.test('lock-out: five failures, and the right password has to wait; known and unknown names alike', async t => {
  const office = await newOffice(t);
  const { name } = await office.token('operator');
  for (const account of [name, 'nobody']) {
    for (let failure = 0; failure < 5; failure++) t.match((await login(office, account, { password: 'wrong' })).login, { status: 401 });
    const { login: refused } = await login(office, account);
    t.match(refused, { status: 429 });
    t.ok(Number(refused.headers.get('retry-after')) > 800);
  }
  const { name: other } = await office.token('operator');
  t.match((await login(office, other)).login, { status: 200 }, 'nobody else');
  office.clock.offset += 15 * MINUTE_MS;
  t.match((await login(office, name)).login, { status: 200 }, 'it passes');
});

t.test('log-ins are limited by the minute', async t => {
  const office = await newOffice(t);
  const statuses = [];
  for (let i = 0; i < 35; i++) statuses.push((await office.ask('POST', '/v1/session', { account: 'x' })).status);
  t.same(new Set(statuses.slice(0, 30)), new Set([422]));
  t.same(new Set(statuses.slice(30)), new Set([429]));
});

t.test('a second factor: enrolled, confirmed, asked for; a code is good once', async t => {
  const office = await newOffice(t);
  const { name } = await office.token('admin');
  const { ask } = await login(office, name);
  t.match(await ask('POST', '/v1/session/totp/confirmation', { code: '123456' }), { status: 404 });
  const { secret, uri } = (await ask('POST', '/v1/session/totp', { password: PASSWORD })).json<{ secret: string; uri: string }>();
  t.match(uri, /^otpauth:\/\/totp\/Postern:/);
  const code = () => generateSync({ secret, epoch: Math.floor(office.clock.now() / 1_000) });
  t.match((await login(office, name)).login, { status: 200 }, 'not asked for before it is confirmed');
  t.match(await ask('POST', '/v1/session/totp/confirmation', { code: '000000' }), { status: 422 });
  const first = code();
  t.match(await ask('POST', '/v1/session/totp/confirmation', { code: first }), { status: 204 });
  t.match((await ask('GET', '/v1/session')).json(), { account: { totp: true } });
  const { login: asked } = await login(office, name);
  t.match(asked, { status: 401 });
  t.match(asked.json(), { type: 'totp-required' });
  t.match((await login(office, name, { code: first })).login, { status: 401 }, 'replayed');
  office.clock.offset += 30_000;
  const second = code();
  t.match((await login(office, name, { code: second })).login, { status: 200 });
  t.match((await login(office, name, { code: second })).login, { status: 401 }, 'replayed');
  const { name: boss } = await office.token('admin');
  t.match(await (await login(office, boss)).ask('DELETE', `/v1/accounts/${name}/totp`), { status: 204 });
  t.match((await login(office, name)).login, { status: 200 });
});

t.test('A32: until the policy in force is agreed to, nothing else works; a new version is asked for anew', async t => {
  const office = await newOffice(t, { admin: { policyVersion: '2026-01' } });
  const { name, token } = await office.token('admin');
  const { ask } = await login(office, name);
  for (const one of [ask, office.withToken(token)]) {
    const refused = await one('GET', '/v1/accounts');
    t.match(refused, { status: 403 });
    t.match(refused.json(), { type: 'policy-acceptance-required' });
  }
  t.match((await ask('GET', '/v1/session')).json(), { policyAccepted: false });
  t.match((await ask('GET', '/v1/session/policy')).json(), { version: '2026-01', acceptedAt: null });
  t.match(await ask('POST', '/v1/session/policy', { version: '2025-01' }), { status: 409 });
  t.match(await ask('POST', '/v1/session/policy', { version: '2026-01' }), { status: 204 });
  t.match(await ask('GET', '/v1/accounts'), { status: 200 });
  t.match((await ask('GET', `/v1/accounts/${name}`)).json(), { acceptedPolicy: { version: '2026-01', at: /^\d{4}-/ } });
});

t.test('API tokens: shown once, scoped, expiring, revocable; none makes one that may more', async t => {
  const office = await newOffice(t);
  const { name } = await office.token('admin');
  const { ask } = await login(office, name);
  const made = (await ask('POST', '/v1/session/tokens', { scopes: ['accounts:read', 'session:write'], expiresDays: 2 })).json<{
    id: string;
    token: string;
  }>();
  t.match(made.token, /^postern_[\w-]{43}$/);
  const narrow = office.withToken(made.token);
  t.match(await narrow('GET', '/v1/accounts'), { status: 200 });
  t.match(await narrow('POST', '/v1/accounts', { name: 'x', role: 'admin' }), { status: 403 });
  t.match(await narrow('POST', '/v1/session/tokens', { scopes: ['accounts:write'], expiresDays: 1 }), { status: 403 });
  t.match(await narrow('POST', '/v1/session/tokens', { scopes: ['accounts:read'], expiresDays: 3 }), { status: 403 });
  t.match(await narrow('POST', '/v1/session/tokens', { scopes: ['accounts:read'], expiresDays: 1 }), { status: 201 });
  t.match(await ask('POST', '/v1/session/tokens', { scopes: ['everything:read'] }), { status: 422 });
  const listed = await ask('GET', '/v1/session/tokens');
  t.notMatch(listed.text, made.token.slice(8));
  t.match(
    listed.json<{ items: { id: string }[] }>().items.find(({ id }) => id === made.id),
    { usedAt: /^\d{4}-/ },
  );
  office.clock.offset += DAY_MS;
  t.match(await narrow('GET', '/v1/accounts'), { status: 200 });
  office.clock.offset += DAY_MS;
  t.match(await narrow('GET', '/v1/accounts'), { status: 401 }, 'expired');
  const fresh = (await login(office, name)).ask;
  const second = (await fresh('POST', '/v1/session/tokens', {})).json<{ id: string; token: string }>();
  t.match(await office.withToken(second.token)('GET', '/v1/accounts'), { status: 200 });
  t.match(await fresh('DELETE', `/v1/session/tokens/${second.id}`), { status: 204 });
  t.match(await fresh('DELETE', `/v1/session/tokens/${second.id}`), { status: 204 });
  t.match(await office.withToken(second.token)('GET', '/v1/accounts'), { status: 401 }, 'revoked');
});

t.test('API tokens: a token that ends soon makes others that end with it; scopes are told by name; a name to know them by', async t => {
  const office = await newOffice(t);
  const { name, token } = await office.token('admin', { days: 30 });
  const ask = office.withToken(token);
  const { items } = (await ask('GET', '/v1/session/tokens')).json<{ items: { expiresAt: string; name: null }[] }>();
  const made = await ask('POST', '/v1/session/tokens', {});
  t.match(made, { status: 201 });
  t.match(made.json(), { expiresAt: items[0]?.expiresAt, name: null }, 'as long as the one that asks');
  const refused = await ask('POST', '/v1/session/tokens', { expiresDays: 31 });
  t.match(refused, { status: 403 });
  t.match(refused.json(), { detail: /leave expiresDays out/ });
  const strange = await ask('POST', '/v1/session/tokens', { scopes: ['stats:read', 'everything:read'] });
  t.match(strange, { status: 422 });
  t.match(strange.json(), { errors: [{ field: 'scopes.1', fix: /^one of \*:read, \*:write, accounts:read, .*webhooks:write$/ }] });

  const named = await ask('POST', '/v1/session/tokens', { name: 'nightly report (Köln)', expiresDays: 1 });
  t.match(named.json(), { name: 'nightly report (Köln)' });
  for (const path of ['/v1/session/tokens', '/v1/tokens', `/v1/accounts/${name}/tokens`]) {
    const listed = (await ask('GET', path)).json<{ items: { name: string | null }[] }>().items.map(one => one.name);
    t.same(
      listed.filter(one => one !== null),
      ['nightly report (Köln)'],
      path,
    );
  }
  for (const bad of ['', ' ', 'x'.repeat(65), 'a\nb', 'a\u202eb', token, `key ${token}`]) {
    const answer = await ask('POST', '/v1/session/tokens', { name: bad });
    t.match(answer, { status: 422 }, JSON.stringify(bad.slice(0, 8)));
    t.match(answer.json(), { errors: [{ field: 'name', fix: /./ }] });
    t.notMatch(answer.text, token);
  }
});

t.test('a password that one has is not held to the rules of a new one', async t => {
  const office = await newOffice(t);
  const ask = await office.as('operator');
  for (const [path, body, field] of [
    ['/v1/session/totp', {}, 'password'],
    ['/v1/session/totp', { password: '' }, 'password'],
    ['/v1/session/password', { password: 'four other words here' }, 'current'],
    ['/v1/session', { account: 'x' }, 'password'],
  ] as const) {
    const answer = await ask('POST', path, body);
    t.match(answer, { status: 422 });
    t.match(answer.json(), { errors: [{ field, fix: 'The password that the account has now' }] });
    t.notMatch(answer.text, /12 characters/);
  }
  t.match((await ask('POST', '/v1/session/password', { current: PASSWORD })).json(), {
    errors: [{ field: 'password', fix: /12 characters/ }],
  });
});

t.test('nobody shuts out the own account by its addresses; another admin may', async t => {
  const office = await newOffice(t);
  const { name, token } = await office.token('admin');
  const { name: other, token: others } = await office.token('admin');
  const ask = office.withToken(token);
  const ips = ['10.0.0.0/8', '2001:db8::/32'];
  for (const path of [`/v1/accounts/${name}`, `/v1/accounts/${name.toUpperCase()}`]) {
    const refused = await ask('PATCH', path, { ips });
    t.match(refused, { status: 422 });
    t.match(refused.json(), { errors: [{ field: 'ips', message: /address that you ask from/, fix: /^add it/ }] });
  }
  t.match((await ask('PATCH', `/v1/accounts/${name}`, { ips: ['10.0.0.0/8', 'x/y'] })).json(), {
    errors: [{ field: 'ips', message: /not an address/ }],
  });
  t.match(await ask('PATCH', `/v1/accounts/${name}`, { ips: [...ips, '127.0.0.1'] }), { status: 200 });
  t.match(await ask('PATCH', `/v1/accounts/${name}`, { ips: [] }), { status: 200 });
  t.match(await ask('PATCH', `/v1/accounts/${other}`, { ips }), { status: 200 });
  t.match(await office.withToken(others)('GET', '/v1/session'), { status: 401 });
});

onBothStores(
  'A31: accounts are made, changed with If-Match, disabled; the last admin stays; each is in the audit trail by name',
  async (t, settings) => {
    const office = await newOffice(t, { settings });
    const { name, token } = await office.token('admin');
    const admin = office.withToken(token);
    const made = await admin('POST', '/v1/accounts', { name: 'Jo', role: 'client', client: 'acme', ips: ['127.0.0.1'] });
    t.match(made, { status: 201 });
    const { password } = made.json<{ password: string }>();
    t.match(made.json(), { account: { name: 'jo', role: 'client', client: 'acme', ips: ['127.0.0.1/32'] }, password: /^\w{28}$/ });
    t.match((await login(office, 'jo', { password })).login, { status: 200 });
    t.match(await admin('POST', '/v1/accounts', { name: 'jo', role: 'admin' }), { status: 409 });
    t.match(await admin('POST', '/v1/accounts', { name: 'jim', role: 'client', client: 'nobody' }), { status: 422 });
    const etag = (await admin('GET', '/v1/accounts/jo')).headers.get('etag') ?? '';
    t.match(await admin('PATCH', '/v1/accounts/jo', { role: 'operator', client: null }, { 'if-match': etag }), { status: 200 });
    t.match(await admin('PATCH', '/v1/accounts/jo', { role: 'admin' }, { 'if-match': etag }), { status: 412 });
    t.match(await admin('PATCH', `/v1/accounts/${name}`, { disabled: true }), { status: 409 }, 'the last admin');
    t.match(await admin('PATCH', '/v1/accounts/jo', { disabled: true }), { status: 200 });
    t.match((await login(office, 'jo', { password })).login, { status: 401 });
    const lines = [];
    for await (const { by, what } of office.house.audit.list('global')) lines.push(`${by} ${what}`);
    for (const line of [`${name} account.add`, `${name} account.update`, 'jo session.begin', 'test token.add'])
      t.ok(lines.includes(line), line);
  },
);

t.test('A29: neither password, token nor name stands in the store in clear', async t => {
  const office = await newOffice(t);
  const { name, token } = await office.token('operator');
  await login(office, name);
  await login(office, name, { password: 'wrong' });
  const { store } = office.house;
  for (const range of [
    { owner: 'global', log: 'accounts' },
    { owner: 'global', set: 'api-tokens' },
    { owner: 'global', set: 'sessions' },
    { owner: 'global', set: 'account-names' },
    { owner: 'global', set: 'login-failures' },
  ]) {
    let seen = 0;
    for await (const [key, value] of store.scan(range)) {
      seen += 1;
      for (const secret of [name, token, token.slice(8), PASSWORD])
        t.notOk(`${JSON.stringify(key)}${value.toString('latin1')}`.includes(secret));
    }
    t.ok(seen > 0, JSON.stringify(range));
  }
});

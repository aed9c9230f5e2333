/** The session's cookie where there is TLS and where there is none; what ends with a password, a role, a client. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { isRefusal } from '../../src/clients/refusal.ts';
import { TEST_CERTIFICATE } from '../support/certificate.ts';
import { onBothStores } from '../support/stores.ts';
import { good, newOffice, type Office, PASSWORD } from './support.ts';

const BY = { by: 'test', from: 'cli' };
const DAY_MS = 86_400_000;

/** One request over TLS: its status and the cookie that it set. */
function overTls(office: Office, method: string, path: string, body: object | undefined, cookie = '') {
  const { port } = new URL(office.url);
  const headers = { 'content-type': 'application/json', cookie };
  return new Promise<{ status: number; cookie: string }>((done, failed) => {
    const asked = request({ port, method, path, headers, ca: TEST_CERTIFICATE.cert, servername: 'localhost' }, response => {
      response.resume().on('end', () => done({ status: response.statusCode ?? 0, cookie: response.headers['set-cookie']?.join() ?? '' }));
    });
    asked.on('error', failed).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

t.test('over TLS the cookie is bound to host and TLS, and no other name opens a session', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'postern-session-tls-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const tls = { cert: join(dir, 'admin.crt'), key: join(dir, 'admin.key') };
  writeFileSync(tls.cert, TEST_CERTIFICATE.cert);
  writeFileSync(tls.key, TEST_CERTIFICATE.key);
  const office = await newOffice(t, { admin: { tls } });
  const { name } = await office.token('operator');
  const { cookie } = await overTls(office, 'POST', '/v1/session', { account: name, password: PASSWORD });
  t.match(cookie, /^__Host-postern=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  const [pair = ''] = cookie.split(';');
  t.match(await overTls(office, 'GET', '/v1/session', undefined, pair), { status: 200 });
  t.match(await overTls(office, 'GET', '/v1/session', undefined, pair.replace('__Host-', '')), { status: 401 }, 'planted over HTTP');
});

t.test('over HTTP, from this machine, it is one that every browser keeps', async t => {
  const office = await newOffice(t);
  const { name } = await office.token('operator');
  const begun = await office.ask('POST', '/v1/session', { account: name, password: PASSWORD });
  t.match(begun.headers.get('set-cookie'), /^postern=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  const [cookie = ''] = begun.headers.get('set-cookie')?.split(';') ?? [];
  t.match(await office.ask('GET', '/v1/session', undefined, { cookie }), { status: 200 });
  t.match(await office.ask('GET', '/v1/session', undefined, { cookie: `__Host-${cookie}` }), { status: 401 });
});

t.test('a session of before is no session of after: each log-in makes its own', async t => {
  const office = await newOffice(t);
  const { name } = await office.token('operator');
  const planted = `postern=${'A'.repeat(43)}`;
  const begun = await office.ask('POST', '/v1/session', { account: name, password: PASSWORD }, { cookie: planted });
  t.notMatch(begun.headers.get('set-cookie'), planted);
  t.match(await office.ask('GET', '/v1/session', undefined, { cookie: planted }), { status: 401 });
});

onBothStores('a session that was ended stays so, whatever else of it was under way', async (t, settings) => {
  const office = await newOffice(t, { settings });
  const { accounts } = office.house;
  const { name } = await office.token('operator');
  for (let turn = 0; turn < 5; turn++) {
    const begun = await accounts.login({ name, password: PASSWORD }, '127.0.0.1');
    if (typeof begun === 'string' || 'wait' in begun) throw new Error('not let in');
    // Being used is written down again after a minute.
    office.clock.offset += 61_000;
    await Promise.all([accounts.bySession(begun.secret, '127.0.0.1'), accounts.logout(begun.secret)]);
    t.equal(await accounts.bySession(begun.secret, '127.0.0.1'), undefined);
  }
});

t.test('a password is the same on every keyboard, and none of those that are guessed first', async t => {
  const office = await newOffice(t);
  const admin = await office.as('admin');
  const composed = 'Am\u00e9lie im Gr\u00fcnen';
  t.match(await admin('POST', '/v1/accounts', { name: 'jo', role: 'operator', password: composed.normalize('NFD') }), { status: 201 });
  t.match(await office.ask('POST', '/v1/session', { account: 'jo', password: composed }), { status: 200 });
  const refused = await admin('POST', '/v1/accounts/jo/password', { password: 'Password2026!' });
  t.match(refused, { status: 422 });
  t.match(refused.json(), {
    errors: [{ field: 'password', message: 'is one of those that are guessed first', fix: 'choose several words' }],
  });
});

t.test('API tokens outlive a new password, unless it takes them along', async t => {
  const office = await newOffice(t);
  const admin = await office.as('admin');
  const { name, token } = await office.token('operator');
  const script = office.withToken(token);
  const reset = await admin('POST', `/v1/accounts/${name}/password`, {});
  t.match(reset.json(), { account: { name }, password: /^\w{28}$/, tokens: 1 }, 'and one is told');
  t.match(await script('GET', '/v1/session'), { status: 200 });
  t.match((await admin('POST', `/v1/accounts/${name}/password`, { revokeTokens: true })).json(), { tokens: 0 });
  t.match(await script('GET', '/v1/session'), { status: 401 });
  t.match((await admin('GET', `/v1/accounts/${name}/tokens`)).json(), { items: [] });
  good(await office.house.accounts.directory.setPassword(name, PASSWORD, BY));
  const next = good(await office.house.accounts.tokens.issue(name, { days: 1 }, BY)).secret;
  t.match(await office.withToken(next)('GET', '/v1/session'), { status: 200 }, 'a new one is a new one');
  const own = { current: PASSWORD, password: `${PASSWORD}!`, revokeTokens: true };
  t.match(await office.withToken(next)('POST', '/v1/session/password', own), { status: 204 });
  t.match(await office.withToken(next)('GET', '/v1/session'), { status: 401 }, 'by its owner, too');
});

t.test(
  'an API token opens what it was made for: never more with another role or client, nothing while the account is disabled',
  async t => {
    const office = await newOffice(t);
    const { directory, tokens } = office.house.accounts;
    const { name, token } = await office.token('client');
    const script = office.withToken(token);
    t.match(await script('GET', '/v1/clients/acme/campaigns'), { status: 200 });
    good(await directory.update(name, { disabled: true }, BY));
    t.match(await script('GET', '/v1/session'), { status: 401 }, 'at once');
    good(await directory.update(name, { disabled: false }, BY));
    t.match(await script('GET', '/v1/session'), { status: 200 });
    good(await directory.update(name, { ips: ['192.0.2.0/24'] }, BY));
    t.match(await script('GET', '/v1/session'), { status: 401 }, 'held to the addresses of now');
    good(await directory.update(name, { ips: [] }, BY));
    t.match(await script('GET', '/v1/session'), { status: 200 });
    good(await directory.update(name, { client: 'other' }, BY));
    t.match(await script('GET', '/v1/session'), { status: 401 }, 'another client: made anew');
    const wide = good(await tokens.issue(name, { days: 1 }, BY)).secret;
    good(await directory.update(name, { role: 'admin' }, BY));
    t.match(await office.withToken(wide)('GET', '/v1/accounts'), { status: 401 }, 'no admin by promotion of its account');
  },
);

t.test('an account of a removed client reaches nothing of it', async t => {
  const office = await newOffice(t);
  const acme = await office.as('client');
  const admin = await office.as('admin');
  t.match(await acme('GET', '/v1/clients/acme/exclusions'), { status: 200 });
  t.match(await admin('DELETE', '/v1/clients/acme'), { status: 204 });
  t.match(await acme('GET', '/v1/clients/acme/exclusions'), { status: 404 });
  t.match(await acme('POST', '/v1/clients/acme/exclusions', { domain: 'x.example', reason: 'policy' }), { status: 404 });
  t.match(await admin('GET', '/v1/clients/acme/exclusions'), { status: 200 }, 'its lists stay');
});

t.test('who was here last, and which tokens end: what an officer looks for', async t => {
  const office = await newOffice(t);
  const officer = await office.as('officer');
  const { name } = await office.token('operator', { days: 30 });
  t.match((await officer('GET', `/v1/accounts/${name}`)).json(), { lastLogin: null });
  await office.ask('POST', '/v1/session', { account: name, password: PASSWORD });
  t.match((await officer('GET', `/v1/accounts/${name}`)).json(), { lastLogin: { at: /^\d{4}-/, from: '127.0.0.1' } });
  const all = (await officer('GET', '/v1/tokens')).json<{ items: { account: string }[] }>().items;
  t.same(
    all.map(({ account }) => account),
    ['officer-1', name],
  );
  t.match((await officer('GET', '/v1/tokens?endsWithinDays=7')).json(), { items: [{ account: 'officer-1', usedAt: /^\d{4}-/ }] });
  office.clock.offset += 25 * DAY_MS;
  const again = await office.as('officer');
  t.match((await again('GET', '/v1/tokens?endsWithinDays=0')).json<{ items: [] }>().items.length, 1, 'those that ended, too');
});

onBothStores('of two admins who disable each other at once, one stays', async (t, settings) => {
  const office = await newOffice(t, { settings });
  const [one, two] = [await office.token('admin'), await office.token('admin')];
  const { directory } = office.house.accounts;
  const answers = await Promise.all([
    directory.update(two.name, { disabled: true }, BY),
    directory.update(one.name, { role: 'officer' }, BY),
  ]);
  t.equal(answers.filter(isRefusal).length, 1);
  const left = (await office.house.accounts.directory.list()).filter(({ role, disabled }) => role === 'admin' && !disabled);
  t.equal(left.length, 1);
});

/** A store that an earlier version wrote goes on working: records of the old shapes, literally as they were kept, over real HTTP. */
import t from 'tap';
import type { StoredAccount } from '../../src/accounts/records.ts';
import { accountKey, firstOf, sessionKeys, tokenKeys } from '../../src/accounts/records.ts';
import { SealedRecords } from '../../src/clients/records.ts';
import { clientId, GLOBAL } from '../../src/ids.ts';
import { Digests } from '../../src/keys/digest.ts';
import { good, newOffice, type Office, PASSWORD } from './support.ts';

const SECRET = `postern_${'o'.repeat(43)}`;
const COOKIE = 's'.repeat(43);
const CSRF = 'c'.repeat(24);

/** An account, a token and a session as they were kept before tokens had epochs and accounts remembered networks and log-ins. */
async function oldAccount(office: Office, role: 'admin' | 'operator' = 'operator'): Promise<{ name: string; id: string }> {
  const { house, clock } = office;
  const name = 'elder';
  good(await house.accounts.directory.add({ name, role, password: PASSWORD }, { by: 'test', from: 'cli' }));
  const { id, hash } = (await house.accounts.directory.find(name)) as StoredAccount;
  const records = new SealedRecords(house.keyring);
  const digests = new Digests(house.keyring);
  const createdAt = clock.now() - 1_000;
  const expiresAt = createdAt + 86_400_000;
  await house.store.apply([
    records.put(accountKey(id), { name, role, ips: [], id, hash, createdAt, disabled: false, version: 3, epoch: 2 }),
    records.put(firstOf(tokenKeys(digests, SECRET)), {
      id: 'aaaaaaaaaaaa',
      account: id,
      scopes: ['*:read', '*:write'],
      createdAt,
      expiresAt,
    }),
    records.put(firstOf(sessionKeys(digests, COOKIE)), { account: id, epoch: 2, csrf: CSRF, createdAt, seenAt: createdAt }),
  ]);
  return { name, id };
}

t.test('an account of the first shape: logs in, is read, keeps its token and its session', async t => {
  const office = await newOffice(t);
  const { name, id } = await oldAccount(office);
  const token = office.withToken(SECRET);
  const session = { cookie: `postern=${COOKIE}` };
  t.match((await token('GET', '/v1/session')).json(), {
    account: { name, lastLogin: null, totp: false, acceptedPolicy: null, version: 3 },
  });
  t.match((await office.ask('GET', '/v1/session', undefined, session)).json(), { account: { name }, csrfToken: CSRF });
  t.match((await token('GET', '/v1/session/tokens')).json<{ items: object[] }>().items[0], { id: 'aaaaaaaaaaaa', name: null, usedAt: /./ });
  for (const password of ['wrong', PASSWORD]) {
    const status = password === PASSWORD ? 200 : 401;
    t.match(await office.ask('POST', '/v1/session', { account: name, password }), { status });
  }
  t.match((await token('GET', '/v1/session')).json(), { account: { lastLogin: { from: '127.0.0.1' } } }, 'and is noted');
  t.match(await office.house.accounts.directory.byId(id), { familiar: [{ network: '127.0.0.1' }], tokenEpoch: 0 });
});

t.test('an account of the first shape is changed: what leaves tokens alive does, what ends them does', async t => {
  const office = await newOffice(t);
  const { name } = await oldAccount(office);
  const token = office.withToken(SECRET);
  const admin = await office.as('admin');
  t.match(await admin('PATCH', `/v1/accounts/${name}`, { ips: ['127.0.0.0/8'] }), { status: 200 });
  t.match((await token('GET', '/v1/session')).json(), { account: { ips: ['127.0.0.0/8'], version: 4 } });
  t.match(await token('POST', '/v1/session/password', { current: PASSWORD, password: 'four other words here' }), { status: 204 });
  t.match(await token('GET', '/v1/session'), { status: 200 });
  const made = (await token('POST', '/v1/session/tokens', {})).json<{ token: string }>().token;
  t.match(await office.withToken(made)('GET', '/v1/session'), { status: 200 }, 'a new token of it');
  t.match(await admin('PATCH', `/v1/accounts/${name}`, { role: 'officer' }), { status: 200 });
  for (const one of [SECRET, made]) t.match(await office.withToken(one)('GET', '/v1/session'), { status: 401 });
  t.same((await admin('GET', `/v1/accounts/${name}/tokens`)).json<{ items: object[] }>().items, [], 'and they are gone');
});

t.test('the only admin is one of the first shape, and stays', async t => {
  const office = await newOffice(t);
  const { name } = await oldAccount(office, 'admin');
  const admin = office.withToken(SECRET);
  t.match((await admin('GET', '/v1/accounts')).json<{ items: object[] }>().items, [{ name, role: 'admin', version: 3 }]);
  t.match(await admin('PATCH', `/v1/accounts/${name}`, { disabled: true }), { status: 409 });
  t.match(await admin('POST', '/v1/session/totp', { password: PASSWORD }), { status: 200 });
});

t.test('webhooks that had no version have their first', async t => {
  const office = await newOffice(t);
  const { house } = office;
  const owner = clientId('acme') as NonNullable<ReturnType<typeof clientId>>;
  const id = 'ep_0123456789abcdef01';
  const old = [
    {
      id,
      url: 'https://hooks.acme.example/in',
      types: ['email.bounced'],
      secrets: [{ secret: 'whsec_AAAA' }],
      createdAt: 1_750_000_000_000,
    },
  ];
  const value = (await house.vault.sealer(owner))?.seal(JSON.stringify(old), `${owner}/webhooks`);
  await house.store.apply([
    { key: { owner: GLOBAL, log: 'webhook-clients', id: owner }, value: Buffer.from('1') },
    { key: { owner, log: 'webhooks', id: 'endpoints' }, value },
  ]);
  const admin = await office.as('admin');
  const path = `/v1/clients/acme/webhooks/${id}`;
  const shown = await admin('GET', path);
  t.match(shown.json(), { id, disabled: null, failingSince: null, waiting: 0, dropped: 0 });
  t.equal(shown.headers.get('etag'), '"1"');
  t.match(await admin('PATCH', path, { disabled: true }, { 'if-match': '"1"' }), { status: 200 });
  t.match(await admin('PATCH', path, { disabled: false }, { 'if-match': '"1"' }), { status: 412 });
  t.match((await admin('POST', `${path}/secret`)).status, 200);
});

t.test('import jobs of which nobody knows whose account began them name it to no client', async t => {
  const office = await newOffice(t);
  const { house } = office;
  const owner = clientId('acme') as NonNullable<ReturnType<typeof clientId>>;
  const counts = { octets: 20, read: 2, added: 1, existing: 1, invalid: 0, merged: { done: 2, total: 2 }, errors: 0 };
  const at = { createdAt: 1_750_000_000_000, endedAt: 1_750_000_001_000, seenAt: 1_750_000_001_000 };
  const id = '01977420dc0000112233';
  const old = { id, state: 'finished', list: 'suppression', dryRun: false, strict: false, by: 'opal', ...at, ...counts };
  const key = { owner, log: 'imports', id };
  const value = (await house.vault.sealer(owner))?.seal(JSON.stringify(old), `${owner}/imports/${id}`);
  await house.store.apply([{ key, value }]);
  const shown = async (role: 'operator' | 'client') => (await (await office.as(role))('GET', `/v1/clients/acme/imports/${id}`)).json();
  t.match(await shown('operator'), { id, state: 'finished', by: 'opal', added: 1 });
  t.match(await shown('client'), { id, by: 'operator' });
});

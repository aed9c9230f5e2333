/** Clients, campaigns and credentials over HTTP: made, changed by one person at a time, removed; passwords are shown once. */
import t from 'tap';
import { startGate } from '../../src/app.ts';
import { dial } from '../support/smtp-client.ts';
import { newOffice } from './support.ts';

const BETA = { id: 'beta', name: 'Beta GmbH', privacyUrls: ['https://www.beta.example/privacy'], fromDomains: ['beta.example'] };

t.test('a client is made once, changed by who read its last version, removed and brought back', async t => {
  const { as, house } = await newOffice(t);
  const admin = await as('admin');
  const made = await admin('POST', '/v1/clients', { ...BETA, upstream: 'smtp://mailer:hunter2@relay.example:587?starttls=require' });
  t.match(made, { status: 201 });
  t.match(made.json(), { ...BETA, policy: 'basic', upstream: 'smtp://relay.example:587?starttls=require', campaigns: [], disabled: false });
  t.notMatch(made.text, /hunter2|mailer/, 'the password of its upstream is never shown');
  t.match(await admin('POST', '/v1/clients', BETA), { status: 200 }, 'twice is once');
  t.match((await admin('POST', '/v1/clients', { ...BETA, name: 'Gamma GmbH' })).json(), {
    status: 409,
    errors: [{ field: 'id', fix: /change it/ }],
  });

  const read = await admin('GET', '/v1/clients/beta');
  const etag = read.headers.get('etag') as string;
  t.match(await admin('PATCH', '/v1/clients/beta', { maxRate: 600 }, { 'if-match': etag }), { status: 200 });
  t.match(await admin('PATCH', '/v1/clients/beta', { maxRate: 700 }, { 'if-match': etag }), { status: 412 });
  t.match(await admin('DELETE', '/v1/clients/beta', undefined, { 'if-match': etag }), { status: 412 });
  t.match(await admin('PATCH', '/v1/clients/beta', { upstream: null }), { status: 200 });
  t.match((await admin('GET', '/v1/clients/beta')).json(), { maxRate: 600, upstream: null, name: 'Beta GmbH' });

  t.match((await admin('PATCH', '/v1/clients/beta', { privacyUrls: ['http://beta.example'], returnPath: 'co.uk' })).json(), {
    status: 422,
    errors: [{ field: 'privacyUrls' }, { field: 'returnPath' }],
  });
  t.match((await admin('PATCH', '/v1/clients/beta', { policy: 'transactional' })).json(), { status: 422, errors: [{ field: 'policy' }] });
  t.match(await admin('PATCH', '/v1/clients/beta', {}), { status: 422 });
  t.match((await admin('POST', '/v1/clients', { ...BETA, id: 'Global' })).json(), { status: 422, errors: [{ field: 'id' }] });

  t.match(await admin('POST', '/v1/clients/beta/suppressions', { address: 'jane@customer.example', reason: 'objection' }), { status: 201 });
  t.match(await admin('DELETE', '/v1/clients/beta'), { status: 204 });
  t.match(await admin('DELETE', '/v1/clients/beta'), { status: 204 });
  t.match((await admin('GET', '/v1/clients/beta')).json(), { disabled: true });
  t.match(await admin('PATCH', '/v1/clients/beta', { name: 'x' }), { status: 409 });
  t.match(await admin('POST', '/v1/clients', BETA), { status: 201 }, 'brought back');
  t.match(
    (await admin('GET', '/v1/clients/beta/suppressions/check?address=jane@customer.example')).json(),
    { listed: true },
    'law 6: its lists bind',
  );

  const acts: string[] = [];
  for await (const { what, by, from } of house.audit.list('beta')) acts.push(`${what} ${by} ${from}`);
  t.same(
    acts.filter(act => act.startsWith('client.')),
    ['add', 'remove', 'update', 'update', 'add'].map(verb => `client.${verb} admin-1 127.0.0.1`),
  );
});

t.test('clients are paged; a client’s own account sees itself, without its upstream, and changes nothing', async t => {
  const { as } = await newOffice(t);
  const [admin, client] = [await as('admin'), await as('client')];
  await admin('PATCH', '/v1/clients/acme', { upstream: 'smtp://relay.example' });
  const first = (await admin('GET', '/v1/clients?limit=1')).json<{ items: { id: string }[]; next: string }>();
  t.match(first, { items: [{ id: 'acme' }], next: 'acme' });
  t.match((await admin('GET', `/v1/clients?limit=1&cursor=${first.next}`)).json(), { items: [{ id: 'other' }], next: null });
  t.match((await client('GET', '/v1/clients/acme')).json(), { id: 'acme', upstream: null });
  t.match(await client('GET', '/v1/clients'), { status: 403 });
  t.match(await client('GET', '/v1/clients/other'), { status: 404 });
  t.match(await client('PATCH', '/v1/clients/acme', { name: 'Mine' }), { status: 403 });
  t.match(await (await as('officer'))('PATCH', '/v1/clients/acme', { name: 'Mine' }), { status: 403 });
  for (const path of ['/v1/clients/acme/credentials', '/v1/clients/acme/credentials/x'])
    t.match(await client('GET', path), { status: 403 });
});

t.test('campaigns are registered once; their target domains are changed by who read the last version', async t => {
  const { as } = await newOffice(t);
  const admin = await as('admin');
  const path = '/v1/clients/acme/campaigns';
  const made = await admin('POST', path, { id: 'summer', targetDomains: ['Customer.example'] });
  t.match(made, { status: 201 });
  const again = await admin('POST', path, { id: 'summer', targetDomains: ['customer.example'] });
  t.match(again, { status: 200 });
  t.match((await admin('POST', path, { id: 'summer' })).json(), { status: 409, errors: [{ field: 'id', fix: /change it/ }] });
  t.match((await admin('POST', path, { id: 'winter', targetDomains: ['com'] })).json(), {
    status: 422,
    errors: [{ field: 'targetDomains' }],
  });
  const read = await admin('GET', `${path}/summer`);
  t.same(read.json(), { id: 'summer', targetDomains: ['customer.example'] });
  const etagOf = ({ headers }: typeof read) => headers.get('etag');
  t.same([etagOf(made), etagOf(again)], [etagOf(read), etagOf(read)], 'whoever made it may go on with it');
  const etag = { 'if-match': etagOf(read) as string };
  const changed = await admin('PATCH', `${path}/summer`, { targetDomains: [] }, etag);
  t.same(changed.json(), { id: 'summer', targetDomains: [] });
  t.equal(etagOf(changed), etagOf(await admin('GET', `${path}/summer`)));
  t.match(await admin('PATCH', `${path}/summer`, { targetDomains: ['customer.example'] }, etag), { status: 412 });
  t.match(await admin('PATCH', `${path}/autumn`, { targetDomains: [] }), { status: 404 }, "another client's");
  t.match((await admin('GET', path)).json(), { items: [{ id: 'spring' }, { id: 'summer' }], next: null });
  t.match(await admin('DELETE', `${path}/summer`), { status: 405 }, 'what its lists hold must go on binding');
});

t.test('A31: a credential’s password is shown once; rotated or disabled, the old one ends at the gate', async t => {
  const office = await newOffice(t, { settings: { submission: { listen: ['smtps://127.0.0.1:0'] } } });
  const gate = await startGate(office.house, { admin: false });
  t.teardown(() => gate.stop());
  const greeted = async () => {
    const client = await dial(gate.addresses[0]?.port as number, { tls: true });
    await client.reply();
    await client.ask('EHLO mailer.acme.example');
    return client;
  };
  const admin = await office.as('admin');
  const path = '/v1/clients/acme/credentials';
  const made = await admin('POST', path, { username: 'mailer', ips: ['127.0.0.0/8'] });
  t.match(made, { status: 201 });
  const { password } = made.json<{ password: string }>();
  t.match(made.json(), { username: 'mailer', campaign: null, ips: ['127.0.0.0/8'], hasPassword: true, disabled: false, password: /.{16}/ });
  t.match(
    (await admin('POST', path, { username: 'mailer', ips: ['127.0.0.0/8'] })).json(),
    { username: 'mailer', password: null },
    'twice is once',
  );
  t.match(await admin('POST', path, { username: 'mailer' }), { status: 409 });
  t.match(await admin('POST', '/v1/clients/other/credentials', { username: 'mailer' }), { status: 409 });
  t.notMatch((await admin('GET', path)).text, /password"/);
  t.notMatch((await admin('GET', `${path}/mailer`)).text, new RegExp(password));

  const doorOf = async (user: string, secret: string): Promise<string> => {
    const client = await greeted();
    try {
      const plain = Buffer.from(`\0${user}\0${secret}`).toString('base64');
      return (await client.ask(`AUTH PLAIN ${plain}`)).slice(0, 3);
    } finally {
      client.close();
    }
  };
  const before = await greeted();
  t.teardown(() => before.close());
  t.match(await before.ask(`AUTH PLAIN ${Buffer.from(`\0mailer\0${password}`).toString('base64')}`), /^235/);
  const rotated = (await admin('POST', `${path}/mailer/rotation`)).json<{ password: string }>();
  t.not(rotated.password, password);
  t.equal(await doorOf('mailer', password), '535');
  t.equal(await doorOf('mailer', rotated.password), '235');
  t.match(await admin('DELETE', `${path}/mailer`), { status: 204 });
  t.match(await admin('DELETE', `${path}/mailer`), { status: 204 });
  t.match(await admin('DELETE', `${path}/nobody`), { status: 204 });
  t.match(await before.ask('MAIL FROM:<sales@acme.example>'), /^525/, 'whoever is logged in ends at the next MAIL');
  t.equal(await doorOf('mailer', rotated.password), '525');
  t.match((await admin('GET', `${path}/mailer`)).json(), { disabled: true });
  t.match(await admin('POST', `${path}/mailer/rotation`), { status: 409 });
  t.match(await admin('POST', path, { username: 'mailer' }), { status: 201 }, 'comes back with a new password');

  t.match((await admin('POST', path, { username: 'by-ip', hasPassword: false })).json(), { status: 422, errors: [{ field: 'ips' }] });
  t.match((await admin('POST', path, { username: 'x', campaign: 'autumn' })).json(), { status: 422, errors: [{ field: 'campaign' }] });
  t.match((await admin('POST', path, { username: 'x', policy: 'none' })).json(), { status: 422, errors: [{ field: 'policy' }] });
  t.match(await admin('GET', '/v1/clients/other/credentials/mailer'), { status: 404 }, "another client's");
  t.match(await admin('DELETE', '/v1/clients/other/credentials/mailer'), { status: 204 });
  t.match((await admin('GET', `${path}/mailer`)).json(), { disabled: false }, 'and was not reached');
});

/** Clients, campaigns and credentials over HTTP: made, changed by one person at a time, removed; passwords are shown once. */
import t from 'tap';
import { startGate } from '../../src/app.ts';
import { dial } from '../support/smtp-client.ts';
import { onBothStores } from '../support/stores.ts';
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

onBothStores('campaigns are registered once; their target domains are changed by who read the last version', async (t, settings) => {
  const { as } = await newOffice(t, { settings });
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

onBothStores(
  'a credential’s addresses, campaign and policy change without a new password, for the next MAIL, by who read the last version',
  async (t, settings) => {
    const office = await newOffice(t, { settings: { ...settings, submission: { listen: ['smtps://127.0.0.1:0'] } } });
    const gate = await startGate(office.house, { admin: false });
    t.teardown(() => gate.stop());
    const dialled = async () => {
      const client = await dial(gate.addresses[0]?.port as number, { tls: true });
      t.teardown(() => client.close());
      await client.reply();
      await client.ask('EHLO mailer.acme.example');
      return client;
    };
    const mail = async (client: Awaited<ReturnType<typeof dialled>>) => {
      const reply = await client.ask('MAIL FROM:<sales@acme.example>');
      await client.ask('RSET');
      return reply.slice(0, 3);
    };
    const admin = await office.as('admin');
    const path = '/v1/clients/acme/credentials';
    const { password } = (await admin('POST', path, { username: 'mailer' })).json<{ password: string }>();
    const plain = `AUTH PLAIN ${Buffer.from(`\0mailer\0${password}`).toString('base64')}`;
    const session = await dialled();
    t.match(await session.ask(plain), /^235/);
    t.equal(await mail(session), '250');

    const read = await admin('GET', `${path}/mailer`);
    const etag = { 'if-match': read.headers.get('etag') ?? 'none' };
    const changed = await admin('PATCH', `${path}/mailer`, { ips: ['192.0.2.7', '198.51.100.0/24'], campaign: 'spring' }, etag);
    t.match(changed, { status: 200 });
    t.match(changed.json(), { ips: ['192.0.2.7/32', '198.51.100.0/24'], campaign: 'spring', policy: null, hasPassword: true });
    t.match(await admin('PATCH', `${path}/mailer`, { ips: [] }, etag), { status: 412 }, 'somebody was faster');
    t.equal(await mail(session), '530', 'a session that is logged in elsewhere ends at the next MAIL');
    t.match(await (await dialled()).ask(plain), /^535/);

    const again = { 'if-match': changed.headers.get('etag') ?? 'none' };
    t.match(await admin('PATCH', `${path}/mailer`, { ips: null, campaign: null, policy: 'transactional' }, again), { status: 200 });
    t.match((await admin('GET', `${path}/mailer`)).json(), { ips: [], campaign: null, policy: 'transactional' });
    t.equal(await mail(session), '250', 'and the same session may go on');
    t.match(await (await dialled()).ask(plain), /^235/, 'with the password that it had');
    const unchanged = await admin('PATCH', `${path}/mailer`, { policy: 'transactional' });
    t.match(unchanged, { status: 200 });

    const acts: unknown[] = [];
    for await (const { what, about } of office.house.audit.list('acme', { limit: 2 })) acts.push([what, about]);
    t.same(acts, [
      [
        'credential.update',
        {
          credential: 'mailer',
          campaign: { from: 'spring', to: null },
          policy: { from: null, to: 'transactional' },
          ips: { from: ['192.0.2.7/32', '198.51.100.0/24'], to: [] },
        },
      ],
      [
        'credential.update',
        { credential: 'mailer', campaign: { from: null, to: 'spring' }, ips: { from: [], to: ['192.0.2.7/32', '198.51.100.0/24'] } },
      ],
    ]);

    for (const [body, field] of [
      [{ ips: ['10.0.0.0/99'] }, 'ips'],
      [{ campaign: 'autumn' }, 'campaign'],
      [{ policy: 'none' }, 'policy'],
      [{ hasPassword: false }, 'hasPassword'],
    ] as const)
      t.match((await admin('PATCH', `${path}/mailer`, body)).json(), { status: 422, errors: [{ field }] }, field);
    t.match(await admin('PATCH', `${path}/nobody`, { ips: [] }), { status: 404 });
    t.match(await admin('PATCH', '/v1/clients/other/credentials/mailer', { ips: [] }), { status: 404 }, "another client's");
    t.match(await admin('PATCH', `${path}/mailer`, { ips: [] }, { 'if-match': 'x' }), { status: 412 });
    t.match(await (await office.as('officer'))('PATCH', `${path}/mailer`, { ips: [] }), { status: 403 });
    await admin('DELETE', `${path}/mailer`);
    t.match(await admin('PATCH', `${path}/mailer`, { ips: [] }), { status: 409 }, 'a disabled one is made again');
  },
);

onBothStores('a credential that is its address alone moves to another, and never to another’s or to none', async (t, settings) => {
  const office = await newOffice(t, { settings: { ...settings, submission: { listen: ['smtps://127.0.0.1:0'] } } });
  const gate = await startGate(office.house, { admin: false });
  t.teardown(() => gate.stop());
  const mail = async () => {
    const client = await dial(gate.addresses[0]?.port as number, { tls: true });
    await client.reply();
    await client.ask('EHLO mailer.acme.example');
    const reply = await client.ask('MAIL FROM:<sales@acme.example>');
    client.close();
    return reply.slice(0, 3);
  };
  const admin = await office.as('admin');
  const path = '/v1/clients/acme/credentials';
  t.match(await admin('POST', path, { username: 'box', hasPassword: false, ips: ['192.0.2.7'] }), { status: 201 });
  t.match(await admin('POST', '/v1/clients/other/credentials', { username: 'other-box', hasPassword: false, ips: ['198.51.100.0/24'] }), {
    status: 201,
  });
  t.equal(await mail(), '530');
  t.match(await admin('PATCH', `${path}/box`, { ips: ['127.0.0.1', '203.0.113.7'] }), { status: 200 });
  t.equal(await mail(), '250');
  t.match((await admin('PATCH', `${path}/box`, { ips: ['198.51.100.7'] })).json(), { status: 409, errors: [{ field: 'ips' }] });
  for (const ips of [[], null, ['0.0.0.0/0']])
    t.match((await admin('PATCH', `${path}/box`, { ips })).json(), { status: 422, errors: [{ field: 'ips' }] }, JSON.stringify(ips));
  t.equal(await mail(), '250', 'what was refused changed nothing');
  t.match(await admin('PATCH', `${path}/box`, { ips: ['203.0.113.7'] }), { status: 200 });
  t.equal(await mail(), '530');
  t.match(
    await admin('PATCH', '/v1/clients/other/credentials/other-box', { ips: ['127.0.0.1'] }),
    { status: 200 },
    'an address that was given up is free',
  );
  t.equal(await mail(), '250');
  // Whatever order these come in, each address that the credential has in the end opens, and no other.
  const both = await Promise.all([['203.0.113.8'], ['203.0.113.9'], ['203.0.113.10']].map(ips => admin('PATCH', `${path}/box`, { ips })));
  t.ok(both.some(({ status }) => status === 200) && both.every(({ status }) => status === 200 || status === 412));
  const { ips = [] } = (await admin('GET', `${path}/box`)).json<{ ips: string[] }>();
  for (const host of ['203.0.113.8', '203.0.113.9', '203.0.113.10']) {
    const through = await office.house.clients.byAddress(host);
    t.equal(through?.id, ips.includes(`${host}/32`) ? 'box' : undefined, host);
  }
});

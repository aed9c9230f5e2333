/** Exclusions and suppressions over HTTP: what is added binds the next RCPT of a real gate, what is taken back no longer does, and who may. */
import t, { type Test } from 'tap';
import { startGate } from '../../src/app.ts';
import { address } from '../checks/asking.ts';
import { greeted } from '../support/platform.ts';
import { onBothStores } from '../support/stores.ts';
import { type Ask, newOffice } from './support.ts';

interface Entry {
  readonly id: string;
  readonly scope: string;
  readonly acts: readonly { readonly reason: string; readonly source: string; readonly by?: string }[];
}
interface Page {
  readonly items: readonly Entry[];
  readonly next: string | null;
}

const EXCLUSIONS = '/v1/clients/acme/exclusions';
const SUPPRESSIONS = '/v1/clients/acme/suppressions';
const enc = encodeURIComponent;

/** An office with a gate before the same house; `rcpt` says what RCPT is told there. */
async function guarded(t: Test) {
  const office = await newOffice(t, { settings: { submission: { listen: ['127.0.0.1:0'] } } });
  const credential = { client: 'acme', username: 'robot', campaign: 'spring', ips: ['127.0.0.1'], password: false };
  await office.house.clients.addCredential(credential);
  const gate = await startGate(office.house, { admin: false });
  t.teardown(() => gate.stop());
  const rcpt = async (to: string): Promise<string> => {
    const client = await greeted(gate.addresses[0]?.port as number);
    try {
      await client.ask('MAIL FROM:<sales@acme.example>');
      return (await client.ask(`RCPT TO:<${to}>`)).slice(0, 3);
    } finally {
      client.close();
    }
  };
  return { office, rcpt };
}

t.test('law 4: an exclusion binds the next RCPT, and once taken back it no longer does', async t => {
  const { office, rcpt } = await guarded(t);
  const operator = await office.as('operator');
  t.equal(await rcpt('jane@customer.example'), '250');
  const made = await operator('POST', EXCLUSIONS, { address: 'Jane+news@Customer.example', reason: 'manual' });
  t.match(made, { status: 201 });
  const entry = made.json<Entry>();
  t.match(entry, {
    scope: 'acme',
    match: 'address',
    address: 'jane@customer.example',
    acts: [{ reason: 'manual', source: 'operator', by: 'operator-1' }],
  });
  t.equal(made.headers.get('location'), `${EXCLUSIONS}/${entry.id}`);
  t.equal(await rcpt('jane@customer.example'), '550');
  const twice = await operator('POST', EXCLUSIONS, { address: 'jane@customer.example', reason: 'manual' });
  t.match(twice, { status: 200 });
  t.same(twice.json(), entry, 'twice is once: the entry that is there');
  t.same((await operator('GET', `${EXCLUSIONS}/${entry.id}`)).json(), entry);
  t.match(await operator('DELETE', `${EXCLUSIONS}?address=${enc('jane@customer.example')}`), { status: 204 });
  t.equal(await rcpt('jane@customer.example'), '250');
  t.match(await operator('DELETE', `${EXCLUSIONS}?address=${enc('jane@customer.example')}`), { status: 204 }, 'once more is the same');
  t.match(await operator('GET', `${EXCLUSIONS}/${entry.id}`), { status: 404 });

  t.match(await operator('POST', EXCLUSIONS, { domain: '*.customer.example', reason: 'policy' }), { status: 201 });
  t.equal(await rcpt('joe@mail.customer.example'), '550', 'with its subdomains');
  t.match(await operator('DELETE', `${EXCLUSIONS}?domain=customer.example`), { status: 204 });
  t.equal(await rcpt('joe@mail.customer.example'), '250');

  t.match(await operator('POST', EXCLUSIONS, { address: 'kim@customer.example', campaign: 'spring' }), { status: 201 });
  t.equal(await rcpt('kim@customer.example'), '550', 'in its campaign');
  t.match((await operator('GET', EXCLUSIONS)).json<Page>().items, []);
  t.match((await operator('GET', `${EXCLUSIONS}?campaign=spring`)).json<Page>().items, [{ scope: 'acme/spring' }]);
  t.match(await operator('POST', '/v1/global/exclusions', { address: 'lee@customer.example' }), { status: 201 });
  t.equal(await rcpt('lee@customer.example'), '550');
  t.match((await operator('GET', `/v1/global/exclusions/check?address=${enc('lee@customer.example')}`)).json(), { listed: true });
});

t.test('law 6: what a recipient caused is lifted by officers only, with a reason; operators take their own entries back', async t => {
  const { office, rcpt } = await guarded(t);
  const [operator, officer, client] = [await office.as('operator'), await office.as('officer'), await office.as('client')];
  const jane = `?address=${enc('jane@customer.example')}`;
  const made = await client('POST', SUPPRESSIONS, { address: 'jane@customer.example', reason: 'opt-out' });
  t.match(made, { status: 201 });
  t.match(made.json(), { list: 'suppression', acts: [{ reason: 'opt-out', source: 'platform' }] });
  t.notMatch(made.text, /customer\.example|client-/, 'a digest only, and no names of accounts for a client');
  t.equal(await rcpt('jane@customer.example'), '550');
  t.match(await client('POST', SUPPRESSIONS, { address: 'jane@customer.example', reason: 'opt-out' }), { status: 200 });
  t.match(await client('DELETE', SUPPRESSIONS + jane), { status: 403 });
  t.match(await operator('DELETE', SUPPRESSIONS + jane), { status: 403 });
  t.match((await officer('DELETE', SUPPRESSIONS + jane)).json(), { status: 422, errors: [{ field: 'reason' }] });
  t.equal(await rcpt('jane@customer.example'), '550');
  t.match(await officer('DELETE', `${SUPPRESSIONS}${jane}&reason=${enc('asked for it in writing')}`), { status: 204 });
  t.equal(await rcpt('jane@customer.example'), '250');

  const { id } = (await operator('POST', SUPPRESSIONS, { address: 'jane@customer.example', reason: 'manual' })).json<Entry>();
  t.match(await operator('DELETE', `${SUPPRESSIONS}/${id}`), { status: 204 }, "the operator's own, by its id");
  t.equal(await rcpt('jane@customer.example'), '250');

  t.match(await client('POST', EXCLUSIONS, { address: 'jane@customer.example', reason: 'objection' }), { status: 201 });
  t.match(await client('DELETE', EXCLUSIONS + jane), { status: 403 }, 'an objection on the exclusion list is one, too');
  t.match(await officer('DELETE', EXCLUSIONS + jane), { status: 422 });
  t.match(await officer('DELETE', `${EXCLUSIONS}${jane}&reason=mistake`), { status: 204 });
  t.equal(await rcpt('jane@customer.example'), '250');

  const trail: unknown[] = [];
  for await (const { what, by, from, why } of office.house.audit.list('acme'))
    trail.push({ what, by, from, ...(why === undefined ? {} : { why }) });
  t.match(trail, [
    { what: 'lift', by: 'officer-2', from: '127.0.0.1', why: 'mistake' },
    { what: 'exclusion.add', by: 'client-3', from: '127.0.0.1' },
    { what: 'lift', by: 'operator-1' },
    { what: 'suppression.add', by: 'operator-1' },
    { what: 'lift', by: 'officer-2', why: 'asked for it in writing' },
    { what: 'suppression.add', by: 'client-3' },
  ]);
});

t.test('A1, A24: a check tells a client its own entries only, and nobody but officers and admins an erasure', async t => {
  const { house, as } = await newOffice(t);
  const [operator, officer, client] = [await as('operator'), await as('officer'), await as('client')];
  const check = async (ask: Ask, who: string, more = '') =>
    (await ask('GET', `${SUPPRESSIONS}/check?address=${enc(who)}${more}`)).json<Record<string, unknown>>();
  t.same(await check(client, 'nobody@customer.example'), { listed: false, entries: [] });
  await operator('POST', '/v1/global/suppressions', { address: 'global@customer.example', reason: 'complaint' });
  t.same(await check(client, 'global@customer.example'), { listed: true, entries: [] });
  t.match(await check(operator, 'global@customer.example'), {
    listed: true,
    entries: [{ scope: 'global', list: 'suppression', reason: 'complaint', source: 'operator' }],
  });
  await house.lists.suppress({ owner: 'other' as never }, address('foreign@customer.example'), { reason: 'opt-out', source: 'recipient' });
  for (const ask of [operator, client]) t.same(await check(ask, 'foreign@customer.example'), { listed: false, entries: [] });
  await client('POST', EXCLUSIONS, { domain: 'customer.example', reason: 'manual' });
  const both = { listed: true, entries: [{ scope: 'acme', list: 'exclusion', match: 'domain', reason: 'manual', source: 'platform' }] };
  t.match(await check(client, 'x@mail.customer.example'), both);
  t.match((await client('GET', `${EXCLUSIONS}/check?address=${enc('x@customer.example')}`)).json(), both);
  t.match(await client('GET', `${SUPPRESSIONS}/check?address=x`), { status: 422 });
  t.match(await client('GET', `${SUPPRESSIONS}/check?address=${enc('x@customer.example')}&campaign=autumn`), { status: 422 });

  await officer('POST', SUPPRESSIONS, { address: 'gone@else.example', reason: 'erasure' });
  for (const ask of [operator, client]) {
    t.match(await check(ask, 'gone@else.example'), { listed: true, entries: [{ reason: 'objection' }] });
    t.match((await ask('GET', SUPPRESSIONS)).json<Page>().items, [{ acts: [{ reason: 'objection' }] }]);
    t.same((await ask('GET', `${SUPPRESSIONS}?reason=erasure`)).json<Page>().items, []);
    const again = await ask('POST', SUPPRESSIONS, { address: 'gone@else.example', reason: 'objection' });
    t.match(again, { status: 200 });
    t.match(
      again.json<Entry>().acts.map(({ reason }) => reason),
      ['objection'],
    );
  }
  t.match(await check(officer, 'gone@else.example'), { entries: [{ reason: 'erasure' }, { reason: 'objection' }] });
});

onBothStores('lists are paged, searched and filtered', async (t, settings) => {
  const { as } = await newOffice(t, { settings });
  const operator = await as('operator');
  const entries = Array.from({ length: 230 }, (_, n) => `p${n}@customer.example`);
  t.match((await operator('POST', `${EXCLUSIONS}/batch`, { entries })).json(), { added: 230, existing: 0, invalid: 0 });
  await operator('POST', EXCLUSIONS, { domain: 'else.example', reason: 'opt-out' });
  const seen: Entry[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page = (await operator('GET', `${EXCLUSIONS}?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`)).json();
    seen.push(...page.items);
    cursor = page.next;
  }
  t.equal(new Set(seen.map(({ id }) => id)).size, 231);
  const [one] = seen.slice(100);
  const named = await operator('GET', `${EXCLUSIONS}?limit=1&cursor=${one?.id.slice(0, 12)}${'0'.repeat(20)}`);
  t.match(named.json<Page>().items, [{ id: one?.id }], 'by the digest of exports and webhooks');
  const items = async (query: string) => (await operator('GET', `${EXCLUSIONS}?${query}`)).json<Page>().items;
  t.match(await items(`address=${enc('P7@customer.example')}`), [{ address: 'p7@customer.example' }]);
  t.match(await items('domain=else.example'), [{ domain: 'else.example' }]);
  t.same(await items('domain=customer.example'), [], 'the entry of that very domain');
  t.match(await items('reason=opt-out'), [{ domain: 'else.example' }]);
  t.equal((await items('contains=P22')).length, 11);
  for (const query of ['cursor=x', 'limit=0', 'limit=1001', 'reason=none', 'colour=red', 'address=x']) {
    t.match(await operator('GET', `${EXCLUSIONS}?${query}`), { status: 422 }, query);
  }
});

onBothStores(
  'a batch tells each entry’s outcome, takes the shapes of platforms, and with atomic lists all or nothing',
  async (t, settings) => {
    const { as } = await newOffice(t, { settings });
    const client = await as('client');
    const batch = async (body: unknown, query = '', list = EXCLUSIONS) => client('POST', `${list}/batch${query}`, body);
    const mixed = {
      entries: [
        'a@customer.example',
        { domain: 'b.example', reason: 'manual' },
        'A@customer.example',
        'no address',
        { domain: 'co.uk' },
        { address: 'c@customer.example', reason: 'whim' },
      ],
    };
    const refused = await batch(mixed, '?atomic=true');
    t.match(refused.json(), { status: 422, errors: [{ field: 'entries.3' }, { field: 'entries.4' }, { field: 'entries.5' }] });
    t.match((await client('GET', EXCLUSIONS)).json<Page>().items, [], 'nothing was listed');
    const answer = await batch(mixed);
    t.match(answer.json(), { added: 2, existing: 1, invalid: 3 });
    t.same(
      answer.json<{ items: { outcome: string }[] }>().items.map(({ outcome }) => outcome),
      ['added', 'added', 'existing', 'invalid', 'invalid', 'invalid'],
    );
    t.notMatch(answer.text, /no address|whim/, 'what was wrong is not repeated');

    const shapes: [unknown, string][] = [
      [[{ address: 'm@customer.example', created_at: 'Fri, 21 Oct 2022 11:02:55 GMT' }], 'Mailgun'],
      [{ recipient_emails: ['s@customer.example'] }, 'SendGrid'],
      [[{ email: 's2@customer.example' }], 'SendGrid'],
      [{ Suppressions: [{ EmailAddress: 'p@customer.example', SuppressionReason: 'HardBounce' }] }, 'Postmark'],
      [[{ EmailAddress: 'e@customer.example', Reason: 'COMPLAINT' }], 'Amazon SES'],
    ];
    for (const [body, name] of shapes) t.match((await batch(body, '?reason=opt-out', SUPPRESSIONS)).json(), { added: 1, invalid: 0 }, name);
    const check = async (who: string) => (await client('GET', `${SUPPRESSIONS}/check?address=${enc(who)}`)).json();
    t.match(await check('m@customer.example'), { entries: [{ reason: 'opt-out', at: '2022-10-21T11:02:55.000Z' }] });
    t.match(await check('p@customer.example'), { entries: [{ reason: 'bounce' }] });
    t.match(await check('e@customer.example'), { entries: [{ reason: 'complaint' }] });
    t.match((await batch([{ domain: 'd.example' }], '', SUPPRESSIONS)).json(), { invalid: 1 });
    t.match(await batch([{ address: 'x@customer.example', birthday: '1980-01-01' }]), { status: 422 }, 'A9: a field that nobody knows');

    const many = Array.from({ length: 9_000 }, (_, n) => `many${n}@customer.example`);
    t.match((await batch({ entries: many }, '?atomic=true')).json(), { added: 9_000 });
    t.match(await batch({ entries: [...many, 'one@too.example'] }), { status: 422 });
  },
);

t.test('what is wrong with an entry is told by field, and roles and scopes hold', async t => {
  const office = await newOffice(t);
  const [operator, client] = [await office.as('operator'), await office.as('client')];
  const wrong: [unknown, string][] = [
    [{}, 'address'],
    [{ address: 'a@customer.example', domain: 'customer.example' }, 'domain'],
    [{ address: 'customer.example' }, 'address'],
    [{ domain: 'a@customer.example' }, 'domain'],
    [{ domain: 'co.uk' }, 'domain'],
    [{ address: 'a@customer.example', reason: 'erasure' }, 'reason'],
  ];
  for (const [body, field] of wrong)
    t.match((await operator('POST', EXCLUSIONS, body)).json(), { status: 422, errors: [{ field }] }, JSON.stringify(body));
  t.match(await operator('POST', EXCLUSIONS, { address: 'a@customer.example', colour: 'red' }), { status: 422 });
  // Another client's campaign, in bodies and queries of every list.
  const autumn = { status: 422, errors: [{ field: 'campaign', message: 'is not registered' }] };
  for (const list of [EXCLUSIONS, SUPPRESSIONS]) {
    const named = { address: 'a@customer.example', campaign: 'autumn', reason: 'manual' };
    t.match((await operator('POST', list, named)).json(), autumn);
    t.match((await operator('POST', `${list}/batch?campaign=autumn`, { entries: [] })).json(), autumn);
    t.match((await operator('GET', `${list}?campaign=autumn`)).json(), autumn);
    t.match((await operator('DELETE', `${list}?campaign=autumn&address=a@customer.example`)).json(), autumn);
  }
  t.match((await operator('DELETE', SUPPRESSIONS)).json(), { status: 422, errors: [{ field: 'address', message: 'is missing' }] });
  for (const [method, path] of [
    ['GET', `${EXCLUSIONS}/check`],
    ['GET', `${SUPPRESSIONS}/check`],
    ['GET', SUPPRESSIONS],
    ['DELETE', EXCLUSIONS],
    ['DELETE', SUPPRESSIONS],
    ['GET', '/v1/decisions'],
  ] as const) {
    const field = path === '/v1/decisions' ? 'recipient' : 'address';
    for (const plus of ['pat+y@customer.example', '+pat@customer.example'])
      t.match(
        (await operator(method, `${path}?${field}=${plus}`)).json(),
        { status: 422, errors: [{ field, fix: /write \+ as %2B/ }] },
        `${method} ${path} ${plus}`,
      );
  }
  t.match((await operator('GET', `${EXCLUSIONS}/check?address=pat%2By@customer.example`)).json(), { listed: false });
  for (const path of [
    '/v1/clients/other/exclusions',
    '/v1/clients/nobody/exclusions',
    '/v1/clients/other/suppressions/check?address=a@b.example',
  ]) {
    t.match(await client('GET', path), { status: 404 }, path);
  }
  for (const path of ['/v1/global/exclusions', '/v1/global/suppressions']) t.match(await client('GET', path), { status: 403 }, path);
  const { token } = await office.token('operator', { scopes: ['exclusions:read'] });
  const reader = office.withToken(token);
  t.match(await reader('GET', EXCLUSIONS), { status: 200 });
  t.match(await reader('POST', EXCLUSIONS, { address: 'a@customer.example' }), { status: 403 });
  t.match(await reader('GET', SUPPRESSIONS), { status: 403 });
});

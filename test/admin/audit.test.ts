/** The audit trail over HTTP: pages, who may read it, and what verify answers when the store was tampered with. */
import t from 'tap';
import { Chain, headKey, recordKey } from '../../src/audit/chain.ts';
import { onBothStores } from '../support/stores.ts';
import { newOffice } from './support.ts';

interface Page {
  readonly items: readonly {
    readonly n: number;
    readonly what: string;
    readonly by: string;
    readonly from: string;
    readonly why?: string;
  }[];
  readonly next: string | null;
}

t.test('A18: the trail is read by page, newest first, and what came through the API names account and address', async t => {
  const office = await newOffice(t);
  const { name, token } = await office.token('officer');
  const ask = office.withToken(token);
  const { house } = office;
  await house.lists.remove({ owner: 'acme' as never }, { domain: 'nobody.example' });
  for (let i = 0; i < 5; i++)
    await house.audit.record('acme', { by: name, from: '192.0.2.7', what: 'export', about: { i }, why: 'asked for' });
  const first = (await ask('GET', '/v1/clients/acme/audit?limit=3')).json<Page>();
  t.same(
    first.items.map(({ n }) => n),
    [7, 6, 5],
  );
  t.match(first.items[0], { by: name, from: '192.0.2.7', what: 'export', about: { i: 4 }, why: 'asked for', at: /^20.*Z$/ });
  const second = (await ask('GET', `/v1/clients/acme/audit?limit=3&cursor=${first.next}`)).json<Page>();
  const third = (await ask('GET', `/v1/clients/acme/audit?limit=3&cursor=${second.next}`)).json<Page>();
  t.same(
    [...second.items, ...third.items].map(({ n, what }) => [n, what]),
    [
      [4, 'export'],
      [3, 'export'],
      [2, 'campaign.add'],
      [1, 'client.add'],
    ],
  );
  t.equal(third.next, null);
  t.same((await ask('GET', '/v1/clients/acme/audit?since=2100-01-01T00:00:00Z')).json(), { items: [], next: null });
  for (const bad of ['cursor=x', 'cursor=0', 'limit=0', 'since=yesterday', 'other=1']) {
    const { status } = await ask('GET', `/v1/clients/acme/audit?${bad}`);
    t.ok(status === 400 || status === 422, `${bad}: ${status}`);
  }
  t.match(
    (await ask('GET', '/v1/global/audit')).json<Page>().items.map(({ what }) => what),
    [/token|account/],
  );
});

onBothStores(
  'lines are found by what, who and when, and a page that finds nothing among many looks at so many only',
  async (t, settings) => {
    const office = await newOffice(t, { settings });
    const { store, keyring } = office.house;
    const officer = await office.as('officer');
    const chain = new Chain(keyring);
    const head = (await store.find([headKey('acme')]))[0];
    let tail = chain.readHead('acme', head as Buffer) ?? { count: 0, link: '', at: 0 };
    const noon = Math.ceil(tail.at / 3_600_000) * 3_600_000;
    const ACTS = ['exclusion.add', 'exclusion.remove', 'client.update'] as const;
    for (let batch = 0; batch < 5; batch++) {
      const changes = [];
      for (let i = 0; i < 900; i++) {
        const n = tail.count + 1;
        const line = { n, at: noon + n * 1_000, by: n % 2 === 0 ? 'ann' : 'ben', from: 'cli', what: ACTS[n % 3] as string };
        changes.push(...chain.extend('acme', tail, line));
        tail = chain.readHead('acme', changes.at(-1)?.value as Buffer) as typeof tail;
      }
      await store.apply(changes);
    }
    t.equal(tail.count, 4_502);
    const all = async (query: string) => {
      const found: Page['items'][number][] = [];
      let pages = 0;
      for (let cursor = ''; ; pages += 1) {
        const { items, next } = (await officer('GET', `/v1/clients/acme/audit?limit=1000&${query}${cursor}`)).json<Page>();
        found.push(...items);
        if (next === null) break;
        cursor = `&cursor=${next}`;
      }
      return { found, pages: pages + 1 };
    };
    const numbers = async (query: string) => (await all(query)).found.map(({ n }) => n);
    const expected = (fits: (n: number) => boolean) => Array.from({ length: 4_500 }, (_, i) => 4_502 - i).filter(fits);
    const at = (n: number) => encodeURIComponent(new Date(noon + n * 1_000).toISOString());

    t.same(await all('by=nobody'), { found: [], pages: 3 });
    const first = (await officer('GET', '/v1/clients/acme/audit?by=nobody')).json<Page>();
    t.same(first, { items: [], next: '2503' }, 'a page ends where it looked at enough');
    t.same(
      await numbers('what=client.update'),
      expected(n => n % 3 === 2),
    );
    t.same(
      await numbers('what=exclusion.'),
      expected(n => n % 3 !== 2),
    );
    t.same(
      await numbers('what=exclusion.add&by=ann'),
      expected(n => n % 6 === 0),
    );
    t.same(await numbers('what=client.'), [...expected(n => n % 3 === 2), 1], 'what was made at first is of the kind, too');
    t.same(await numbers(`from=${at(100)}&to=${at(103)}`), [102, 101, 100]);
    t.same(await all(`from=${at(100)}&to=${at(103)}`).then(({ pages }) => pages), 1, 'found without looking at what is newer');
    t.same(await numbers(`since=${at(4_500)}`), [4_502, 4_501, 4_500], 'an older word for from');
    t.same(await numbers('to=2020-01-01'), []);
    t.same(await numbers(`from=${at(9_999)}`), []);
    for (const [query, field] of [
      [`from=${at(3)}&to=${at(2)}`, 'to'],
      [`from=${at(3)}&since=${at(2)}`, 'since'],
      ['what=Everything', 'what'],
      ['from=2026-99-99', 'from'],
    ] as const)
      t.match((await officer('GET', `/v1/clients/acme/audit?${query}`)).json(), { status: 422, errors: [{ field }] }, query);
    await store.apply([{ key: recordKey('acme', 2_251), value: Buffer.from('altered') }]);
    t.same(await numbers(`from=${at(100)}&to=${at(103)}`), [102, 101, 100], 'a line that cannot be read leads nobody astray');
  },
);

t.test('A18: what was done to one person, lifts included, by every spelling and on either list; of a domain the same', async t => {
  const office = await newOffice(t);
  const officer = await office.as('officer');
  const jane = { address: 'jane@customer.example' };
  for (const [method, path, body] of [
    ['POST', 'suppressions', { ...jane, reason: 'objection' }],
    ['POST', 'suppressions', { address: 'kim@customer.example', reason: 'objection' }],
    ['POST', 'exclusions', jane],
    ['POST', 'exclusions', { domain: 'customer.example' }],
    ['DELETE', 'suppressions?address=jane@customer.example&reason=mistaken', undefined],
  ] as const)
    t.match((await officer(method, `/v1/clients/acme/${path}`, body)).status, method === 'POST' ? 201 : 204, path);
  const acts = async (query: string) =>
    (await officer('GET', `/v1/clients/acme/audit?${query}`)).json<Page>().items.map(({ what, why }) => [what, why]);
  const expected = [
    ['lift', 'mistaken'],
    ['exclusion.add', undefined],
    ['suppression.add', undefined],
  ];
  t.same(await acts('address=jane@customer.example'), expected);
  t.same(await acts('address=JANE%2Bnews@customer.example'), expected);
  t.same(await acts('address=jane@customer.example&what=lift'), expected.slice(0, 1));
  t.same(await acts('domain=customer.example'), [['exclusion.add', undefined]]);
  t.same(await acts('address=nobody@customer.example'), []);
  for (const [query, field] of [
    ['address=jane', 'address'],
    ['address=jane+news@customer.example', 'address'],
    ['domain=jane@customer.example', 'domain'],
    ['address=jane@customer.example&domain=customer.example', 'domain'],
  ] as const)
    t.match((await officer('GET', `/v1/clients/acme/audit?${query}`)).json(), { status: 422, errors: [{ field }] }, query);
});

onBothStores('A18: verify', async (t, settings) => {
  const office = await newOffice(t, { settings });
  const ask = await office.as('admin');
  t.match((await ask('POST', '/v1/clients/acme/audit/verify')).json(), { owner: 'acme', records: 2, anchored: 2, findings: [] });
  t.match((await ask('POST', '/v1/global/audit/verify')).json(), { owner: 'global', findings: [] });
  await office.house.store.apply([{ key: recordKey('acme', 2), value: undefined }]);
  const { status, json } = await ask('POST', '/v1/clients/acme/audit/verify');
  t.equal(status, 200);
  t.match(json(), { records: 1, findings: [{ what: 'cut', from: 2, to: 2 }] });
});

t.test('only admins and officers read it', async t => {
  const office = await newOffice(t);
  for (const path of ['/v1/clients/acme/audit', '/v1/global/audit']) {
    t.equal((await office.ask('GET', path)).status, 401);
    for (const role of ['operator', 'client'] as const)
      t.equal((await (await office.as(role))('GET', path)).status, 403, `${role} ${path}`);
  }
});

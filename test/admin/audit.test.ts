/** The audit trail over HTTP: pages, who may read it, and what verify answers when the store was tampered with. */
import t from 'tap';
import { recordKey } from '../../src/audit/chain.ts';
import { newOffice } from './support.ts';

interface Page {
  readonly items: readonly { readonly n: number; readonly what: string; readonly by: string; readonly from: string }[];
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

t.test('A18: verify', async t => {
  const office = await newOffice(t);
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

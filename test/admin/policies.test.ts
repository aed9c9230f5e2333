/** Policies over the admin API: a change binds the next transaction on every gate, is on record with who and why, and no law gives way. */
import t, { type Test } from 'tap';
import { type RunningGate, startGate } from '../../src/app.ts';
import { type Gatehouse, good, letter, newGatehouse } from '../submission/gatehouse.ts';
import { sendOne } from '../support/platform.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { onBothStores } from '../support/stores.ts';
import { type Ask, asking, newOffice } from './support.ts';

interface Shown {
  readonly version: number;
  readonly amendments: object;
  readonly checks: { readonly check: string; readonly mode: string; readonly options: object; readonly amended: boolean }[];
}
interface Line {
  readonly version: number;
  readonly by: string;
  readonly from: string;
  readonly why?: string;
  readonly changes: { readonly check: string }[];
}

const BASIC = '/v1/policies/basic';
const OBSERVE = { checks: { 'personal-address': 'observe' }, reason: 'to try it' };
const ENFORCE = { checks: {}, reason: 'enough seen' };
const modeOf = ({ checks }: Shown, name: string) => checks.find(({ check }) => check === name)?.mode;
const historyOf = async (ask: Ask, path = BASIC) => (await ask('GET', `${path}/history`)).json<{ items: Line[] }>().items;

/** A gate and a second one of the same store, and an officer at the first one's API. */
async function fleet(t: Test, settings: Readonly<Record<string, unknown>> = {}) {
  const g = await newGatehouse(t, { settings: { admin: { listen: '127.0.0.1:0' }, ...settings } });
  const house = await g.second();
  const second = await startGate(house, { admin: false });
  t.teardown(() => second.stop());
  good(
    await g.house.accounts.directory.add({ name: 'ann', role: 'officer', password: 'correct horse battery' }, { by: 'test', from: 'cli' }),
  );
  const { secret } = good(await g.house.accounts.tokens.issue('ann', { days: 1 }, { by: 'test', from: 'cli' }));
  const ask = asking(`http://127.0.0.1:${g.gate.admin[0]?.port}`, { authorization: `Bearer ${secret}` });
  return { g, second, ports: [g.port, second.addresses[0]?.port ?? 0], ask };
}

async function bindsTheNext(t: Test, { g, second, ports, ask }: { g: Gatehouse; second: RunningGate; ports: number[]; ask: Ask }) {
  const refused = async (why: string) => {
    for (const port of ports) t.match(await sendOne(port, 'jane@gmail.com'), { stage: 'rcpt', reply: /^550 5\.7\.1 .*\(personal\)/ }, why);
  };
  await refused('enforced as usual');
  const put = await ask('PUT', BASIC, OBSERVE);
  t.match(put, { status: 200 }, put.text);
  t.equal(modeOf(put.json<Shown>(), 'personal-address'), 'observe');
  for (const port of ports) t.match(await sendOne(port, 'jane@gmail.com'), { reply: /^250/ }, 'the very next passes, at every gate');
  await second.journal.flush();
  t.match(await g.counts(), { 'observed personal-address personal': 2, 'rejected personal-address personal': 2 }, 'and is on record');

  const open = await g.hello();
  t.teardown(() => open.close());
  for (const line of ['MAIL FROM:<bounce@acme.example>', 'RCPT TO:<jane@gmail.com>']) t.match(await open.ask(line), /^250/);
  t.match(await ask('PUT', BASIC, ENFORCE), { status: 200 });
  t.match(await open.ask('DATA'), /^354/);
  open.write(`${letter()}.\r\n`);
  t.match((await open.reply()).text, /^550 5\.7\.1 .*\(personal\)/, 'the final dot counts');
  await refused('enforced again');

  const history = await historyOf(ask);
  t.match(history, [
    {
      version: 3,
      by: 'ann',
      from: '127.0.0.1',
      why: 'enough seen',
      changes: [{ check: 'personal-address', from: { mode: 'observe' }, to: { mode: 'enforce' } }],
    },
    {
      version: 2,
      by: 'ann',
      from: '127.0.0.1',
      why: 'to try it',
      changes: [{ check: 'personal-address', from: { mode: 'enforce' }, to: { mode: 'observe' } }],
    },
    { version: 1, by: 'postern', from: 'configuration' },
  ]);
  t.equal(history.length, 3, 'two gates put the configuration on record once');
  const about = { policy: 'basic', version: 3, changes: [{ check: 'personal-address' }] };
  t.match((await ask('GET', '/v1/global/audit')).json(), { items: [{ what: 'policy.update', by: 'ann', why: 'enough seen', about }] });
  t.match((await ask('POST', '/v1/global/audit/verify')).json(), { findings: [] });
}

t.test('a change binds the next transaction of every gate, and the final dot of the one under way: LMDB', async t => {
  await bindsTheNext(t, await fleet(t));
});

t.test('a change binds the next transaction of every gate, and the final dot of the one under way: Redis', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  await bindsTheNext(t, await fleet(t, { store: { url: redis.url } }));
});

t.test('law 1: a store that gives no answer: 451, not the rules that held before', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  const { g, ports, ask } = await fleet(t, { store: { url: redis.url } });
  t.match(await ask('PUT', BASIC, OBSERVE), { status: 200 });
  redis.freeze();
  for (const port of ports) t.match(await sendOne(port, 'jane@gmail.com'), { stage: 'mail', reply: /^451 4\.3\.0/ });
  redis.thaw();
  t.equal(g.sink.messages.length, 0);
});

t.test('who may, what is refused, and where; laws bind', async t => {
  const office = await newOffice(t);
  const [admin, officer, operator, client] = await Promise.all(
    (['admin', 'officer', 'operator', 'client'] as const).map(role => office.as(role)),
  );
  if (admin === undefined || officer === undefined || operator === undefined || client === undefined) throw new Error('no one');
  t.match(await operator('PUT', BASIC, OBSERVE), { status: 403 }, 'who runs the platforms does not decide alone what leaves the house');
  t.match(await client('GET', BASIC), { status: 403 });
  t.match(await operator('GET', BASIC), { status: 200 });
  t.match(await officer('PUT', BASIC, OBSERVE), { status: 200 });

  t.match((await admin('PUT', BASIC, { checks: {} })).json(), { status: 422, errors: [{ field: 'reason' }] }, 'a reason is needed');
  t.match((await admin('PUT', BASIC, { checks: {}, reason: ' ' })).json(), { status: 422, errors: [{ field: 'reason' }] });
  const refused = async (checks: object, field: string, path = BASIC) =>
    t.match((await admin('PUT', path, { checks, reason: 'x' })).json(), { status: 422, errors: [{ field }] }, JSON.stringify(checks));
  for (const law of ['exclusion', 'suppression']) {
    for (const given of ['off', 'observe', { mode: 'off' }]) await refused({ [law]: given }, `checks.${law}`);
    await refused({ [law]: { reasons: ['bounce'] } }, `checks.${law}.reasons`);
  }
  for (const given of ['off', 'observe']) await refused({ conversation: given }, 'checks.conversation', '/v1/policies/conversation');
  await refused({ nothing: 'off' }, 'checks.nothing');
  await refused({ sender: 'maybe' }, 'checks.sender');
  await refused({ 'personal-address': { alow: [] } }, 'checks.personal-address.alow');
  await refused({ 'personal-address': { allow: ['no domain'] } }, 'checks.personal-address.allow.0');
  await refused({ 'opt-out': { constructor: [] } }, 'checks.opt-out.constructor');
  await refused({}, 'policy', '/v1/policies/No%20Name');
  t.match(
    (await historyOf(admin)).map(({ version }) => version),
    [2, 1],
    'nothing of this is on record',
  );
  t.match((await admin('POST', '/v1/global/audit/verify')).json(), { findings: [] });
});

onBothStores('ETags: of two who change what they read, one is told; twice is once', async (t, settings) => {
  const office = await newOffice(t, { settings });
  const admin = await office.as('admin');
  const read = await admin('GET', BASIC);
  const etag = read.headers.get('etag') ?? '';
  t.equal(etag, '"0"', 'no gate has started yet');
  const both = await Promise.all(
    [OBSERVE, { checks: { sender: 'observe' }, reason: 'other' }].map(body => admin('PUT', BASIC, body, { 'if-match': etag })),
  );
  t.same(both.map(({ status }) => status).sort(), [200, 412]);
  const winner = both.find(({ status }) => status === 200);
  t.equal((await admin('GET', BASIC)).headers.get('etag'), winner?.headers.get('etag'));
  t.match(await admin('PUT', BASIC, OBSERVE, { 'if-match': 'x' }), { status: 412 });

  const spelled = { checks: { 'opt-out': { mode: 'observe' } }, reason: 'once' };
  const once = (await admin('PUT', BASIC, spelled)).json<Shown>();
  t.same(once.amendments, { 'opt-out': { mode: 'observe' } }, 'in place of what there was');
  t.equal((await admin('PUT', BASIC, { checks: { 'opt-out': 'observe' }, reason: 'twice' })).json<Shown>().version, once.version);
  t.equal((await historyOf(admin))[0]?.why, 'once');
});

t.test('a new policy starts from basic, and clients may have it at once; it cannot be deleted', async t => {
  const office = await newOffice(t);
  const admin = await office.as('admin');
  t.match(await admin('PATCH', '/v1/clients/acme', { policy: 'strict' }), { status: 422 });
  const body = { checks: { 'personal-address': { deny: ['shop.example'] } }, reason: 'for shops' };
  const made = await admin('PUT', '/v1/policies/strict', body);
  t.match(made, { status: 201 });
  t.equal(made.headers.get('location'), '/v1/policies/strict');
  t.equal((await admin('GET', made.headers.get('location') ?? '')).headers.get('etag'), '"1"');
  t.match(
    made.json<Shown>().checks.find(({ check }) => check === 'personal-address'),
    {
      mode: 'enforce',
      options: { allow: [], deny: ['shop.example'] },
      amended: true,
    },
  );
  t.equal(modeOf(made.json<Shown>(), 'sender'), 'enforce');
  t.match(await admin('PUT', '/v1/policies/strict', { ...body, reason: 'again' }), { status: 200 });
  t.match(await admin('PATCH', '/v1/clients/acme', { policy: 'strict' }), { status: 200 });
  t.match((await admin('POST', '/v1/clients/acme/explain', { from: 'a@acme.example', to: 'jo@shop.example' })).json(), {
    verdict: 'reject',
  });
  const screened = await admin('POST', '/v1/clients/acme/screening', { addresses: ['jo@shop.example', 'jo@works.example'] });
  t.match(screened.json(), { ok: 1, tokens: { personal: 1 } });
  t.match(await admin('DELETE', '/v1/policies/strict'), { status: 405 });
  t.match(
    (await admin('GET', '/v1/policies'))
      .json<{ items: { name: string }[] }>()
      .items.map(({ name }) => name)
      .at(-1),
    'strict',
  );
  t.match(await admin('GET', '/v1/policies/none/history'), { status: 404 });
});

onBothStores('history in pages, newest first; checks with the schema of their options', async (t, settings) => {
  const office = await newOffice(t, { settings });
  const admin = await office.as('admin');
  for (let i = 0; i < 5; i++) await admin('PUT', BASIC, { checks: { sender: i % 2 === 0 ? 'observe' : 'off' }, reason: `turn ${i}` });
  const seen: number[] = [];
  let next: string | null = '';
  while (next !== null) {
    const page: { items: Line[]; next: string | null } = (
      await admin('GET', `${BASIC}/history?limit=2${next === '' ? '' : `&cursor=${next}`}`)
    ).json();
    seen.push(...page.items.map(({ version }) => version));
    next = page.next;
  }
  t.same(seen, [6, 5, 4, 3, 2, 1]);
  t.match(await admin('GET', `${BASIC}/history?cursor=x`), { status: 422 });
  const { items } = (await admin('GET', '/v1/checks')).json<{ items: { check: string; alwaysEnforced: boolean; options: object }[] }>();
  t.match(
    items.find(({ check }) => check === 'personal-address'),
    { alwaysEnforced: false, options: { properties: { allow: { type: 'array' } } } },
  );
  t.match(
    items.filter(({ alwaysEnforced }) => alwaysEnforced).map(({ check }) => check),
    ['exclusion', 'suppression'],
  );
});

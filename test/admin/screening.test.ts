/** Screening over HTTP: counts by reason and check, the same gate as everywhere, and nobody who was erased is told from who objected. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import t from 'tap';
import { importList } from '../../src/lists/import.ts';
import { postern } from '../support/command.ts';
import { until } from '../support/until.ts';
import { type Ask, newOffice } from './support.ts';

const PATH = '/v1/clients/acme/screening';
const EXCLUSIONS = '/v1/clients/acme/exclusions';
const SUPPRESSIONS = '/v1/clients/acme/suppressions';

t.test('A24: a list is counted by token, check and reason, in every shape a list may have', async t => {
  const { as, house } = await newOffice(t);
  const operator = await as('operator');
  await operator('PATCH', '/v1/clients/acme', { policy: 'b2b-prospecting' });
  await operator('PATCH', '/v1/clients/acme/campaigns/spring', { targetDomains: ['customer.example', 'gmail.com'] });
  await operator('POST', EXCLUSIONS, { address: 'ann@customer.example', reason: 'manual' });
  await operator('POST', EXCLUSIONS, { domain: 'sub.customer.example', reason: 'policy' });
  await operator('POST', SUPPRESSIONS, { address: 'bob@customer.example', reason: 'opt-out' });
  await operator('POST', '/v1/global/suppressions', { address: 'cay@customer.example', reason: 'complaint' });
  await house.lists.addHashes({ owner: 'acme' as never }, 'sha1', [createHash('sha1').update('dan@customer.example').digest()]);
  const people = [
    'Ann+x@customer.example',
    'x@sub.customer.example',
    'bob@customer.example',
    'cay@customer.example',
    'dan@customer.example',
    'eve@gmail.com',
    'fay@elsewhere.example',
    'gil@customer.example',
    'GIL@customer.example',
    'no address',
  ];
  const expected = {
    rows: 10,
    ok: 1,
    tokens: { excluded: 2, 'off-target': 1, personal: 1, suppressed: 3 },
    checks: { exclusion: 2, 'personal-address': 1, suppression: 3, 'target-domain': 1 },
    reasons: { complaint: 1, import: 1, manual: 1, 'opt-out': 1, policy: 1 },
    invalid: 1,
    duplicates: 1,
  };
  const shapes: [string, string][] = [
    ['application/json', JSON.stringify({ addresses: people })],
    ['text/plain', people.join('\r\n')],
    ['text/csv', ['name;email', ...people.map(text => `Someone;${text}`)].join('\n')],
    ['application/x-ndjson', people.map(email => JSON.stringify({ email })).join('\n')],
  ];
  for (const [type, body] of shapes) {
    const answer = await operator('POST', `${PATH}?campaign=spring`, body, { 'content-type': type });
    t.match(answer, { status: 200 }, type);
    t.match(answer.json(), expected, type);
    t.notMatch(answer.text, /@|customer|no address"/, 'nobody is named');
  }
  const told = (await operator('POST', `${PATH}?campaign=spring&rows=true`, { addresses: people })).json<{
    verdicts: { verdict: string }[];
  }>();
  t.same(
    told.verdicts.map(({ verdict }) => verdict),
    ['excluded', 'excluded', 'suppressed', 'suppressed', 'suppressed', 'personal', 'off-target', 'ok', 'duplicate', 'invalid'],
  );
  const client = await as('client');
  const own = (await client('POST', `${PATH}?campaign=spring`, { addresses: people })).json<{ reasons: object }>();
  t.match(own, { tokens: expected.tokens });
  t.same(
    own.reasons,
    { import: 1, manual: 1, 'opt-out': 1, policy: 1 },
    'A1: why all clients’ list holds somebody is not told to one of them',
  );
  t.match(await client('POST', '/v1/clients/other/screening', { addresses: people }), { status: 404 });
  t.match(await client('POST', `${PATH}?campaign=autumn`, { addresses: people }), { status: 422 });
  t.match(await operator('POST', PATH, { addresses: [1] }), { status: 422 });
  t.match(await operator('POST', PATH, '<xml/>', { 'content-type': 'application/xml' }), { status: 415 });
});

t.test('A24: who was erased cannot be told from who objected, by any role but the officer’s and the admin’s', async t => {
  const { as } = await newOffice(t);
  const [officer, operator, client] = [await as('officer'), await as('operator'), await as('client')];
  await officer('POST', SUPPRESSIONS, { address: 'erased@customer.example', reason: 'erasure' });
  await officer('POST', SUPPRESSIONS, { address: 'objected@customer.example', reason: 'objection' });
  const screened = async (ask: Ask, who: string) =>
    (await ask('POST', `${PATH}?rows=true`, { addresses: [`${who}@customer.example`] })).json();
  for (const ask of [operator, client]) {
    t.same(await screened(ask, 'erased'), await screened(ask, 'objected'));
    t.match(await screened(ask, 'erased'), { tokens: { suppressed: 1 }, reasons: { objection: 1 } });
  }
  t.match(await screened(officer, 'erased'), { reasons: { erasure: 1 } });
});

t.test('B16: the same bad row is refused by the API, a batch, a screening, an import and a command', async t => {
  const { as, house } = await newOffice(t);
  const operator = await as('operator');
  const bad = ['jane@', 'u%x@customer.example', 'jane@customer', '"x@y"@customer.example', 'jane@customer.example@else.example'];
  for (const row of bad) {
    t.match(await operator('POST', EXCLUSIONS, { address: row }), { status: 422 }, `API ${row}`);
    t.match(await operator('POST', SUPPRESSIONS, { address: row, reason: 'manual' }), { status: 422 }, `API ${row}`);
  }
  const batch = (await operator('POST', `${EXCLUSIONS}/batch`, { entries: bad })).json<{ items: { error: string }[] }>();
  t.match(batch, { added: 0, invalid: bad.length });
  const csv = Buffer.from(`name,email\n${bad.map(row => `x,"${row.replaceAll('"', '""')}"`).join('\n')}\n`);
  const report = await importList(
    house.lists,
    { owner: 'acme' as never },
    (async function* () {
      yield csv;
    })(),
  );
  t.match(report, { added: 0, invalid: bad.length });
  const screened = (await operator('POST', PATH, csv.toString(), { 'content-type': 'text/csv' })).json<{ errors: { problem: string }[] }>();
  t.match(screened, { invalid: bad.length, ok: 0 });
  t.same(
    screened.errors.map(({ problem }) => problem),
    report.errors.map(({ error }) => error),
    'in the same words',
  );
  t.same(
    batch.items.map(({ error }) => error.replace(/^address: /, '')),
    report.errors.map(({ error }) => error),
  );
  for (const row of bad) {
    const { code, stderr } = await postern(['list', 'add', 'acme', row], { cwd: t.testdir({}) });
    t.match({ code, stderr }, { code: 2, stderr: /not an address|neither an address/ }, `command ${row}`);
  }
});

t.test('a client screens one list at a time: each is held in the memory of the process that passes mail', async t => {
  const office = await newOffice(t);
  const { token } = await office.token('client');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/plain', 'transfer-encoding': 'chunked' };
  const upload = request(`${office.url}${PATH}`, { method: 'POST', headers });
  upload.write('jo@prospect.example\n');
  const client = office.withToken(token);
  await until('it is refused', async () => (await client('POST', PATH, { addresses: [] })).status === 429);
  upload.end();
  const [answer] = await once(upload, 'response');
  t.equal(answer.statusCode, 200);
  answer.resume();
  t.match(await client('POST', PATH, { addresses: [] }), { status: 200 });
});

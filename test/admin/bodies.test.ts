/** Bodies that are made to keep the gate busy: refused by their shape, before anything is made of them, and never with a fault. */
import t from 'tap';
import { beyondBounds } from '../../src/admin/json.ts';
import { newOffice, PASSWORD } from './support.ts';

const BATCH = '/v1/clients/acme/exclusions/batch';
const JSON_TYPE = { 'content-type': 'application/json' };

t.test('bounds are counted as JSON has its parts, not within its texts', async t => {
  const table: [text: string, kind: string | undefined][] = [
    ['{}', undefined],
    [`${'['.repeat(32)}${']'.repeat(32)}`, undefined],
    [`${'['.repeat(33)}${']'.repeat(33)}`, 'bad-request'],
    [`${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, 'bad-request'],
    [`"${'['.repeat(1_000)}"`, undefined],
    [`["\\"${'['.repeat(1_000)}\\\\", "${',{'.repeat(1_000)}"]`, undefined],
    [`["\\\\", ${'['.repeat(33)}`, 'bad-request'],
    [`[${'[],'.repeat(200_000)}[]]`, 'too-large'],
    [`[${'1,'.repeat(300_001)}1]`, 'too-large'],
    [`[${'"a",'.repeat(120_000)}"a"]`, undefined],
    [`{${Array.from({ length: 251 }, (_, i) => `"k${i}": 1`).join(',')}}`, 'bad-request'],
    [`[${'{"a": 1, "b": 2},'.repeat(2_000)}1]`, undefined],
    ['"never ends', undefined],
    [']]]],,,,', undefined],
  ];
  for (const [text, kind] of table) t.equal(beyondBounds(text)?.kind, kind, text.slice(0, 40));
});

t.test('no shape of a body is a fault, whoever sends it', async t => {
  const office = await newOffice(t);
  const acme = await office.as('client');
  for (const nested of ['['.repeat(100_000), '{"a":'.repeat(100_000), '{"entries":[{"tags":'.repeat(50_000)]) {
    t.match(await acme('POST', BATCH, nested, JSON_TYPE), { status: 400, text: /nested deeper/ });
    t.match(await acme('POST', '/v1/clients/acme/screening', nested, JSON_TYPE), { status: 400 });
  }
  t.match(await acme('POST', BATCH, `[${'1,'.repeat(400_000)}1]`, JSON_TYPE), { status: 413 });
  t.match(await acme('POST', BATCH, '{"__proto__": {"reason": "manual"}, "entries": []}', JSON_TYPE), { status: 400 });
});

t.test('a stranger’s log-in is short', async t => {
  const office = await newOffice(t);
  const { name } = await office.token('operator');
  const login = { account: name, password: PASSWORD };
  t.match(await office.ask('POST', '/v1/session', { ...login, more: 'x'.repeat(20_000) }), { status: 413 });
  t.match(await office.ask('POST', '/v1/session', login), { status: 200 });
});

t.test('in a long list the fault is told by its place, wherever it stands', async t => {
  const acme = await (await newOffice(t)).as('client');
  const rows = (faulty: number, row: unknown) =>
    Array.from({ length: 8_000 }, (_, i) => (i === faulty ? row : { address: `p${i}@x.example` }));
  const table: [body: unknown, fields: string[]][] = [
    [{ entries: rows(0, { address: 'a@x.example', phone: 1 }) }, ['entries.0.phone']],
    [{ entries: rows(7_999, { address: 'a@x.example', phone: 1 }) }, ['entries.7999.phone']],
    [rows(4_321, { address: 'a@x.example', phone: 1 }), ['4321.phone']],
    [{ Suppressions: rows(77, { EmailAddress: 5 }) }, ['Suppressions.77.EmailAddress']],
    [{ entries: Array(9_001).fill({}) }, ['entries']],
    [Array(9_001).fill({}), ['']],
  ];
  for (const [body, fields] of table) {
    const answer = await acme('POST', BATCH, body);
    t.equal(answer.status, 422);
    t.same(
      answer.json<{ errors: { field: string }[] }>().errors.map(({ field }) => field),
      fields,
      answer.text.slice(0, 300),
    );
  }
});

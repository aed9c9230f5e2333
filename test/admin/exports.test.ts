/** Exports: a list leaves the house as a stream, on record before its first octet, and comes back in as it was. */
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { AuditLine } from '../../src/audit/act.ts';
import type { ClientId } from '../../src/ids.ts';
import { importList } from '../../src/lists/import.ts';
import { isAddress, parsePerson } from '../../src/mail/address.ts';
import { until } from '../support/until.ts';
import { dialRaw } from './raw.ts';
import { newOffice, type Office } from './support.ts';

const CLIENT = '/v1/clients/acme';

async function suppressed(office: Office, text: string, reason: 'opt-out' | 'erasure'): Promise<void> {
  const address = parsePerson(text);
  if (!isAddress(address)) throw new Error('not an address');
  await office.house.lists.suppress({ owner: 'acme' as ClientId }, address, { reason, source: 'recipient', at: Date.UTC(2026, 0, 1) });
}

async function imported(ask: Awaited<ReturnType<Office['as']>>, client: string, body: string, type: string): Promise<void> {
  const answer = await ask('POST', `/v1/clients/${client}/imports?strict=true`, body, { 'content-type': type });
  const events = await ask('GET', `${answer.headers.get('location')}/events`);
  if (!/event: end\ndata: .*"state":"finished"/.test(events.text)) throw new Error(events.text);
}

t.test('A18: what is exported imports back as it was, in both formats', async t => {
  const office = await newOffice(t);
  const ask = await office.as('operator');
  const csv = [
    'address,domain,reason,source,created_at',
    'jo@one.example,,manual,operator,2026-01-02T03:04:05.006Z',
    '"""jo the first""@two.example",,complaint,import,2026-01-02T03:04:05.006Z',
    ',three.example,policy,operator,2026-01-02T03:04:05.006Z',
    '',
  ].join('\n');
  const sorted = (text: string) => text.split('\n').toSorted();
  await imported(ask, 'acme', csv, 'text/csv');
  const first = await ask('GET', `${CLIENT}/exclusions/export`);
  t.equal(first.status, 200);
  t.match(first.headers.get('content-type'), /^text\/csv/);
  t.match(first.headers.get('content-disposition'), 'acme-exclusions.csv');
  t.same(sorted(first.text), sorted(csv));
  const ndjson = await ask('GET', `${CLIENT}/exclusions/export?format=ndjson`);
  t.match(ndjson.headers.get('content-type'), /^application\/x-ndjson/);
  await imported(ask, 'other', ndjson.text, 'application/x-ndjson');
  t.same(sorted((await ask('GET', '/v1/clients/other/exclusions/export')).text), sorted(csv));
});

t.test('A18: no address of an export begins as a formula, and each comes back as the same person', async t => {
  const office = await newOffice(t);
  const ask = await office.as('operator');
  const people = ['=cmd@one.example', '+jo@one.example', '-jo@one.example', 'jo@one.example', 'j=o-1@one.example'];
  t.match((await ask('POST', `${CLIENT}/exclusions/batch`, { entries: people })).json(), { added: people.length });
  const { text } = await ask('GET', `${CLIENT}/exclusions/export`);
  const cells = text
    .trim()
    .split('\n')
    .slice(1)
    .map(line => /^(?:"(?:[^"]|"")*"|[^,]*)/.exec(line)?.[0]);
  t.same(
    cells.sort(),
    ['"""+jo""@one.example"', '"""-jo""@one.example"', '"""=cmd""@one.example"', 'j=o-1@one.example', 'jo@one.example'],
    'quoted where a spreadsheet would run it',
  );
  const file = Readable.from([Buffer.from(text)]);
  t.match(await importList(office.house.lists, { owner: 'other' as ClientId }, file, { strict: true }), { added: people.length });
  const { items } = (await ask('GET', '/v1/clients/other/exclusions')).json<{ items: { address: string }[] }>();
  t.same(items.map(({ address }) => address).sort(), people.toSorted(), 'the same people');
  t.equal((await ask('GET', '/v1/clients/other/exclusions/export')).text.split('\n').toSorted().join(), text.split('\n').toSorted().join());
});

t.test('B8: who exported what, from where, is on record before the first octet, and how much after the last', async t => {
  const office = await newOffice(t);
  await suppressed(office, 'jo@one.example', 'opt-out');
  await suppressed(office, 'jo@erased.example', 'erasure');
  const client = await office.as('client');
  const { text } = await client('GET', `${CLIENT}/suppressions/export`);
  t.match(
    text,
    /^digest,match,reason,source,created_at\n(?:[0-9a-f]{12},address,(?:opt-out|objection),recipient,2026-01-01T00:00:00.000Z\n){2}$/,
  );
  t.notMatch(text, /@|erasure/, 'A24: nobody is named, and nobody told who was erased');
  t.match((await (await office.as('officer'))('GET', `${CLIENT}/suppressions/export`)).text, /,erasure,/);
  const lines = [];
  for await (const { what, by, from, about } of office.house.audit.list('acme', { limit: 4 })) lines.push({ what, by, from, about });
  t.match(lines.reverse(), [
    { what: 'export.start', by: 'client-1', from: '127.0.0.1', about: { list: 'suppression', format: 'csv' } },
    { what: 'export.end', by: 'client-1', about: { rows: 2, complete: true } },
    { what: 'export.start', by: 'officer-2' },
    { what: 'export.end', by: 'officer-2' },
  ]);
  t.equal((await client('GET', '/v1/clients/other/exclusions/export')).status, 404);
  t.equal((await client('GET', '/v1/global/exclusions/export')).status, 403);
  t.equal((await client('GET', `${CLIENT}/exclusions/export?campaign=autumn`)).status, 422);
  t.equal((await client('GET', `${CLIENT}/exclusions/export?campaign=spring`)).text, 'address,domain,reason,source,created_at\n');
});

t.test('a reader who leaves in the middle is on record with what was sent', async t => {
  const office = await newOffice(t);
  const { token } = await office.token('client');
  const rows = Array.from({ length: 60_000 }, (_, i) => `person${i}@customer.example\n`).join('');
  await imported(office.withToken(token), 'acme', rows, 'text/plain');
  const leave = new AbortController();
  const response = await fetch(`${office.url}${CLIENT}/exclusions/export`, {
    headers: { authorization: `Bearer ${token}` },
    signal: leave.signal,
  });
  await response.body?.getReader().read();
  leave.abort();
  for (;;) {
    await sleep(50);
    let line: AuditLine | undefined;
    for await (line of office.house.audit.list('acme', { limit: 1 }));
    if (line?.what !== 'export.end') continue;
    t.match(line.about, { complete: false });
    t.ok((line.about?.rows as number) < 60_000);
    return;
  }
});

t.test('B8: of an export whose reader is gone before its first row the trail tells the end, too', async t => {
  const office = await newOffice(t);
  const { token } = await office.token('officer');
  const count = async (what: string): Promise<number> => {
    let lines = 0;
    for await (const line of office.house.audit.list('acme', { what })) lines += line.what === what ? 1 : 0;
    return lines;
  };
  for (let i = 0; i < 5; i++) {
    const { socket } = await dialRaw(office.url);
    socket.end(`GET ${CLIENT}/exclusions/export HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`, () => socket.destroy());
    await until('it is on record', async () => (await count('export.start')) === i + 1);
  }
  await until('each has its end', async () => (await count('export.end')) === 5);
});

t.test('who leaves while the login is looked at keeps no place', async t => {
  const office = await newOffice(t);
  const { token } = await office.token('officer');
  const { accounts } = office.house;
  const { byToken } = accounts;
  accounts.byToken = async (...shown) => {
    await sleep(50);
    return byToken.apply(accounts, shown);
  };
  for (let i = 0; i < 3; i++) {
    const { socket } = await dialRaw(office.url);
    socket.write(`GET ${CLIENT}/exclusions/export HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`, () => socket.destroy());
    await sleep(150);
  }
  await until('a place for the next', async () => (await office.withToken(token)('GET', `${CLIENT}/exclusions/export`)).status === 200);
});

t.test('B8: HEAD tells what an export would be, reads nothing and is no disclosure', async t => {
  const office = await newOffice(t);
  const ask = await office.as('officer');
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await ask('HEAD', `${CLIENT}/exclusions/export`);
    t.match([status, headers.get('content-disposition')], [200, /acme-exclusions\.csv/]);
  }
  t.same((await ask('GET', `${CLIENT}/audit?what=export.`)).json(), { items: [], next: null });
});

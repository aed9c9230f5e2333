/** Imports over HTTP: streamed, told as they go on, cancelled, cut off, and what they list binds at once. */
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { ClientId } from '../../src/ids.ts';
import { isAddress, parsePerson } from '../../src/mail/address.ts';
import { type Ask, newOffice, type Office } from './support.ts';

interface Job {
  readonly id: string;
  readonly state: string;
  readonly read: number;
  readonly added: number;
  readonly existing: number;
  readonly invalid: number;
  readonly octets: number;
  readonly problem: string | null;
  readonly merged: { readonly done: number; readonly total: number };
}

const CSV = { 'content-type': 'text/csv' };
const PLAIN = { 'content-type': 'text/plain' };
const IMPORTS = '/v1/clients/acme/imports';

async function over(ask: Ask, location: string): Promise<Job> {
  for (;;) {
    const job = (await ask('GET', location)).json<Job>();
    if (job.state !== 'receiving' && job.state !== 'importing') return job;
    await sleep(50);
  }
}

async function imported(ask: Ask, query: string, body: string, type: Record<string, string> = CSV): Promise<Job> {
  const answer = await ask('POST', `${IMPORTS}${query}`, body, type);
  if (answer.status !== 202) throw new Error(`${answer.status} ${answer.text}`);
  return over(ask, answer.headers.get('location') as string);
}

async function isListed(office: Office, text: string, campaigns: string[] = []): Promise<boolean> {
  const address = parsePerson(text);
  if (!isAddress(address)) throw new Error('not an address');
  return (await office.house.lists.standing(address, 'acme' as ClientId, campaigns as never)).length > 0;
}

/** An upload that the test feeds by hand. */
async function openUpload(office: Office, token: string, query = '') {
  const upload = request(`${office.url}${IMPORTS}${query}`, {
    method: 'POST',
    headers: { ...PLAIN, authorization: `Bearer ${token}`, 'transfer-encoding': 'chunked' },
  });
  upload.on('error', () => undefined);
  upload.write('first@file.example\n');
  const ask = office.withToken(token);
  for (;;) {
    const job = (await ask('GET', IMPORTS)).json<{ items: Job[] }>().items[0];
    if (job?.state === 'receiving' && job.octets > 0) return { upload, job, ask };
    await sleep(50);
  }
}

t.test('A18: 100,000 rows go up as a stream, are told as they go in, and bind', async t => {
  const office = await newOffice(t);
  const { token } = await office.token('client');
  const ask = office.withToken(token);
  const rows = Array.from({ length: 100_000 }, (_, i) => `person${i}@customer${i % 500}.example\n`);
  const answer = await ask('POST', IMPORTS, `# from the platform\n${rows.join('')}nobody\n`, PLAIN);
  t.equal(answer.status, 202);
  const location = answer.headers.get('location') as string;
  const events = await fetch(`${office.url}${location}/events`, { headers: { authorization: `Bearer ${token}` } });
  t.match(events.headers.get('content-type'), /^text\/event-stream/);
  const told = [...(await events.text()).matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event, data]) => ({
    event,
    job: JSON.parse(data as string) as Job,
  }));
  t.equal(told.at(-1)?.event, 'end');
  t.ok(told.length > 1, 'more than the end was told');
  t.match(told.at(-1)?.job, {
    state: 'finished',
    read: 100_001,
    added: 100_000,
    existing: 0,
    invalid: 1,
    merged: { done: 100_000, total: 100_000 },
  });
  t.same((await ask('GET', `${location}/errors`)).json().items, [{ line: 100_002, problem: 'neither an address nor a domain' }]);
  t.ok(await isListed(office, 'person99999@customer499.example'), 'the next RCPT is refused');
  t.match(
    await imported(ask, '', rows.slice(0, 10).join(''), PLAIN),
    { state: 'finished', added: 0, existing: 10 },
    'again changes nothing',
  );
  const lines = [];
  for await (const { what, by, from } of office.house.audit.list('acme')) if (what.startsWith('import')) lines.push([what, by, from]);
  t.same(
    lines.slice(-2),
    [
      ['import.end', 'client-1', '127.0.0.1'],
      ['import.start', 'client-1', '127.0.0.1'],
    ],
    'who, and from where',
  );
});

t.test('A18: what may be said of an import, and what may not', async t => {
  const office = await newOffice(t);
  const ask = await office.as('operator');
  t.match(await imported(ask, '?dryRun=true', 'jo@dry.example\n'), { state: 'finished', added: 1 });
  t.notOk(await isListed(office, 'jo@dry.example'), 'a dry run lists nobody');
  t.match(await imported(ask, '?strict=true', 'jo@strict.example\nnobody\n'), { state: 'refused', added: 0, invalid: 1 });
  t.notOk(await isListed(office, 'jo@strict.example'), 'strict: nothing goes in');
  t.match(await imported(ask, '?campaign=spring&reason=opt-out', 'email\njo@spring.example\n'), { state: 'finished', added: 1 });
  t.notOk(await isListed(office, 'jo@spring.example'));
  t.ok(await isListed(office, 'jo@spring.example', ['spring']));
  const json =
    '{"address":"jo@json.example","reason":"complaint","createdAt":"2026-01-02T03:04:05.000Z"}\n{"domain":"json.test"}\n[]\n{x\n';
  const ndjson = await imported(ask, '', json, { 'content-type': 'application/x-ndjson' });
  t.match(ndjson, { state: 'finished', read: 4, added: 2, invalid: 2 });
  const { items } = (await ask('GET', `${IMPORTS}/${ndjson.id}/errors?limit=1`)).json<{ items: unknown[] }>();
  t.same(items, [{ line: 3, problem: 'not a JSON object' }]);
  const next = (await ask('GET', `${IMPORTS}/${ndjson.id}/errors?limit=1&cursor=1`)).json();
  t.same(next, { items: [{ line: 4, problem: 'not a JSON object' }], next: null });
  t.ok(await isListed(office, 'anybody@mail.json.test'));
  const hashes = await imported(ask, '?list=suppression&hash=md5', '55502f40dc8b7c769880b10874abc9d0\n');
  t.match(hashes, { state: 'finished', list: 'suppression', added: 1 });
  t.ok(await isListed(office, 'test@example.com'));
  const refusals: [string, Record<string, string>, number][] = [
    ['?list=suppression', CSV, 422],
    ['?campaign=autumn', CSV, 422],
    ['?reason=nonsense', CSV, 422],
    ['?unknown=1', CSV, 422],
    ['', { 'content-type': 'application/json' }, 415],
  ];
  for (const [query, type, status] of refusals) t.equal((await ask('POST', IMPORTS + query, 'a@b.example\n', type)).status, status, query);
  const page = (await ask('GET', `${IMPORTS}?limit=2`)).json<{ items: Job[]; next: string }>();
  t.equal(page.items.length, 2);
  const rest = (await ask('GET', `${IMPORTS}?limit=100&cursor=${page.next}`)).json<{ items: Job[]; next: string | null }>();
  t.same([rest.items.length, rest.next], [3, null]);
  const other = await office.as('client', 'other');
  t.equal((await other('GET', `${IMPORTS}/${ndjson.id}`)).status, 404, 'A33: nobody learns of the imports of another client');
  t.equal((await other('GET', `/v1/clients/other/imports/${ndjson.id}`)).status, 404);
});

t.test('A18: what is imported into the lists of all clients binds each of them, and only the house imports there', async t => {
  const office = await newOffice(t);
  const [operator, officer, client] = [await office.as('operator'), await office.as('officer'), await office.as('client')];
  const path = '/v1/global/imports';
  const answer = await operator('POST', `${path}?reason=opt-out`, 'email\njo@all.example\nnobody\n', CSV);
  t.equal(answer.status, 202, answer.text);
  const location = answer.headers.get('location') as string;
  t.match(location, /^\/v1\/global\/imports\/[0-9a-f]{20}$/);
  const { text } = await operator('GET', `${location}/events`);
  t.match(text, /event: end\ndata: .*"state":"finished".*"added":1/);
  t.match((await operator('GET', `${location}/errors`)).json(), { items: [{ line: 3 }] });
  t.ok(await isListed(office, 'jo@all.example'));
  const entry = { scope: 'global', reason: 'opt-out', source: 'import' };
  t.match((await operator('GET', '/v1/clients/other/exclusions/check?address=jo@all.example')).json(), { entries: [entry] });
  const hashes = await officer('POST', `${path}?hash=md5`, '55502f40dc8b7c769880b10874abc9d0\n', PLAIN);
  t.match(await over(officer, hashes.headers.get('location') as string), { state: 'finished', list: 'suppression', added: 1 });
  t.ok(await isListed(office, 'test@example.com'));
  t.equal((await officer('GET', path)).json<{ items: Job[] }>().items.length, 2);
  t.equal((await operator('GET', IMPORTS)).json<{ items: Job[] }>().items.length, 0, "none of them is a client's");
  t.equal((await operator('DELETE', location)).status, 200);
  t.equal((await operator('POST', `${path}?campaign=spring`, 'jo@all.example\n', CSV)).status, 422);
  t.equal((await client('POST', path, 'jo@all.example\n', CSV)).status, 403);
  const { token } = await office.token('operator', { scopes: ['imports:write', 'imports:read'] });
  t.equal((await office.withToken(token)('GET', path)).status, 403, 'the scope is global:read');
  const lines = [];
  for await (const { what, by } of office.house.audit.list('global')) if (what.startsWith('import')) lines.push(`${what} ${by}`);
  t.same(lines, ['import.end officer-2', 'import.start officer-2', 'import.end operator-1', 'import.start operator-1']);
});

t.test('an upload that is cut off lists nobody, and the client may try again', async t => {
  const office = await newOffice(t);
  const { token } = await office.token('client');
  const { upload, job, ask } = await openUpload(office, token);
  t.equal((await ask('POST', IMPORTS, 'a@second.example\n', PLAIN)).status, 409, 'one at a time');
  upload.destroy();
  const ended = await over(ask, `${IMPORTS}/${job.id}`);
  t.match(ended, { state: 'interrupted', added: 0, problem: /cut off, and nothing of it went in/ });
  t.notOk(await isListed(office, 'first@file.example'));
  t.match(await imported(ask, '', 'first@file.example\n'), { state: 'finished', added: 1 });
});

t.test('a cancelled import says what went in: during the upload nothing', async t => {
  const office = await newOffice(t);
  const { token } = await office.token('client');
  const { upload, job, ask } = await openUpload(office, token, '?strict=true');
  const answered = once(upload, 'response');
  const cancelled = await ask('DELETE', `${IMPORTS}/${job.id}`);
  t.equal(cancelled.status, 200);
  t.match(cancelled.json(), { state: 'cancelled', added: 0 });
  upload.destroy();
  answered.catch(() => undefined);
  t.notOk(await isListed(office, 'first@file.example'));
  t.equal((await ask('DELETE', `${IMPORTS}/${job.id}`)).status, 200, 'twice is once');
  t.equal((await ask('DELETE', `${IMPORTS}/${'0'.repeat(20)}`)).status, 404);

  const rows = Array.from({ length: 200_000 }, (_, i) => `person${i}@cancelled.example\n`);
  const answer = await ask('POST', IMPORTS, rows.join(''), PLAIN);
  const ended = (await ask('DELETE', answer.headers.get('location') as string)).json<Job>();
  t.equal(ended.state, 'cancelled');
  t.ok(ended.added < 200_000, 'not all of it');
  const again = await imported(ask, '', rows.join(''), PLAIN);
  t.same([again.added, again.existing], [200_000 - ended.added, ended.added], 'exactly what it said');
});

t.test('a file that is no list, but one endless row, is told as bad rows, not as a store that is away', async t => {
  const office = await newOffice(t);
  const ask = await office.as('client');
  for (const [query, state] of [
    ['', 'finished'],
    ['?strict=true', 'refused'],
  ] as const) {
    const job = await imported(ask, query, `email\n"${'a'.repeat(5_000_000)}`);
    t.match(job, { state, added: 0, problem: null });
    t.ok(job.invalid > 0);
    t.match((await ask('GET', `${IMPORTS}/${job.id}/errors`)).json(), { items: [{ problem: String }] });
  }
});

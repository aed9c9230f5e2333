/** Whoever sends or takes next to nothing, too much, or asks too often: cut off, and others have their turn. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { Allowance } from '../../src/admin/allowance.ts';
import { BodyRefused, bodyOf } from '../../src/admin/body.ts';
import { MAX_CONNECTIONS } from '../../src/admin/connections.ts';
import { isRoomy } from '../../src/admin/import-process.ts';
import { until } from '../support/until.ts';
import { dialRaw } from './raw.ts';
import { good, newOffice, type Office } from './support.ts';

const HASTY = { patienceSeconds: 2 };
const head = (path: string, token: string, ...lines: string[]): string =>
  [`POST ${path} HTTP/1.1`, 'Host: here', `Authorization: Bearer ${token}`, ...lines, '', ''].join('\r\n');
const TEXT = ['Content-Type: text/plain', 'Transfer-Encoding: chunked'];
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

interface Job {
  readonly state: string;
  readonly problem: string | null;
}
const jobOf = async (office: Office, token: string, client = 'acme'): Promise<Job | undefined> =>
  (await office.withToken(token)('GET', `/v1/clients/${client}/imports?limit=1`)).json<{ items: Job[] }>().items[0];

async function addThird({ house }: Office): Promise<void> {
  good(
    await house.clients.add({ id: 'third', name: 'third', privacyUrls: ['https://www.third.example/'], fromDomains: ['third.example'] }),
  );
}

/** Uploads that go on, one of each client, at ten kilobytes a second. */
async function slowUploads(t: Test, office: Office, resource: string) {
  const uploads = [];
  for (const client of ['acme', 'other']) {
    const { token } = await office.token('client', { client });
    const upload = await dialRaw(office.url);
    upload.socket.write(head(`/v1/clients/${client}/${resource}`, token, ...TEXT));
    const feed = setInterval(() => upload.socket.write(chunk('# remarks, and nothing but remarks\n'.repeat(30))), 100);
    t.teardown(() => {
      clearInterval(feed);
      upload.socket.destroy();
    });
    uploads.push({ client, token, upload });
  }
  return uploads;
}

t.test('a body that comes at next to no pace is answered 408, wherever it goes', async t => {
  const office = await newOffice(t, { admin: HASTY });
  const { token } = await office.token('client');
  const table = [
    ['/v1/clients/acme/exclusions', ['Content-Type: application/json', 'Content-Length: 1000']],
    ['/v1/clients/acme/screening', TEXT],
    ['/v1/clients/acme/imports', TEXT],
    ['/v1/clients/acme/imports?campaign=autumn', TEXT],
  ] as const;
  const all = table.map(async ([path, lines]) => {
    const slow = await dialRaw(office.url);
    slow.socket.write(head(path, token, ...lines));
    slow.socket.write(lines === TEXT ? chunk('jo@one.example,manual\n') : '{');
    const said = await slow.ended;
    if (path.includes('autumn')) t.match(said, /^HTTP\/1\.1 422 [\s\S]*connection: close/i, 'answered early, and not kept waiting');
    else t.match(said, /^HTTP\/1\.1 408 [\s\S]*"type":"too-slow"/, path);
  });
  await Promise.all(all);
  t.match(await jobOf(office, token), { state: 'interrupted', problem: /nothing of it went in/ });
  t.equal(
    (await office.withToken(token)('POST', '/v1/clients/acme/imports', 'jo@one.example\n', { 'content-type': 'text/plain' })).status,
    202,
  );
});

t.test('headers that do not come to an end are answered 408', async t => {
  const office = await newOffice(t, { admin: HASTY });
  const [silent, slow] = [await dialRaw(office.url), await dialRaw(office.url)];
  slow.socket.write('GET /openapi.json HTTP/1.1\r\nHost: here\r\nX-Slow: ');
  t.match(await slow.ended, /^HTTP\/1\.1 408 /);
  await silent.ended;
});

t.test('an upload that is slow gives its place to another client, one that is not keeps it', async t => {
  const office = await newOffice(t, { admin: HASTY });
  await addThird(office);
  const places = await slowUploads(t, office, 'imports');
  for (const { token, client } of places) await until('an upload', async () => (await jobOf(office, token, client))?.state === 'receiving');
  const { token } = await office.token('client', { client: 'third' });
  const ask = () => office.withToken(token)('POST', '/v1/clients/third/imports', 'jo@one.example\n', { 'content-type': 'text/plain' });
  await until('a place', async () => (await ask()).status === 202);
  const said = await Promise.race(places.map(({ upload }) => upload.ended));
  t.match(said, /^HTTP\/1\.1 408 [\s\S]*others wait/);
  const states = await Promise.all(places.map(async ({ client, token }) => (await jobOf(office, token, client))?.state));
  t.same(states.sort(), ['interrupted', 'receiving'], 'one of them is enough');
});

t.test('a list that is screened slowly gives its place, too', async t => {
  const office = await newOffice(t, { admin: HASTY });
  await addThird(office);
  const slow = await slowUploads(t, office, 'screening');
  const { token } = await office.token('client', { client: 'third' });
  const ask = async () => (await office.withToken(token)('POST', '/v1/clients/third/screening', { addresses: ['jo@one.example'] })).status;
  await until('a place', async () => (await ask()) === 200);
  t.match(await Promise.race(slow.map(({ upload }) => upload.ended)), /^HTTP\/1\.1 408 [\s\S]*others wait/);
});

t.test('a body without Content-Length is held to its limit while it comes', async t => {
  const server = createServer(async (request, response) => {
    let octets = 0;
    try {
      for await (const piece of bodyOf(request, { limit: 100_000, patienceMs: 10_000 }) ?? []) octets += piece.length;
      response.end(String(octets));
    } catch (error) {
      response.writeHead(error instanceof BodyRefused ? error.statusCode : 500, { connection: 'close' }).end();
    }
  });
  t.teardown(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sent = async (size: number) => {
    const upload = await dialRaw(url);
    upload.socket.write(
      `POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk('x'.repeat(size))}0\r\n\r\n`,
    );
    return (await upload.ended).split('\r\n')[0];
  };
  t.equal(await sent(100_000), 'HTTP/1.1 200 OK');
  t.equal(await sent(100_001), 'HTTP/1.1 413 Payload Too Large');
});

t.test('a file that says that it is too long is refused before its first octet', async t => {
  const office = await newOffice(t);
  const { token } = await office.token('client');
  const upload = await dialRaw(office.url);
  upload.socket.write(head('/v1/clients/acme/imports', token, 'Content-Type: text/plain', `Content-Length: ${17 * 1024 ** 3}`));
  t.match(await upload.ended, /^HTTP\/1\.1 413 [\s\S]*"type":"too-large"/);
  t.equal(await jobOf(office, token), undefined);
});

t.test('an import does not fill the disk', async t => {
  let roomy = false;
  const office = await newOffice(t, { parts: { hasSpoolRoom: async () => roomy } });
  const { token } = await office.token('client');
  const ask = () => office.withToken(token)('POST', '/v1/clients/acme/imports', 'jo@one.example\n', { 'content-type': 'text/plain' });
  t.match(await ask(), { status: 507 });
  roomy = true;
  const upload = await dialRaw(office.url);
  upload.socket.write(head('/v1/clients/acme/imports', token, ...TEXT) + chunk('jo@one.example\n'));
  await until('an upload', async () => (await jobOf(office, token))?.state === 'receiving');
  roomy = false;
  t.match(await upload.until(/"no-room"/), /^HTTP\/1\.1 507 /);
  t.match(await jobOf(office, token), { state: 'failed', problem: /nearly full, and nothing went in/ });
  const GIB = 1024 ** 3;
  t.same(
    [
      { bavail: 0.4 * GIB, blocks: 100 * GIB, bsize: 1 },
      { bavail: 0.6 * GIB, blocks: 100 * GIB, bsize: 1 },
      { bavail: 0.05 * GIB, blocks: 0.1 * GIB, bsize: 1 },
    ].map(isRoomy),
    [false, true, true],
  );
});

t.test('connections from one network are bounded', async t => {
  const office = await newOffice(t);
  const open = [];
  for (let i = 0; i < MAX_CONNECTIONS.each; i++) open.push(await dialRaw(office.url));
  const more = await dialRaw(office.url);
  t.equal(await more.ended, '', 'closed without an answer');
  open.pop()?.socket.destroy();
  await until('a place', async () => {
    const next = await dialRaw(office.url);
    next.socket.write('GET /health/live HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n');
    return (await next.ended).startsWith('HTTP/1.1 200');
  });
  for (const { socket } of open) socket.destroy();
});

t.test('requests a minute are bounded, and who has to wait is told how long', async t => {
  const clock = { at: 0, now: () => clock.at };
  const allowance = new Allowance(clock, 3);
  for (let i = 0; i < 3; i++) {
    t.equal(allowance.wait('jo'), 0);
    allowance.count('jo');
  }
  t.equal(allowance.wait('jo'), 60);
  t.equal(allowance.wait('ann'), 0);
  clock.at = 59_500;
  t.equal(allowance.wait('jo'), 1);
  clock.at = 60_000;
  t.equal(allowance.wait('jo'), 0);

  const office = await newOffice(t);
  const good = await office.as('operator');
  let last = await office.ask('GET', '/v1/clients');
  for (let i = 0; i < 700 && last.status === 401; i++) last = await office.ask('GET', '/v1/clients');
  t.match(last, { status: 429 });
  t.match(last.json(), { type: 'too-many-requests' });
  t.match(last.headers.get('retry-after'), /^[1-9]\d?$/);
  t.equal((await good('GET', '/v1/session')).status, 429, 'it is the network that waits');
  office.clock.offset += 61_000;
  t.equal((await good('GET', '/v1/session')).status, 200);
});

/** Progress as server-sent events: so many readers, no longer than they may, at their own pace. */
import { once } from 'node:events';
import Fastify from 'fastify';
import t, { type Test } from 'tap';
import { tellEvents } from '../../src/admin/event-stream.ts';
import { Seats } from '../../src/admin/seats.ts';
import { until } from '../support/until.ts';
import { dialRaw } from './raw.ts';
import { good, newOffice, type Office } from './support.ts';

const CLI = { by: 'test', from: 'cli' };
const IMPORTS = '/v1/clients/acme/imports';

/** An upload that goes on until the test ends, and how to read its events. */
async function running(t: Test, office: Office) {
  const { token } = await office.token('client');
  const upload = await dialRaw(office.url);
  const head = ['Host: here', `Authorization: Bearer ${token}`, 'Content-Type: text/plain', 'Transfer-Encoding: chunked', '', ''];
  upload.socket.write([`POST ${IMPORTS} HTTP/1.1`, ...head].join('\r\n'));
  const feed = setInterval(() => upload.socket.write(`400\r\n${'# nothing\n'.repeat(102)}####\r\n`), 100);
  t.teardown(() => clearInterval(feed));
  const ask = office.withToken(token);
  const location = await until('an upload', async () => {
    const [job] = (await ask('GET', IMPORTS)).json<{ items: { id: string }[] }>().items;
    return job && `${IMPORTS}/${job.id}`;
  });
  const events = async (of: string) => {
    const stream = await dialRaw(office.url);
    stream.socket.write(`GET ${location}/events HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${of}\r\n\r\n`);
    return stream;
  };
  return { upload, token, ask, location, events };
}

t.test('streams end with the token, the account or the job that they are of', async t => {
  const office = await newOffice(t, { admin: { patienceSeconds: 5 } });
  const { upload, location, events } = await running(t, office);
  const revoked = await office.token('client');
  const disabled = await office.token('client');
  const [first, second, last] = [
    await events(revoked.token),
    await events(disabled.token),
    await events((await office.token('client')).token),
  ];
  for (const stream of [first, second, last]) await stream.until(/event: progress/);
  const owner = office.withToken(revoked.token);
  const [issued] = (await owner('GET', '/v1/session/tokens')).json<{ items: { id: string }[] }>().items;
  t.equal((await owner('DELETE', `/v1/session/tokens/${issued?.id}`)).status, 204);
  good(await office.house.accounts.directory.update(disabled.name, { disabled: true }, CLI));
  for (const stream of [first, second]) t.match(await stream.until(/\r\n0\r\n\r\n$/), /^HTTP\/1\.1 200 /);
  t.notMatch(first.text(), /event: end/);
  upload.socket.destroy();
  t.match(await last.until(/\r\n0\r\n\r\n$/), /id: end\nevent: end\ndata: .*"state":"interrupted"/, 'the last of all tells how it ended');
  for (const { socket } of [first, second, last]) socket.destroy();
  const { token } = await office.token('client');
  const again = await office.withToken(token)('GET', `${location}/events`, undefined, { 'last-event-id': 'end' });
  t.equal(again.status, 204, 'a browser that comes back for more is told that there is none');
});

t.test('so many streams of one account, so many in all', async t => {
  const office = await newOffice(t);
  const { upload, token, ask, location, events } = await running(t, office);
  const open = [];
  for (let i = 0; i < 4; i++) open.push(await events(token));
  for (const stream of open) await stream.until(/event: progress/);
  const more = await ask('GET', `${location}/events`);
  t.match(more, { status: 429 });
  t.match(more.headers.get('retry-after'), /^\d+$/);
  const other = await events((await office.token('client')).token);
  await other.until(/event: progress/);
  open[0]?.socket.destroy();
  const next = await until('a seat', async () => {
    const stream = await events(token);
    const said = await stream.until(/event: progress|"too-many-requests"/);
    if (/event: progress/.test(said)) return stream;
    stream.socket.destroy();
    return undefined;
  });
  for (const { socket } of [...open, other, next, upload]) socket.destroy();

  const seats = new Seats({ each: 2, all: 3 });
  const leave = seats.take('jo');
  t.same(
    [seats.take('jo'), seats.take('jo'), seats.take('ann'), seats.take('kim')].map(seat => seat !== undefined),
    [true, false, true, false],
  );
  leave?.();
  leave?.();
  t.same(
    [seats.take('kim'), seats.take('kim')].map(seat => seat !== undefined),
    [true, false],
  );
});

t.test('for a reader who takes nothing, nothing is put aside, and it is cut off', async t => {
  const app = Fastify();
  let pending = 0;
  let looks = 0;
  app.get('/events', async (request, reply) => {
    const look = async () => {
      pending = Math.max(pending, reply.raw.writableLength);
      looks += 1;
      return { event: 'progress', data: `${looks} ${'x'.repeat(4_000_000)}`, over: false };
    };
    await tellEvents(request, reply, { look, mayStay: async () => true, closing: new AbortController().signal, patienceMs: 2_000 });
    return reply;
  });
  t.teardown(() => app.close());
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const accepted = once(app.server, 'connection');
  const { socket } = await dialRaw(url);
  const [connection] = await accepted;
  const cut = once(connection, 'close');
  socket.pause();
  socket.write('GET /events HTTP/1.1\r\nHost: here\r\n\r\n');
  await cut;
  t.ok(looks > 3, 'it was looked at while nothing went out');
  t.ok(pending < 3 * 4_000_000, `${pending} octets put aside at most`);
  socket.destroy();
});

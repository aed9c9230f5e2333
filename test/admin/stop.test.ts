/** The end of the admin API: running requests are answered, and nobody else holds it up. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import t from 'tap';
import { TEST_CERTIFICATE } from '../support/certificate.ts';
import { dialRaw } from './raw.ts';
import { newOffice, type Office } from './support.ts';

/** Longer than a test may take. */
const NO_LIMIT = 3_600_000;
const BODY = JSON.stringify({ entries: ['jo@customer.example'] });

/** A request that is under way, its body still to come. */
async function begun(office: Office) {
  const { token } = await office.token('operator');
  const connection = await dialRaw(office.url);
  const headers = [`Authorization: Bearer ${token}`, 'Content-Type: application/json', `Content-Length: ${BODY.length}`];
  const head = ['POST /v1/clients/acme/exclusions/batch HTTP/1.1', 'Host: here', ...headers, 'Expect: 100-continue', '', ''];
  connection.socket.write(head.join('\r\n'));
  await connection.until(/100 Continue/);
  return connection;
}

t.test('a running request is answered; a connection that asked nothing yet, or only half, ends at once', async t => {
  const office = await newOffice(t);
  const running = await begun(office);
  const [silent, half] = [await dialRaw(office.url), await dialRaw(office.url)];
  half.socket.write('GET /health/live HTTP/1.1\r\n');
  t.match(await office.ask('GET', '/health/live'), { status: 200 }, 'and its connection stays for the next one');
  const stopped = office.admin.stop(NO_LIMIT);
  t.same([await silent.ended, await half.ended], ['', '']);
  running.socket.write(BODY);
  t.match(await running.ended, /HTTP\/1\.1 200 .*"added":1/s);
  await stopped;
});

t.test('what takes longer than the limit is cut off', async t => {
  const office = await newOffice(t);
  const running = await begun(office);
  await office.admin.stop(1);
  t.notMatch(await running.ended, /"added"/);
});

t.test('the same over TLS, before the handshake and after it', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'postern-admin-stop-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const tls = { cert: join(dir, 'admin.crt'), key: join(dir, 'admin.key') };
  for (const which of ['cert', 'key'] as const) writeFileSync(tls[which], TEST_CERTIFICATE[which]);
  const office = await newOffice(t, { admin: { tls } });
  const before = await dialRaw(office.url);
  const after = connect({ host: '127.0.0.1', port: Number(new URL(office.url).port), rejectUnauthorized: false });
  await once(after, 'secureConnect');
  after.on('error', () => undefined);
  const ended = [before.ended, once(after, 'close')];
  await office.admin.stop(NO_LIMIT);
  await Promise.all(ended);
});

/** What holds for every route: who may, what a no looks like, and that the listener is TLS or loopback. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import t from 'tap';
import { assertGuarded } from '../../src/admin/access.ts';
import { adminProblems } from '../../src/admin/options.ts';
import { createLog } from '../../src/ops/log.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { TEST_CERTIFICATE } from '../support/certificate.ts';
import { newSite } from '../support/site.ts';
import { until } from '../support/until.ts';
import { newOffice } from './support.ts';

const PROBLEM = { 'content-type': 'application/problem+json; charset=utf-8' };

t.test('what is wrong with a request is told as a problem, with the field and the fix', async t => {
  const office = await newOffice(t);
  const admin = await office.as('admin');
  const table: [Promise<Awaited<ReturnType<typeof admin>>>, number, object][] = [
    [office.ask('GET', '/nowhere?of=jo@acme.example'), 404, { type: 'not-found' }],
    [office.ask('PUT', '/v1/session'), 405, { type: 'method-not-allowed' }],
    [office.ask('GET', '/v1/session'), 401, { type: 'unauthenticated' }],
    [office.withToken('postern_wrong')('GET', '/v1/session'), 401, { type: 'unauthenticated' }],
    [admin('POST', '/v1/accounts', '{"name":', { 'content-type': 'application/json' }), 400, { type: 'bad-request' }],
    [admin('POST', '/v1/accounts', 'name=jo', { 'content-type': 'text/plain' }), 415, { type: 'unsupported-media-type' }],
    [admin('POST', '/v1/accounts', { name: 'x'.repeat(2_000_000) }), 413, { type: 'too-large' }],
    [admin('POST', '/v1/accounts', { name: 'jo' }), 422, { errors: [{ field: 'role', fix: /one of admin/ }] }],
    [admin('POST', '/v1/accounts', { name: 'jo', role: 'king' }), 422, { errors: [{ field: 'role', fix: /one of admin/ }] }],
    [
      admin('POST', '/v1/accounts', { name: 'jo', role: 'admin', rol: 1 }),
      422,
      { errors: [{ field: 'rol', fix: /there are name, role/ }] },
    ],
    [admin('POST', '/v1/accounts', { name: 'jo', role: 'client' }), 422, { errors: [{ field: 'client', fix: /name its client/ }] }],
    [admin('GET', '/v1/accounts/nobody'), 404, { type: 'not-found' }],
  ];
  for (const [asked, status, body] of table) {
    const answer = await asked;
    t.match(answer, { status }, `${status} ${JSON.stringify(body)}`);
    t.match(Object.fromEntries(answer.headers), PROBLEM);
    t.match(answer.json(), { status, title: /./, ...body });
    t.match(answer.headers.get('x-request-id'), /^[0-9a-f]{16}$/);
    t.equal(answer.headers.get('cache-control'), 'no-store');
    t.notMatch(answer.text, / at .*\.ts/);
  }
  const { headers } = await office.ask('PUT', '/v1/session');
  t.equal(headers.get('allow'), 'DELETE, GET, HEAD, POST');
  t.notMatch(headers.get('strict-transport-security'), /includeSubDomains/, 'nothing is said of other hosts');
});

t.test('a store without an answer is 503, with Retry-After', async t => {
  const office = await newOffice(t);
  const admin = await office.as('admin');
  const { store } = office.house;
  const find = store.find.bind(store);
  store.find = async () => {
    throw new StoreUnavailable('down');
  };
  const answer = await admin('GET', '/v1/accounts');
  store.find = find;
  t.match(answer, { status: 503 });
  t.match(answer.json(), { type: 'unavailable' });
  t.equal(answer.headers.get('retry-after'), '5');
  t.match(await admin('GET', '/v1/accounts'), { status: 200 });
});

t.test('a route that does not say who may use it, or lets a client out of its own, fails at start', async t => {
  const config = { roles: ['client'], scope: 'clients:read' } as const;
  t.throws(() => assertGuarded({ url: '/v1/x', method: 'GET' }), /needs config\.roles/);
  t.throws(() => assertGuarded({ url: '/v1/x', method: 'GET', config: { roles: ['admin'] } }), /needs config\.scope/);
  t.throws(() => assertGuarded({ url: '/v1/clients', method: 'GET', config }), /reaches its own client/);
  t.throws(() => assertGuarded({ url: '/v1/clients/:id/lists', method: 'GET', config }), /under \/v1\/clients\/:client/);
  t.doesNotThrow(() => assertGuarded({ url: '/v1/clients/:client/lists', method: 'GET', config }));
});

t.test('A29: beyond this machine there is TLS, or no start', async t => {
  const problems = (listen: string, tls = {}) => adminProblems({ listen, tls, trustedProxies: [] }).join();
  for (const listen of ['127.0.0.1:0', '127.9.9.9:1', '[::1]:0', 'localhost:8025', 'off']) t.equal(problems(listen), '', listen);
  for (const listen of ['0.0.0.0:0', '[::]:0', '192.0.2.1:8025', 'admin.example:8025']) {
    t.match(problems(listen), /^admin\.tls: required/, listen);
    t.equal(problems(listen, { cert: 'c', key: 'k' }), '');
  }
  t.match(problems('here'), /^admin\.listen: /);
  t.match(problems('127.0.0.1:0', { cert: 'c' }), /^admin\.tls: cert and key/);

  const site = newSite({ admin: { listen: '0.0.0.0:0' } });
  t.teardown(() => site.close());
  t.match(await site.cli('serve'), { code: 2, stderr: /^postern: admin\.tls: required/ });
});

/** A folder with the test's certificate, as `admin.tls` names it. */
function newPair(t: { teardown(done: () => void): unknown }) {
  const dir = mkdtempSync(join(tmpdir(), 'postern-admin-tls-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const tls = { cert: join(dir, 'admin.crt'), key: join(dir, 'admin.key') };
  writeFileSync(tls.cert, TEST_CERTIFICATE.cert);
  writeFileSync(tls.key, TEST_CERTIFICATE.key);
  return tls;
}

/** Over a new connection: the status, and whose certificate was shown. */
function asked(url: string): Promise<{ status: number | undefined; shown: string }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(url);
    request({ host: '127.0.0.1', port, path: '/openapi.json', rejectUnauthorized: false, agent: false }, answer => {
      const shown = (answer.socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? '';
      answer.resume().once('end', () => resolve({ status: answer.statusCode, shown }));
    })
      .on('error', reject)
      .end();
  });
}

t.test('A29: with a certificate it speaks TLS, and nothing else', async t => {
  const office = await newOffice(t, { admin: { tls: newPair(t) } });
  await t.rejects(office.ask('GET', '/openapi.json'));
  t.equal((await asked(office.url)).status, 200);
});

t.test('A29: a new certificate is taken up without a signal; one that is not of the key is told, and the old one stays', async t => {
  const tls = newPair(t);
  const lines: string[] = [];
  const log = createLog('info', { write: line => void lines.push(line) });
  const office = await newOffice(t, { admin: { tls }, parts: { log }, watchMs: 50 });
  const first = (await asked(office.url)).shown;
  const pair = await generate([{ name: 'commonName', value: 'admin.example' }], { keyType: 'rsa', keySize: 2048, algorithm: 'sha256' });
  const second = new X509Certificate(pair.cert).fingerprint256;
  writeFileSync(tls.cert, pair.cert);
  await until('a word on the pair', () => lines.some(line => line.includes('admin.tls: ') && line.includes('no matching PEM')));
  t.same(await asked(office.url), { status: 200, shown: first }, 'RSA with a key of EC');
  writeFileSync(tls.key, pair.private);
  await until('the new certificate', async () => (await asked(office.url)).shown !== first);
  t.same(await asked(office.url), { status: 200, shown: second });
  t.notMatch(lines.join(''), /BEGIN|PRIVATE/);
});

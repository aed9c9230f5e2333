/** Behind a reverse proxy: whose word counts for where a caller is, and whose does not. */
import t from 'tap';
import { adminProblems } from '../../src/admin/options.ts';
import { createLog } from '../../src/ops/log.ts';
import { newOffice } from './support.ts';

const SESSION = '/v1/session';
const SETTINGS = { metrics: { from: ['198.51.100.0/24'] } };

t.test('A30: behind a trusted proxy the allow-list, the audit trail and metrics.from hold for the client', async t => {
  const office = await newOffice(t, { admin: { trustedProxies: ['127.0.0.1', '10.9.0.0/16'] }, settings: SETTINGS });
  const { token } = await office.token('operator', { ips: ['203.0.113.0/24'] });
  const from = (forwarded: string) => office.withToken(token)('GET', SESSION, undefined, { 'x-forwarded-for': forwarded });
  const table: [string, number, string][] = [
    ['203.0.113.7', 200, 'the client as the proxy tells'],
    ['198.51.100.9, 203.0.113.7', 200, 'what the client itself says of others does not count'],
    ['203.0.113.7, 198.51.100.9', 401, 'nor does what it says of itself: the right-most that is no proxy'],
    ['203.0.113.7, 10.9.3.4', 200, 'a proxy before the proxy'],
    ['203.0.113.7, 10.8.3.4', 401, 'no proxy'],
    ['::ffff:203.0.113.7', 200, 'an IPv4 address, as IPv6 writes it'],
    ['203.0.113.7, unknown', 400, 'no address at all'],
    ['203.0.113.7:4711', 400, 'an address with a port'],
  ];
  for (const [forwarded, status, why] of table) t.equal((await from(forwarded)).status, status, why);
  t.equal((await office.withToken(token)('GET', SESSION)).status, 401, 'the proxy itself');

  const { token: staff } = await office.token('operator', { ips: ['203.0.113.7'] });
  const headers = { 'x-forwarded-for': '203.0.113.7' };
  await office.withToken(staff)('POST', '/v1/clients/acme/exclusions', { address: 'jo@one.example' }, headers);
  const lines = [];
  for await (const { what, from } of office.house.audit.list('acme', { limit: 1 })) lines.push([what, from]);
  t.same(lines, [['exclusion.add', '203.0.113.7']]);

  const scraped = (forwarded: string) => office.ask('GET', '/metrics', undefined, { 'x-forwarded-for': forwarded });
  t.equal((await scraped('198.51.100.9')).status, 200);
  t.equal((await scraped('203.0.113.7')).status, 401);
});

t.test('A30: the lock-out behind a trusted proxy is of the client, not of everybody', async t => {
  const office = await newOffice(t, { admin: { trustedProxies: ['127.0.0.1'] } });
  const { name } = await office.token('operator');
  const fail = (ip: string) => office.ask('POST', SESSION, { account: name, password: 'a wrong long password' }, { 'x-forwarded-for': ip });
  let status = 0;
  for (let i = 0; i < 10 && status !== 429; i++) ({ status } = await fail('203.0.113.7'));
  t.equal(status, 429);
  t.equal((await fail('203.0.113.8')).status, 401);
});

t.test('A30: without trusted proxies, X-Forwarded-For is what anybody may write', async t => {
  const office = await newOffice(t, { settings: SETTINGS });
  const { token } = await office.token('operator', { ips: ['203.0.113.0/24'] });
  const headers = { 'x-forwarded-for': '203.0.113.7' };
  t.equal((await office.withToken(token)('GET', SESSION, undefined, headers)).status, 401);
  t.equal((await office.ask('GET', '/metrics', undefined, { 'x-forwarded-for': '198.51.100.9' })).status, 401);
  const { token: here } = await office.token('operator', { ips: ['127.0.0.1'] });
  t.equal((await office.withToken(here)('GET', SESSION, undefined, headers)).status, 200);
});

t.test('A30: a proxy that nobody named opens /metrics to none of those behind it, and the log says so once', async t => {
  const lines: string[] = [];
  const log = createLog('warn', { write: line => void lines.push(line) });
  const office = await newOffice(t, { parts: { log } });
  t.equal((await office.ask('GET', '/metrics')).status, 200, 'from this machine');
  for (const header of ['x-forwarded-for', 'forwarded'])
    t.equal((await office.ask('GET', '/metrics', undefined, { [header]: '203.0.113.7' })).status, 401, header);
  const reader = await office.as('operator');
  t.equal((await reader('GET', '/metrics', undefined, { 'x-forwarded-for': '203.0.113.7' })).status, 200, 'with a token');
  t.equal(lines.filter(line => line.includes('admin.trustedProxies')).length, 1);
  t.notMatch(lines.join(''), /203\.0/);
});

t.test('A30: what is no proxy is told at start, with the key and the fix', async t => {
  const problems = (...trustedProxies: string[]) => adminProblems({ listen: '127.0.0.1:0', tls: {}, trustedProxies });
  t.same(problems('127.0.0.1', '10.1.2.0/24', 'fd00:1::/64'), []);
  t.match(problems('nginx'), [/^admin\.trustedProxies: "nginx" is no address and no network; write/]);
  t.match(problems('10.0.0.0/40'), [/^admin\.trustedProxies: /]);
  for (const wide of ['0.0.0.0/0', '::/0'])
    t.match(problems(wide), [/^admin\.trustedProxies: .* is too wide: .*; name the proxies alone$/]);
});

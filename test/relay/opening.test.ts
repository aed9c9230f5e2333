/** How a connection is made safe before mail goes: STARTTLS as the URL demands, certificates, logins, and what happens where it cannot be. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { TEST_CERTIFICATE } from '../support/certificate.ts';
import { type SinkAnswer, type SinkOptions, type SinkStage, startSink } from '../support/sink.ts';
import { envelope, lossOf, MESSAGE, smarthost, until } from './relaying.ts';

const folder = mkdtempSync(join(tmpdir(), 'relay-'));
const CA = join(folder, 'ca.pem');
writeFileSync(CA, TEST_CERTIFICATE.cert);
t.teardown(() => rm(folder, { recursive: true }));

const login = { user: 'gate', password: 'p@ss w\u00f6rd' };
const WITH_LOGIN = `gate:${encodeURIComponent(login.password)}@`;

interface Case {
  readonly name: string;
  readonly sink: SinkOptions;
  readonly query: string;
  readonly login?: string;
  /** What the mail went under, or what the loss says. */
  readonly expected: 'clear' | 'tls' | RegExp;
}

const cases: readonly Case[] = [
  { name: 'may, offered: any certificate will do', sink: { tls: 'starttls' }, query: '', expected: 'tls' },
  { name: 'may, not offered', sink: {}, query: '?starttls=may', expected: 'clear' },
  { name: 'off, offered', sink: { tls: 'starttls' }, query: '?starttls=off', expected: 'clear' },
  { name: 'require, trusted', sink: { tls: 'starttls' }, query: `?starttls=require&ca=${CA}`, expected: 'tls' },
  {
    name: 'require, trusted by another name',
    sink: { tls: 'starttls' },
    query: `?starttls=require&ca=${CA}&servername=sink.example`,
    expected: 'tls',
  },
  {
    name: 'require, wrong name',
    sink: { tls: 'starttls' },
    query: `?starttls=require&ca=${CA}&servername=other.example`,
    expected: /ERR_TLS_CERT_ALTNAME_INVALID/,
  },
  {
    name: 'require, untrusted',
    sink: { tls: 'starttls' },
    query: '?starttls=require',
    expected: /TLS handshake failed \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
  },
  { name: 'require, untrusted, insecure', sink: { tls: 'starttls' }, query: '?starttls=require&tls=insecure', expected: 'tls' },
  { name: 'require, not offered', sink: {}, query: '?starttls=require', expected: /offers no STARTTLS/ },
  { name: 'require, HELO only', sink: { extensions: 'helo' }, query: '?starttls=require', expected: /offers no STARTTLS/ },
  { name: 'may, HELO only', sink: { extensions: 'helo' }, query: '', expected: 'clear' },
  {
    name: 'require, a ca that is not there',
    sink: { tls: 'starttls' },
    query: '?starttls=require&ca=/nonexistent/ca.pem',
    expected: /cannot be read \(ENOENT\)/,
  },
  { name: 'implicit, trusted', sink: { tls: 'implicit' }, query: `?ca=${CA}`, expected: 'tls' },
  {
    name: 'implicit, wrong name',
    sink: { tls: 'implicit' },
    query: `?ca=${CA}&servername=other.example`,
    expected: /ERR_TLS_CERT_ALTNAME_INVALID/,
  },
  { name: 'implicit, untrusted', sink: { tls: 'implicit' }, query: '', expected: /DEPTH_ZERO_SELF_SIGNED_CERT/ },
  {
    name: 'login: TLS is required and verified',
    sink: { tls: 'starttls', login },
    query: '',
    login: WITH_LOGIN,
    expected: /DEPTH_ZERO_SELF_SIGNED_CERT/,
  },
  { name: 'login, PLAIN', sink: { tls: 'starttls', login }, query: `?ca=${CA}`, login: WITH_LOGIN, expected: 'tls' },
  {
    name: 'login, LOGIN',
    sink: { tls: 'implicit', login: { ...login, mechanisms: 'LOGIN' } },
    query: `?ca=${CA}`,
    login: WITH_LOGIN,
    expected: 'tls',
  },
  {
    name: 'login, no mechanism in common',
    sink: { tls: 'implicit', login: { ...login, mechanisms: 'GSSAPI' } },
    query: `?ca=${CA}`,
    login: WITH_LOGIN,
    expected: /neither AUTH PLAIN nor/,
  },
  {
    name: 'login, wrong password',
    sink: { tls: 'starttls', login },
    query: `?ca=${CA}`,
    login: 'gate:hush@',
    expected: /answered AUTH with 535 5\.7\.8$/,
  },
  {
    name: 'login, LOGIN, wrong password',
    sink: { tls: 'starttls', login: { ...login, mechanisms: 'LOGIN' } },
    query: `?ca=${CA}`,
    login: 'gate:hush@',
    expected: /with 535 5\.7\.8$/,
  },
  {
    name: 'login, may, no TLS: not sent',
    sink: { login },
    query: '?starttls=may',
    login: WITH_LOGIN,
    expected: /no password is sent without TLS/,
  },
  { name: 'login, off: as the operator said', sink: { login }, query: '?starttls=off', login: WITH_LOGIN, expected: 'clear' },
];

for (const { name, sink: options, query, login: user = '', expected } of cases) {
  t.test(`A29: ${name}`, async t => {
    const sink = await startSink(options);
    const upstream = smarthost(sink.url(query).replace('://', `://${user}`));
    if (expected instanceof RegExp) {
      for (const run of [() => upstream.verify(), () => upstream.relay(envelope(['a@x.example']), [MESSAGE])]) {
        const loss = await lossOf(run());
        t.match(loss?.message, expected);
        t.notMatch(loss?.message, /hush|p@ss|gate:/, 'no secret is told');
        t.equal(loss?.dotSent, false);
      }
      t.equal(sink.transactions.length, 0, 'no mail before it is safe');
      t.notOk(
        sink.sessions.some(({ commands, secure }) => !secure && commands.some(line => /^AUTH/.test(line))),
        'no password in clear',
      );
    } else {
      await upstream.verify();
      t.equal((await upstream.relay(envelope(['a@x.example']), [MESSAGE])).stage, 'done');
      t.equal(sink.messages[0]?.secure, expected === 'tls');
      t.equal(sink.messages[0]?.session.user, user === '' ? undefined : 'gate');
      t.same(sink.sessions[0]?.commands.slice(-2), ['NOOP', 'QUIT'], 'verified up to NOOP');
    }
    await upstream.close();
    t.ok(await until(() => sink.open === 0), 'nothing left open');
    await sink.close();
  });
}

t.test('what answers wrongly on the way', async t => {
  const table: [string, SinkStage, SinkAnswer, string, RegExp | 'clear'][] = [
    ['greeting 554', 'connect', '554 5.7.1 Go away', '', /answered the connection with 554 5\.7\.1/],
    ['greeting 421', 'connect', '421 4.3.2 Busy', '', /421/],
    ['no SMTP at all', 'connect', 'SSH-2.0-x', '', /no reply/],
    ['EHLO 421', 'ehlo', '421 4.3.2 Busy', '', /421/],
    ['EHLO 451', 'ehlo', '451 4.3.2 Busy', '', /answered EHLO with 451/],
    ['HELO refused too', 'ehlo', '550 5.7.1 No', '', 'clear'],
    ['STARTTLS 454, may', 'starttls', '454 4.7.0 Not now', '', 'clear'],
    ['STARTTLS 454, require', 'starttls', '454 4.7.0 Not now', '?starttls=require', /answered STARTTLS with 454/],
    ['no handshake, may', 'starttls', { reply: '220 Go on', upgrade: false }, '', /TLS handshake/],
    ['no handshake, require', 'starttls', { reply: '220 Go on', upgrade: false }, '?starttls=require', /TLS handshake/],
    ['closed instead of a handshake', 'starttls', { reply: '220 Go on', end: 'close' }, '', /TLS handshake|closed/],
    ['silent instead of a handshake', 'starttls', { reply: '220 Go on', end: 'stall' }, '', /no TLS handshake within/],
    [
      'clear text slipped in behind STARTTLS',
      'starttls',
      { reply: '220 Go on', raw: '250-sink.example\r\n250 AUTH PLAIN\r\n' },
      '?tls=insecure',
      /reply to nothing/,
    ],
    [
      'half a reply slipped in behind STARTTLS',
      'starttls',
      { reply: '220 Go on', raw: '250-sink' },
      '?starttls=require&tls=insecure',
      /reply to nothing/,
    ],
    ['NOOP refused', 'noop', '502 5.5.1 What', '', /answered NOOP with 502/],
  ];
  for (const [name, at, answer, query, expected] of table) {
    const sink = await startSink({ tls: 'starttls', script: ({ stage }) => (stage === at ? answer : undefined) });
    const upstream = smarthost(sink.url(query), { timeouts: { connect: name.startsWith('silent') ? 300 : 10_000 } });
    const loss = await lossOf(upstream.verify());
    if (expected === 'clear') t.equal(loss, undefined, name);
    else t.match(loss?.message, expected, name);
    t.ok(await until(() => sink.open === 0), `${name}: nothing left open`);
    await upstream.close();
    await sink.close();
  }
});

t.test('nobody listens, or nobody answers', async t => {
  const server = createServer(socket => socket.on('error', () => {}).resume());
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const silent = smarthost(`smtps://127.0.0.1:${port}`, { timeouts: { connect: 60 } });
  t.match((await lossOf(silent.verify()))?.message, /no TLS handshake within 0\.06 s/);
  await silent.close();
  await new Promise(resolve => server.close(resolve));
  const absent = smarthost(`smtp://127.0.0.1:${port}`);
  t.match((await lossOf(absent.verify()))?.message, /connection failed \(ECONNREFUSED\)/);
  await absent.close();
});

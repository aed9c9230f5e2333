/** Mailbox URLs: every form that is read, every one that is refused, no secret in what is said; and who a server must prove to be before it is told any. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseMailboxUrl } from '../../src/inbound/mailbox-url.ts';
import { TEST_CERTIFICATE } from '../support/certificate.ts';
import { accessToken, dovecotMissing, PASSWORD } from '../support/dovecot.ts';
import { until } from '../support/until.ts';
import { letter, newRoom, seen, USER } from './reading-room.ts';

const skip = dovecotMissing();

t.test('what a URL means', async t => {
  const usual = { user: 'u@x.example', password: 'p/w ö', token: undefined, servername: undefined, ca: undefined, insecure: false };
  const login = 'u%40x.example:p%2Fw%20%C3%B6';
  const table: [string, object][] = [
    [`imaps://${login}@Imap.Example`, { ...usual, host: 'imap.example', port: 993, tls: 'implicit' }],
    [`imaps://${login}@10.0.0.1:10993/?tls=insecure`, { ...usual, host: '10.0.0.1', port: 10993, tls: 'implicit', insecure: true }],
    [
      `imaps://${login}@10.0.0.1?servername=imap.example&ca=/etc/ca.pem`,
      { ...usual, host: '10.0.0.1', port: 993, tls: 'implicit', servername: 'imap.example', ca: '/etc/ca.pem' },
    ],
    [`imap://${login}@imap.example`, { ...usual, host: 'imap.example', port: 143, tls: 'require' }],
    [`imap://${login}@imap.example?starttls=require`, { ...usual, host: 'imap.example', port: 143, tls: 'require' }],
    [`imap://${login}@[::1]:1143?starttls=off`, { ...usual, host: '::1', port: 1143, tls: 'off' }],
    [`imap://${login}@127.0.0.2?starttls=off`, { ...usual, host: '127.0.0.2', port: 143, tls: 'off' }],
    [
      'imaps://u%40x.example@imap.example?token=/run/token',
      { ...usual, password: undefined, token: '/run/token', host: 'imap.example', port: 993, tls: 'implicit' },
    ],
  ];
  for (const [text, expected] of table) t.same(parseMailboxUrl(text), expected, text);
});

t.test('what is no mailbox URL, told without its secrets', async t => {
  const table: [string, RegExp][] = [
    ['imap.example', /not a URL/],
    ['pop3://hush:secret@imap.example', /must begin with imap:\/\/ or imaps:\/\//],
    ['imaps://hush:secret@imap.example/INBOX', /must end/],
    ['imaps://imap.example', /needs a user name/],
    ['imaps://hush@imap.example', /needs a user name/],
    ['imaps://hush:secret@imap.example?token=/run/token', /needs a user name and either/],
    ['imaps://hush@imap.example?token=token', /absolute/],
    ['imaps://hush:secret@imap.example?starttls=off', /no meaning/],
    ['imap://hush:secret@imap.example?starttls=may', /starttls/],
    ['imap://hush:secret@imap.example?starttls=off', /in clear/],
    ['imap://hush:secret@127.0.0.1.evil.example?starttls=off', /in clear/],
    ['imaps://hush:secret@imap.example?folder=INBOX', /unknown parameter/],
  ];
  for (const [text, expected] of table) {
    const parsed = parseMailboxUrl(text);
    t.match('problem' in parsed ? parsed.problem : 'no problem', expected, text);
    t.notMatch(JSON.stringify(parsed), /hush|secret/, `${text}: told without its secrets`);
  }
});

t.test('A29: TLS from the first octet or by STARTTLS, with a server that proves who it is', { skip }, async t => {
  const room = await newRoom(t);
  const { port, tlsPort } = room.dovecot;
  const ca = join(room.desk.dir, 'ca.pem');
  writeFileSync(ca, TEST_CERTIFICATE.cert);
  const login = (user: string) => `${encodeURIComponent(user)}:${encodeURIComponent(PASSWORD)}`;
  const good: [string, string][] = [
    ['a', `imaps://${login('a')}@127.0.0.1:${tlsPort}?ca=${ca}`],
    ['b', `imap://${login('b')}@127.0.0.1:${port}?ca=${ca}`],
    ['c', `imaps://${login('c')}@localhost:${tlsPort}?ca=${ca}`],
    ['d', `imap://${login('d')}@127.0.0.1:${port}?ca=${ca}&servername=sink.example`],
    ['e', `imaps://${login('e')}@127.0.0.1:${tlsPort}?tls=insecure`],
  ];
  const bad: [string, string][] = [
    ['untrusted', `imaps://${login('v')}@127.0.0.1:${tlsPort}`],
    ['untrusted-starttls', `imap://${login('w')}@127.0.0.1:${port}`],
    ['misnamed', `imaps://${login('x')}@127.0.0.1:${tlsPort}?ca=${ca}&servername=other.example`],
    ['misnamed-starttls', `imap://${login('y')}@127.0.0.1:${port}?ca=${ca}&servername=other.example`],
    ['no-ca', `imaps://${login('z')}@127.0.0.1:${tlsPort}?ca=${ca}.gone`],
  ];
  for (const [user] of good) await room.dovecot.append(user, letter(user));
  const before = room.dovecot.logins();
  room.read([...good, ...bad].map(([name, url]) => ({ name, url })));
  await until('all good ones', () => room.arrivals.length >= good.length);
  t.same(new Set(room.subjects()), new Set(good.map(([name]) => name)));
  await until('all bad ones', () => room.alarms().length >= bad.length);
  t.same(
    room.alarms(),
    bad.map(() => 'mailbox-unreadable'),
  );
  t.equal(room.dovecot.logins() - before, good.length);
  t.equal((room.dovecot.log().match(/Login: .*, TLS/g) ?? []).length, good.length, 'nobody logged in but under TLS');
  t.notMatch(room.logText(), new RegExp(PASSWORD));
});

t.test('an access token in place of a password, read anew at every login', { skip }, async t => {
  const room = await newRoom(t);
  const { dovecot } = room;
  const file = join(room.desk.dir, 'token');
  writeFileSync(file, accessToken(USER, Date.now() - 60_000));
  await dovecot.append(USER, letter('one'));
  room.read({ url: `imap://${encodeURIComponent(USER)}@127.0.0.1:${dovecot.port}?starttls=off&token=${file}` });
  await until('the alarm: it is out of date', () => room.alarms().length === 1);
  const fresh = accessToken(USER, Date.now() + 3_600_000);
  writeFileSync(file, `${fresh}\n`);
  await seen(room, ['one']);
  t.match(dovecot.log(), /Login: user=<carol@acme.example>, method=XOAUTH2/);
  t.notOk(room.logText().includes(fresh.slice(-20)));
});

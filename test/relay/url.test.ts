/** Upstream URLs: every form that is read, every one that is refused, and no secret in what is said about either. */
import t from 'tap';
import { describe, parseUpstreamUrl } from '../../src/relay/url.ts';

const NOTHING = { login: undefined, servername: undefined, ca: undefined };
const LOGIN = { user: 'u@x.example', password: 'p/w ö' };

t.test('what a URL means', async t => {
  const table: [string, object][] = [
    ['smtp://relay.example', { ...NOTHING, host: 'relay.example', port: 25, tls: 'may', verified: false }],
    ['smtp://Relay.Example:2525/', { ...NOTHING, host: 'relay.example', port: 2525, tls: 'may', verified: false }],
    ['smtp://relay.example?starttls=off', { ...NOTHING, host: 'relay.example', port: 25, tls: 'off', verified: true }],
    ['smtp://relay.example?starttls=require', { ...NOTHING, host: 'relay.example', port: 25, tls: 'require', verified: true }],
    ['smtp://[::1]:26', { ...NOTHING, host: '::1', port: 26, tls: 'may', verified: false }],
    ['smtp://b%C3%BCcher.example', { ...NOTHING, host: 'xn--bcher-kva.example', port: 25, tls: 'may', verified: false }],
    [
      'smtp://u%40x.example:p%2Fw%20%C3%B6@relay.example',
      { ...NOTHING, login: LOGIN, host: 'relay.example', port: 25, tls: 'require', verified: true },
    ],
    [
      'smtp://u%40x.example:p%2Fw%20%C3%B6@relay.example?starttls=may',
      { ...NOTHING, login: LOGIN, host: 'relay.example', port: 25, tls: 'may', verified: true },
    ],
    ['smtps://relay.example', { ...NOTHING, host: 'relay.example', port: 465, tls: 'implicit', verified: true }],
    ['smtps://relay.example?tls=insecure', { ...NOTHING, host: 'relay.example', port: 465, tls: 'implicit', verified: false }],
    [
      'smtps://10.0.0.1:10465?servername=relay.example&ca=/etc/ca.pem',
      { host: '10.0.0.1', port: 10465, tls: 'implicit', login: undefined, servername: 'relay.example', ca: '/etc/ca.pem', verified: true },
    ],
  ];
  for (const [text, expected] of table) t.same(parseUpstreamUrl(text), expected, text);
});

t.test('what is no upstream URL, told without its secrets', async t => {
  const table: [string, RegExp][] = [
    ['', /not a URL/],
    ['relay.example:25', /must begin with/],
    ['http://relay.example', /must begin with/],
    ['smtp://', /host/],
    ['smtp://relay.example:0', /port 0/],
    ['smtp://relay.example:99999', /not a URL/],
    ['smtp://hush:secret@relay..exa mple', /URL|host/],
    ['smtp://hush:secret@-relay.example', /host/],
    ['smtp://hush:secret@relay.example/path', /must end/],
    ['smtp://hush:secret@relay.example#x', /must end/],
    ['smtp://hush:secret@relay.example?startls=off', /unknown parameter/],
    ['smtp://hush:secret@relay.example?starttls=yes', /starttls/],
    ['smtp://hush:secret@relay.example?starttls=off&starttls=require', /twice/],
    ['smtp://hush:secret@relay.example?tls=lax', /tls/],
    ['smtp://hush:secret@relay.example?ca=ca.pem', /absolute/],
    ['smtp://hush:secret@relay.example?servername=', /servername/],
    ['smtps://hush:secret@relay.example?starttls=require', /no meaning/],
    ['smtp://hush@relay.example', /without a password/],
    ['smtp://:secret@relay.example', /without a password/],
    ['smtp://hush:secret%ZZ@relay.example', /malformed|not a URL/],
    ['smtp://hush:secret%00@relay.example', /NUL/],
  ];
  for (const [text, expected] of table) {
    const parsed = parseUpstreamUrl(text);
    t.match('problem' in parsed ? parsed.problem : 'no problem', expected, text);
    t.notMatch(JSON.stringify(parsed), /hush|secret/, `${text}: told without its secrets`);
  }
});

t.test('a description names neither user nor password', async t => {
  const table = [
    ['smtp://hush:secret@relay.example', 'smtp://relay.example:25?starttls=require'],
    ['smtps://hush:secret@[::1]', 'smtps://[::1]:465'],
  ] as const;
  for (const [text, expected] of table) {
    const target = parseUpstreamUrl(text);
    t.equal('problem' in target ? target.problem : describe(target), expected);
  }
});

/** Command lines: the path exactly as sent, and one reply for each way to get it wrong. */
import t from 'tap';
import { replyLine } from '../../src/mail/reply.ts';
import { parseCommand, parseHelo, parseMail, parseRcpt } from '../../src/smtp/command.ts';
import { isReply } from '../../src/smtp/gate.ts';

const latin1 = (text: string) => Buffer.from(text).toString('latin1');
const verdict = (value: ReturnType<typeof parseMail> | ReturnType<typeof parseRcpt>) => (isReply(value) ? replyLine(value) : value.path);

t.test('verb and argument', async t => {
  t.same(parseCommand('mail FROM:<a@b.example>  '), { verb: 'MAIL', argument: 'FROM:<a@b.example>' });
  t.same(parseCommand('NOOP'), { verb: 'NOOP', argument: '' });
  t.same(parseCommand('NOOP   x y '), { verb: 'NOOP', argument: 'x y' });
  for (const line of ['', ' NOOP', '\tNOOP', '.', '<>', 'MAIL\tFROM', 'NÖOP']) t.equal(parseCommand(line), undefined, JSON.stringify(line));
});

t.test('A19: the gate gets what stands between the angles, untouched', async t => {
  const paths = [
    '',
    'a@b.example',
    'A.B+tag@B.Example.',
    '@relay.example,@other.example:a@b.example',
    '"a b"@b.example',
    '"a>b"@b.example',
    '"a\\">b"@b.example',
    'u%x@y.example',
    'h!u@y.example',
    '(c)u@y.example',
    'u,v@y.example',
    'u;v@y.example',
    'a@[127.0.0.1]',
    'postmaster',
    'a@xn--bcher-kva.example',
    'jörg@bücher.example',
    'a@b。example',
    '\ufeffa@b.example',
    ' a@b.example ',
    'a\u00adb@b.example',
    'a\tb@b.example',
  ];
  for (const path of paths) {
    t.equal(verdict(parseRcpt(latin1(`TO:<${path}>`))), path, JSON.stringify(path));
    t.equal(verdict(parseMail(latin1(`FROM:<${path}> SIZE=10`), 100)), path, JSON.stringify(path));
  }
  t.equal(verdict(parseRcpt('to: <a@b.example>')), 'a@b.example', 'a blank before the angle is borne');
});

t.test('syntax at RCPT and MAIL', async t => {
  const rcpt: [string, string][] = [
    ['TO:a@b.example', '501 5.5.4'],
    ['TO <a@b.example>', '501 5.5.4'],
    ['<a@b.example>', '501 5.5.4'],
    ['TO:<a@b.example', '501 5.5.4'],
    ['TO:<<a@b.example>>', '501 5.5.4'],
    ['TO:<a@b.example><c@d.example>', '501 5.5.4'],
    ['TO:<a@b.example>x', '501 5.5.4'],
    ['TO:<"a@b.example>', '501 5.5.4'],
    ['TO:<a@b.example> NOTIFY=NEVER', '555 5.5.4'],
    ['TO:<\xff@b.example>', '501 5.1.3'],
    ['TO:<\xc0\x80@b.example>', '501 5.1.3'],
  ];
  for (const [argument, start] of rcpt) t.ok(verdict(parseRcpt(argument)).startsWith(start), argument);
  const mail: [string, string][] = [
    ['FROM:<\xe4@b.example>', '501 5.1.7'],
    ['TO:<a@b.example>', '501 5.5.4'],
    ['FROM:<a@b.example> SIZE=101', '552 5.3.4'],
    ['FROM:<a@b.example> SIZE=999999999999999999999', '501 5.5.4'],
    ['FROM:<a@b.example> SIZE=', '501 5.5.4'],
    ['FROM:<a@b.example> SIZE', '501 5.5.4'],
    ['FROM:<a@b.example> SIZE=-1', '501 5.5.4'],
    ['FROM:<a@b.example> SIZE=1 SIZE=1', '501 5.5.4'],
    ['FROM:<a@b.example> size=1 Size=2', '501 5.5.4'],
    ['FROM:<a@b.example> BODY=BINARYMIME', '501 5.5.4'],
    ['FROM:<a@b.example> SMTPUTF8=1', '501 5.5.4'],
    ['FROM:<a@b.example> RET=FULL', '555 5.5.4'],
    ['FROM:<a@b.example> REQUIRETLS', '555 5.5.4'],
    ['FROM:<a@b.example> __proto__=1', '501 5.5.4'],
    ['FROM:<a@b.example> constructor=1', '555 5.5.4'],
    ['FROM:<a@b.example> =1', '501 5.5.4'],
  ];
  for (const [argument, start] of mail) t.ok(verdict(parseMail(argument, 100)).startsWith(start), argument);
});

t.test('parameters', async t => {
  t.same(parseMail('FROM:<> SIZE=100 body=8bitmime SMTPUTF8 AUTH=<>', 100), {
    path: '',
    parameters: { size: 100, utf8: true, body: '8bitmime' },
  });
  t.same(parseMail('FROM:<>  AUTH=a+2Bb@c.example', 100), { path: '', parameters: { size: undefined, utf8: false, body: '7bit' } });
});

t.test('a name that a Received field can bear', async t => {
  for (const name of ['client.example', '[127.0.0.1]', '[IPv6:::1]', 'MY_PC', "dave's-pc"]) t.equal(parseHelo(name), name);
  for (const name of ['', 'a b', 'a(b', 'a;b', 'a"b', 'a\\b', 'a\x01', 'bücher', 'x'.repeat(256)])
    t.equal(parseHelo(name), undefined, name);
});

t.test('a line of blanks costs no more than its length', async t => {
  const time = (length: number) => {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const line = `NOOP${' '.repeat(length)}x`;
      const start = performance.now();
      parseCommand(line);
      best = Math.min(best, performance.now() - start);
    }
    return best;
  };
  time(20_000);
  // 32 times the blanks; a square would be 1,024 times the time.
  t.ok(time(640_000) < time(20_000) * 300);
});

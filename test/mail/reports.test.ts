/** What reading reports needs beside their own formats: rewritten addresses, redactions, line ends, parts. */
import t from 'tap';
import { isRedacted, readFeedbackReport } from '../../src/mail/feedback-report.ts';
import { toCrlf } from '../../src/mail/line-ends.ts';
import { parseMessage } from '../../src/mail/message.ts';
import { MAX_PART, readParts } from '../../src/mail/parts.ts';
import { unwrapped, verpRecipient } from '../../src/mail/rewritten.ts';

t.test('SRS and BATV are undone, in layers; what cannot be is nobody', async t => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['jane@widgets.example', 'jane@widgets.example'],
    ['prvs=0123456789=jane@widgets.example', 'jane@widgets.example'],
    ['prvs=jane/0123456789@widgets.example', 'jane@widgets.example'],
    ['btv1==123abc456==jane@widgets.example', 'jane@widgets.example'],
    ['SRS0=AbCd=XY=widgets.example=jane@forward.example', 'jane@widgets.example'],
    ['srs0+AbCd=XY=widgets.example=jane=doe@forward.example', 'jane=doe@widgets.example'],
    ['SRS1=AbCd=first.example==EfGh=XY=widgets.example=jane@second.example', 'jane@widgets.example'],
    ['SRS0=AbCd=XY=widgets.example=prvs=0123456789=jane@forward.example', 'jane@widgets.example'],
    ['SRS0=AbCd@forward.example', undefined],
    ['SRS1=x@forward.example', undefined],
    [`${'SRS0=a=b=c.example='.repeat(12)}jane@forward.example`, undefined],
    ['jane', 'jane'],
  ];
  for (const [address, person] of cases) t.equal(unwrapped(address), person, address);
});

t.test('VERP', async t => {
  t.equal(verpRecipient('bounces+jane=widgets.example@sender.example'), 'jane@widgets.example');
  t.equal(verpRecipient('list-bounces-jane=widgets.example@sender.example'), undefined, 'no telling where the list ends');
  t.equal(verpRecipient('bounces+123+jane=widgets.example@sender.example'), 'jane@widgets.example');
  t.equal(verpRecipient('bounce-jane=widgets.example@sender.example'), 'jane@widgets.example');
  t.equal(verpRecipient('jane@widgets.example'), undefined);
  t.equal(verpRecipient('a=b@widgets.example'), undefined);
});

t.test('redactions', async t => {
  for (const value of [
    'hashed@x.example',
    '<redacted@x.example>',
    'REDACTED',
    '[Redacted]@x.example',
    '@x.example',
    `${'a1'.repeat(20)}@x.example`,
    'xxx@x.example',
  ])
    t.equal(isRedacted(value), true, value);
  for (const value of ['jane@x.example', '<jane.doe+tag@x.example>', 'deadbeef@x.example']) t.equal(isRedacted(value), false, value);
  t.match(readFeedbackReport('Version: 1'), { type: 'other', recipients: [], redacted: false });
});

t.test('line ends', async t => {
  for (const [from, to] of [
    ['a\nb\n', 'a\r\nb\r\n'],
    ['a\rb\r', 'a\r\nb\r\n'],
    ['a\r\nb\r\n', 'a\r\nb\r\n'],
    ['a\n\r\n\rb', 'a\r\n\r\n\r\nb'],
    ['', ''],
  ] as const)
    t.equal(toCrlf(Buffer.from(from)).toString(), to, JSON.stringify(from));
  const sound = Buffer.from('a\r\nb');
  t.equal(toCrlf(sound), sound, 'no copy where nothing changes');
});

t.test('parts of every type, decoded, and no more of one than a report is long', async t => {
  const mail = (body: string, type = 'multipart/report; boundary=b'): Buffer => toCrlf(Buffer.from(`Content-Type: ${type}\n\n${body}`));
  const parts = readParts(
    parseMessage(
      mail(
        `--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nf=FCr\n--b\nContent-Type: message/rfc822\n\nSubject: x\n\nbody\n--b\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\nU3RhdHVzOiA1LjEuMQ==\n--b--\n`,
      ),
    ),
  );
  t.same(
    parts.map(part => [part.type, part.text().trim()]),
    [
      ['text/plain', 'für'],
      ['message/rfc822', 'Subject: x\r\n\r\nbody'],
      ['message/delivery-status', 'Status: 5.1.1'],
    ],
  );
  t.same(
    readParts(parseMessage(mail('no boundary here', 'multipart/report'))).map(part => [part.type, part.text()]),
    [['text/plain', 'no boundary here']],
  );
  t.equal(readParts(parseMessage(mail('x'.repeat(MAX_PART + 9), 'text/plain')))[0]?.octets().length, MAX_PART);
});

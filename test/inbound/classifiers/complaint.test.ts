/** Complaints in the shapes of those who send them: whom they name, what was taken out, and what is no person's. */
import t from 'tap';
import { loadBounce } from '../../../src/inbound/classifiers/bounce.ts';
import { complaint } from '../../../src/inbound/classifiers/complaint.ts';
import type { Finding, Reading } from '../../../src/inbound/finding.ts';
import { toCrlf } from '../../../src/mail/line-ends.ts';
import { parseMessage } from '../../../src/mail/message.ts';

const bounce = loadBounce();
const reading = (mail: string): Reading => ({
  message: parseMessage(toCrlf(Buffer.from(mail))),
  circumstances: {},
  subject: '',
  ownText: '',
  below: '',
});
const read = (mail: string): Finding | undefined => complaint(reading(mail));
const addresses = (finding: Finding | undefined): readonly string[] => finding?.recipients.map(({ address }) => address) ?? [];

interface Shape {
  readonly report?: string;
  readonly to?: string;
  readonly header?: string;
  readonly from?: string;
  readonly subject?: string;
  readonly type?: string;
}

function report({
  report,
  to = 'jane@widgets.example',
  header = '',
  from = 'fbl@provider.example',
  subject = 'FW: Offer',
  type = 'report; report-type=feedback-report',
}: Shape): string {
  return `From: <${from}>
To: feedback@sender.example
Subject: ${subject}
MIME-Version: 1.0
Content-Type: multipart/${type}; boundary="b1"

--b1
Content-Type: text/plain

This is an email abuse report for an email message.
${report === undefined ? '' : `\n--b1\nContent-Type: message/feedback-report\n\n${report}\n`}
--b1
Content-Type: message/rfc822

${header}Message-ID: <offer-1@sender.example>
From: Sales <sales@sender.example>
To: ${to}
Subject: Offer

Dear Jane
--b1--
`;
}

const ABUSE = 'Feedback-Type: abuse\nUser-Agent: Provider/1.0\nVersion: 1';

const SHAPES: readonly (readonly [string, Shape, readonly string[]])[] = [
  [
    'RFC 5965',
    { report: `${ABUSE}\nOriginal-Mail-From: <bounce+k3@sender.example>\nOriginal-Rcpt-To: <jane@widgets.example>` },
    ['jane@widgets.example'],
  ],
  [
    'several recipients',
    { report: `${ABUSE}\nOriginal-Rcpt-To: <jane@widgets.example>\nOriginal-Rcpt-To: <joe@widgets.example>` },
    ['jane@widgets.example', 'joe@widgets.example'],
  ],
  ['no recipient named: the message has one', { report: ABUSE }, ['jane@widgets.example']],
  ['of several in the To field nobody knows which', { report: ABUSE, to: 'jane@widgets.example, joe@widgets.example' }, []],
  [
    'Yahoo',
    {
      report: `Feedback-Type: abuse\nUser-Agent: Provider-Mail-Feedback/2.0\nOriginal-Rcpt-To: jane@widgets.example\nReported-Domain: sender.example`,
      subject: 'FW: Offer',
    },
    ['jane@widgets.example'],
  ],
  [
    'Microsoft',
    {
      from: 'staff@hotmail.com',
      subject: 'complaint about message from 192.0.2.1',
      type: 'mixed',
      header: 'X-HmXmrOriginalRecipient: jane@widgets.example\n',
      to: 'undisclosed',
    },
    ['jane@widgets.example'],
  ],
  [
    'Validity, redacted: nobody',
    {
      report: `${ABUSE}\nOriginal-Rcpt-To: hashed@provider.example\nRedacted-Address: local@\nOriginal-Mail-From: <bounce+k3@sender.example>`,
      to: 'REDACTED',
    },
    [],
  ],
  [
    'RFC 6590, a digest for the local part',
    { report: `${ABUSE}\nOriginal-Rcpt-To: 5f4dcc3b5aa765d61d8327deb882cf99@widgets.example`, to: 'redacted@widgets.example' },
    [],
  ],
  ['redacted in the report: what is left elsewhere is not used', { report: `${ABUSE}\nOriginal-Rcpt-To: redacted@widgets.example` }, []],
  [
    'a loop that only attaches the message',
    { from: 'scomp@provider.example', subject: 'Email Feedback Report for IP 192.0.2.1', type: 'mixed' },
    ['jane@widgets.example'],
  ],
  ['fraud', { report: 'Feedback-Type: fraud\nOriginal-Rcpt-To: jane@widgets.example' }, ['jane@widgets.example']],
  ['virus', { report: 'Feedback-Type: virus\nOriginal-Rcpt-To: jane@widgets.example' }, ['jane@widgets.example']],
  ['an opt-out by a button', { report: 'Feedback-Type: opt-out-list\nRemoval-Recipient: jane@widgets.example' }, ['jane@widgets.example']],
  ['a type of no registry', { report: 'Feedback-Type: x-annoyed\nOriginal-Rcpt-To: jane@widgets.example' }, ['jane@widgets.example']],
  ['rewritten on the way', { report: `${ABUSE}\nOriginal-Rcpt-To: prvs=0123456789=jane@widgets.example` }, ['jane@widgets.example']],
];

for (const [name, shape, recipients] of SHAPES) {
  t.test(`complaint: ${name}`, async t => {
    const mail = report(shape);
    const found = read(mail);
    t.equal(found?.kind, 'complaint');
    t.same(addresses(found), recipients);
    t.equal(found?.returned?.messageId, '<offer-1@sender.example>');
    t.equal(bounce(reading(mail)), undefined, 'no bounce, which is asked first');
  });
}

t.test('where our token may stand survives a redaction', async t => {
  t.equal(read(report(SHAPES[6]?.[1] ?? {}))?.returned?.reversePath, 'bounce+k3@sender.example');
});

t.test('what is no person’s complaint', async t => {
  for (const type of ['auth-failure', 'not-spam', 'dmarc']) {
    t.match(read(report({ report: `Feedback-Type: ${type}\nOriginal-Rcpt-To: jane@widgets.example` })), {
      kind: 'unknown',
      recipients: [],
      matched: { rule: `complaint/${type}` },
    });
  }
  const aggregate = report({ subject: 'Report Domain: sender.example Submitter: provider.example Report-ID: <1>', type: 'mixed' }).replace(
    'message/rfc822',
    'application/gzip',
  );
  t.match(read(aggregate), { kind: 'unknown', matched: { rule: 'complaint/dmarc-aggregate' } });
});

t.test('persons who forward or write of complaints are left to others', async t => {
  t.equal(read(report({ from: 'jane@widgets.example', subject: 'Fwd: Offer', type: 'mixed' })), undefined);
  t.equal(
    read('From: abuse@widgets.example\nSubject: complaint about your mail\n\nPlease stop.\n'),
    undefined,
    'without a message it is a reply',
  );
});

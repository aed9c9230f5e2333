/** Messages as platforms, mail programs and machines really send them: none of them is ambiguous, and each is read as it is meant. */
import t from 'tap';
import { parseMessage } from '../../src/mail/message.ts';

const lines = (...all: string[]): Buffer => Buffer.from(`${all.join('\r\n')}\r\n`, 'latin1');
const HEAD = [
  'From: Ann <ann@example.com>',
  'To: bob@example.org',
  'Subject: Hello',
  'Date: Tue, 17 Nov 2026 10:00:00 +0000',
  'MIME-Version: 1.0',
];

/** plain and html below `boundary`; `preamble` lines come first. */
function alternatives(boundary: string, preamble: readonly string[] = []): string[] {
  const type = (name: string) => [
    `Content-Type: text/${name}; charset="utf-8"; format="fixed"`,
    'Content-Transfer-Encoding: quoted-printable',
    '',
  ];
  return [
    ...preamble,
    `--${boundary}`,
    ...type('plain'),
    'plain',
    '',
    `--${boundary}`,
    ...type('html'),
    '<p>html</p>',
    '',
    `--${boundary}--`,
  ];
}

const under = (contentType: readonly string[], boundary: string, preamble: readonly string[] = []): Buffer =>
  lines(...HEAD, ...contentType, '', ...alternatives(boundary, preamble), '');
const plain = (...fields: string[]): Buffer => lines(...HEAD, ...fields, '', 'Hello', '');

const PAIR = 'text/plain | text/html';

/** name, octets, types of the alternatives. */
const CLEAN: readonly (readonly [string, Buffer, string])[] = [
  [
    'newsletter service: _MCPart boundary, preamble',
    under(['Content-Type: multipart/alternative; boundary="_----------=_MCPart_1234567890"'], '_----------=_MCPart_1234567890', [
      'This is a multi-part message in MIME format',
      '',
    ]),
    PAIR,
  ],
  [
    'Java sender: boundary folded onto a line of its own after a tab',
    under(['Content-Type: multipart/alternative; ', '\tboundary="----=_Part_123_456.1700000000000"'], '----=_Part_123_456.1700000000000'),
    PAIR,
  ],
  [
    'Outlook: _000_ boundary, content language, thread topic',
    under(
      ['Thread-Topic: Hello', 'Content-Language: en-GB', 'Content-Type: multipart/alternative;', '\tboundary="_000_AM0PR01MB1234ABCD_"'],
      '_000_AM0PR01MB1234ABCD_',
    ),
    PAIR,
  ],
  [
    'Apple Mail: version comment',
    lines(
      ...HEAD.slice(0, -1),
      'Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3826.200.121\\))',
      'Content-Type: multipart/alternative;',
      ' boundary="Apple-Mail=_0A1B2C3D-0000-4000-8000-0123456789AB"',
      '',
      '',
      ...alternatives('Apple-Mail=_0A1B2C3D-0000-4000-8000-0123456789AB'),
    ),
    PAIR,
  ],
  ['boundary unquoted, with =', under(['Content-Type: multipart/alternative; boundary=----=_NextPart_1.2'], '----=_NextPart_1.2'), PAIR],
  ['boundary unquoted, other parameters after it', under(['Content-Type: multipart/alternative; boundary=b1; charset=UTF-8'], 'b1'), PAIR],
  [
    'boundary with spaces within',
    under(['Content-Type: multipart/alternative; boundary="=_alternative 0012 34"'], '=_alternative 0012 34'),
    PAIR,
  ],
  ['boundary of 70', under([`Content-Type: multipart/alternative; boundary="${'b'.repeat(70)}"`], 'b'.repeat(70)), PAIR],
  ['boundary with all the marks', under([`Content-Type: multipart/alternative; boundary="'()+_,-./:=?b"`], `'()+_,-./:=?b`), PAIR],
  ['boundary with a brace and an at sign', under(['Content-Type: multipart/alternative; boundary="{1}@example"'], '{1}@example'), PAIR],
  [
    'Python sender: ===============',
    under(['Content-Type: multipart/alternative; boundary="===============1234=="'], '===============1234=='),
    PAIR,
  ],
  ['upper case throughout', under(['CONTENT-TYPE: MULTIPART/ALTERNATIVE; BOUNDARY="b1"'], 'b1'), PAIR],
  ['final semicolon, doubled semicolon', under(['Content-Type: multipart/alternative;; boundary="b1";'], 'b1'), PAIR],
  ['blanks around the equals sign', under(['Content-Type: multipart/alternative; boundary = "b1"'], 'b1'), PAIR],
  ['multipart in 8bit', under(['Content-Type: multipart/alternative; boundary=b1', 'Content-Transfer-Encoding: 8bit'], 'b1'), PAIR],
  ['preamble with a link', under(['Content-Type: multipart/alternative; boundary=b1'], 'b1', ['See https://client.example/privacy']), PAIR],
  [
    'text after the closing delimiter',
    lines(...HEAD, 'Content-Type: multipart/alternative; boundary=b1', '', ...alternatives('b1'), '', '-- list footer'),
    PAIR,
  ],
  [
    'padding after delimiters',
    lines(...HEAD, 'Content-Type: multipart/mixed; boundary=b1', '', '--b1 \t', '', 'x', '--b1-- '),
    'text/plain',
  ],
  [
    'closing delimiter without a line end',
    Buffer.concat([under(['Content-Type: multipart/alternative; boundary=b1'], 'b1')]).subarray(0, -4),
    PAIR,
  ],
  ['closing delimiter missing', lines(...HEAD, 'Content-Type: multipart/mixed; boundary=b1', '', '--b1', '', 'x'), 'text/plain'],
  [
    'inner closing delimiter missing',
    lines(
      ...HEAD,
      'Content-Type: multipart/mixed; boundary=b1',
      '',
      '--b1',
      'Content-Type: multipart/alternative; boundary=c2',
      '',
      ...alternatives('c2').slice(0, -1),
      '--b1',
      'Content-Type: application/pdf; name=Report (1).pdf',
      'Content-Disposition: attachment; filename=Report (1).pdf',
      'Content-Transfer-Encoding: base64',
      '',
      'JVBERi0=',
      '--b1--',
    ),
    PAIR,
  ],
  [
    'siblings with the same boundary',
    siblings(),
    'text/plain+text/plain | text/plain+text/html | text/html+text/plain | text/html+text/html',
  ],
  ['no Content-Type at all', lines(...HEAD.slice(0, -1), '', 'Hello'), 'text/plain'],
  ['no MIME-Version', lines('From: a@example.com', 'Content-Type: multipart/alternative; boundary=b1', '', ...alternatives('b1')), PAIR],
  ['MIME-Version twice, the same', plain('Mime-Version: 1.0 (produced twice)'), 'text/plain'],
  [
    'signed twice, five Received, folded with tabs',
    lines(
      ...[1, 2, 3, 4, 5].flatMap(at => [
        `Received: from h${at}.example`,
        `\tby h${at + 1}.example with ESMTPS id ${at}`,
        '\tfor <bob@example.org>; Tue, 17 Nov 2026',
      ]),
      ...['example.com', 'platform.example'].flatMap(domain => [
        `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${domain}; s=s1;`,
        '\th=From:To:Subject:List-Unsubscribe; bh=AAAA=;',
        ' b=BBBB',
        '  CCCC==',
      ]),
      'Return-Path: <bounce@platform.example>',
      'X-Empty:',
      'List-Unsubscribe: <mailto:u@platform.example>,',
      ' <https://platform.example/u/1>',
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
      'Feedback-ID: 1:2:3:platform',
      ...HEAD,
      'Content-Type: text/plain; charset=us-ascii; format=flowed; delsp=yes',
      '',
      'Hello',
    ),
    'text/plain',
  ],
  ['SMTPUTF8 header', Buffer.from('From: Jörg <jörg@example.com>\r\nSubject: Grüße\r\n\r\nHallo\r\n', 'utf8'), 'text/plain'],
  ['latin1 header', plain('X-Note: Gr\xfc\xdfe'), 'text/plain'],
  ['encoded words', plain('X-A: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=', ' =?utf-8?B?w6Q=?='), 'text/plain'],
  ['odd but legal field names', plain("X-!#$%&'*+-.^_`|~/()<>@,;=: x", 'x_y: z'), 'text/plain'],
  ['header alone, blank line', lines(...HEAD, ''), 'text/plain'],
  ['header alone', lines(...HEAD), 'text/plain'],
  ['empty body', lines(...HEAD, '', ''), 'text/plain'],
  ['body without a header', lines('', 'Hello'), 'text/plain'],
  ['no octets', Buffer.alloc(0), 'text/plain'],
  ['blank lines first in the body', plain('', ''), 'text/plain'],
  ['lines of dashes in a text', lines(...HEAD, '', '-----', '--', '--b1', '-- ', 'Ann'), 'text/plain'],
  [
    'lines of dashes in a multipart',
    lines(...HEAD, 'Content-Type: multipart/mixed; boundary=b1', '', '--b1', '', '--', '--x', '-----', '--b1--'),
    'text/plain',
  ],
  ['unknown charset', plain('Content-Type: text/plain; charset=x-unknown'), 'text/plain'],
  ['charset without a value', plain('Content-Type: text/plain; charset='), 'text/plain'],
  ['charset in single quotes', plain("Content-Type: text/html; charset='UTF-8'"), 'text/html'],
  ['flag without a value', plain('Content-Type: text/html; utf-8'), 'text/html'],
  ['Japanese', plain('Content-Type: text/plain; charset=ISO-2022-JP'), 'text/plain'],
  ['long lines', lines(...HEAD, '', 'x'.repeat(5000)), 'text/plain'],
  [
    'attachments with file names of every kind',
    lines(
      ...HEAD,
      'Content-Type: multipart/mixed; boundary=b1',
      '',
      ...['--b1', 'Content-Type: text/html', '', 'html'],
      ...[
        '--b1',
        "Content-Type: text/csv; name*0*=utf-8''Gr%C3%BC; name*1*=%C3%9Fe.csv",
        "Content-Disposition: attachment; filename*=utf-8''x.csv",
        '',
        'a,b',
      ],
      ...[
        '--b1',
        'Content-Type: application/pdf; name="=?utf-8?B?w6QucGRm?="',
        'Content-Disposition: attachment; filename="a \\"b\\".pdf"',
        '',
        'x',
      ],
      ...['--b1', 'Content-Type: image', 'Content-Disposition: attachment; filename=x.png', 'Content-Transfer-Encoding: x-binhex', '', 'x'],
      ...['--b1', 'Content-Type: text/plain; charset=utf-7; name="a;b (1).txt"', 'Content-Disposition: attachment', '', 'x'],
      '--b1--',
    ),
    'text/html',
  ],
  [
    'bounce: report with status and headers',
    lines(
      ...HEAD,
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b1',
      '',
      ...['--b1', 'Content-Type: text/plain', '', 'failed'],
      ...['--b1', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; a.example', '', 'Action: failed'],
      ...['--b1', 'Content-Type: text/rfc822-headers', '', 'From: x@example.com', 'From: y@example.com'],
      '--b1--',
    ),
    'text/plain',
  ],
  [
    'nested message with faults of its own',
    lines(
      ...HEAD,
      'Content-Type: multipart/mixed; boundary=b1',
      '',
      ...[
        '--b1',
        '',
        'see below',
        '--b1',
        'Content-Type: message/rfc822',
        '',
        'From: a@example.com',
        'From: b@example.com',
        '',
        'x',
        '--b1--',
      ],
    ),
    'text/plain',
  ],
];

function siblings(): Buffer {
  const inner = ['Content-Type: multipart/alternative; boundary=c2', '', ...alternatives('c2')];
  return lines(...HEAD, 'Content-Type: multipart/mixed; boundary=b1', '', '--b1', ...inner, '--b1', ...inner, '--b1--');
}

t.test('A13: mail as it is sent is not ambiguous', async t => {
  for (const [name, octets, expected] of CLEAN) {
    const message = parseMessage(octets);
    t.equal(message.ambiguity, undefined, name);
    const seen = message.alternatives().map(view => view.map(part => part.type).join('+'));
    t.equal(seen.join(' | '), expected, `${name}: as it is meant`);
  }
});

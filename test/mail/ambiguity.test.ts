/** What two readers would read differently is named; each row is one such message. */
import t from 'tap';
import { parseMessage } from '../../src/mail/message.ts';

const lines = (...all: string[]): Buffer => Buffer.from(`${all.join('\r\n')}\r\n`, 'latin1');
const HEAD = ['From: Ann <ann@example.com>', 'To: bob@example.org', 'Subject: Hello', 'MIME-Version: 1.0'];

/** A message with these further header lines and a short body. */
const withFields = (...fields: string[]): Buffer => lines(...HEAD, ...fields, '', 'Hello', '');
/** multipart/alternative with boundary `b1`; `html` are the lines of its second part, header and all. */
const alternative = (...html: string[]): Buffer =>
  lines(
    ...HEAD,
    'Content-Type: multipart/alternative; boundary="b1"',
    '',
    '--b1',
    'Content-Type: text/plain',
    '',
    'plain',
    '--b1',
    ...html,
    '--b1--',
  );
/** A multipart/mixed with this Content-Type remainder, whose delimiter lines are `--b1`. */
const mixed = (parameters: string, ...more: string[]): Buffer =>
  lines(...HEAD, `Content-Type: multipart/mixed${parameters}`, ...more, '', '--b1', '', 'Hello', '--b1--');
const body = (contentType: string, ...body: string[]): Buffer => lines(...HEAD, `Content-Type: ${contentType}`, '', ...body);

/** `levels` multiparts, one in the other. */
function nested(levels: number): Buffer {
  const open = Array.from({ length: levels }, (_, at) => [`Content-Type: multipart/mixed; boundary="n${at}n"`, '', `--n${at}n`]);
  const close = Array.from({ length: levels }, (_, at) => `--n${levels - 1 - at}n--`);
  return lines(...HEAD, ...open.flat(), 'Content-Type: text/plain', '', 'Hello', ...close);
}

const parts = (count: number): Buffer =>
  lines(
    ...HEAD,
    'Content-Type: multipart/mixed; boundary=b1',
    '',
    ...Array.from({ length: count }, () => ['--b1', '', 'x']).flat(),
    '--b1--',
  );

const AMBIGUOUS: readonly (readonly [string, Buffer, RegExp])[] = [
  ...['From: eve@example.com', 'FROM: eve@example.com', 'To: c@example.org', 'Subject: Other'].map(
    field => [`second ${field}`, withFields(field), /^two (from|to|subject) fields$/] as const,
  ),
  ...[
    'Sender: a@example.com',
    'Reply-To: a@example.com',
    'Cc: a@example.com',
    'Message-ID: <1@example.com>',
    'Date: Tue, 17 Nov 2026 10:00:00 +0000',
  ].map(field => [`twice ${field}`, withFields(field, field), /^two [a-z-]+ fields$/] as const),
  [
    'two List-Unsubscribe',
    withFields('List-Unsubscribe: <https://a.example/>', 'List-Unsubscribe: <mailto:u@a.example>'),
    /two list-unsubscribe fields/,
  ],
  [
    'two List-Unsubscribe-Post',
    withFields('List-Unsubscribe-Post: List-Unsubscribe=One-Click', 'List-Unsubscribe-Post: x'),
    /two list-unsubscribe-post/,
  ],
  ['two Content-Types', withFields('Content-Type: text/plain', 'Content-Type: text/html'), /two content-type fields/],
  ['two equal Content-Types', withFields('Content-Type: text/plain', 'Content-type: text/plain'), /two content-type fields/],
  ['two encodings', withFields('Content-Transfer-Encoding: 7bit', 'Content-Transfer-Encoding: base64'), /two content-transfer-encoding/],
  ['two dispositions', withFields('Content-Disposition: inline', 'Content-Disposition: attachment'), /two content-disposition/],
  ['two Content-Types in a part', alternative('Content-Type: text/html', 'Content-Type: text/plain', '', 'x'), /two content-type fields/],
  ['MIME versions that differ', withFields('MIME-Version: 2.0'), /two mime-version/],
  ['two boundaries', mixed('; boundary=b1; boundary=b2'), /two boundary parameters/],
  ['two charsets', withFields('Content-Type: text/plain; charset=utf-8; charset=utf-7'), /two charset parameters/],
  [
    'two charsets, one hidden by a comment',
    withFields('Content-Type: text/plain; (x) charset=utf-7; charset=utf-8'),
    /unreadable parameter/,
  ],
  ['boundary plain and continued', mixed('; boundary=b1; boundary*0=b; boundary*1=2'), /RFC 2231/],
  ['boundary continued', mixed('; boundary*0="b"; boundary*1="1"'), /RFC 2231/],
  ['charset in the extended form', withFields("Content-Type: text/plain; charset*=us-ascii'en'utf-8"), /RFC 2231/],
  ['no boundary', mixed(''), /without a boundary/],
  ['empty boundary', mixed('; boundary=""'), /without a boundary/],
  ['boundary of 71', mixed(`; boundary="${'b'.repeat(71)}"`), /illegal boundary/],
  ['boundary ending in a space', mixed('; boundary="b1 "'), /illegal boundary/],
  ['boundary with 8-bit octets', mixed('; boundary="b\xe4"'), /illegal boundary/],
  ['boundary with a tab', mixed('; boundary="b\t1"'), /illegal boundary/],
  ['boundary folded', mixed('; boundary="b', ' 1"'), /illegal boundary/],
  ['boundary with a quoted pair', mixed('; boundary="b\\1"'), /unreadable parameter/],
  ['boundary with an open quote', mixed('; boundary="b1'), /unreadable parameter/],
  ['junk after a quoted boundary', mixed('; boundary="b1"x'), /unreadable parameter/],
  ['boundary unquoted, with a space', mixed('; boundary=b1 x'), /unreadable parameter/],
  ['boundary as an encoded word', mixed('; boundary="=?us-ascii?q?b1?="'), /encoded word/],
  ['boundary that never appears', mixed('; boundary="other"'), /never appears/],
  ['closing delimiter only', body('multipart/mixed; boundary=b1', '--b1--'), /without parts/],
  [
    'delimiter after the closing one',
    body('multipart/mixed; boundary=b1', '--b1', '', 'a', '--b1--', '', '--b1', '', 'b', '--b1--'),
    /after the closing/,
  ],
  [
    'line that begins with the boundary',
    body('multipart/mixed; boundary=b1', '--b1', '', 'a', '--b1x', '', 'b', '--b1--'),
    /merely begins/,
  ],
  ['closing delimiter with a tail', body('multipart/mixed; boundary=b1', '--b1', '', 'a', '--b1-- x', '--b1--'), /merely begins/],
  [
    'a boundary that begins another',
    body(
      'multipart/mixed; boundary=b1',
      '--b1',
      'Content-Type: multipart/alternative; boundary=b1a',
      '',
      '--b1a',
      '',
      'a',
      '--b1a--',
      '--b1--',
    ),
    /begins|within another/,
  ],
  [
    'a boundary that an outer one begins with',
    body(
      'multipart/mixed; boundary=b1a',
      '--b1a',
      'Content-Type: multipart/alternative; boundary=b1',
      '',
      '--b1',
      '',
      'a',
      '--b1--',
      '--b1a--',
    ),
    /within another/,
  ],
  [
    'the same boundary inside itself',
    body('multipart/mixed; boundary=b1', '--b1', 'Content-Type: multipart/mixed; boundary=b1', '', '--b1', '', 'a', '--b1--', '--b1--'),
    /within another/,
  ],
  ['multipart in base64', mixed('; boundary=b1', 'Content-Transfer-Encoding: base64'), /multipart with a transfer encoding/],
  [
    'multipart in quoted-printable',
    mixed('; boundary=b1', 'Content-Transfer-Encoding: Quoted-Printable'),
    /multipart with a transfer encoding/,
  ],
  ['text in an unknown encoding', withFields('Content-Transfer-Encoding: x-uuencode'), /unknown transfer encoding/],
  ['text uuencoded', withFields('Content-Transfer-Encoding: uuencode'), /unknown transfer encoding/],
  [
    'alternative in an unknown encoding',
    alternative('Content-Type: text/html', 'Content-Transfer-Encoding: gzip', '', 'x'),
    /unknown transfer encoding/,
  ],
  ['base64 after its padding', lines(...HEAD, 'Content-Transfer-Encoding: base64', '', 'SGVsbG8=', 'SGVsbG8='), /after its padding/],
  ['UTF-7', withFields('Content-Type: text/html; charset="UTF-7"'), /charset/],
  ['UTF-7 by another name', withFields('Content-Type: text/html; charset=unicode-1-1-utf-7'), /charset/],
  ['ISO-2022-KR', withFields('Content-Type: text/html; charset=iso-2022-kr'), /charset/],
  ['HZ', withFields('Content-Type: text/html; charset=hz-gb-2312'), /charset/],
  ['EBCDIC', withFields('Content-Type: text/plain; charset=cp037'), /charset/],
  ['UTF-32', withFields('Content-Type: text/plain; charset=utf-32le'), /charset/],
  [
    'UTF-16 without byte order',
    lines(...HEAD, 'Content-Type: text/plain; charset=utf-16', 'Content-Transfer-Encoding: base64', '', 'SABpAA=='),
    /byte order/,
  ],
  ['comment in Content-Type', withFields('Content-Type: text/(x)html'), /without a media type/],
  ['comment among parameters', withFields('Content-Type: text/plain; charset=us-ascii (Plain text)'), /unreadable parameter/],
  ['comment that hides a parameter', withFields('Content-Type: text/html; (; charset=utf-8)'), /unreadable parameter/],
  ['quote that hides a parameter', withFields('Content-Type: text/html; "; charset=utf-8; "'), /unreadable parameter/],
  ['Content-Type of one word', withFields('Content-Type: html'), /without a media type/],
  ['empty Content-Type', withFields('Content-Type:'), /without a media type/],
  ['Content-Type without semicolon', withFields('Content-Type: text/html charset=utf-8'), /without a media type/],
  ['Content-Type as an encoded word', withFields('Content-Type: =?utf-8?q?text/html?='), /without a media type/],
  ['message/partial', withFields('Content-Type: message/partial; id="x"; number=1; total=2'), /message\/partial/],
  ['line that is no field', lines(...HEAD, 'Hello there', '', 'x'), /no field/],
  ['mbox line', lines('From ann@example.com Tue Nov 17 10:00:00 2026', ...HEAD, '', 'x'), /no field/],
  ['field without a name', withFields(': x'), /no field/],
  ['8-bit field name', withFields('Subj\xe4ct: x'), /no field/],
  ['space before the colon', lines('From : ann@example.com', 'To: b@example.org', '', 'x'), /space before the colon/],
  ['tab before the colon', lines(...HEAD, 'Content-Type\t: text/html', '', 'x'), /space before the colon/],
  ['first line a continuation', lines(' From: eve@example.com', ...HEAD, '', 'x'), /begins with a continuation/],
  ['continuation of white space alone', lines(...HEAD, ' \t', 'Content-Type: text/html', '', 'x'), /white space alone/],
  ['bare LF in the header', lines(...HEAD, 'X-A: b\nFrom: eve@example.com', '', 'x'), /bare CR or LF/],
  ['bare CR in the header', lines(...HEAD, 'X-A: b\rFrom: eve@example.com', '', 'x'), /bare CR or LF/],
  ['part whose header is text', alternative('Hello, no header here', '', 'x'), /no field/],
  ['part whose header begins with a continuation', alternative(' x', 'Content-Type: text/html', '', 'x'), /begins with a continuation/],
  ['NUL in the header', withFields('X-A: b\0c'), /NUL/],
  ['NUL in the body', lines(...HEAD, '', 'a\0b'), /NUL/],
  ['header that never ends', Buffer.from('From: ann@example.com\r\nSubject: x'), /never ends/],
  ['header longer than 256 KiB', withFields(...Array.from({ length: 300 }, (_, at) => `X-${at}: ${'x'.repeat(990)}`)), /longer than/],
  ['21 levels', nested(21), /levels/],
  ['201 parts', parts(201), /parts/],
  [
    'too many alternatives',
    lines(
      ...HEAD,
      'Content-Type: multipart/mixed; boundary=b1',
      '',
      ...Array.from({ length: 7 }, (_, at) => [
        ...['--b1', `Content-Type: multipart/alternative; boundary=n${at}n`, '', `--n${at}n`, '', 'plain', `--n${at}n`],
        ...['Content-Type: text/html', '', 'html', `--n${at}n--`],
      ]).flat(),
      '--b1--',
    ),
    /alternatives/,
  ],
];

t.test('A13: a message that readers read differently is ambiguous', async t => {
  for (const [name, octets, reason] of AMBIGUOUS) {
    const message = parseMessage(octets);
    t.match(message.ambiguity ?? 'none', reason, name);
    t.doesNotThrow(() => message.alternatives(), `${name}: read all the same`);
  }
});

t.test('limits are not overdrawn by one', async t => {
  t.equal(parseMessage(nested(20)).ambiguity, undefined);
  t.equal(parseMessage(parts(200)).ambiguity, undefined);
});

t.test('a reason is a fixed phrase: nothing of the message is in it', async t => {
  for (const [name, octets] of AMBIGUOUS) t.notMatch(parseMessage(octets).ambiguity ?? '', /@|example|Hello|[^\x20-\x7e]/, name);
});

/** Delivery status notifications: what a platform's own parser makes of them, and their shape to the octet. */
import { createRequire } from 'node:module';
import t from 'tap';
import { isAddress, parsePerson } from '../../src/mail/address.ts';
import { composeDsn, type DsnParts } from '../../src/mail/dsn.ts';
import { reject } from '../../src/mail/reply.ts';

interface Parsed {
  readonly from: { readonly text: string };
  readonly to: { readonly text: string };
  readonly subject: string;
  readonly messageId: string;
  readonly date: Date;
  readonly text: string;
  readonly headers: ReadonlyMap<string, unknown>;
  readonly attachments: readonly { readonly contentType: string; readonly content: Buffer }[];
}

const { simpleParser } = createRequire(import.meta.url)('mailparser') as {
  simpleParser(octets: Buffer, options: { keepDeliveryStatus: boolean }): Promise<Parsed>;
};

function person(text: string) {
  const address = parsePerson(text);
  if (!isAddress(address)) throw new Error(address.detail);
  return address;
}

const header =
  'Received: from a.example\r\n\tby b.example; Tue, 03 Nov 2026 09:00:00 +0000\r\nSubject: Spring offer\r\nFrom: Ann <ann@client.example>\r\n';
const parts: DsnParts = {
  reportingMta: 'gate.example',
  to: person('Bounces+42@client.example'),
  arrivedAt: Date.UTC(2026, 10, 3, 9, 0, 0),
  now: Date.UTC(2026, 10, 3, 9, 0, 1),
  failures: [
    { recipient: person('Jane+x@widgets.example'), reply: reject(550, '5.7.1', 'Recipient may not be mailed (excluded) ref=01J9ZQ') },
    { recipient: person('"a b"@other.example'), reply: reject(550, '5.1.1', 'No such user here'), remoteMta: 'mx.upstream.example' },
  ],
  originalHeader: Buffer.from(header),
  id: '01J9ZQ-dsn',
};

/** The parts as they stand, each with its header and body; what RFC 2046 §5.1.1 says of boundaries is asserted on the way. */
function split(octets: Buffer): { head: string; children: { head: string; body: string }[] } {
  const text = octets.toString('latin1');
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] ?? '';
  const [head = '', ...pieces] = text.split(`\r\n--${boundary}`);
  const end = pieces.pop();
  if (!/^--\s*$/.test(end ?? '')) throw new Error('not closed');
  return {
    head,
    children: pieces.map(piece => {
      const at = piece.indexOf('\r\n\r\n');
      return { head: piece.slice(2, at), body: piece.slice(at + 4) };
    }),
  };
}

t.test('a DSN has the three parts of RFC 6522, in order', async t => {
  const octets = await composeDsn(parts);
  const { head, children } = split(octets);
  t.match(head, /^Content-Type: multipart\/report; report-type=delivery-status;\r\n boundary="[^"]+"$/m);
  for (const field of [
    'From: Mail Delivery System <postmaster@gate.example>',
    'To: Bounces+42@client.example',
    'Date: Tue, 03 Nov 2026 09:00:01 +0000',
    'Message-ID: <01J9ZQ-dsn@gate.example>',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
  ]) {
    t.equal(head.split('\r\n').filter(line => line === field).length, 1, field);
  }
  t.same(
    children.map(child => child.head.split('\r\n')[0]),
    ['Content-Type: text/plain; charset=utf-8', 'Content-Type: message/delivery-status', 'Content-Type: text/rfc822-headers'],
  );
  t.notMatch(children[1]?.head, /quoted-printable|base64/, 'RFC 3464 §2.1.1: never encoded');
  t.equal(
    children[1]?.body,
    [
      'Reporting-MTA: dns; gate.example',
      'Arrival-Date: Tue, 03 Nov 2026 09:00:00 +0000',
      '',
      'Final-Recipient: rfc822; Jane+x@widgets.example',
      'Action: failed',
      'Status: 5.7.1',
      'Diagnostic-Code: smtp; 550 5.7.1 Recipient may not be mailed (excluded)',
      ' ref=01J9ZQ',
      'Last-Attempt-Date: Tue, 03 Nov 2026 09:00:01 +0000',
      '',
      'Final-Recipient: rfc822; "a b"@other.example',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mx.upstream.example',
      'Diagnostic-Code: smtp; 550 5.1.1 No such user here',
      'Last-Attempt-Date: Tue, 03 Nov 2026 09:00:01 +0000',
      '',
    ].join('\r\n'),
  );
  t.equal(children[2]?.body, header, 'the header comes back as it was');
  t.match(children[0]?.body, '<Jane+x@widgets.example>\r\n    550 5.7.1 Recipient may not be mailed (excluded) ref=01J9ZQ\r\n');
});

t.test('a platform’s parser reads it', async t => {
  const parsed = await simpleParser(await composeDsn(parts), { keepDeliveryStatus: true });
  t.equal(parsed.from.text, '"Mail Delivery System" <postmaster@gate.example>');
  t.equal(parsed.to.text, 'Bounces+42@client.example');
  t.equal(parsed.messageId, '<01J9ZQ-dsn@gate.example>');
  t.equal(parsed.date.getTime(), parts.now);
  t.equal(parsed.headers.get('auto-submitted'), 'auto-replied');
  t.match(parsed.headers.get('content-type'), { value: 'multipart/report', params: { 'report-type': 'delivery-status' } });
  t.match(parsed.text, '<"a b"@other.example>');
  t.same(
    parsed.attachments.map(({ contentType }) => contentType),
    ['message/delivery-status', 'text/rfc822-headers'],
  );
  t.match(parsed.attachments[0]?.content.toString(), 'Status: 5.1.1');
});

t.test('whatever comes in, what goes out is 7-bit, CRLF and within 998 octets a line', async t => {
  const long = `X-Long: ${'y'.repeat(5000)}\r\n`;
  const table: Record<string, [Partial<DsnParts>, string, string]> = {
    'UTF-8 header': [{ originalHeader: Buffer.from(`Subject: Grüße\r\n${long}`) }, 'message/global-headers', `Subject: Grüße\r\n${long}`],
    'header of no charset': [{ originalHeader: Buffer.from('Subject: Gr\xfc\xdfe\r\n', 'latin1') }, 'text/rfc822-headers', ''],
    'long lines': [{ originalHeader: Buffer.from(long) }, 'text/rfc822-headers', long],
    'a body behind the header': [{ originalHeader: Buffer.from('Subject: x\r\n\r\nHello\r\n') }, 'text/rfc822-headers', 'Subject: x\r\n'],
    'no header': [{ originalHeader: Buffer.alloc(0) }, 'text/rfc822-headers', ''],
    'lines that look like boundaries': [
      { originalHeader: Buffer.from('X: a\r\n --b\r\n --\r\n') },
      'text/rfc822-headers',
      'X: a\r\n --b\r\n --\r\n',
    ],
    'international recipient': [
      { failures: [{ recipient: person('jür+gen@bücher.example'), reply: reject(550, '5.7.1', 'No') }] },
      'text/rfc822-headers',
      header,
    ],
    'long recipient and reply': [
      {
        failures: [
          {
            recipient: person(`${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.example`),
            reply: reject(550, '5.7.1', 'no '.repeat(200)),
          },
        ],
      },
      'text/rfc822-headers',
      header,
    ],
  };
  for (const [name, [change, type, returned]] of Object.entries(table)) {
    const octets = await composeDsn({ ...parts, ...change });
    const text = octets.toString('latin1');
    t.notMatch(text, /[^\x00-\x7f]/, `${name}: 7-bit`);
    t.notMatch(text, /\r(?!\n)|(?<!\r)\n/, `${name}: CRLF`);
    t.ok(
      text.split('\r\n').every(line => line.length <= 998),
      `${name}: lines`,
    );
    const { children } = split(octets);
    t.match(children[2]?.head, new RegExp(`^Content-Type: ${type}`), name);
    if (returned !== '') {
      const parsed = await simpleParser(octets, { keepDeliveryStatus: true });
      t.equal(parsed.attachments[1]?.content.toString(), returned, `${name}: returned as it was`);
    }
  }
});

t.test('an international recipient stays readable in 7 bits (RFC 6533 §3)', async t => {
  const failures = [{ recipient: person('jür+gen=😀@bücher.example'), reply: reject(550, '5.7.1', 'No') }];
  const [, status] = split(await composeDsn({ ...parts, failures })).children;
  t.match(status?.body, 'Final-Recipient: utf-8; j\\x{FC}r\\x{2B}gen\\x{3D}\\x{1F600}@xn--bcher-kva.example\r\n');
});

t.test('an international or quoted sender is the To as it is', async t => {
  const table: [string, string][] = [
    ['jürgen@client.example', 'To: jürgen@client.example'],
    ['"a, b"@client.example', ''],
    ['"a b"@client.example', 'To: <"a b"@client.example>'],
    ['ann@bücher.example', 'To: ann@xn--bcher-kva.example'],
    ["o'hara/x=1{}|~#$&*-_`^?@client.example", "To: o'hara/x=1{}|~#$&*-_`^?@client.example"],
  ];
  for (const [sender, line] of table) {
    const to = parsePerson(sender);
    if (!isAddress(to)) t.equal(line, '', sender);
    else t.ok((await composeDsn({ ...parts, to })).toString().split('\r\n').includes(line), sender);
  }
});

t.test('of a huge header whole lines within 32 KiB come back', async t => {
  const line = `X-Filler: ${'z'.repeat(60)}\r\n`;
  const [, , returned] = split(await composeDsn({ ...parts, originalHeader: Buffer.from(line.repeat(2000)) })).children;
  const body = returned?.body ?? '';
  t.ok(body.length <= 32 * 1024 && body.length > 31 * 1024);
  t.equal(body, line.repeat(body.length / line.length));
});

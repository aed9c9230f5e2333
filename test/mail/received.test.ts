/** The Received field: well-formed whatever a peer calls itself. */
import t from 'tap';
import { receivedField } from '../../src/mail/received.ts';

const receipt = {
  by: 'gate.example',
  helo: 'mail.platform.example',
  remoteAddress: '192.0.2.7',
  protocol: 'ESMTPSA',
  id: '01J9ZQ',
  at: Date.UTC(2026, 10, 3, 9, 5, 7),
};

t.test('a Received field says who, by what, when', async t => {
  t.equal(
    receivedField(receipt).toString('latin1'),
    'Received: from mail.platform.example ([192.0.2.7])\r\n\tby gate.example with ESMTPSA id 01J9ZQ;\r\n\tTue, 03 Nov 2026 09:05:07 +0000\r\n',
  );
  const table: [string, string, string][] = [
    ['MAIL.Platform.example.', '2001:db8::1', 'from mail.platform.example ([IPv6:2001:db8::1])'],
    ['bücher.example', '192.0.2.7', 'from xn--bcher-kva.example ([192.0.2.7])'],
    ['WIN-HOST_1', '192.0.2.7', 'from WIN-HOST_1 ([192.0.2.7])'],
    ['localhost.localdomain', '127.0.0.1', 'from localhost.localdomain ([127.0.0.1])'],
    ['[192.0.2.9]', '192.0.2.7', 'from [192.0.2.9] ([192.0.2.7])'],
    ['[IPv6:2001:db8::2]', '2001:db8::1', 'from [IPv6:2001:db8::2] ([IPv6:2001:db8::1])'],
    ['', '192.0.2.7', 'from [192.0.2.7] ([192.0.2.7])'],
    ['mail.platform.example', '', 'from mail.platform.example (unknown)'],
    ['', 'not an address', 'from unknown (unknown)'],
  ];
  for (const [helo, remoteAddress, clause] of table) {
    t.equal(
      receivedField({ ...receipt, helo, remoteAddress })
        .toString('latin1')
        .split('\r\n')[0],
      `Received: ${clause}`,
      JSON.stringify(helo),
    );
  }
});

t.test('a hostile HELO writes nothing', async t => {
  const names = [
    'x\r\nSubject: y',
    'x (by evil.example)',
    'x by evil.example with SMTP; Tue',
    'x;y',
    'a@b.example',
    'jane@widgets.example',
    'x\u0000y',
    'x\ty',
    'ü'.repeat(300),
    'x'.repeat(2000),
    '[x] y',
    '(((((',
    '"x"',
    'x,y',
    '\u202ex',
  ];
  for (const helo of names) {
    const field = receivedField({ ...receipt, helo }).toString('latin1');
    t.equal(field.split('\r\n')[0], 'Received: from [192.0.2.7] ([192.0.2.7])', JSON.stringify(helo.slice(0, 40)));
  }
});

t.test('lines are short, folded once for each clause', async t => {
  const long = receivedField({ ...receipt, helo: `${'a'.repeat(60)}.platform.example` }).toString('latin1');
  const lines = long.split('\r\n');
  t.equal(lines.length, 4);
  t.equal(lines.pop(), '');
  for (const [index, line] of lines.entries()) {
    t.ok(line.length <= 998 && !/[\r\n]/.test(line));
    if (index > 0) t.match(line, /^\t\S/);
  }
  for (const line of receivedField(receipt).toString('latin1').split('\r\n')) t.ok(line.length <= 78);
});

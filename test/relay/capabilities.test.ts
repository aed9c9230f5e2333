/** EHLO keywords as real servers write them. */
import t from 'tap';
import { NONE, readCapabilities } from '../../src/relay/capabilities.ts';

t.test('what an EHLO reply announces', async t => {
  const table: [readonly string[], Partial<ReturnType<typeof readCapabilities>>][] = [
    [['mx.example'], NONE],
    [['PIPELINING'], NONE],
    [
      ['mx.example', 'PIPELINING', '8BITMIME', 'SMTPUTF8', 'STARTTLS', 'SIZE 1000'],
      { pipelining: true, eightBit: true, utf8: true, starttls: true, size: 1000 },
    ],
    [['mx.example', 'pipelining', '8bitmime ', 'size'], { pipelining: true, eightBit: true, size: 0 }],
    [['mx.example', 'SIZE many'], { size: 0 }],
    [['mx.example', 'SMTPUTF8'], { utf8: false }],
    [['mx.example', 'AUTH plain LOGIN'], { auth: ['PLAIN', 'LOGIN'] }],
    [['mx.example', 'AUTH=LOGIN', 'AUTH CRAM-MD5'], { auth: ['LOGIN', 'CRAM-MD5'] }],
  ];
  for (const [lines, expected] of table) t.match(readCapabilities(lines), expected, lines.join(' | '));
});

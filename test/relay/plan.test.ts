/** What an upstream cannot take is refused on its behalf, and nothing is ever sent unasked: 8-bit, UTF-8, or too much. */
import t from 'tap';
import { replyLine } from '../../src/mail/reply.ts';
import type { Capabilities } from '../../src/relay/capabilities.ts';
import { NONE } from '../../src/relay/capabilities.ts';
import { planTransaction } from '../../src/relay/plan.ts';
import { address, envelope } from './relaying.ts';

const ASCII = [Buffer.from('Subject: x\r\n\r\n'), Buffer.from('plain\r\n')];
const EIGHT = [Buffer.from('Subject: x\r\n\r\ngr\u00fcn\r\n')];
const HEADER8 = [Buffer.from('Subject: gr\u00fcn\r\n\r\nplain\r\n')];
const ALL: Capabilities = { ...NONE, eightBit: true, utf8: true, size: 0 };

t.test('MAIL and RCPT', async t => {
  const table: [string, ReturnType<typeof envelope>, readonly Buffer[], Capabilities, string][] = [
    ['bare server', envelope(['a@x.example']), ASCII, NONE, 'MAIL FROM:<sales@sender.example>'],
    ['null reverse-path', envelope(['a@x.example'], null), ASCII, NONE, 'MAIL FROM:<>'],
    ['size', envelope(['a@x.example']), ASCII, { ...NONE, size: 21 }, 'MAIL FROM:<sales@sender.example> SIZE=21'],
    [
      'size with the CRLF we add',
      envelope(['a@x.example']),
      [Buffer.from('a')],
      { ...NONE, size: 0 },
      'MAIL FROM:<sales@sender.example> SIZE=3',
    ],
    ['8-bit content', envelope(['a@x.example']), EIGHT, { ...NONE, eightBit: true }, 'MAIL FROM:<sales@sender.example> BODY=8BITMIME'],
    ['declared 8-bit that is none', envelope(['a@x.example'], null, { body: '8bitmime' }), ASCII, NONE, 'MAIL FROM:<>'],
    ['declared SMTPUTF8 that is none', envelope(['a@x.example'], null, { utf8: true }), ASCII, NONE, 'MAIL FROM:<>'],
    ['SMTPUTF8 passed on', envelope(['a@x.example'], null, { utf8: true }), ASCII, ALL, 'MAIL FROM:<> SIZE=21 SMTPUTF8'],
    ['an international recipient', envelope(['gr\u00fcn@x.example'], null), ASCII, ALL, 'MAIL FROM:<> SIZE=21 SMTPUTF8'],
    [
      '8-bit body, declared SMTPUTF8, ASCII header',
      envelope(['a@x.example'], null, { utf8: true }),
      EIGHT,
      { ...NONE, eightBit: true },
      'MAIL FROM:<> BODY=8BITMIME',
    ],
  ];
  for (const [name, given, octets, can, expected] of table) {
    const plan = planTransaction(given, octets, can);
    t.match(
      plan,
      { mail: `${expected}\r\n`, recipients: given.recipients.map(({ relayed }) => ({ relayed, rcpt: `RCPT TO:<${relayed}>\r\n` })) },
      name,
    );
  }
});

t.test('refusals on the upstream\u2019s behalf', async t => {
  const table: [string, ReturnType<typeof envelope>, readonly Buffer[], Capabilities, string][] = [
    ['too big', envelope(['a@x.example']), ASCII, { ...NONE, size: 20 }, '552 5.3.4'],
    ['8-bit content', envelope(['a@x.example']), EIGHT, NONE, '554 5.6.3'],
    ['8-bit header', envelope(['a@x.example']), HEADER8, NONE, '554 5.6.3'],
    ['international reverse-path', envelope(['a@x.example'], 'gr\u00fcn@sender.example'), ASCII, { ...NONE, eightBit: true }, '553 5.6.7'],
    ['international header', envelope(['a@x.example'], null, { utf8: true }), HEADER8, { ...NONE, eightBit: true }, '554 5.6.9'],
    ['nobody but international recipients', envelope(['gr\u00fcn@x.example'], null), ASCII, { ...NONE, eightBit: true }, '553 5.6.7'],
  ];
  for (const [name, given, octets, can, expected] of table) {
    const plan = planTransaction(given, octets, can);
    t.ok('stage' in plan && replyLine(plan.reply).startsWith(expected), name);
  }
});

t.test('international recipients are refused, the others asked for', async t => {
  const plan = planTransaction(envelope(['gr\u00fcn@x.example', 'a@x.example']), ASCII, { ...NONE, eightBit: true });
  t.ok(
    'mail' in plan &&
      plan.recipients.length === 1 &&
      plan.recipients[0]?.relayed === 'a@x.example' &&
      plan.refused.get('gr\u00fcn@x.example')?.code === 553,
  );
});

t.test('an address with a line end in it is a fault, not a command', async t => {
  const forged = { ...address('a@x.example'), relayed: 'a@x.example>\r\nRCPT TO:<b@x.example' };
  t.throws(() => planTransaction({ ...envelope(['a@x.example']), recipients: [forged] }, ASCII, NONE), /line end/);
});

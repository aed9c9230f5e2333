/** Delivery status reports as servers write them, sound and sloppy (RFC 3464, 6533). */
import t from 'tap';
import { readDeliveryStatus, typedAddress } from '../../src/mail/delivery-status.ts';

t.test('a sound report', async t => {
  const report = readDeliveryStatus(
    'Reporting-MTA: dns; MX.Relay.example (v1)\r\nX-Postfix-Sender: rfc822; bounce+k3@sender.example\r\nArrival-Date: x\r\n\r\nOriginal-Recipient: rfc822;jane@widgets.example\r\nFinal-Recipient: rfc822; j.doe@else.example\r\nAction: failed (no such user)\r\nStatus: 5.1.1 (bad mailbox)\r\nDiagnostic-Code: smtp; 550 5.1.1\r\n unknown\r\n\r\nFinal-Recipient: rfc822; joe@widgets.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n',
  );
  t.same(report, {
    reportingMta: 'mx.relay.example',
    sender: 'bounce+k3@sender.example',
    recipients: [
      { original: 'jane@widgets.example', final: 'j.doe@else.example', action: 'failed', status: '5.1.1', diagnostic: '550 5.1.1 unknown' },
      { original: undefined, final: 'joe@widgets.example', action: 'delayed', status: '4.4.1', diagnostic: undefined },
    ],
  });
});

t.test('blank lines where none belong, none where they do, and broken folding', async t => {
  const torn = readDeliveryStatus(
    'Final-Recipient: rfc822; a@x.example\n\nAction: failed\nStatus: 5.1.1\n\nFinal-Recipient: rfc822; b@x.example\nStatus: 5.2.2\n',
  );
  t.match(torn.recipients, [
    { final: 'a@x.example', status: '5.1.1' },
    { final: 'b@x.example', status: '5.2.2' },
  ]);
  const joined = readDeliveryStatus(
    'Reporting-MTA: dns; m.example\nFinal-Recipient: rfc822; a@x.example\nStatus: 5.1.1\nFinal-Recipient: rfc822; b@x.example\nStatus: 5.2.2\n',
  );
  t.match(joined.recipients, [
    { final: 'a@x.example', status: '5.1.1' },
    { final: 'b@x.example', status: '5.2.2' },
  ]);
  t.equal(
    readDeliveryStatus('Final-Recipient: rfc822; a@x.example\nDiagnostic-Code: smtp; 550 user\nunknown here\n').recipients[0]?.diagnostic,
    '550 user unknown here',
  );
  t.same(readDeliveryStatus('').recipients, []);
});

t.test('typed addresses', async t => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['rfc822; jane@widgets.example', 'jane@widgets.example'],
    ['RFC822;<jane@widgets.example>', 'jane@widgets.example'],
    ['jane@widgets.example', 'jane@widgets.example'],
    ['rfc822; jane@widgets.example.', 'jane@widgets.example'],
    ['rfc822; jane@widgets.example (bad mailbox)', 'jane@widgets.example'],
    ['rfc822; "jane doe"@widgets.example', '"jane doe"@widgets.example'],
    ['utf-8; j\\x{F6}rg@widgets.example', 'jörg@widgets.example'],
    ['utf-8; jörg@widgets.example', 'jörg@widgets.example'],
    ['utf-8; x\\x{110000}@widgets.example', undefined],
    ['rfc822; SRS0=AbCd=XY=widgets.example=jane@forward.example', 'jane@widgets.example'],
    ['x400; /G=Jane/S=Doe/', undefined],
    ['unknown; jane', undefined],
  ];
  for (const [value, address] of cases) if (!value.includes('110000')) t.equal(typedAddress(value), address, value);
  t.doesNotThrow(() => typedAddress('utf-8; x\\x{110000}@widgets.example'), 'no such character');
  const { recipients } = readDeliveryStatus('Original-Recipient: rfc822; jane+2Btag@widgets.example\nStatus: 5.1.1');
  t.equal(recipients[0]?.original, 'jane+tag@widgets.example', 'xtext as ORCPT came');
});

/** Which objection is told at the final dot: a refusal before a deferral, the recipient's own before the message's. */
import t from 'tap';
import { defer, reject } from '../../src/mail/reply.ts';
import type { Finding, Ruling } from '../../src/policy/policy.ts';
import { findingOf } from '../../src/submission/finding.ts';

type Says = 'nothing' | '5' | '4';

function ruling(check: string, says: Says): Ruling {
  const reply = says === '5' ? reject(550, '5.7.1', 'no') : defer(451, '4.3.0', 'later');
  const objection: Finding | undefined = says === 'nothing' ? undefined : { check, mode: 'enforce', token: 'x', reason: 'x', reply };
  return { objection, observed: [], all: objection === undefined ? [] : [objection], erased: false };
}

const table: readonly (readonly [Says, Says, string | undefined])[] = [
  ['nothing', 'nothing', undefined],
  ['nothing', '5', 'message 550'],
  ['nothing', '4', 'message 451'],
  ['5', 'nothing', 'recipient 550'],
  ['5', '5', 'recipient 550'],
  ['5', '4', 'recipient 550'],
  ['4', 'nothing', 'recipient 451'],
  ['4', '5', 'message 550'],
  ['4', '4', 'recipient 451'],
];

for (const [recipient, message, expected] of table) {
  t.test(`recipient ${recipient}, message ${message}`, async t => {
    const finding = findingOf(ruling('recipient', recipient), ruling('message', message));
    t.equal(finding && `${finding.check} ${finding.reply.code}`, expected);
  });
}

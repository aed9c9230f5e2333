/** Tests of the reference in a reply. */
import t from 'tap';
import type { DecisionId } from '../../src/ids.ts';
import { accept, defer, reject, replyLine } from '../../src/mail/reply.ts';
import { withRef } from '../../src/policy/ref.ts';

const id = '0123456789abcdef' as DecisionId;

t.test('the reply keeps code and status, and ends with the reference', async t => {
  for (const [reply, line] of [
    [
      reject(550, '5.7.1', 'Recipient may not be mailed (excluded)'),
      '550 5.7.1 Recipient may not be mailed (excluded) ref=0123456789abcdef',
    ],
    [defer(451, '4.3.0', 'Cannot decide now'), '451 4.3.0 Cannot decide now ref=0123456789abcdef'],
    [accept(250, '2.0.0', 'Ok'), '250 2.0.0 Ok ref=0123456789abcdef'],
  ] as const) {
    t.equal(replyLine(withRef(reply, id)), line);
  }
  const long = replyLine(withRef(reject(550, '5.7.1', 'x'.repeat(500)), id));
  t.ok(long.length <= 510 && long.endsWith(` ref=${id}`), 'a long text is cut, not the reference');
});

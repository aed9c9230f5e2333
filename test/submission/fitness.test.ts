/** What no policy may allow, and in which order it is told. */
import t from 'tap';
import { parseMessage } from '../../src/mail/message.ts';
import { replyLine } from '../../src/mail/reply.ts';
import { fitness } from '../../src/submission/fitness.ts';
import { letter } from './gatehouse.ts';

const BOUND = { campaigns: [], named: false };
const hops = (n: number) => Array.from({ length: n }, (_, i) => `Received: from a by b; ${i}`);
const ambiguous = ['Content-Type: text/plain', 'Content-Type: text/html'];

const cases: readonly { of: string; lines: readonly string[]; bound?: typeof BOUND | undefined; says: string | undefined }[] = [
  { of: 'an ordinary message', lines: [], bound: BOUND, says: undefined },
  { of: '30 hops', lines: hops(30), bound: BOUND, says: undefined },
  { of: '31 hops', lines: hops(31), bound: BOUND, says: '554 5.4.6 Mail loop: too many Received fields' },
  { of: 'two Content-Types', lines: ambiguous, bound: BOUND, says: '554 5.6.0 Message can be read in more than one way (ambiguous)' },
  { of: 'an unregistered campaign', lines: [], says: '550 5.7.1 Message may not be sent (campaign)' },
  {
    of: 'all at once: the loop is told, for it costs most',
    lines: [...hops(31), ...ambiguous],
    says: '554 5.4.6 Mail loop: too many Received fields',
  },
];

for (const { of, lines, bound, says } of cases) {
  t.test(of, async t => {
    const result = fitness(parseMessage(Buffer.from([...lines, letter()].join('\r\n'))), bound);
    if (!('unfit' in result)) {
      t.equal(says, undefined);
      t.equal(result, bound);
      return;
    }
    t.equal(replyLine(result.unfit.reply), says);
    t.equal(result.unfit.check, 'gate');
  });
}

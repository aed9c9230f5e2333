/** Bounces of some sixty mail systems as public test suites judge them: whom they name, and whether for good. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadBounce } from '../../../src/inbound/classifiers/bounce.ts';
import { toCrlf } from '../../../src/mail/line-ends.ts';
import { parseMessage } from '../../../src/mail/message.ts';

interface Case {
  readonly id: string;
  readonly file: string;
  readonly soft?: boolean;
  readonly expected: {
    readonly failed_recipients?: readonly string[];
    readonly delayed_recipients?: readonly string[];
    readonly failure?: boolean;
    readonly recipients_count?: number;
    readonly hard_bounce?: readonly boolean[];
    readonly sisimai?: readonly { readonly reason: string }[];
    readonly dsn_groups?: readonly { readonly status?: string }[];
  };
}

const folder = process.env.POSTERN_CORPUS ?? join(import.meta.dirname, '../../../../shared/corpus');
const corpus = join(folder, 'bounces.jsonl');

/** STANDARDS: what a status code alone makes permanent. */
const PERMANENT = ['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1'];
/** For that suite, mailboxes that are suspended or filtered are never permanent; for STANDARDS they are where the server's code says so. */
const OTHER_NOTION = ['filtered', 'suspend'];

t.test('recipients and permanence', { skip: existsSync(corpus) ? false : 'no corpus here' }, async t => {
  const bounce = loadBounce();
  const score = { cases: 0, named: 0, judged: 0, agreed: 0 };
  for (const line of readFileSync(corpus, 'utf8').split('\n')) {
    if (line.trim() === '') continue;
    const { id, file, soft, expected } = JSON.parse(line) as Case;
    const message = parseMessage(toCrlf(readFileSync(join(folder, file))));
    const found = bounce({ message, circumstances: {}, subject: '', ownText: '', below: '' });
    const recipients = found?.recipients ?? [];
    const addresses = recipients.map(({ address }) => address.toLowerCase()).sort();
    const failed = expected.failed_recipients?.map(address => address.toLowerCase()).sort();
    const none = expected.failure === false || expected.delayed_recipients !== undefined;
    score.cases += 1;
    if (
      none
        ? addresses.length === 0
        : failed === undefined
          ? addresses.length === expected.recipients_count
          : String(addresses) === String(failed)
    )
      score.named += 1;
    else t.comment(`${id}: other recipients, ${addresses.length}`);
    const { hard_bounce: hard, sisimai = [], dsn_groups: groups = [] } = expected;
    if (hard === undefined || none || soft === true) continue;
    const flags = recipients.map(({ permanent }) => permanent).sort();
    const disputed =
      sisimai.some(({ reason }) => OTHER_NOTION.includes(reason)) && groups.every(({ status }) => PERMANENT.includes(status ?? ''));
    score.judged += 1;
    // A delay names nobody here, and that suite counts it as a failure for now: both suppress nobody.
    const nobody = !flags.includes(true) && !hard.includes(true);
    if (nobody || String(flags) === String([...hard].sort()) || (disputed && groups.length > 0 && flags.every(Boolean))) score.agreed += 1;
    else t.comment(`${id}: permanence otherwise, ${found?.matched?.rule}`);
  }
  t.comment(`${score.named} of ${score.cases} recipients, ${score.agreed} of ${score.judged} permanence`);
  t.ok(score.named / score.cases >= 0.98, 'recipients, 98 %');
  t.ok(score.agreed / score.judged >= 0.95, 'permanence, 95 %');
});

/** config/bounce-rules.yaml: each rule matches the sample beside it, and no class takes another one's. */
import t from 'tap';
import { bounceTable, loadBounceRules, plainWords } from '../../../src/inbound/classifiers/bounce-rules.ts';
import { readTable } from '../../../src/ops/table.ts';

const table = readTable('bounce-rules', bounceTable);
const rules = loadBounceRules();

t.test('what tells that it is a report', async t => {
  for (const list of ['senders', 'subjects', 'openings', 'delays', 'returned'] as const) {
    t.ok((table[list] ?? []).length > 0, list);
    for (const { match, sample } of table[list] ?? [])
      t.ok(rules[list](plainWords(sample.replace('@', ' '))), `${list}: ${match.slice(0, 60)}`);
  }
});

t.test('what its words mean', async t => {
  for (const entry of table.classes ?? []) {
    for (const { sample } of entry.rules) t.equal(rules.meaning(plainWords(sample))?.class, entry.class, sample);
  }
});

t.test('only what is for ever is permanent', async t => {
  t.same(
    (table.classes ?? []).filter(entry => entry.permanent !== false).map(entry => `${entry.class} ${entry.permanent}`),
    ['moved true', 'no-mail-domain true', 'no-domain true', 'disabled by-code', 'gone true', 'no-mailbox true'],
  );
});

t.test('links and addresses say nothing of why', async t => {
  t.equal(rules.meaning(plainWords('see https://widgets.example/spam/user-unknown and <mailbox.full@widgets.example>')), undefined);
});

t.test('words that are met in reports of all kinds mean nothing', async t => {
  for (const words of [
    'This is a permanent error. The following address(es) failed:',
    "I'm sorry to have to inform you that your message could not be delivered to one or more recipients.",
    'For further assistance, please send mail to postmaster. If you do so, please include this problem report.',
    'Google tried to deliver your message, but it was rejected by the server for the recipient domain',
    'The original message was received at Mon, 2 Nov 2026 from localhost',
    'Do not reply to this message; contact your mail administrator if you need more information.',
  ])
    t.equal(rules.meaning(plainWords(words)), undefined, words);
});

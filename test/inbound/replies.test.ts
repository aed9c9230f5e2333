/** How well short replies are understood: no worse than docs/replies.md says, and never worse than promised. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadClassifier } from '../../src/inbound/classify.ts';
import { replyLanguages, replyMail, score, scoreReplies, scoreTable, sum } from './reply-scores.ts';

const classifier = loadClassifier();
const docs = readFileSync(new URL('../../docs/replies.md', import.meta.url), 'utf8');

t.test('docs/replies.md says what a run says (else: npm run scores, and copy its tables)', async t => {
  for (const half of ['held-out', 'tuned'] as const) {
    const [, table = ''] = docs.split(new RegExp(`<!-- /?${half} -->\n`));
    t.equal(table, scoreTable(classifier, half), half);
  }
});

t.test('A15: an opt-out is found, and what is none is never one', async t => {
  const all = sum(
    replyLanguages().flatMap(language => [scoreReplies(classifier, language, 'held-out'), scoreReplies(classifier, language, 'tuned')]),
  );
  t.ok(all.optOuts + all.others > 400, `${all.optOuts} and ${all.others}`);
  t.equal(all.wrong, 0);
  t.ok(all.missed / all.optOuts < 0.05, `${all.missed} missed`);
  t.ok(all.reviewed / all.others < 0.05, `${all.reviewed} of ${all.others} to review without need`);
});

const corpus = join(process.env.POSTERN_CORPUS ?? join(import.meta.dirname, '../../../shared/corpus'), 'opt-out-sentences.jsonl');
t.test('short replies of others', { skip: existsSync(corpus) ? false : 'no corpus here' }, async t => {
  const sentences = readFileSync(corpus, 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => JSON.parse(line) as { readonly text: string; readonly expected: string });
  const kinds = (wanted: boolean) =>
    sentences.filter(({ expected }) => (expected === 'opt-out') === wanted).map(({ text }) => classifier.classify(replyMail(text)).kind);
  const found = score(kinds(true), kinds(false));
  t.ok(found.optOuts > 50);
  t.equal(found.missed, 0);
  t.equal(found.wrong, 0);
});

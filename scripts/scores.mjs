/** `npm run scores [-- FOLDER]`: how well what comes back is understood: our own short replies, and a corpus of real mail where there is one. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadClassifier } from '../src/inbound/classify.ts';
import { parseMessage } from '../src/mail/message.ts';
import { replyMail, SCORE_HEAD, score, scoreRow, scoreTable } from '../test/inbound/reply-scores.ts';

const folder = process.argv[2] ?? process.env.POSTERN_CORPUS ?? join(import.meta.dirname, '../../shared/corpus');
const classifier = loadClassifier();
const lines = name => {
  const file = join(folder, name);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => JSON.parse(line));
};
const percent = (part, whole) => (whole === 0 ? 'no cases' : `${((part / whole) * 100).toFixed(1)} % (${part} of ${whole})`);
/** Files that are whole messages begin with fields; others are a body. */
const message = ({ kind, file, input }) => {
  const text = (file === null || file === undefined ? Buffer.from(input ?? '') : readFileSync(join(folder, file))).toString('latin1');
  const bare = kind.startsWith('reply_') || kind === 'embedded_mail';
  const head =
    bare && file?.endsWith('.eml') !== true ? `Content-Type: ${kind === 'reply_html' ? 'text/html' : 'text/plain'}; charset=utf-8\n\n` : '';
  return parseMessage(Buffer.from(`${head}${text}`.replace(/\r\n?|\n/g, '\r\n'), 'latin1'));
};

for (const half of ['held-out', 'tuned']) console.log(`Our own short replies, ${half}\n\n${scoreTable(classifier, half)}`);

const bounce = { cases: 0, named: 0, judged: 0, agreed: 0, disputed: 0, optOuts: 0 };
/** To that suite a mailbox that is suspended or filtered is never permanent; to us it is where each status code says so. */
const PERMANENT = ['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1'];
const isDisputed = ({ sisimai = [], dsn_groups: groups = [] }) =>
  sisimai.some(({ reason }) => reason === 'filtered' || reason === 'suspend') &&
  groups.length > 0 &&
  groups.every(({ status }) => PERMANENT.includes(status ?? ''));
const sorted = list => String([...list].sort());
for (const one of lines('bounces.jsonl')) {
  const { failed_recipients: failed, recipients_count: count, delayed_recipients: delayed, failure, hard_bounce: hard } = one.expected;
  const { kind, recipients } = classifier.classify(message(one));
  if (kind === 'opt-out') bounce.optOuts += 1;
  const none = failure === false || delayed !== undefined;
  const wanted = none ? [] : failed?.map(address => address.toLowerCase());
  const named = recipients.map(({ address }) => address.toLowerCase());
  bounce.cases += 1;
  if (wanted === undefined ? named.length === count : sorted(named) === sorted(wanted)) bounce.named += 1;
  if (hard === undefined || none || one.soft === true) continue;
  const flags = recipients.map(({ permanent }) => permanent);
  bounce.judged += 1;
  // A delay names nobody: it suppresses nobody, as a failure for now.
  if (sorted(flags) === sorted(hard) || !(flags.includes(true) || hard.includes(true))) bounce.agreed += 1;
  else if (isDisputed(one.expected) && flags.every(Boolean)) bounce.disputed += 1;
}
console.log(`Corpus: ${folder}`);
console.log(
  `bounces: recipients ${percent(bounce.named, bounce.cases)}; permanence ${percent(bounce.agreed + bounce.disputed, bounce.judged)}, ` +
    `${bounce.disputed} of them by the server's code against the suite's own notion; opt-outs ${bounce.optOuts}`,
);

const squeezed = text => text.replace(/\s+/g, '');
const reply = { texts: 0, same: 0, quoted: 0 };
for (const one of lines('replies.jsonl')) {
  const { reply_text: text, verdict_must_not_be: forbidden } = one.expected;
  const found = classifier.classify(message(one));
  if (forbidden !== undefined && [forbidden].flat().includes(found.kind)) reply.quoted += 1;
  if (one.soft === true || text === undefined) continue;
  reply.texts += 1;
  if (squeezed(found.ownText) === squeezed(text)) reply.same += 1;
}
console.log(
  `replies: own words ${percent(reply.same, reply.texts)}; opt-outs that stand only in a quote and were counted: ${reply.quoted}`,
);

const sentences = lines('opt-out-sentences.jsonl').map(({ text, expected }) => ({
  expected,
  kind: classifier.classify(replyMail(text)).kind,
}));
const kinds = wanted => sentences.filter(({ expected }) => (expected === 'opt-out') === wanted).map(({ kind }) => kind);
console.log(`sentences, all languages\n\n${SCORE_HEAD}\n${scoreRow('corpus', score(kinds(true), kinds(false)))}`);

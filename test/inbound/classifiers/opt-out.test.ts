/** What people say who want no more mail, in every language of the table; and what only looks like it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { optOutRepliesTable } from '../../../src/inbound/classifiers/opt-out.ts';
import { requestsTable } from '../../../src/inbound/classifiers/request.ts';
import { loadClassifier } from '../../../src/inbound/classify.ts';
import type { Kind } from '../../../src/inbound/finding.ts';
import { parseMessage } from '../../../src/mail/message.ts';
import { readTable } from '../../../src/ops/table.ts';
import { replyMail } from '../reply-scores.ts';

const classifier = loadClassifier();
const kind = (text: string): Kind => classifier.classify(replyMail(text)).kind;
const mail = (fields: string, text = ''): ReturnType<typeof parseMessage> =>
  parseMessage(
    Buffer.from(
      `From: jane@corp.example\r\nTo: bob@acme.example\r\n${fields}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`,
    ),
  );

const { languages = [] } = readTable('opt-out-replies', optOutRepliesTable);

t.test('A15: every sample of the table, in every language', async t => {
  t.ok(languages.length >= 20, `${languages.length} languages`);
  for (const { language, samples = [], doubts = [], not = [] } of languages) {
    t.ok(samples.length > 0 && doubts.length > 0 && not.length > 0, `${language} has samples`);
    for (const text of samples) {
      t.match(kind(text), /^(opt-out|request)$/, `${language}: ${text}`);
      t.match(kind(`Hi Bob,\n\n${text.toUpperCase()}\n\nKind regards\nJane`), /^(opt-out|request)$/, `${language}: ${text} in capitals`);
    }
    for (const text of doubts) t.equal(kind(text), 'review', `${language}: ${text}`);
    for (const text of not) t.equal(kind(text), 'reply', `${language}, not: ${text}`);
  }
});

t.test('A20, B12: every sample of the requests table', async t => {
  for (const { language, samples, not = [] } of readTable('requests', requestsTable).languages) {
    for (const request of ['access', 'erasure'] as const) {
      for (const text of samples?.[request] ?? [])
        t.match(classifier.classify(replyMail(text)), { kind: 'request', request }, `${language}: ${text}`);
    }
    for (const text of samples?.bare ?? [])
      t.match(classifier.classify(replyMail(text)), { kind: 'opt-out', request: 'erasure' }, `${language}, bare: ${text}`);
    for (const text of not) t.notMatch(kind(text), /request|opt-out/, `${language}, not: ${text}`);
  }
});

t.test('A21: an opt-out asks for erasure where it says so, and nowhere else', async t => {
  const request = (text: string, fields = 'Subject: Re: Hello') => classifier.classify(mail(fields, text)).request;
  for (const text of ['Please remove me from your list.', 'unsubscribe', 'Stop. Do not delete my data, only stop mailing me.', 'abmelden'])
    t.equal(request(text), undefined, text);
  t.equal(request('Unsubscribe me. And delete my data, please.'), 'erasure');
  t.equal(request('Stop.', 'Subject: Please delete my data'), 'erasure', 'their own subject');
  t.equal(request('Stop.', 'Subject: Re: How to delete my data'), undefined, 'ours');
});

t.test('A15: however it is written', async t => {
  for (const text of [
    'un\u200bsubscribe me',
    'Don’t contact me again!',
    'ＳＴＯＰ',
    '🛑',
    '✋🏽',
    '🚫 stop 🚫',
    'no. stop.',
    'REMOVE\nME\nFROM YOUR\nLIST',
    'Bitte loeschen Sie meine Daten',
    'Fjern mig fra listen',
  ])
    t.equal(kind(text), 'opt-out', JSON.stringify(text));
  t.equal(kind('👍'), 'reply');
  t.equal(
    kind(`${'We think that this is a long line which our mail program broke, so never\nstop.'}`),
    'reply',
    'a wrapped last word is no clause',
  );
  t.equal(kind('I would love a demo, but please take me off the newsletter list.'), 'opt-out', 'it wins over interest');
  t.match(classifier.classify(replyMail('Hello. Please remove me from your list.')), {
    matched: { rule: 'opt-out/en/anywhere', span: 'remove me from your list' },
    language: 'en',
    ownText: 'Hello. Please remove me from your list.',
  });
});

t.test('the subject: theirs counts, ours behind a mark does not', async t => {
  for (const [fields, text, expected] of [
    ['Subject: please remove me from your list', 'Jane', 'opt-out'],
    ['Subject: STOP', 'Jane', 'opt-out'],
    ['Subject: Re: STOP', '', 'opt-out'],
    ['Subject: Re: STOP', 'Sounds good, call me', 'review'],
    ['Subject: Re: Stop emailing spreadsheets around', 'Sounds good, call me', 'reply'],
  ] as const)
    t.equal(classifier.classify(mail(fields, text)).kind, expected, `${fields}: ${text}`);
});

t.test('what is proved automatic objects to nothing, unless it is no automatic text', async t => {
  const auto = 'Subject: Re: Our offer\r\nAuto-Submitted: auto-replied';
  t.equal(classifier.classify(mail(auto, 'I am out of the office. Please remove me from your list in urgent cases.')).kind, 'auto-reply');
  t.equal(classifier.classify(mail(auto, 'Please remove me from your list.')).kind, 'review', 'a help desk marks what its people write');
  t.equal(classifier.classify(mail(auto, 'You have the right of access under Article 15 GDPR.')).kind, 'auto-reply');
  t.equal(classifier.classify(mail(auto, 'What data do you hold about me?')).kind, 'auto-reply');
});

t.test('an admin adds phrases', async t => {
  const folder = t.testdir({});
  writeFileSync(join(folder, 'opt-out-replies.yaml'), 'languages: [{ language: xx, anywhere: [blorp me], never: [stop press] }]');
  const own = loadClassifier(folder);
  t.match(own.classify(replyMail('Would you blorp me?')), { kind: 'opt-out', language: 'xx', matched: { rule: 'opt-out/xx/anywhere' } });
  t.equal(own.classify(replyMail('Please unsubscribe me')).kind, 'opt-out', 'ours stay');
  writeFileSync(join(folder, 'opt-out-replies.yaml'), 'languages: [{ language: xx, anywhere: [(blorp me] }]');
  t.throws(() => loadClassifier(folder), /blorp me.*brackets/);
});

t.test('texts made to cost time are read to their end, whatever is in them', async t => {
  for (const piece of [
    "don't ",
    'please remove my ',
    'stop sending me ',
    "a'''''' ",
    '- ',
    'no. ',
    '\n',
    'a',
    'möchte keine weiteren nicht mehr ',
    '配信',
    'nie chcę no quiero je ne souhaite ',
  ])
    t.ok(kind(piece.repeat(Math.ceil(262_144 / piece.length))), JSON.stringify(piece));
  t.equal(kind(`${'We like it. '.repeat(20_000)}\n\nPlease unsubscribe me.`), 'opt-out', 'at the end of a long text');
});

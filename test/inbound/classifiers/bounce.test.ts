/** Bounces of many systems: who failed, and whether for good; what is no failure; what was returned. */
import t from 'tap';
import { loadBounce } from '../../../src/inbound/classifiers/bounce.ts';
import type { Circumstances, Finding } from '../../../src/inbound/finding.ts';
import { toCrlf } from '../../../src/mail/line-ends.ts';
import { parseMessage } from '../../../src/mail/message.ts';
import { dsn, OTHERS, plain, SAMPLES } from './bounces.ts';

const bounce = loadBounce();
const read = (mail: string, circumstances: Circumstances = {}): Finding | undefined =>
  bounce({ message: parseMessage(toCrlf(Buffer.from(mail))), circumstances, subject: '', ownText: '', below: '' });
const named = (finding: Finding | undefined): readonly string[] =>
  finding?.recipients.map(({ address, permanent }) => `${address}${permanent ? '!' : ''}`) ?? [];

for (const { system, mail, recipients } of SAMPLES) {
  t.test(`bounce: ${system}`, async t => {
    const found = read(mail);
    t.equal(found?.kind, 'bounce');
    t.same(named(found), recipients, JSON.stringify(found?.matched));
    t.equal(found?.ours, undefined);
  });
}

for (const { what, mail, rule } of OTHERS) {
  t.test(`no failure: ${what}`, async t => {
    const found = read(mail);
    t.equal(found?.matched?.rule, rule);
    if (rule !== undefined) t.match(found, { kind: 'unknown', recipients: [] });
  });
}

t.test('what was returned is told, from a part or from the text', async t => {
  const returned = { messageId: '<offer-1@sender.example>', reversePath: 'bounce+k3@sender.example', to: ['jane@widgets.example'] };
  t.same(read(SAMPLES[0]?.mail ?? '')?.returned, returned);
  t.same(read(SAMPLES.find(({ system }) => system === 'Exim')?.mail ?? '')?.returned, returned);
});

t.test('an alias: who failed, and who was mailed', async t => {
  const found = read(
    dsn(['Original-Recipient: rfc822;jane@widgets.example\nFinal-Recipient: rfc822; j.doe@else.example\nAction: failed\nStatus: 5.1.1']),
  );
  t.match(found?.recipients, [{ address: 'j.doe@else.example', mailed: 'jane@widgets.example', permanent: true }]);
});

t.test('what this gate itself said comes back as ours, and nothing else does', async t => {
  const ourNames = ['gate.sender.example'];
  const own = dsn(['Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.7.1'], { mta: 'gate.sender.example' }).replace(
    'MAILER-DAEMON@',
    'postmaster@',
  );
  t.equal(read(own, { ourNames })?.ours, true);
  t.equal(read(own)?.ours, undefined, 'another gate');
  t.equal(read(own.replace('postmaster@', 'MAILER-DAEMON@'), { ourNames })?.ours, undefined, 'a mail server on the same host');
  const refused = (said: string): string =>
    dsn([`Final-Recipient: rfc822; jane@widgets.example\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; ${said}`]);
  t.equal(read(refused('550 5.7.1 Recipient may not be mailed (excluded) ref=01hq3k5m7n9p2r4t'))?.ours, true);
  t.equal(read(refused('554 5.6.0 No visible link to the privacy policy (privacy-link) ref=01hq3k5m7n9p2r4t'))?.ours, true);
  t.equal(read(refused('550 5.7.1 Recipient may not be mailed'))?.ours, undefined);
});

t.test('an admin adds rules of his own', async t => {
  const folder = t.testdir({
    'bounce-rules.yaml':
      "classes:\n  - class: no-mailbox\n    permanent: true\n    status: 5.1.1\n    rules:\n      - { match: gone fishing, sample: 'gone fishing' }\n",
  });
  const mail = plain('MAILER-DAEMON@widgets.example', 'failure notice', 'Delivery failed\n\n<jane@widgets.example>:\ngone fishing\n');
  const own = loadBounce(folder)({
    message: parseMessage(toCrlf(Buffer.from(mail))),
    circumstances: {},
    subject: '',
    ownText: '',
    below: '',
  });
  t.same(named(own), ['jane@widgets.example!']);
  t.same(named(read(mail)), ['jane@widgets.example']);
});

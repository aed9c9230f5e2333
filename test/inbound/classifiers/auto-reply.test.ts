/** What nobody wrote: by header, by words, and what only looks like it. */
import t from 'tap';
import { autoReplyTable } from '../../../src/inbound/automatic.ts';
import { loadClassifier } from '../../../src/inbound/classify.ts';
import type { Finding } from '../../../src/inbound/finding.ts';
import { parseMessage } from '../../../src/mail/message.ts';
import { readTable } from '../../../src/ops/table.ts';
import { replyMail } from '../reply-scores.ts';

const classifier = loadClassifier();
const classify = (fields: string, text: string): Finding =>
  classifier.classify(
    parseMessage(
      Buffer.from(
        `From: Jane <jane@corp.example>\r\nTo: bob@acme.example\r\n${fields}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`,
      ),
    ),
  );
const encoded = (subject: string): string => `Subject: =?utf-8?B?${Buffer.from(subject).toString('base64')}?=`;

t.test('RFC 3834 and what the wild sends', async t => {
  for (const field of [
    'Auto-Submitted: auto-replied',
    'Auto-Submitted: (vacation) Auto-Generated; owner-email="x@y"',
    'X-Autoreply: yes',
    'X-Autorespond: 1',
    'X-AutoReply-From: x@corp.example',
    'X-Mail-Autoreply: bot',
    'X-FC-MachineGenerated: true',
    'X-POST-MessageClass: 9; Autoresponder',
    'Precedence: auto_reply',
    'Preference: auto_reply',
    'Delivered-To: Autoresponder',
    'X-Apple-Action: vacation',
  ])
    t.match(classify(`Subject: Re: Hi\r\n${field}`, 'Back soon.'), { kind: 'auto-reply', ownText: '', left: undefined }, field);
  for (const field of ['Auto-Submitted: no', 'X-Auto-Response-Suppress: All', 'Precedence: bulk', 'Precedence: list', 'X-Loop: x'])
    t.equal(classify(`Subject: Re: Hi\r\n${field}`, 'Sounds good, call me on Monday.').kind, 'reply', `${field} proves nothing`);
});

t.test('every sample of the table', async t => {
  for (const { language, samples, not = [] } of readTable('auto-replies', autoReplyTable).languages ?? []) {
    for (const text of samples?.away ?? []) {
      const found =
        text.includes(':') || text.startsWith('Auto')
          ? classify(`${encoded(text)}\r\nPrecedence: bulk`, '.')
          : classify('Subject: Hi\r\nPrecedence: bulk', text);
      t.equal(found.kind, 'auto-reply', `${language}: ${text}`);
    }
    for (const text of samples?.machine ?? []) t.equal(classifier.classify(replyMail(text)).kind, 'auto-reply', `${language}: ${text}`);
    for (const text of samples?.left ?? []) {
      t.match(classify('Subject: Hi\r\nAuto-Submitted: auto-replied', text), { kind: 'auto-reply', left: true }, `${language}: ${text}`);
    }
    for (const text of not) {
      t.equal(classifier.classify(replyMail(text)).kind, 'reply', `${language}, not: ${text}`);
      t.equal(classify('Subject: Hi\r\nAuto-Submitted: auto-replied', text).left, undefined, `${language}, still there: ${text}`);
    }
  }
});

t.test('a person who is away, or answers an automatic answer, is a person', async t => {
  t.equal(classify('Subject: Automatic reply: Our offer', 'Great, let us talk tomorrow.').kind, 'reply', 'a subject alone');
  t.equal(
    classify('Subject: RE: Automatic reply: Our offer\r\nX-Auto-Response-Suppress: All', 'Great, let us talk.').kind,
    'reply',
    'behind a mark',
  );
  t.equal(classify('Subject: Re: Hi', 'I am out of office until Monday; let us talk then!').kind, 'reply');
  t.equal(classify('Subject: Re: Hi', 'Please contact my colleague, I no longer work here.').kind, 'reply');
  t.equal(classify('Subject: Re: Hi', 'Is this an automated message or are you real?').kind, 'reply');
});

t.test('words and hints together', async t => {
  t.equal(classify('Subject: Automatic reply: Our offer\r\nX-Auto-Response-Suppress: All', 'Until Monday.').kind, 'auto-reply');
  t.equal(classify('Subject: Out of Office Re: Our offer', 'I am on annual leave.').kind, 'auto-reply');
  t.match(classify('Subject: Re: Hi', 'Thank you for your email. Jane Doe is no longer with the company. Please contact Bob.'), {
    kind: 'auto-reply',
    left: true,
  });
  const calendar = 'MIME-Version: 1.0\r\nContent-Type: text/calendar; charset=utf-8;\r\n method=REPLY\r\n';
  t.equal(
    classifier.classify(parseMessage(Buffer.from(`From: a@corp.example\r\nSubject: Accepted: Call\r\n${calendar}\r\nBEGIN:VCALENDAR\r\n`)))
      .kind,
    'auto-reply',
  );
});

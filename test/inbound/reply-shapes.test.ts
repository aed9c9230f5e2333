/** Each mail program's replies, in each language: the own words come out as they were written, and none of what was quoted. */
import t from 'tap';
import { loadOwnText } from '../../src/inbound/own-text.ts';
import { parseMessage } from '../../src/mail/message.ts';
import { LANGUAGES, type Original, REPLY_SHAPES } from '../support/reply-shapes.ts';

const ownText = loadOwnText();

const original: Original = {
  messageId: '<8f2c41@acme.example>',
  subject: 'Half an hour less per order',
  from: { name: 'Ann Archer', address: 'ann@acme.example' },
  to: 'bob@there.example',
  date: new Date(Date.UTC(2026, 4, 12, 10, 22)),
  text: 'Hi Bob,\n\nhalf an hour less per order: https://www.acme.example/x\n\nAnn\n\n-- \nUnsubscribe: https://www.acme.example/u?r=8f2c41\nTo stop receiving these mails, reply "remove me".\n',
  html: '<html><head><style>p{margin:0}</style></head><body><p>Hi Bob,</p><blockquote>A customer says: half an hour less.</blockquote><div>half an hour less <a href="https://www.acme.example/x">per order</a></div><p>Ann</p><table><tr><td><p style="font-size:11px">To stop receiving these mails, reply "remove me" or <a href="https://www.acme.example/u?r=8f2c41">unsubscribe</a>.</p></td></tr></table></body></html>',
};

const OWN = [
  'Please take me off your list.',
  'No.\nStop.',
  'Bitte streichen Sie mich aus dem Verteiler.\n\nMit freundlichen Grüßen\nBob Müller',
  'Hello Ann,\n\nthanks, but 3 < 5 & we are happy.\n\nRegards\nBob',
  'Oui 👍',
  'Retirez-moi de votre liste, s’il vous plaît : c’est la 2e fois.\n\nCordialement',
];

for (const shape of REPLY_SHAPES) {
  t.test(`A16: ${shape.name}`, async t => {
    for (const language of LANGUAGES) {
      for (const own of OWN) {
        const octets = shape.build({ from: 'Bob There <bob@there.example>', to: 'ann@acme.example', original, ownText: own, language });
        t.equal(ownText(parseMessage(octets)), own, language);
      }
    }
  });
}

t.test('a reply to octets names them', async t => {
  const octets = Buffer.from(
    'From: "Ann Archer" <ann@acme.example>\r\nTo: bob@there.example\r\nSubject: Hi\r\nDate: Tue, 12 May 2026 10:22:00 +0000\r\nMessage-ID: <1@acme.example>\r\n\r\nHi Bob,\r\nunsubscribe here.\r\n',
  );
  for (const shape of REPLY_SHAPES) {
    const reply = parseMessage(
      shape.build({ from: 'bob@there.example', to: 'ann@acme.example', original: octets, ownText: 'Remove me.', language: 'en' }),
    );
    t.same(
      [reply.all('in-reply-to'), reply.all('references'), reply.all('subject')],
      [['<1@acme.example>'], ['<1@acme.example>'], ['Re: Hi']],
    );
    t.equal(ownText(reply), 'Remove me.', shape.name);
  }
});

t.test('our footer, returned without a mark, is told by its lines', async t => {
  const footer = ['Unsubscribe: https://www.acme.example/u?r=8f2c41', 'You may object at any time.'];
  const reply = parseMessage(Buffer.from(`Content-Type: text/plain\r\n\r\nSounds good.\r\n\r\n${footer.join('\r\n')}\r\n`));
  t.equal(
    ownText(reply, line => footer.includes(line)),
    'Sounds good.',
  );
});

t.test('mail forwarded as an attachment is not its sender’s words', async t => {
  const parts = ['text/plain\r\n\r\nSee below.', 'message/rfc822\r\n\r\nSubject: x\r\n\r\nunsubscribe me'];
  const octets = `Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts.map(part => `--b\r\nContent-Type: ${part}\r\n`).join('')}--b--\r\n`;
  t.equal(ownText(parseMessage(Buffer.from(octets))), 'See below.');
});

t.test('a text part that only asks for a reader of HTML is none', async t => {
  for (const stub of ['', ' \u00a0\r\n', 'This message is in HTML format. Your email client does not support HTML.']) {
    const octets = `Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${stub}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Remove me</p>\r\n--b--\r\n`;
    t.equal(ownText(parseMessage(Buffer.from(octets))), 'Remove me', stub);
  }
});

t.test('invisible characters and odd blanks', async t => {
  const octets = Buffer.from('Content-Type: text/plain; charset=utf-8\r\n\r\nun\u200bsub\u00adscribe\u00a0me\u2028now\r\n');
  t.equal(ownText(parseMessage(octets)), 'unsubscribe me\nnow');
});

t.test('a multipart whose boundary never appears is read as it stands', async t => {
  for (const type of ['multipart/alternative', 'multipart/mixed; boundary=b'])
    t.equal(ownText(parseMessage(Buffer.from(`Content-Type: ${type}\r\n\r\nRemove me\r\n`))), 'Remove me', type);
  const picture = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n\r\nx\r\n--b--\r\n';
  t.equal(ownText(parseMessage(Buffer.from(picture))), '');
});

/** Marks: where a token is put into return path and Reply-To, and where nothing may be added. */
import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { clientId } from '../../src/ids.ts';
import { parseMessage } from '../../src/mail/message.ts';
import { type Marked, marksOf } from '../../src/submission/marks.ts';
import { signDkim, verifyDkim } from '../support/dkim.ts';
import { ACME, address, letter } from './gatehouse.ts';

const TOKEN = 'abcdefghijklmnopqrstuvwxyz2345672345';

function marked(profile: Partial<Marked['profile']>, message = letter(), reversePath: string | null = 'b@acme.example') {
  return marksOf({
    profile: { id: ACME, returnPath: undefined, replyAddresses: [], tagReplyTo: false, ...profile },
    reversePath: reversePath === null ? null : address(reversePath),
    message: parseMessage(Buffer.from(message)),
    token: () => TOKEN,
  });
}

t.test('by default nothing is marked', async t => {
  const { reversePath, replyTo } = marked({ replyAddresses: ['ann@acme.example'] });
  t.equal(reversePath?.relayed, 'b@acme.example');
  t.equal(replyTo.length, 0);
});

t.test('the return path: never in place of the null one, and SMTPUTF8 stays as necessary as it was', async t => {
  const returnPath = 'bounces.acme.example';
  t.match(marked({ returnPath }).reversePath, { relayed: `bounce+${TOKEN}@bounces.acme.example`, utf8: false });
  t.match(marked({ returnPath }, letter(), 'jürgen@acme.example').reversePath, { relayed: `bounce+${TOKEN}@${returnPath}`, utf8: true });
  t.equal(marked({ returnPath }, letter(), null).reversePath, null);
  const long = `${'a'.repeat(60)}.`.repeat(4).slice(0, -1);
  t.throws(() => marked({ returnPath: long }), { message: /^the return path of client acme leaves no room/ });
});

t.test('Reply-To: added only where it changes nothing that the platform said', async t => {
  const tagged = (local: string): string => `Reply-To: ${local}+${TOKEN}@acme.example\r\n`;
  const ann = { replyAddresses: ['ann@acme.example', 'bob@acme.example'] };
  const signature = (fields: string): string => `DKIM-Signature: v=1; a=rsa-sha256; d=acme.example; s=a;\r\n\th=${fields}; bh=x; b=y`;
  const cases: Readonly<Record<string, readonly [Partial<Marked['profile']>, string, string]>> = {
    'the first reply address': [ann, letter(), tagged('ann')],
    "the From's own where it is one": [ann, letter('From: Bob <BOB+x@acme.example>'), tagged('bob')],
    'no reply address': [{}, letter(), ''],
    'a Reply-To': [ann, letter('Reply-To: desk@acme.example'), ''],
    'an empty Reply-To': [ann, letter('reply-to:'), ''],
    'signed, but not the field': [ann, letter(signature('From:To:X-Reply-To:In-Reply-To')), tagged('ann')],
    'its absence signed': [ann, letter(signature('From:To:Reply-To')), ''],
    'its absence signed, folded and in capitals': [ann, letter(signature('From : To :\r\n\t REPLY-\r\n\tTO ')), ''],
    'its absence signed by a second signature': [ann, letter(`${signature('From')}\r\n${signature('from:reply-to')}`), ''],
    'its absence signed by one that is no field but a word of another tag': [
      ann,
      letter('DKIM-Signature: v=1; h=From; z=Reply-To:x; b=y'),
      tagged('ann'),
    ],
    'its absence signed by a forwarder': [ann, letter('ARC-Message-Signature: i=1; h=from:reply-to; b=y'), ''],
    'a reply address with a tag': [{ replyAddresses: ['ann+sales@acme.example'] }, letter(), ''],
    'one that needs quotes': [{ replyAddresses: ['"ann archer"@acme.example'] }, letter(), ''],
    'one that needs SMTPUTF8': [{ replyAddresses: ['jürgen@acme.example'] }, letter(), ''],
    'one with just enough room': [{ replyAddresses: [`${'a'.repeat(27)}@acme.example`] }, letter(), tagged('a'.repeat(27))],
    'one without room': [{ replyAddresses: [`${'a'.repeat(28)}@acme.example`] }, letter(), ''],
    'a From that cannot be read': [ann, letter('From: A, B <a@acme.example'), tagged('ann')],
  };
  for (const [name, [profile, message, field]] of Object.entries(cases)) {
    t.equal(marked({ tagReplyTo: true, ...profile }, message).replyTo.toString(), field, name);
  }
});

t.test('signatures hold beside what is added', async t => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const profile = { id: clientId('acme') ?? ACME, returnPath: undefined, replyAddresses: ['ann@acme.example'], tagReplyTo: true };
  for (const [fields, adds] of [
    [['From', 'To', 'Subject'], true],
    [['From', 'From', 'To', 'To', 'Subject', 'Reply-To'], false],
    [['from', 'REPLY-TO', 'reply-to'], false],
  ] as const) {
    for (const header of ['simple', 'relaxed'] as const) {
      const signed = signDkim(Buffer.from(letter()), { privateKey, header, body: header, fields });
      const { replyTo } = marksOf({ profile, reversePath: null, message: parseMessage(signed), token: () => TOKEN });
      t.equal(replyTo.length > 0, adds, `${fields}`);
      t.equal(verifyDkim(Buffer.concat([replyTo, signed]), publicKey), 'pass');
      const forced = Buffer.concat([Buffer.from('Reply-To: x@acme.example\r\n'), signed]);
      t.equal(verifyDkim(forced, publicKey) === 'pass', adds, 'and it would not have held with another one');
    }
  }
});

/** The DKIM verifier that the end-to-end tests trust: RFC 6376's own examples, somebody else's signatures, and one octet changed. */
import { generateKeyPairSync } from 'node:crypto';
import { createTransport } from 'nodemailer';
import t from 'tap';
import { type Canonicalization, canonicalBody, canonicalField, signDkim, verifyDkim } from './dkim.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const WAYS: readonly Canonicalization[] = ['simple', 'relaxed'];
const FIELDS = ['From', 'To', 'Subject', 'Subject'];
const MESSAGE = Buffer.from(
  'From: Ann <ann@acme.example>\r\nTo: bob@there.example\r\nSubject:  Two  blanks \r\n\tand a fold\r\nX-Other: 1\r\n\r\nHello \t world  \r\n\r\nEnd\r\n\r\n\r\n',
);

t.test('canonical forms (RFC 6376 §3.4.3 to §3.4.5)', async t => {
  t.equal(canonicalField('A: X\r\n', 'relaxed') + canonicalField('B : Y\t\r\n\tZ  \r\n', 'relaxed'), 'a:X\r\nb:Y Z\r\n');
  t.equal(canonicalField('B : Y\t\r\n\tZ  \r\n', 'simple'), 'B : Y\t\r\n\tZ  \r\n');
  const body = ' C \r\nD \t E\r\n\r\n\r\n';
  t.equal(canonicalBody(body, 'relaxed'), ' C\r\nD E\r\n');
  t.equal(canonicalBody(body, 'simple'), ' C \r\nD \t E\r\n');
  for (const empty of ['', '\r\n', '\r\n\r\n\r\n']) {
    t.equal(canonicalBody(empty, 'simple'), '\r\n');
    t.equal(canonicalBody(empty, 'relaxed'), '');
  }
  t.equal(canonicalBody('no end', 'simple'), 'no end\r\n');
  t.equal(canonicalBody('no end \t', 'relaxed'), 'no end\r\n');
  t.equal(canonicalBody(' \r\n\t\r\n', 'relaxed'), '', 'lines of blanks are empty lines');
});

t.test('signatures of each kind pass, and fail with one octet changed', async t => {
  for (const header of WAYS) {
    for (const body of WAYS) {
      const name = `${header}/${body}`;
      const signed = signDkim(MESSAGE, { privateKey, header, body, fields: FIELDS });
      t.equal(verifyDkim(signed, publicKey), 'pass', name);
      const changed = (from: string, to: string): Buffer => Buffer.from(signed.toString('latin1').replace(from, to), 'latin1');
      t.equal(verifyDkim(changed('End', 'end'), publicKey), 'body hash differs', name);
      t.equal(verifyDkim(changed('Two', 'two'), publicKey), 'header hash differs', name);
      t.equal(verifyDkim(changed('s=test', 's=rest'), publicKey), 'header hash differs', `${name}: the signature's own field`);
      t.equal(verifyDkim(changed('X-Other', 'Subject: more\r\nX-Other'), publicKey), 'header hash differs', `${name}: a second Subject`);
      t.equal(verifyDkim(changed('X-Other: 1', 'X-Other: 2'), publicKey), 'pass', `${name}: what is not signed may change`);
      const blanks = verifyDkim(changed('Hello \t world  \r\n', 'Hello world\r\n'), publicKey);
      t.equal(blanks, body === 'relaxed' ? 'pass' : 'body hash differs', `${name}: blanks in the body`);
      const folds = verifyDkim(changed(' \r\n\tand a fold', ' and a fold'), publicKey);
      t.equal(folds, header === 'relaxed' ? 'pass' : 'header hash differs', `${name}: folds`);
      t.equal(verifyDkim(changed('\r\n\r\n\r\n', '\r\n'), publicKey), 'pass', `${name}: empty lines at the end`);
    }
  }
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  t.equal(
    verifyDkim(signDkim(MESSAGE, { privateKey, header: 'relaxed', body: 'simple', fields: FIELDS }), stranger),
    'header hash differs',
  );
  t.equal(verifyDkim(MESSAGE, publicKey), '0 signatures');
});

t.test("nodemailer's signature passes", async t => {
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const composer = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    dkim: { domainName: 'acme.example', keySelector: 'k', privateKey: key },
  });
  const { message } = await composer.sendMail({
    from: 'ann@acme.example',
    to: 'bob@there.example',
    subject: 'Grüße',
    text: 'Hällo  \n\n\n',
    html: '<p>Hi</p>',
  });
  if (!Buffer.isBuffer(message)) throw new Error('no buffer');
  t.equal(verifyDkim(message, publicKey), 'pass');
  const spoilt = Buffer.from(message);
  spoilt[spoilt.length - 6] = 0x21;
  t.equal(verifyDkim(spoilt, publicKey), 'body hash differs');
});

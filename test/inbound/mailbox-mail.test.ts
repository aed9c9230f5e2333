/** What is made of a message's octets in a mailbox: line ends, reverse-path, and whose it is. */
import t from 'tap';
import { arrivalOf, baseForms } from '../../src/inbound/mailbox-mail.ts';
import { ACME } from '../journal/desk.ts';

function arrival(text: string, own: readonly string[] = []) {
  return arrivalOf({ octets: Buffer.from(text, 'latin1'), at: 5, mailbox: 'carol', client: ACME, own: new Set(baseForms(own)) });
}

t.test('the reverse-path is what Return-Path says, and nothing else', async t => {
  const table: [string, string][] = [
    ['Return-Path: <pat@widgets.example>\r\n', 'pat@widgets.example'],
    ['Return-Path: <>\r\n', ''],
    ['Return-Path:\r\n <Pat@widgets.example>\r\n', 'Pat@widgets.example'],
    ['Return-Path: pat@widgets.example\r\n', ''],
    ['From: pat@widgets.example\r\n', ''],
    ['Return-Path: <a@b.example>\r\nReturn-Path: <c@d.example>\r\n', 'a@b.example'],
    ['', ''],
  ];
  for (const [text, expected] of table) t.match(await arrival(`${text}\r\n`), { reversePath: expected, at: 5, via: 'mailbox:carol' }, text);
});

t.test('own is what only the owner wrote', async t => {
  const own = ['carol', 'Carol@acme.example', 'hello@acme.example'];
  const table: [string, boolean][] = [
    ['From: carol@acme.example', true],
    ['From: "Carol, Sales" <carol+x@ACME.example>', true],
    ['From: carol@acme.example, hello@acme.example', true],
    ['From: carol@acme.example, pat@widgets.example', false],
    ['From: carol@acme.example\r\nFrom: pat@widgets.example', false],
    ['From: carol@acme.example.evil.example', false],
    ['From: "carol@acme.example" <pat@widgets.example>', false],
    ['From: carol', false],
    ['From: <>', false],
    ['Sender: carol@acme.example', false],
    ['Return-Path: <>\r\nFrom: carol@acme.example', false],
    ['Return-Path: <carol@acme.example>\r\nFrom: carol@acme.example', true],
  ];
  for (const [text, expected] of table) t.equal((await arrival(`${text}\r\n\r\n`, own)) === 'own', expected, text);
});

t.test('line ends are CRLF, and what has them is not touched', async t => {
  const octets = async (text: string) => {
    const made = await arrival(text);
    return made === 'own' ? made : made.octets.toString('latin1');
  };
  t.equal(await octets('A: b\r\n\r\n\xe9\x00\r\n'), 'A: b\r\n\r\n\xe9\x00\r\n');
  t.equal(await octets('A: b\n\nc\n\xe9\r\n'), 'A: b\r\n\r\nc\r\n\xe9\r\n');
  t.equal(await octets('A: b\r\rc\n\r\n'), 'A: b\r\n\r\nc\r\n\r\n');
  t.equal(await octets('\nA: b\n\r'), '\r\nA: b\r\n\r\n');
  t.equal(await octets(''), '');
  for (const ends of ['\r\n', '\n', '\r', '\r\r\n', '\n\r']) {
    for (const shift of [0, 1, 2, 3]) {
      const long = 'x'.repeat(shift) + `123${ends}`.repeat(500_000);
      const wanted = long.replaceAll(/\r\n|\r|\n/g, '\r\n');
      t.ok((await octets(long)) === wanted, JSON.stringify([ends, shift]));
    }
  }
});

/** listen values: what they mean, and errors that name the key and the fix. */
import t from 'tap';
import { parseListen, parseListens } from '../../src/smtp/listen.ts';

t.test('an address in each of its forms', async t => {
  const table: [string, string, number, boolean][] = [
    ['127.0.0.1:2525', '127.0.0.1', 2525, false],
    ['[::1]:25', '::1', 25, false],
    ['smtps://0.0.0.0:465', '0.0.0.0', 465, true],
    ['smtps://[::]:465', '::', 465, true],
    ['smtp://gate.example:587', 'gate.example', 587, false],
    [' localhost:0 ', 'localhost', 0, false],
  ];
  for (const [text, host, port, implicitTls] of table) t.same(parseListen(text), { host, port, implicitTls }, text);
});

t.test('what is no address is refused with key and fix', async t => {
  for (const text of ['', '2525', ':2525', '::1:25', '127.0.0.1', '127.0.0.1:65536', 'http://h:1', 'h:1/x', 'a b:1', '[::1]', '*:25']) {
    t.throws(() => parseListen(text), /^submission\.listen: ".*" is no listening address; write host:port/, text);
  }
  t.throws(() => parseListen('x', 'inbound.listen'), /^inbound\.listen:/);
});

t.test('one or several', async t => {
  t.equal(parseListens('127.0.0.1:1, smtps://127.0.0.1:2').length, 2);
  t.equal(parseListens(['127.0.0.1:1', '[::1]:2'])[1]?.host, '::1');
  t.throws(() => parseListens(['127.0.0.1:1', 'nonsense']), RangeError);
});

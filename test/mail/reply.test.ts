/** Replies: code and enhanced status of one class, and nothing in the text that could split a reply. */
import t from 'tap';
import { accept, defer, fromServer, reject, replyLine } from '../../src/mail/reply.ts';

t.test('a reply is one line of its class', async t => {
  t.equal(replyLine(reject(550, '5.7.1', 'Recipient may not be mailed (excluded)')), '550 5.7.1 Recipient may not be mailed (excluded)');
  t.equal(replyLine(defer(451, '4.3.0', 'Try again\r\n250 later')), '451 4.3.0 Try again 250 later');
  t.throws(() => accept(550, '2.0.0', 'no'), RangeError);
});

t.test('an upstream reply keeps its code and status', async t => {
  const table: [number, string[], string][] = [
    [550, ['5.1.1 No such user'], '550 5.1.1 No such user'],
    [550, ['5.1.1 No such', '5.1.1 user'], '550 5.1.1 No such user'],
    [450, ['5.1.1 contradicts its code'], '450 4.0.0 5.1.1 contradicts its code'],
    [250, ['OK'], '250 2.0.0 OK'],
    [354, ['go on'], '451 4.3.0 Unexpected upstream reply 354'],
  ];
  for (const [code, lines, expected] of table) t.equal(replyLine(fromServer(code, lines)), expected);
});

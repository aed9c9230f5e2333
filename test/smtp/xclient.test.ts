/** XCLIENT's attributes, and addresses in their one form. */
import t from 'tap';
import { isReply } from '../../src/smtp/gate.ts';
import { parseXclient, plainAddress } from '../../src/smtp/xclient.ts';

t.test('only a real address is believed', async t => {
  const table: [string, string | undefined | 'refused'][] = [
    ['ADDR=192.0.2.1', '192.0.2.1'],
    ['NAME=[UNAVAILABLE] addr=IPV6:2001:DB8::1 PORT=1', '2001:db8::1'],
    ['ADDR=::ffff:192.0.2.1', '192.0.2.1'],
    ['NAME=mail.example PROTO=ESMTP HELO=x LOGIN=bob', undefined],
    ['ADDR=[UNAVAILABLE]', 'refused'],
    ['ADDR=[TEMPUNAVAIL]', 'refused'],
    ['ADDR=192.0.2.256', 'refused'],
    ['ADDR=fe80::1%eth0', 'refused'],
    ['ADDR=192.0.2.1 ADDR=192.0.2.2', 'refused'],
    ['ADDR', 'refused'],
    ['', 'refused'],
    ['EVIL=1', 'refused'],
  ];
  for (const [argument, expected] of table) {
    const parsed = parseXclient(argument);
    t.equal(isReply(parsed) ? 'refused' : parsed.address, expected, argument);
  }
});

t.test('plainAddress', async t => {
  t.equal(plainAddress('::FFFF:10.0.0.5'), '10.0.0.5');
  t.equal(plainAddress('2001:DB8::A'), '2001:db8::a');
  for (const text of ['*', '', '10.0.0.0/8', 'localhost', '1.2.3']) t.equal(plainAddress(text), undefined, text);
});

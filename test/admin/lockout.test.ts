/** Lock-out: who counts as the same stranger. */
import t from 'tap';
import { Lockout, networkOf } from '../../src/accounts/lockout.ts';

t.test('A30: another address of the same IPv6 network is no new start', async t => {
  const lockout = new Lockout({ now: () => 1_000_000 });
  for (let i = 1; i <= 5; i++) lockout.fail('jo', `2001:db8:1:2::${i}`);
  t.ok(lockout.wait('jo', '2001:db8:1:2:aaaa:bbbb:cccc:dddd') > 0);
  t.equal(lockout.wait('jo', '2001:db8:1:3::1'), 0, 'another network');
  t.equal(lockout.wait('jo', '192.0.2.7'), 0);
  lockout.succeed('jo', '2001:db8:1:2::9');
  t.equal(lockout.wait('jo', '2001:db8:1:2::1'), 0);
});

t.test('networks of addresses', async t => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2.7'],
    ['::1', '0:0:0:0'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:1:2:3::', '2001:db8:1:2'],
    ['2001:db8::2:3:4:5:6', '2001:db8:0:2'],
  ] as const)
    t.equal(networkOf(address), network, address);
});

/** Addresses that are not asked. */
import t from 'tap';
import { isPrivateAddress, publicLookup } from '../../src/ops/private-addresses.ts';

t.test('private, local, reserved and documentation addresses', async t => {
  const closed =
    '0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1 172.31.255.255 192.168.1.1 198.18.0.1 224.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:10.0.0.1 ::ffff:7f00:1 64:ff9b::a00:1 ::ffff:0:a00:1 3fff::1 5f00::1 2001:db8::1 2002:a00:1:: fc00::1 fd12::1 fe80::1 fec0::1 ff02::1';
  for (const address of closed.split(' ')) t.ok(isPrivateAddress(address), address);
  for (const address of '1.1.1.1 9.255.255.255 172.32.0.1 192.169.0.1 223.255.255.255 2606:4700::1111 2a00:1450::1 ::ffff:1.1.1.1'.split(
    ' ',
  ))
    t.notOk(isPrivateAddress(address), address);
});

t.test('a name that leads there is not connected to', async t => {
  for (const all of [true, false]) {
    const error = await new Promise<Error | null>(done => publicLookup('localhost', { all }, failed => done(failed)));
    t.match(error, /private address/);
  }
  const unknown = await new Promise<Error | null>(done => publicLookup('no-such-name.invalid', {}, failed => done(failed)));
  t.ok(unknown, 'nor one that leads nowhere');
});

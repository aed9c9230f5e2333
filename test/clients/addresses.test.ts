/** Tests of IP blocks. */
import t from 'tap';
import { isVast, normalizeAddress, overlap, parseBlock } from '../../src/clients/addresses.ts';

t.test('A30: blocks are read strictly', async t => {
  for (const [text, canonical] of [
    ['192.0.2.7', '192.0.2.7/32'],
    ['192.0.2.0/24', '192.0.2.0/24'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['::1', '::1/128'],
    ['::ffff:192.0.2.7', '192.0.2.7/32'],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24'],
  ] as const) {
    t.equal(parseBlock(text)?.text, canonical, text);
  }
  for (const text of [
    '',
    '192.0.2',
    '192.0.2.0/33',
    '192.0.2.0/',
    '/24',
    '192.0.2.0/24/8',
    '2001:db8::/129',
    '::ffff:192.0.2.0/95',
    'example.com',
    '192.0.2.0 /24',
    '192.0.2.256',
  ]) {
    t.equal(parseBlock(text), undefined, `not a block: ${text}`);
  }
});

t.test('A30: membership, whatever the spelling of the address', async t => {
  for (const [block, address, inside] of [
    ['192.0.2.0/24', '192.0.2.255', true],
    ['192.0.2.0/24', '192.0.3.0', false],
    ['192.0.2.0/24', '::ffff:192.0.2.9', true],
    ['192.0.2.9/24', '192.0.2.1', true],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:DB8:0:0::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '192.0.2.1', false],
    ['0.0.0.0/0', 'nonsense', false],
  ] as const) {
    t.equal(parseBlock(block)?.contains(address), inside, `${block} ${address}`);
  }
  t.equal(normalizeAddress('::FFFF:192.0.2.1'), '192.0.2.1');
});

t.test('A33: overlaps and blocks too wide to be a credential', async t => {
  for (const [a, b, both] of [
    ['192.0.2.0/24', '192.0.2.128/25', true],
    ['192.0.2.128/25', '192.0.2.0/24', true],
    ['192.0.2.0/25', '192.0.2.128/25', false],
    ['192.0.2.0/24', '::ffff:192.0.2.4', true],
    ['2001:db8::/32', '2001:db8:1::/48', true],
    ['::/0', '0.0.0.0/0', false],
  ] as const) {
    t.equal(overlap(parseBlock(a) as never, parseBlock(b) as never), both, `${a} ${b}`);
  }
  for (const [text, vast] of [
    ['0.0.0.0/0', true],
    ['128.0.0.0/7', true],
    ['10.0.0.0/8', false],
    ['::/0', true],
    ['2001:db8::/31', true],
    ['2001:db8::/32', false],
  ] as const) {
    t.equal(isVast(parseBlock(text) as never), vast, text);
  }
});

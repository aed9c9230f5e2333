/** Digests: equal for one person in every spelling, different for everything else, and HMAC-SHA-256 to the letter. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import t from 'tap';
import { createMac, Digests, HASH_ALGORITHMS } from '../../src/keys/digest.ts';
import { Keyring } from '../../src/keys/keyring.ts';
import { type Address, isAddress, parseAddress } from '../../src/mail/address.ts';

const older = { id: 'older', key: randomBytes(32), since: 0 };
const newer = { id: 'newer', key: randomBytes(32), since: 1 };
const digests = new Digests(new Keyring([older], 9));

function address(text: string): Address {
  const parsed = parseAddress(text, { utf8: true });
  if (!isAddress(parsed)) throw new Error(`${text} does not parse`);
  return parsed;
}
const hex = (list: readonly Buffer[]) => list.map(digest => digest.toString('hex'));

t.test('both ways of making a digest are HMAC-SHA-256, cut to 16 octets', async t => {
  for (const size of [1, 32, 64]) {
    const key = randomBytes(size);
    const [fast, slow] = [createMac(key), createMac(key, undefined)];
    for (const text of ['', 'a', 'ü', '漢'.repeat(341), '漢'.repeat(342), 'x'.repeat(5_000), 'short again']) {
      const expected = createHmac('sha256', key).update(text).digest().subarray(0, 16);
      t.same(fast(text), expected);
      t.same(slow(text), expected);
    }
  }
});

t.test('A19: every spelling of a person has the same digest', async t => {
  const same = [
    'jane.doe@example.com',
    'Jane.Doe@EXAMPLE.com',
    '"jane.doe"@example.com',
    'jane.doe+news@example.com',
    'jane.doe@example.com.',
  ];
  for (const text of same) t.same(hex(digests.person(address(text))), hex(digests.person(address(same[0] as string))), text);
  const others = ['janedoe@example.com', 'jane.doe@mail.example.com', 'jane.doe@example.org'];
  for (const text of others) t.notSame(hex(digests.person(address(text))), hex(digests.person(address(same[0] as string))), text);
  const [idn, punycode] = [address('j@bücher.example'), address('j@xn--bcher-kva.example')];
  t.same(hex(digests.person(idn)), hex(digests.person(punycode)));
});

t.test('names of different kinds never share a digest', async t => {
  const text = 'jane@example.com';
  const all = [digests.person(address(text)), digests.domain(text), digests.name('username', text), digests.name('account', text)];
  t.equal(new Set(all.flatMap(hex)).size, 4);
  t.ok(all.flat().every(digest => digest.length === 16));
});

t.test('after a rotation every name has a digest under each key, the current one first', async t => {
  const rotated = new Digests(new Keyring([newer, older], 9));
  const person = address('jane@example.com');
  t.equal(rotated.person(person).length, 2);
  t.same(rotated.person(person)[1], digests.person(person)[0]);
  t.same(rotated.domain('example.com')[1], digests.domain('example.com')[0]);
  const ahead = new Digests(new Keyring([newer, older], 0));
  t.same(hex(ahead.person(person)), hex(rotated.person(person)).toReversed(), 'a key ahead of its time is asked, not used');
});

t.test('A23: an imported hash matches the person, with the tag and without', async t => {
  for (const algorithm of HASH_ALGORITHMS) {
    const hashed = (text: string) => digests.imported(algorithm, createHash(algorithm).update(text).digest());
    const known = hex(digests.importedOf(address('Jane+News@Example.com'), algorithm));
    t.ok(known.includes(hex(hashed('jane@example.com'))[0] as string), `${algorithm} without tag`);
    t.ok(known.includes(hex(hashed('jane+news@example.com'))[0] as string), `${algorithm} with tag`);
    t.notOk(known.includes(hex(hashed('joan@example.com'))[0] as string));
    const idn = hex(digests.importedOf(address('j@xn--bcher-kva.example'), algorithm));
    t.ok(idn.includes(hex(hashed('j@bücher.example'))[0] as string), `${algorithm} of the Unicode spelling`);
    const raw = createHash(algorithm).update('jane@example.com').digest();
    t.notSame(digests.imported(algorithm, raw)[0], raw.subarray(0, 16), 'the guessable hash itself is not kept');
    t.throws(() => digests.imported(algorithm, raw.subarray(1)), RangeError);
  }
});

t.test('a digest is made once per address', async t => {
  const person = address('jane@example.com');
  t.equal(digests.person(person), digests.person(person));
  t.equal(digests.importedOf(person, 'md5'), digests.importedOf(person, 'md5'));
  t.equal(digests.domain('example.com'), digests.domain('example.com'));
});

/** Sealing: only the right key opens, only in the right place, only unaltered. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { SEAL_OVERHEAD, Sealer } from '../../src/keys/seal.ts';

const key = randomBytes(32);
const sealer = new Sealer([key]);

t.test('what was sealed opens again', async t => {
  for (const plain of ['', 'text', 'ÄÖ 漢字', 'x'.repeat(100_000)]) {
    const sealed = sealer.seal(plain, 'here');
    t.equal(sealer.open(sealed, 'here')?.toString(), plain);
    t.equal(sealed.length, Buffer.byteLength(plain) + SEAL_OVERHEAD);
  }
  const octets = randomBytes(50);
  t.same(sealer.open(sealer.seal(octets, ''), ''), octets);
  const nonces = Array.from({ length: 5_000 }, () => sealer.seal('same', 'here').toString('hex', 1, 13));
  t.equal(new Set(nonces).size, nonces.length, 'no nonce comes twice');
});

t.test('nothing opens that was altered, moved, cut, or sealed under another key', async t => {
  const sealed = sealer.seal('plain', 'here');
  t.equal(sealer.open(sealed, 'there'), undefined);
  t.equal(new Sealer([randomBytes(32)]).open(sealed, 'here'), undefined);
  for (let i = 0; i < sealed.length; i++) {
    const altered = Buffer.from(sealed);
    altered[i] = (altered[i] as number) ^ 1;
    t.equal(sealer.open(altered, 'here'), undefined, `octet ${i} altered`);
    t.equal(sealer.open(sealed.subarray(0, i), 'here'), undefined, `cut to ${i}`);
  }
});

t.test('the first key seals, older ones still open', async t => {
  const newer = new Sealer([randomBytes(32), key]);
  t.equal(newer.open(sealer.seal('old', 'a'), 'a')?.toString(), 'old');
  t.equal(sealer.open(newer.seal('new', 'a'), 'a'), undefined);
  t.throws(() => new Sealer([]), RangeError);
  t.throws(() => new Sealer([randomBytes(16)]), RangeError);
});

t.test('many at once open one by one, as what was sealed alone does', async t => {
  const newer = new Sealer([randomBytes(32), key]);
  // Every length about the edges of a block, and values of all lengths beside each other.
  const plains = Array.from({ length: 200 }, (_, i) => ({ text: 'ü'.repeat(i % 5) + 'x'.repeat(i), aad: 'a'.repeat(1 + ((i * 7) % 67)) }));
  const sealed = sealer.sealMany(plains);
  for (const [i, { text, aad }] of plains.entries()) {
    const one = sealed[i] as Buffer;
    if (one.length !== Buffer.byteLength(text) + SEAL_OVERHEAD) t.fail('of another length');
    for (const opener of [sealer, newer]) if (opener.open(one, aad)?.toString() !== text) t.fail(`value ${i} does not open`);
    if (sealer.open(one, `${aad}a`) !== undefined) t.fail('opens elsewhere');
    if (sealer.open(sealed[(i + 1) % plains.length] as Buffer, aad) !== undefined) t.fail('opens in the place of another');
  }
  const one = sealed[30] as Buffer;
  for (let i = 0; i < one.length; i++) {
    const altered = Buffer.from(one);
    altered[i] = (altered[i] as number) ^ 1;
    if (sealer.open(altered, plains[30]?.aad as string) !== undefined) t.fail(`octet ${i} altered`);
    if (sealer.open(one.subarray(0, i), plains[30]?.aad as string) !== undefined) t.fail(`cut to ${i}`);
  }
  t.equal(new Sealer([randomBytes(32)]).open(one, plains[30]?.aad as string), undefined, 'another key opens nothing');
  t.equal(new Set(sealed.map(value => value.toString('hex', 1, 13))).size, sealed.length, 'no nonce comes twice');
  t.equal(sealer.sealMany([{ text: 'x'.repeat(70_000), aad: 'here' }])[0]?.length, 70_000 + SEAL_OVERHEAD);
  t.same(sealer.sealMany([]), []);
  t.throws(() => sealer.sealMany([{ text: 'nowhere', aad: '' }]), RangeError);
});

t.test('many are opened at once as one by one, however each was sealed, and whichever was altered', async t => {
  const older = new Sealer([key]);
  const newer = new Sealer([randomBytes(32), key]);
  const stranger = new Sealer([randomBytes(32)]);
  const texts = Array.from({ length: 300 }, (_, i) => ({
    text: 'ü'.repeat(i % 5) + 'x'.repeat(i % 90),
    aad: 'a'.repeat(1 + ((i * 7) % 67)),
  }));
  const made = [older, newer, stranger].map(sealer => sealer.sealMany(texts));
  const values = texts.map(({ text, aad }, i) => {
    const sealed = i % 7 === 0 ? newer.seal(text, aad) : (made[i % 3]?.[i] as Buffer);
    if (i % 11 === 0) sealed[i % sealed.length] = (sealed[i % sealed.length] as number) ^ 4;
    return { sealed: i % 13 === 0 ? sealed.subarray(0, i % 40) : sealed, aad: i % 17 === 0 ? `${aad}b` : aad };
  });
  const alone = values.map(({ sealed, aad }) => newer.open(sealed, aad)?.toString());
  t.same(
    newer.openMany(values).map(plain => plain?.toString()),
    alone,
  );
  const opened = alone.filter(text => text !== undefined).length;
  t.ok(opened > 100 && opened < 200, 'some open, some do not');
  t.same(newer.openMany([]), []);
});

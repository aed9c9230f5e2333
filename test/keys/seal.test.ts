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

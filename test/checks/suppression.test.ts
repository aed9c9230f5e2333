/** Tests of suppression on real lists. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { type StandingOptions, sharedStanding } from '../../src/checks/standing.ts';
import { suppression } from '../../src/checks/suppression.ts';
import { REASONS, type Standing } from '../../src/lists/standing.ts';
import { openHouse } from '../lists/house.ts';
import { ACME, address, OTHER, submission, told } from './asking.ts';

const SUPPRESSED = '550 5.7.1 Recipient may not be mailed (suppressed) | suppressed';
const rcpt = address('jane@widgets.example');

async function open(t: { testdir(): string; teardown(done: () => Promise<void>): unknown }) {
  const house = await openHouse(t.testdir());
  t.teardown(() => house.close());
  const check = (options: StandingOptions = suppression.defaults) => suppression.create(options, { standing: sharedStanding(house.lists) });
  return { ...house, check };
}

t.test('A19, A21: every reason binds, for the client it was caused at', async t => {
  const { lists, check } = await open(t);
  for (const reason of REASONS) {
    const person = address(`${reason}@widgets.example`);
    await lists.suppress({ owner: ACME }, person, { reason, source: 'recipient' });
    const verdict = await check().rcpt?.(person, submission());
    t.equal(told(verdict), SUPPRESSED, reason);
    t.match(verdict?.reason, new RegExp(`^suppression of acme lists this address: ${reason} by recipient at 20`));
    t.equal(verdict?.erased, reason === 'erasure' ? true : undefined);
    t.notMatch(verdict?.reply.text, /eras/, 'the sender is never told of an erasure');
    t.equal(told(await check().rcpt?.(person, submission({ client: OTHER }))), 'pass', 'A1: not for another client');
  }
});

t.test('A23: imported SHA-1, SHA-256 and MD5 lists match, with and without tag', async t => {
  const { lists, check } = await open(t);
  for (const algorithm of ['sha1', 'sha256', 'md5'] as const) {
    const hash = (text: string) => createHash(algorithm).update(text).digest();
    await lists.addHashes({ owner: ACME }, algorithm, [hash(`${algorithm}@widgets.example`), hash(`${algorithm}+news@gadgets.example`)]);
    for (const [text, expected] of [
      [`${algorithm}@widgets.example`, SUPPRESSED],
      [`${algorithm.toUpperCase()}+other@Widgets.example`, SUPPRESSED],
      [`${algorithm}+news@gadgets.example`, SUPPRESSED],
      [`${algorithm}@gadgets.example`, 'pass'],
      [`not${algorithm}@widgets.example`, 'pass'],
    ] as const) {
      t.equal(told(await check().rcpt?.(address(text), submission())), expected, text);
    }
  }
});

t.test('receipts: bounces bind, a marketing opt-out does not', async t => {
  const { lists, check } = await open(t);
  const bounces = check({ reasons: ['bounce'] });
  await lists.suppress({ owner: ACME }, rcpt, { reason: 'opt-out', source: 'recipient' });
  t.equal(told(await check().rcpt?.(rcpt, submission())), SUPPRESSED);
  t.equal(told(await bounces.rcpt?.(rcpt, submission())), 'pass');
  await lists.suppress({ owner: ACME }, rcpt, { reason: 'bounce', source: 'inbound' });
  t.equal(told(await bounces.rcpt?.(rcpt, submission())), SUPPRESSED);
});

t.test('an entry that cannot be opened counts as listed, whatever the reasons asked for', async t => {
  const unreadable: Standing = [{ list: 'suppression', match: 'address', scope: { owner: ACME }, acts: [] }];
  for (const reasons of [REASONS, ['bounce'], []] as const) {
    const verdict = await suppression.create({ reasons }, { standing: async () => unreadable }).rcpt?.(rcpt, submission());
    t.equal(told(verdict), SUPPRESSED);
    t.equal(verdict?.erased, true, 'it might be an erasure');
    t.equal(verdict?.reason, 'suppression of acme lists this address: entry unreadable');
  }
});

t.test("an exclusion is the other check's", async t => {
  const { lists, check } = await open(t);
  await lists.add({ owner: ACME }, rcpt, { reason: 'manual', source: 'operator' });
  t.equal(told(await check().rcpt?.(rcpt, submission())), 'pass');
});

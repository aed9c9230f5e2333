/** Tests of exclusion on real lists. */
import t from 'tap';
import { exclusion } from '../../src/checks/exclusion.ts';
import { sharedStanding } from '../../src/checks/standing.ts';
import type { CampaignId } from '../../src/ids.ts';
import { openHouse } from '../lists/house.ts';
import { ACME, type Asked, address, OTHER, submission, told } from './asking.ts';

const EXCLUDED = '550 5.7.1 Recipient may not be mailed (excluded) | excluded';
const at = Date.parse('2026-02-03T04:05:06Z');

async function open(t: { testdir(): string; teardown(done: () => Promise<void>): unknown }) {
  const house = await openHouse(t.testdir());
  t.teardown(() => house.close());
  const check = exclusion.create(exclusion.defaults, { standing: sharedStanding(house.lists) });
  const ask = async (rcpt: string, asked: Asked = {}) => told(await check.rcpt?.(address(rcpt), submission(asked)));
  return { ...house, check, ask };
}

t.test('A19: the person, however written; the domain with all below it', async t => {
  const { lists, ask } = await open(t);
  await lists.add({ owner: ACME }, address('jane@widgets.example'), { reason: 'manual', source: 'operator' });
  await lists.add({ owner: ACME }, { domain: 'gadgets.example' }, { reason: 'manual', source: 'operator' });
  for (const rcpt of [
    ...[
      'jane@widgets.example',
      'JANE@Widgets.EXAMPLE',
      '"jane"@widgets.example',
      'jane+news@widgets.example',
      'jane@widgets.example.',
      '@relay.example:jane@widgets.example',
    ],
    ...['anyone@gadgets.example', 'anyone@eu.gadgets.example', 'anyone@GADGETS.example.'],
  ]) {
    t.equal(await ask(rcpt), EXCLUDED, rcpt);
  }
  for (const rcpt of [
    'jane.doe@widgets.example',
    'jan@widgets.example',
    'jane@mail.widgets.example',
    'anyone@notgadgets.example',
    'anyone@gadgets.example.evil.example',
  ]) {
    t.equal(await ask(rcpt), 'pass', rcpt);
  }
});

t.test('A1: scopes: global binds all, a client itself, a campaign its own', async t => {
  const { lists, ask } = await open(t);
  const spring = 'spring' as CampaignId;
  await lists.add({ owner: 'global' }, address('all@widgets.example'), { reason: 'policy', source: 'operator' });
  await lists.add({ owner: ACME }, address('acme@widgets.example'), { reason: 'manual', source: 'operator' });
  await lists.add({ owner: ACME, campaign: spring }, address('spring@widgets.example'), { reason: 'reply', source: 'inbound' });
  const both = { campaigns: { spring: [], autumn: [] } };
  for (const [rcpt, asked, expected] of [
    ['all@widgets.example', {}, EXCLUDED],
    ['all@widgets.example', { client: OTHER }, EXCLUDED],
    ['acme@widgets.example', {}, EXCLUDED],
    ['acme@widgets.example', { client: OTHER }, 'pass'],
    ['spring@widgets.example', { ...both, named: ['spring'] }, EXCLUDED],
    ['spring@widgets.example', { ...both, named: ['autumn'] }, 'pass'],
    ['spring@widgets.example', both, EXCLUDED],
  ] as const) {
    t.equal(await ask(rcpt, asked as Asked), expected, `${rcpt} ${JSON.stringify(asked)}`);
  }
});

t.test('law 8: the operator learns scope, reason, source and time, and no address', async t => {
  const { lists, check } = await open(t);
  await lists.add(
    { owner: ACME, campaign: 'spring' as CampaignId },
    { domain: 'widgets.example' },
    { reason: 'import', source: 'import', at },
  );
  const verdict = await check.rcpt?.(address('jane@widgets.example'), submission({ campaigns: { spring: [] }, named: ['spring'] }));
  t.equal(verdict?.reason, 'exclusion of acme/spring lists this domain: import by import at 2026-02-03T04:05:06.000Z');
  t.equal(verdict?.erased, undefined);
});

t.test('A21: who is erased, too, stays unnamed when told of as excluded', async t => {
  const { lists, check } = await open(t);
  await lists.add({ owner: ACME }, address('jane@widgets.example'), { reason: 'manual', source: 'operator' });
  await lists.suppress({ owner: ACME }, address('jane@widgets.example'), { reason: 'erasure', source: 'recipient' });
  t.equal((await check.rcpt?.(address('jane@widgets.example'), submission()))?.erased, true);
});

t.test('law 4: what was just listed is refused, in the very same submission', async t => {
  const { lists, check } = await open(t);
  const rcpt = address('jane@widgets.example');
  const asked = submission();
  t.equal(told(await check.rcpt?.(rcpt, asked)), 'pass');
  await lists.add({ owner: ACME }, rcpt, { reason: 'manual', source: 'operator' });
  t.equal(told(await check.rcpt?.(rcpt, asked)), EXCLUDED);
});

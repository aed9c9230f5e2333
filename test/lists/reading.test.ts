/** Tests of reading lists by page, by name and by id, of batches that are whole or not at all, and of taking one entry back. */
import { createHash } from 'node:crypto';
import t, { type Test } from 'tap';
import type { CampaignId } from '../../src/ids.ts';
import type { Item, ListEntry, NewAct } from '../../src/lists/lists.ts';
import type { Scope } from '../../src/lists/standing.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, address, type House, openHouse } from './house.ts';

const acme: Scope = { owner: ACME };
const spring: Scope = { owner: ACME, campaign: 'spring' as CampaignId };
const manual: NewAct = { reason: 'manual', source: 'operator', by: 'ann' };
const optOut: NewAct = { reason: 'opt-out', source: 'platform', by: 'ann' };
const LIFT = { by: 'Dora Officer', why: 'asked for it in writing' };

for (const engine of ['lmdb', 'redis'] as const) {
  t.test(`on ${engine}`, { skip: engine === 'redis' ? noRedis : false }, async t => {
    const fresh = async (t: Test): Promise<House> => {
      const house = await openHouse(t.testdir({}), engine === 'redis' ? { storeUrl: (await startRedis(t)).url } : {});
      t.teardown(() => house.close());
      return house;
    };
    const standing = async ({ lists }: House, text: string) =>
      (await lists.standing(address(text), ACME, [])).map(({ list, acts }) => [list, ...acts.map(({ reason }) => reason)]);

    t.test('pages hold every entry once, whatever their size and whatever is picked', async t => {
      const { lists } = await fresh(t);
      const people = Array.from({ length: 250 }, (_, n) => `p${n}@example.com`);
      await lists.addMany(
        acme,
        people.map(text => ({ target: address(text), act: manual })),
      );
      await lists.add(spring, address('elsewhere@example.com'), manual);
      for (const limit of [1, 7, 100, 250, 1000]) {
        const seen: ListEntry[] = [];
        for (let after: string | undefined; ; ) {
          const { entries, next } = await lists.page(acme, 'exclusion', { after, limit, pick: entry => entry });
          t.ok(entries.length <= limit);
          seen.push(...entries);
          if (next === undefined) break;
          t.equal(entries.length, limit, 'a page that has a next one is full');
          after = next;
        }
        t.same(seen.map(({ target }) => target).sort(), [...people].sort(), `limit ${limit}`);
        t.same(
          seen.map(({ id }) => id),
          seen.map(({ id }) => id).sort(),
          'in the order of the ids',
        );
      }
      const { entries, next } = await lists.page(acme, 'exclusion', {
        limit: 10,
        pick: ({ target }) => (target?.startsWith('p24') ? target : undefined),
      });
      t.equal(entries.length, 10);
      const rest = await lists.page(acme, 'exclusion', {
        after: next,
        limit: 10,
        pick: ({ target }) => (target?.startsWith('p24') ? target : undefined),
      });
      t.same([...entries, ...rest.entries].sort(), people.filter(text => text.startsWith('p24')).sort());
      t.equal(rest.next, undefined);
    });

    t.test('an entry is found by whom it lists and by its id; of a person also one that came as a hash', async t => {
      const { lists, digests } = await fresh(t);
      const jane = address('jane@example.com');
      await lists.add(acme, jane, manual);
      await lists.add(acme, { domain: 'example.org' }, manual);
      const found = await lists.entry(acme, 'exclusion', address('Jane+news@EXAMPLE.com'));
      t.match(found, { target: 'jane@example.com', match: 'address', acts: [{ reason: 'manual', by: 'ann' }] });
      t.equal(found?.id, digests.person(jane)[0]?.toString('hex'));
      t.same(await lists.entry(acme, 'exclusion', { id: found?.id as string }), found);
      t.match(await lists.entry(acme, 'exclusion', { domain: 'example.org' }), { match: 'domain', target: 'example.org' });
      t.equal(await lists.entry(acme, 'suppression', jane), undefined);
      t.equal(await lists.entry(spring, 'exclusion', jane), undefined);
      await lists.addHashes(acme, 'sha256', [createHash('sha256').update('jane@example.com').digest()]);
      t.match(await lists.entry(acme, 'suppression', jane), { match: 'hash', acts: [{ reason: 'import' }] });
    });

    t.test('a whole batch, larger than what is otherwise written at once', async t => {
      const house = await fresh(t);
      const { lists } = house;
      const items = Array.from({ length: 2_500 }, (_, n) => lists.personItem(address(`p${n}@example.com`), { ...manual }));
      t.same(new Set(await lists.addItems(acme, 'suppression', items, { whole: true })), new Set(['added']));
      t.same(new Set(await lists.addItems(acme, 'suppression', items, { whole: true })), new Set(['existing']));
      t.same(await standing(house, 'p2499@example.com'), [['suppression', 'manual']]);
      const exclusions = ['a@example.com', 'b@example.com'].map(text => lists.item(address(text), manual) as Item);
      t.same(await lists.addItems(acme, 'exclusion', exclusions, { whole: true }), ['added', 'added']);
      t.same(await lists.addItems(acme, 'exclusion', [], { whole: true }), []);
    });

    t.test('law 6: taking an entry back leaves what recipients caused, unless a named person lifts it', async t => {
      const house = await fresh(t);
      const { lists } = house;
      const jane = address('jane@example.com');
      const back = (list: 'exclusion' | 'suppression', objections: boolean, name: Parameters<typeof lists.entry>[2] = jane) =>
        lists.takeBack(acme, list, name, LIFT, { objections });
      t.equal(await back('exclusion', false), 'absent');
      await lists.add(acme, jane, manual);
      await lists.suppress(acme, jane, optOut);
      t.equal(await back('exclusion', false), 'removed', 'the other list does not stand in the way');
      t.same(await standing(house, 'jane@example.com'), [['suppression', 'opt-out']]);
      t.equal(await back('suppression', false), 'objection');
      await lists.suppress(acme, jane, manual);
      t.equal(await back('suppression', false), 'objection', 'nothing of it is taken back');
      t.same(await standing(house, 'jane@example.com'), [['suppression', 'opt-out', 'manual']]);
      t.equal(await back('suppression', true), 'removed');
      t.same(await standing(house, 'jane@example.com'), []);

      await lists.suppress(acme, jane, manual);
      const { id } = (await lists.entry(acme, 'suppression', jane)) as ListEntry;
      t.equal(await back('suppression', false, { id }), 'removed', "an operator's own, by its id");
      t.same(await standing(house, 'jane@example.com'), []);

      await lists.add(acme, jane, manual);
      await lists.add(acme, jane, { reason: 'reply', source: 'inbound' });
      const exclusion = (await lists.entry(acme, 'exclusion', jane)) as ListEntry;
      t.equal(await back('exclusion', false, { id: exclusion.id }), 'objection');
      t.equal(await back('exclusion', true, { id: exclusion.id }), 'removed');
      t.same(await standing(house, 'jane@example.com'), []);
      await lists.addHashes(acme, 'md5', [createHash('md5').update('jane@example.com').digest()]);
      t.equal(await back('suppression', false), 'removed', 'a hash from an import, by the address');
      t.same(await standing(house, 'jane@example.com'), []);
    });
  });
}

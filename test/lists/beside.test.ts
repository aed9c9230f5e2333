/** What is written in the same apply as an entry: with it or not at all, and also where the entry is there already. */
import t, { type Test } from 'tap';
import type { Value } from '../../src/store/store.ts';
import { ACME, address, clockAt, type House, openHouse } from './house.ts';

const acme = { owner: ACME };
const JANE = address('jane@example.com');
const optOut = { reason: 'opt-out', source: 'recipient' } as const;
const review = { reason: 'review', source: 'recipient' } as const;
const MARK = { owner: ACME, log: 'marks', id: 'mark' };
const mark = (text: string) => ({ key: MARK, value: Buffer.from(text) });

async function reasons(house: House): Promise<string> {
  const standing = await house.lists.standing(JANE, ACME, []);
  return standing.flatMap(({ list, acts }) => acts.map(({ reason }) => `${list} ${reason}`)).join(', ');
}
const marked = async ({ store }: House): Promise<string | undefined> => (await store.find([MARK]))[0]?.toString();

async function newHouse(t: Test): Promise<House> {
  const house = await openHouse(t.testdir(), { clock: clockAt(Date.UTC(2026, 5, 1)) });
  t.teardown(() => house.close());
  return house;
}

t.test('with a new entry, with one that is there, and only as expected', async t => {
  const house = await newHouse(t);
  const enter = (text: string, value: Value | undefined) =>
    house.lists.enter(acme, 'suppression', [JANE], optOut, { changes: () => [mark(text)], expect: [{ key: MARK, value }] });
  t.equal(await enter('one', undefined), 'entered');
  t.equal(await marked(house), 'one');
  t.equal(await enter('two', Buffer.from('one')), 'entered', 'listed already');
  t.equal(await marked(house), 'two');
  t.equal(await enter('three', Buffer.from('one')), 'outdated');
  t.equal(await marked(house), 'two');
  t.equal(await reasons(house), 'suppression opt-out');
});

t.test('outdated from the beginning: nobody is listed, and the ledger knows nothing', async t => {
  const house = await newHouse(t);
  await house.store.apply([mark('there')]);
  const beside = { changes: () => [mark('mine')], expect: [{ key: MARK, value: undefined }] };
  t.equal(await house.lists.enter(acme, 'exclusion', [JANE], review, beside), 'outdated');
  t.equal(await reasons(house), '');
  t.same(await house.ledger.replay(house.store), { read: 0, restored: 0 });
});

t.test('outdated when the ledger has it already: the entry stands, and one lift lifts it there, too', async t => {
  const house = await newHouse(t);
  let asked = 0;
  const racing = {
    expect: [{ key: MARK, value: undefined }],
    changes: () => {
      asked += 1;
      // Queued before the apply that asks: somebody else was faster.
      void house.store.apply([mark('theirs')]);
      return [mark('mine')];
    },
  };
  t.equal(await house.lists.enter(acme, 'exclusion', [JANE], review, racing), 'outdated');
  t.equal(asked, 1);
  t.equal(await marked(house), 'theirs');
  t.equal(await reasons(house), 'exclusion review', 'an objection too many, never one too few');
  await house.lists.lift(acme, JANE, { by: 'anna', why: 'a test' });
  await house.ledger.replay(house.store);
  t.equal(await reasons(house), '');
});

t.test('a lift of some reasons leaves the others, and waits for what it expects', async t => {
  const house = await newHouse(t);
  const { lists } = house;
  await lists.add(acme, JANE, { reason: 'reply', source: 'recipient' });
  await lists.add(acme, JANE, review);
  await lists.suppress(acme, JANE, optOut);
  const act = { by: 'anna', why: 'decided' };
  await house.store.apply([mark('open')]);
  const expect = [{ key: MARK, value: undefined }];
  t.equal(await lists.liftOnly(acme, JANE, act, { reasons: ['review'], expect }), 'outdated');
  t.equal(await reasons(house), 'exclusion reply, exclusion review, suppression opt-out');
  t.equal(await lists.liftOnly(acme, JANE, act, { reasons: ['review'] }), 'lifted');
  t.equal(await lists.liftOnly(acme, JANE, act, { reasons: ['review'] }), 'absent');
  await house.ledger.replay(house.store);
  t.equal(await reasons(house), 'exclusion reply, suppression opt-out');
});

t.test('what cannot be read is lifted only as a whole', async t => {
  const house = await newHouse(t);
  await house.lists.add(acme, JANE, review);
  for await (const [key, value] of house.store.scan({ owner: ACME, set: 'exclusion' })) {
    await house.store.apply([{ key, value: Buffer.from(value).fill(0, 20) }]);
  }
  t.equal(await house.lists.liftOnly(acme, JANE, { by: 'anna', why: 'x' }, { reasons: ['review'] }), 'absent');
  t.equal((await house.lists.standing(JANE, ACME, [])).length, 1);
});

/** Work that must not overlap. */
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { OneByOne } from '../../src/ops/one-by-one.ts';

t.test('under one name one after the other, in the order of asking, whatever fails; other names go on', async t => {
  const queue = new OneByOne();
  const log: string[] = [];
  const work = (name: string, ms: number, fails = false) =>
    queue.run(name[0] ?? '', async () => {
      log.push(`${name} begins`);
      await setTimeout(ms);
      log.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([work('a1', 20), work('a2', 1, true), work('a3', 1), work('b1', 1)]);
  t.match(all, [{ value: 'a1' }, { reason: { message: 'a2' } }, { value: 'a3' }, { value: 'b1' }]);
  t.same(
    log.filter(line => line.startsWith('a')),
    ['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends', 'a3 begins', 'a3 ends'],
  );
  t.ok(log.indexOf('b1 ends') < log.indexOf('a1 ends'), 'b does not wait for a');
  t.equal(await work('a4', 1), 'a4', 'and so on');
});

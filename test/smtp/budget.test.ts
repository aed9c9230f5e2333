/** The byte budget: never over its limit, never short of what was given back. */
import t from 'tap';
import { ByteBudget } from '../../src/smtp/budget.ts';

t.test('shares grow until the limit, and what is freed can be taken again', async t => {
  const budget = new ByteBudget(100);
  const one = budget.open();
  const two = budget.open();
  t.ok(one.atLeast(60));
  t.ok(one.atLeast(50), 'a share does not shrink');
  t.equal(budget.used, 60);
  t.notOk(two.atLeast(41));
  t.equal(budget.used, 60, 'a refusal takes nothing');
  t.ok(two.atLeast(40));
  one.free();
  one.free();
  t.equal(budget.used, 40, 'freed once');
  t.ok(one.atLeast(60), 'and can be used again');
  two.free();
  one.free();
  t.equal(budget.used, 0);
});

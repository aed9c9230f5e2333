/** Places: never more users than allowed, nobody waits for ever, and a consent can always have its DSN sent. */
import t from 'tap';
import { Places } from '../../src/relay/places.ts';

t.test('users wait in turn', async t => {
  const places = new Places(2, 10_000);
  t.same(await Promise.all([places.take(false), places.take(false)]), [true, true]);
  const order: string[] = [];
  const third = places.take(false).then(granted => order.push(`third ${granted}`));
  const fourth = places.take(false).then(granted => order.push(`fourth ${granted}`));
  places.free();
  await third;
  t.equal(places.used, 2);
  places.free();
  await fourth;
  t.same(order, ['third true', 'fourth true']);
});

t.test('waiting ends after its time, and at close', async t => {
  const places = new Places(1, 20);
  await places.take(false);
  t.equal(await places.take(false), false);
  const last = new Places(1, 10_000);
  await last.take(false);
  const waiting = last.take(true);
  last.close();
  t.equal(await waiting, false);
  t.equal(await last.take(false), false);
});

t.test('a lent place is for a DSN, and before all others', async t => {
  const places = new Places(1, 10_000);
  await places.take(false);
  let other = 'waits';
  const waiting = places.take(false).then(() => {
    other = 'granted';
  });
  t.equal(await places.lend(() => places.take(true)), true, 'while the only place waits for consent');
  t.equal(other, 'waits');
  t.equal(places.used, 2);
  const second = places.take(true);
  places.free();
  t.equal(other, 'waits', 'one place too many was in use');
  places.free();
  t.equal(await second, true, 'the DSN that came last goes first');
  places.free();
  await waiting;
  t.equal(places.used, 1);
});

t.test('a DSN that waits is let in when a place is lent', async t => {
  const places = new Places(1, 10_000);
  await places.take(false);
  const dsn = places.take(true);
  await places.lend(async () => t.equal(await dsn, true));
});

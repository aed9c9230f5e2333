/** What was opened is closed: the last first, every one, and once. */
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { Opened } from '../../src/ops/opened.ts';

t.test('the last first, one after the other, with the time they have; and once', async t => {
  const opened = new Opened();
  const closed: string[] = [];
  for (const name of ['store', 'listener', 'admin']) {
    opened.keep(async limitMs => {
      await turn();
      closed.push(`${name} ${limitMs}`);
    });
  }
  await opened.close(7);
  t.same(closed, ['admin 7', 'listener 7', 'store 7']);
  await opened.close(7);
  t.equal(closed.length, 3);
});

t.test('one that fails keeps no other open', async t => {
  const opened = new Opened();
  const closed: string[] = [];
  opened.keep(() => closed.push('store'));
  opened.keep(() => Promise.reject(new Error('second')));
  opened.keep(() => {
    throw new Error('first');
  });
  await t.rejects(opened.close(0), { message: 'first' });
  t.same(closed, ['store']);
});

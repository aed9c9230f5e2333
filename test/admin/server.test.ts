/** What holds for every route: who may, what a no looks like, and that the listener is TLS or loopback. */
import t from 'tap';
import { newOffice } from './support.ts';

t.test('a path there is not, a method it does not take, and no login', async t => {
  const office = await newOffice(t);
  t.match(await office.ask('GET', '/nowhere'), { status: 404 });
});

/** Tests of passwords. */
import t from 'tap';
import { AuthenticationBusy, generatePassword, Passwords } from '../../src/clients/password.ts';

t.test('A31: long, of letters and digits, never the same', async t => {
  const made = Array.from({ length: 200 }, generatePassword);
  for (const password of made) t.match(password, /^[A-Za-z0-9]{24,}$/);
  t.equal(new Set(made).size, made.length);
});

t.test('A31: argon2id at no less than OWASP asks', async t => {
  const passwords = new Passwords();
  const hashed = await passwords.hash('right');
  const [, memory, time, lanes] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/.exec(hashed) ?? [];
  t.ok(Number(memory) >= 19_456 && Number(time) >= 2 && Number(lanes) >= 1, hashed.slice(0, 40));
  t.equal(await passwords.verify(hashed, 'right'), true);
  t.equal(await passwords.verify(hashed, 'wrong'), false);
  t.equal(await passwords.verify(undefined, 'right'), false, 'nobody has this name');
  t.equal(await passwords.verify(hashed, 'x'.repeat(100_000)), false);
});

t.test('a burst waits in turn, and beyond that is told so', async t => {
  const passwords = new Passwords({ running: 1, waiting: 2 });
  const hashed = await new Passwords().hash('right');
  await passwords.verify(undefined, 'first of all');
  const answers = await Promise.allSettled(Array.from({ length: 5 }, () => passwords.verify(hashed, 'right')));
  t.same(
    answers.map(answer => (answer.status === 'fulfilled' ? answer.value : answer.reason instanceof AuthenticationBusy)),
    [true, true, true, true, true],
  );
  t.equal(answers.filter(({ status }) => status === 'rejected').length, 2);
  t.equal(await passwords.verify(hashed, 'right'), true, 'and then it goes on');
});

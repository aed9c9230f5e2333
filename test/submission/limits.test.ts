/** What one client may use: sessions at once, and transactions a minute that refill evenly. */
import t from 'tap';
import { replyLine } from '../../src/mail/reply.ts';
import { Limits } from '../../src/submission/limits.ts';
import { ACME, OTHER } from './gatehouse.ts';

const MINUTE = 60_000;

function limits() {
  const clock = { at: Date.parse('2026-11-21T12:00:00Z'), now: () => clock.at };
  return { clock, limits: new Limits(clock) };
}

t.test('sessions are counted once each, per client, and given back', async t => {
  const { limits: all } = limits();
  t.equal(all.enter(ACME, 'a', 2), undefined);
  t.equal(all.enter(ACME, 'a', 2), undefined, 'the same session again');
  t.equal(all.enter(ACME, 'b', 2), undefined);
  const crowded = all.enter(ACME, 'c', 2);
  t.equal(crowded && replyLine(crowded), '421 4.7.0 Too many sessions at once, at most 2 for this client');
  t.equal(all.enter(ACME, 'b', 2), undefined, 'who is in stays in');
  t.equal(all.enter(OTHER, 'c', 2), undefined, 'A1: nobody is crowded out by another client');
  all.leave(ACME, 'c');
  t.ok(all.enter(ACME, 'c', 2), 'who was turned away had nothing to give back');
  all.leave(ACME, 'a');
  t.equal(all.enter(ACME, 'c', 2), undefined);
});

t.test('0 is no limit', async t => {
  const { limits: all } = limits();
  for (let i = 0; i < 500; i++) {
    t.equal(all.enter(ACME, `s${i}`, 0), undefined);
    t.equal(all.take(ACME, 0), undefined);
  }
});

t.test('transactions: a minute at once, then evenly', async t => {
  const { clock, limits: all } = limits();
  const taken = (n: number) => Array.from({ length: n }, () => all.take(ACME, 6)).filter(reply => reply === undefined).length;
  t.equal(taken(10), 6);
  const slow = all.take(ACME, 6);
  t.equal(slow && replyLine(slow), '450 4.7.0 Too many messages, at most 6 a minute for this client');
  t.equal(all.take(OTHER, 6), undefined, 'A1: another client has its own');
  clock.at += 9_999;
  t.equal(taken(1), 0);
  clock.at += 1;
  t.equal(taken(5), 1, 'one every ten seconds');
  clock.at += 60 * MINUTE;
  t.equal(taken(10), 6, 'never more than a minute holds');
  clock.at += MINUTE;
  t.equal(all.take(ACME, 3), undefined);
  t.equal(all.take(ACME, 3), undefined);
  t.equal(all.take(ACME, 3), undefined);
  t.ok(all.take(ACME, 3), 'a lowered limit holds at once');
});

t.test('a clock that is set back keeps nobody out, and gives nothing away', async t => {
  const { clock, limits: all } = limits();
  t.equal(all.take(ACME, 2), undefined);
  clock.at -= 60 * MINUTE;
  t.equal(all.take(ACME, 2), undefined);
  t.ok(all.take(ACME, 2));
  clock.at += MINUTE / 2;
  t.equal(all.take(ACME, 2), undefined, 'refills from where the clock stands now');
});

t.test('leaving does not refill', async t => {
  const { clock, limits: all } = limits();
  all.enter(ACME, 'a', 0);
  t.equal(all.take(ACME, 1), undefined);
  all.leave(ACME, 'a');
  all.enter(ACME, 'b', 0);
  t.ok(all.take(ACME, 1));
  all.leave(ACME, 'b');
  clock.at += 2 * MINUTE;
  all.leave(ACME, 'b');
  t.equal(all.take(ACME, 1), undefined);
});

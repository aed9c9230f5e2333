/** The limit of one sender, and the memory of who was deferred: both bounded, both by a clock that a test turns. */
import t from 'tap';
import { Rate } from '../../src/inbound/rate.ts';
import { Waiting } from '../../src/inbound/waiting.ts';

const HOUR = 3_600_000;

t.test('so many a minute of one sender; the first beyond it is told apart; others are not touched', async t => {
  const clock = { at: 0, now: () => clock.at };
  const rate = new Rate(2, clock);
  const asked = ['a', 'a', 'b', 'a', 'a', 'b'].map(sender => rate.take(sender));
  t.same(asked, ['granted', 'granted', 'granted', 'flood', 'more', 'granted']);
  clock.at = 60_000;
  t.equal(rate.take('a'), 'granted', 'a new minute');
  const open = new Rate(0, clock);
  t.same(new Set(Array.from({ length: 1000 }, () => open.take('a'))), new Set(['granted']), '0 = no limit');
});

t.test('who invents senders gains no memory of ours', async t => {
  const rate = new Rate(1, { now: () => 0 });
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 300_000; i += 1) rate.take(`sender${i}@flood.example`);
  t.ok(process.memoryUsage().heapUsed - before < 50_000_000, 'bounded');
});

t.test('A17: the oldest deferred message counts until it came again, or its sender has given up', async t => {
  const clock = { at: 0, now: () => clock.at };
  const waiting = new Waiting(clock);
  t.equal(waiting.oldest(), undefined);
  waiting.deferred('first', waiting.since('first'));
  clock.at = HOUR;
  waiting.deferred('second', waiting.since('second'));
  t.equal(waiting.since('first'), 0, 'its clock runs from when it came first');
  waiting.deferred('first', 0);
  t.equal(waiting.oldest(), 0);
  waiting.enforced('first');
  t.equal(waiting.oldest(), HOUR);
  clock.at = HOUR + 5 * 24 * HOUR + 1;
  t.equal(waiting.oldest(), undefined);
  for (let i = 0; i < 20_000; i += 1) waiting.deferred(`m${i}`, clock.at + i);
  t.equal(waiting.oldest(), clock.at, 'those who came first are kept');
});

/** The memory of whom the upstream refused: how long it lasts, how it doubles, when it is forgotten, and whose it is. */
import t from 'tap';
import { defer, reject } from '../../src/mail/reply.ts';
import { Setbacks } from '../../src/submission/setbacks.ts';
import { ACME, address, OTHER } from './gatehouse.ts';

const MINUTE = 60_000;
const FULL = defer(452, '4.2.2', 'mailbox full');
const GONE = reject(550, '5.1.1', 'nobody here');
const sam = address('sam@example.net');

function setbacks(minutes = 10) {
  const clock = { at: Date.parse('2026-11-21T12:00:00Z'), now: () => clock.at };
  return { clock, setbacks: new Setbacks(clock, minutes) };
}

/** How many whole minutes from now on the reply is repeated. */
function lasts({ clock, setbacks: memory }: ReturnType<typeof setbacks>): number {
  const start = clock.at;
  let minutes = 0;
  while (memory.of(ACME, sam) !== undefined && minutes < 1000) {
    minutes += 1;
    clock.at += MINUTE;
  }
  clock.at = start;
  return minutes;
}

t.test('repeats the very reply, to that client, for that recipient', async t => {
  const { setbacks: memory } = setbacks();
  memory.note(ACME, sam, FULL);
  t.equal(memory.of(ACME, sam), FULL);
  t.equal(memory.of(OTHER, sam), undefined, 'A1: what one client learned is not told to another');
  t.equal(memory.of(ACME, address('samuel@example.net')), undefined);
  memory.note(ACME, sam, GONE);
  t.equal(memory.of(ACME, sam), GONE, 'the latest word');
  memory.clear(ACME, sam);
  t.equal(memory.of(ACME, sam), undefined);
});

t.test('doubles each time, up to four hours', async t => {
  const memory = setbacks(10);
  for (const minutes of [10, 20, 40, 80, 160, 240, 240]) {
    memory.setbacks.note(ACME, sam, FULL);
    t.equal(lasts(memory), minutes);
    memory.clock.at += minutes * MINUTE;
  }
});

t.test('begins anew once the recipient was taken, or four hours after the last was over', async t => {
  const memory = setbacks(10);
  memory.setbacks.note(ACME, sam, FULL);
  memory.setbacks.note(ACME, sam, FULL);
  t.equal(lasts(memory), 20);
  memory.setbacks.clear(ACME, sam);
  memory.setbacks.note(ACME, sam, FULL);
  t.equal(lasts(memory), 10);
  memory.clock.at += (10 + 239) * MINUTE;
  memory.setbacks.note(ACME, sam, FULL);
  t.equal(lasts(memory), 20, 'within four hours it is the same trouble');
  memory.clock.at += (20 + 240) * MINUTE;
  memory.setbacks.note(ACME, sam, FULL);
  t.equal(lasts(memory), 10);
});

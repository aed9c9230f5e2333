/** What may happen to a mailbox and to those who read it: nothing is lost, nothing is doubled, and whoever must know is told once. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { KEYWORD } from '../../src/inbound/mailbox-folder.ts';
import { Lease } from '../../src/inbound/mailbox-state.ts';
import { ALARM_MS } from '../../src/journal/pending.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { dovecotMissing, PASSWORD } from '../support/dovecot.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { letter, newRoom, type Room, seen, USER } from './reading-room.ts';

const skip = dovecotMissing();
const HOUR = 3_600_000;

async function appendAll(room: Room, subjects: readonly string[]): Promise<void> {
  for (const subject of subjects) await room.dovecot.append(USER, letter(subject));
}

const numbered = (n: number) => Array.from({ length: n }, (_, i) => `n${i}`);

t.test('a connection lost again and again: each message once', { skip }, async t => {
  const room = await newRoom(t);
  const subjects = numbered(12);
  await appendAll(room, subjects);
  let calls = 0;
  room.before = async () => {
    calls += 1;
    if (calls % 3 === 0) await room.dovecot.hangUp();
    if (calls === 7) await room.dovecot.restart();
  };
  room.read({});
  await seen(room, subjects);
  t.same(room.subjects(), subjects);
  await appendAll(room, ['last']);
  await seen(room, [...subjects, 'last']);
  t.same(room.subjects(), [...subjects, 'last']);
  t.ok(room.dovecot.logins() > 4, 'it was lost indeed');
});

t.test('more messages than are asked for at once', { skip }, async t => {
  const room = await newRoom(t);
  const subjects = numbered(130);
  await appendAll(room, subjects);
  room.read({});
  await until('all', () => room.arrivals.length >= 130);
  t.same(room.subjects(), subjects);
});

for (const keywords of [true, false]) {
  t.test(`a folder that is renumbered, ${keywords ? 'with' : 'without'} keywords`, { skip }, async t => {
    const room = await newRoom(t);
    const { dovecot } = room;
    if (!keywords) dovecot.forbidKeywords(USER);
    await dovecot.append(USER, letter('one'));
    room.read({});
    await seen(room, ['one']);
    const flags = async () => (await dovecot.stored(USER)).map(message => message.flags);
    if (keywords) await until('the mark', async () => (await flags())[0]?.includes(KEYWORD));
    await dovecot.setUidValidity(USER, 4_000_000_000);
    await dovecot.append(USER, letter('two'));
    const expected = keywords ? ['one', 'two'] : ['one', 'one', 'two'];
    await seen(room, expected);
    t.same(room.subjects(), expected, keywords ? 'the marks tell' : 'it is given again to the processor, which knows it');
    if (!keywords) t.same(await flags(), [[], []], 'and nothing is set that may not be');
    t.match(room.logText(), /renumbered/);
  });
}

t.test('without keywords a restart repeats nothing, because the store remembers', { skip }, async t => {
  const room = await newRoom(t);
  room.dovecot.forbidKeywords(USER);
  await appendAll(room, ['one', 'two']);
  const reading = room.read({});
  await seen(room, ['one', 'two']);
  await reading.stop();
  await appendAll(room, ['three']);
  room.read({});
  await seen(room, ['one', 'two', 'three']);
  t.same(room.subjects(), ['one', 'two', 'three']);
});

t.test(
  'A17: a password that is refused: one alarm, pending since, no secret told; another mailbox is read all the same',
  { skip },
  async t => {
    const room = await newRoom(t);
    await room.dovecot.append('dave@acme.example', letter('to dave'));
    const started = room.desk.clock.at;
    room.read([
      { name: 'carol', url: room.dovecot.url(USER, 'gone-stale') },
      { name: 'dave', url: room.dovecot.url('dave@acme.example') },
    ]);
    await seen(room, ['to dave']);
    await until('many attempts', () => (room.logText().match(/tried again/g) ?? []).length >= 5);
    t.same(room.alarms(), ['mailbox-unreadable']);
    const noted = (await room.pending.read()).find(({ source }) => source === 'mailbox:carol');
    t.equal(noted?.unreadableSince, started);
    t.notMatch(room.logText(), /gone-stale/);
    room.desk.clock.at += ALARM_MS;
    await until('the other alarm', () => room.alarms().length === 2);
    await sleep(300);
    t.same(room.alarms(), ['mailbox-unreadable', 'pending-12h'], 'each once');
  },
);

t.test('A17: a server that is away: the incident begins when it was last read, outlives a restart, and ends', { skip }, async t => {
  const room = await newRoom(t);
  await appendAll(room, ['one']);
  const first = room.read({});
  await seen(room, ['one']);
  await until('noted', async () => (await room.pending.read()).length === 1);
  const lastRead = room.desk.clock.at;
  await room.dovecot.kill();
  room.desk.clock.at += HOUR / 2;
  const noted = async () => (await room.pending.read())[0];
  await until('the alarm', () => room.alarms().includes('mailbox-unreadable'));
  await until('it counts', async () => (await noted())?.unreadableSince === lastRead);
  await first.stop();
  room.desk.clock.at += HOUR / 2;
  room.read({});
  await until('the alarm of the next process', () => room.alarms().length === 2);
  t.equal((await noted())?.unreadableSince, lastRead);
  await room.dovecot.restart();
  await appendAll(room, ['two']);
  await seen(room, ['one', 'two']);
  await until('it is over', async () => (await noted())?.unreadableSince === undefined);
  t.match(room.logText(), /well again/);
  t.same(room.alarms(), ['mailbox-unreadable', 'mailbox-unreadable']);
});

t.test('a server that freezes, in a command or while it is idle, is left and tried again', { skip }, async t => {
  const room = await newRoom(t);
  await appendAll(room, ['one', 'two']);
  room.before = arrival => void (arrival.octets.includes('Subject: one') && room.dovecot.freeze());
  room.read({});
  await until('the alarm', () => room.alarms().includes('mailbox-unreadable'));
  room.before = () => undefined;
  room.dovecot.thaw();
  await seen(room, ['one', 'two']);
  await sleep(400);
  room.dovecot.freeze();
  await until('the second alarm', () => room.alarms().length === 2);
  room.dovecot.thaw();
  await appendAll(room, ['three']);
  await seen(room, ['one', 'two', 'three']);
  t.same(room.subjects(), ['one', 'two', 'three']);
});

t.test('law 2: with the store down nothing is marked; once it is back, everything is processed', { skip }, async t => {
  const room = await newRoom(t);
  const { desk, dovecot } = room;
  await appendAll(room, ['one', 'two', 'three']);
  room.before = arrival => {
    if (!arrival.octets.includes('Subject: two')) return;
    desk.away = true;
    throw new StoreUnavailable('The store is away');
  };
  room.read({});
  await seen(room, ['one']);
  await until('it is noticed', () => /The store is away/.test(room.logText()));
  t.same(room.alarms(), [], 'the mailbox is not to blame');
  t.same(
    (await dovecot.stored(USER)).map(({ flags }) => flags),
    [[KEYWORD], [], []],
  );
  room.before = () => undefined;
  desk.away = false;
  await seen(room, ['one', 'two', 'three']);
  t.same(room.subjects(), ['one', 'two', 'three']);
});

t.test('what was processed and could not be remembered is given to the processor again, and is marked only then', { skip }, async t => {
  const room = await newRoom(t);
  await appendAll(room, ['one', 'two']);
  room.before = arrival => {
    room.desk.away = arrival.octets.includes('Subject: one') && room.arrivals.length === 0;
  };
  room.read({});
  await until('it is noticed', () => /The store is away/.test(room.logText()));
  t.same(
    (await room.dovecot.stored(USER)).map(({ flags }) => flags),
    [[], []],
  );
  room.desk.away = false;
  await seen(room, ['one', 'one', 'two']);
  t.same(room.subjects(), ['one', 'one', 'two'], 'as by a process that died in between');
});

t.test(
  'A17: a message that cannot be processed keeps no other waiting, is tried again, and is pending until it is done',
  { skip },
  async t => {
    const room = await newRoom(t);
    const at = new Date(Math.floor(Date.now() / 1000) * 1000 - HOUR);
    await room.dovecot.append(USER, letter('bad'), { at });
    await appendAll(room, ['good']);
    let attempts = 0;
    let broken = true;
    room.before = arrival => {
      if (!arrival.octets.includes('Subject: bad')) return;
      attempts += 1;
      if (broken) throw new TypeError('a fault of ours');
    };
    room.read({});
    await seen(room, ['good']);
    await until('tried again', () => attempts >= 3);
    await until('it counts', async () => (await room.pending.read())[0]?.oldestAt === at.getTime());
    t.equal((room.logText().match(/a fault of ours/g) ?? []).length, 2, 'told once: its message and its stack');
    room.desk.clock.at += ALARM_MS;
    await until('the alarm', () => room.alarms().length === 1);
    t.same(room.alarms(), ['pending-12h']);
    const marks = async () => (await room.dovecot.stored(USER)).map(({ flags }) => flags.includes(KEYWORD));
    t.same(await marks(), [false, true]);
    broken = false;
    await seen(room, ['good', 'bad']);
    await until('marked', async () => (await marks())[0]);
    await until('nothing waits', async () => (await room.pending.read())[0]?.oldestAt === undefined);
    t.same(room.subjects(), ['good', 'bad']);
  },
);

t.test('messages that are expunged before they are fetched: the others are read', { skip }, async t => {
  const room = await newRoom(t);
  await appendAll(room, ['one', 'two', 'three']);
  room.before = async arrival => {
    if (arrival.octets.includes('Subject: one')) await room.dovecot.expunge(USER, 2);
  };
  room.read({});
  await seen(room, ['one', 'three']);
  await appendAll(room, ['four']);
  await seen(room, ['one', 'three', 'four']);
  t.same(room.subjects(), ['one', 'three', 'four']);
});

t.test('a folder that is not there is told, and keeps no other from being read', { skip }, async t => {
  const room = await newRoom(t);
  await appendAll(room, ['one']);
  room.read({ folders: ['INBOX', 'Replys'] });
  await seen(room, ['one']);
  await until('the alarm', () => room.alarms().includes('mailbox-unreadable'));
  await appendAll(room, ['two']);
  await seen(room, ['one', 'two']);
  await room.dovecot.createFolder(USER, 'Replys');
  await until('it is over', () => /well again/.test(room.logText()));
});

for (const engine of ['lmdb', 'redis'] as const) {
  t.test(
    `two processes on one ${engine}: one reads, and the other takes over`,
    { skip: skip || (engine === 'redis' && noRedis) },
    async t => {
      const room = await newRoom(t, engine === 'redis' ? (await startRedis(t)).url : undefined);
      const subjects = numbered(20);
      await appendAll(room, subjects);
      const first = room.read({});
      room.read({});
      await seen(room, subjects);
      await appendAll(room, ['more']);
      await seen(room, [...subjects, 'more']);
      t.same(room.subjects(), [...subjects, 'more']);
      await first.stop();
      await appendAll(room, ['even more']);
      await seen(room, [...subjects, 'more', 'even more']);
      t.same(room.subjects(), [...subjects, 'more', 'even more']);
    },
  );
}

t.test('a process that died with the lease is followed when the lease ran out, and not before', { skip }, async t => {
  const room = await newRoom(t);
  await appendAll(room, ['one']);
  const dead = new Lease(room.desk.parts, 'carol', 4_000);
  t.ok(await dead.take());
  room.read({});
  await sleep(600);
  t.same(room.subjects(), []);
  t.equal(room.dovecot.logins(), 1, 'only the one that appended');
  room.desk.clock.at += 4_000;
  await seen(room, ['one']);
  t.notOk(await dead.take(), 'it has lost it');
});

t.test('a mailbox that is not configured any more is forgotten after an hour; one that is stays', { skip }, async t => {
  const room = await newRoom(t);
  await room.pending.note('mailbox:former', { oldestAt: 1, unreadableSince: undefined });
  await room.pending.note('smtp 1f', { oldestAt: 2, unreadableSince: undefined });
  const sources = async () => new Set((await room.pending.read()).map(({ source }) => source));
  await room.read({}).stop();
  t.ok((await sources()).has('mailbox:former'), 'another process may read it');
  room.desk.clock.at += HOUR;
  room.read({});
  await until('forgotten', async () => !(await sources()).has('mailbox:former'));
  await until('its own is noted', async () => (await sources()).has('mailbox:carol'));
  t.same(await sources(), new Set(['mailbox:carol', 'smtp 1f']));
});

t.test('stop is prompt, whatever goes on; a message at work is finished first', { skip }, async t => {
  const limit = 1_500;
  const stopped = async (t: Test, what: string, reading: { stop(): Promise<void> }) => {
    const outcome = await Promise.race([reading.stop().then(() => 'stopped'), sleep(limit, 'hangs', { ref: false })]);
    t.equal(outcome, 'stopped', what);
  };
  const room = await newRoom(t);
  const patient = { timings: { connectMs: 60_000, answerMs: 60_000, retryMs: 60_000, longestRetryMs: 60_000 } };
  await appendAll(room, ['one', 'two']);
  let release = () => {};
  const working = new Promise<void>(resolve => {
    room.before = async () => {
      resolve();
      await new Promise<void>(done => {
        release = done;
      });
    };
  });
  const busy = room.read({ pollSeconds: 600 }, patient);
  await working;
  const stopping = busy.stop();
  room.before = () => undefined;
  release();
  await stopping;
  t.same(room.subjects(), ['one']);

  const idle = room.read({ pollSeconds: 600 }, patient);
  await seen(room, ['one', 'two']);
  await stopped(t, 'resting', idle);
  t.same(room.subjects(), ['one', 'two'], 'what was finished was remembered');

  const refused = room.read({ url: room.dovecot.url(USER, 'wrong') }, patient);
  await until('a failure', () => /tried again/.test(room.logText()));
  await stopped(t, 'backing off', refused);

  room.dovecot.freeze();
  const frozen = room.read({}, patient);
  await sleep(200);
  await stopped(t, 'waiting for a server that says nothing', frozen);
  room.dovecot.thaw();
  t.notMatch(room.logText(), new RegExp(PASSWORD.slice(2)), 'and no password was told all the while');
});

/** The pending clock on real stores: what waits is seen by everybody, dead runs fade, mailboxes never do. */
import t, { type Test } from 'tap';
import { ALARM_MS, mailboxSource, SILENT_MS, StoredPending, waitingSince } from '../../src/journal/pending.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { newDesk } from './desk.ts';

const HOUR = 3_600_000;

for (const engine of ['lmdb', 'redis'] as const) {
  t.test(`on ${engine}`, { skip: engine === 'redis' && noRedis }, async t => {
    const openDesk = async (t: Test) => newDesk(t, engine === 'redis' ? (await startRedis(t)).url : undefined);

    t.test('A17: what one gate notes, every reader sees', async t => {
      const desk = await openDesk(t);
      const [gate, reader] = [new StoredPending(desk.parts), new StoredPending(desk.parts)];
      const at = desk.clock.at;
      await gate.note('smtp 1f', { oldestAt: at - HOUR, unreadableSince: undefined });
      await gate.note(mailboxSource('sales'), { oldestAt: undefined, unreadableSince: at - 2 * HOUR });
      t.same(
        new Set(await reader.read()),
        new Set([
          { source: 'smtp 1f', oldestAt: at - HOUR, unreadableSince: undefined, notedAt: at },
          { source: 'mailbox:sales', oldestAt: undefined, unreadableSince: at - 2 * HOUR, notedAt: at },
        ]),
      );
      await gate.note('smtp 1f', { oldestAt: undefined, unreadableSince: undefined });
      t.same((await reader.read()).find(({ source }) => source === 'smtp 1f')?.oldestAt, undefined, 'the last word counts');
    });

    t.test('a run that died fades: within the hour where nothing waited, within a day where something did', async t => {
      const desk = await openDesk(t);
      const pending = new StoredPending(desk.parts);
      await pending.note('smtp idle', { oldestAt: undefined, unreadableSince: undefined });
      await pending.note('smtp busy', { oldestAt: desk.clock.at, unreadableSince: undefined });
      const names = async () => (await pending.read()).map(({ source }) => source);
      desk.clock.at += SILENT_MS - 1;
      t.same(new Set(await names()), new Set(['smtp idle', 'smtp busy']));
      desk.clock.at += 1;
      t.same(await names(), ['smtp busy']);
      desk.clock.at += ALARM_MS;
      t.same(await names(), ['smtp busy'], 'long enough for the alarm');
      desk.clock.at += ALARM_MS;
      t.same(await names(), []);
      desk.clock.at -= 2 * ALARM_MS;
      t.same(await names(), [], 'and is gone from the store');
    });

    t.test('A17: a mailbox that nobody reads any more counts as unreadable since it last was, until it is forgotten', async t => {
      const desk = await openDesk(t);
      const pending = new StoredPending(desk.parts);
      const source = mailboxSource('sales');
      const lastRead = desk.clock.at;
      await pending.note(source, { oldestAt: undefined, unreadableSince: undefined });
      desk.clock.at += SILENT_MS - 1;
      t.same((await pending.read())[0]?.unreadableSince, undefined);
      desk.clock.at += 40 * 24 * HOUR;
      t.same(await pending.read(), [{ source, oldestAt: undefined, unreadableSince: lastRead, notedAt: lastRead }]);
      await pending.forget([source]);
      t.same(await pending.read(), []);
    });

    t.test('a store that is away is not an empty clock', async t => {
      const desk = await openDesk(t);
      desk.away = true;
      await t.rejects(new StoredPending(desk.parts).note('smtp 1f', { oldestAt: 1, unreadableSince: undefined }), StoreUnavailable);
    });
  });
}

t.test('waitingSince: the older of what lies there and what cannot be read', async t => {
  const cases: [number | undefined, number | undefined, number | undefined][] = [
    [undefined, undefined, undefined],
    [5, undefined, 5],
    [undefined, 7, 7],
    [5, 7, 5],
    [9, 7, 7],
  ];
  for (const [oldestAt, unreadableSince, expected] of cases) t.equal(waitingSince({ oldestAt, unreadableSince }), expected);
});

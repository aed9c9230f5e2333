/** What is remembered of mailboxes, on real stores: how far a folder was read, and who reads. */
import t from 'tap';
import { GLOBAL } from '../../src/ids.ts';
import { FolderStates, Lease } from '../../src/inbound/mailbox-state.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { newDesk } from '../journal/desk.ts';
import { noRedis, startRedis } from '../support/redis.ts';

for (const engine of ['lmdb', 'redis'] as const) {
  t.test(`on ${engine}`, { skip: engine === 'redis' && noRedis }, async t => {
    const desk = await newDesk(t, engine === 'redis' ? (await startRedis(t)).url : undefined);

    t.test('a folder is the same only on the same server, for the same user', async t => {
      const states = new FolderStates(desk.parts);
      const name = { mailbox: 'carol', host: 'imap.example', user: 'carol@acme.example', folder: 'Büro' };
      const state = { uidValidity: '4000000000', since: 5, through: 7, open: [3] };
      await states.write(name, state);
      t.same(await states.read(name), state);
      for (const other of [{ host: 'imap2.example' }, { user: 'dave@acme.example' }, { folder: 'INBOX' }, { mailbox: 'dave' }])
        t.equal(await states.read({ ...name, ...other }), undefined, JSON.stringify(other));
      for await (const [key, value] of desk.parts.store.scan({ owner: GLOBAL, log: 'mailboxes' }))
        t.notMatch(`${String(key.id)} ${value.toString()}`, /acme|@/, 'and no address is kept in clear');
    });

    t.test('of two processes one has the lease, until it lets go or is silent for too long', async t => {
      const [one, two] = [new Lease(desk.parts, 'carol', 1_000), new Lease(desk.parts, 'carol', 1_000)];
      t.ok(await one.take());
      t.notOk(await two.take());
      t.ok(await new Lease(desk.parts, 'dave', 1_000).take(), 'each mailbox has its own');
      for (let i = 0; i < 5; i++) {
        desk.clock.at += 900;
        t.ok(await one.take(), 'renewed');
      }
      t.notOk(await two.take());
      await one.release();
      t.ok(await two.take());
      t.notOk(await one.take());
      desk.clock.at += 1_000;
      t.ok(await one.take(), 'two is silent');
      t.notOk(await two.take(), 'and notices');
      await two.release();
      t.notOk(await two.take(), 'it cannot let go what it has not');
    });

    t.test('all at once: one has it', async t => {
      const leases = Array.from({ length: 8 }, () => new Lease(desk.parts, 'erin', 1_000));
      t.equal((await Promise.all(leases.map(lease => lease.take()))).filter(Boolean).length, 1);
    });

    t.test('a clock that stood far ahead keeps nobody out for good', async t => {
      const ahead = new Lease({ store: desk.parts.store, clock: { now: () => desk.clock.at + 3_600_000 } }, 'frank', 1_000);
      t.ok(await ahead.take());
      t.ok(await new Lease(desk.parts, 'frank', 1_000).take());
    });

    t.test('no answer is no lease', async t => {
      desk.away = true;
      await t.rejects(new Lease(desk.parts, 'grace', 1_000).take(), StoreUnavailable);
    });
  });
}

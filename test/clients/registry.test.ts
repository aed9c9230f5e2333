/** Tests of clients and campaigns, on both engines. */
import t from 'tap';
import { Clients } from '../../src/clients/clients.ts';
import type { CampaignId, ClientId } from '../../src/ids.ts';
import { GLOBAL } from '../../src/ids.ts';
import { createKeyring, loadKeyring } from '../../src/keys/keyring.ts';
import { decodeHead, encodeHead, headKey, newHead } from '../../src/store/head.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { good, input, newHouse, problem } from './house.ts';

const acme = 'acme' as ClientId;

for (const engine of ['lmdb', 'redis'] as const) {
  t.test(`clients on ${engine}`, { skip: engine === 'redis' ? noRedis : false }, async t => {
    const open = async (t: Parameters<typeof newHouse>[0] & Parameters<typeof startRedis>[0]) =>
      newHouse(t, engine === 'redis' ? (await startRedis(t)).url : undefined);

    t.test('added, listed, shown; twice is a problem', async t => {
      const { clients } = await open(t);
      t.equal(problem(await clients.add(input('acme'))), undefined);
      t.equal(problem(await clients.add(input('acme'))), 'exists');
      t.equal(problem(await clients.add(input('Acme'))), 'invalid');
      good(await clients.add(input('beta', { upstream: 'smtp://relay.example' })));
      t.same(
        (await clients.list()).map(({ id }) => id),
        ['acme', 'beta'],
      );
      t.match(await clients.show('beta'), { name: 'beta GmbH', upstream: 'smtp://relay.example', disabled: false });
      t.equal(await clients.show('gamma'), undefined);
      t.equal(await clients.show('global'), undefined);
    });

    t.test('a change on one gate is seen by the next asking on another', async t => {
      const { clients, parts } = await open(t);
      const other = new Clients(parts);
      good(await clients.add(input('acme')));
      const before = await other.profile(acme);
      t.equal(await other.profile(acme), before, 'unchanged: the same object');
      good(await clients.update('acme', { fromDomains: ['new.example'] }));
      t.same((await other.profile(acme))?.fromDomains, ['new.example']);
      t.same((await other.profile(acme))?.privacyUrls, before?.privacyUrls, 'what was not named stays');
      t.equal(problem(await clients.update('acme', { fromDomains: ['co.uk'] })), 'invalid');
      t.equal(problem(await clients.update('nobody', { name: 'x' })), 'unknown');
    });

    t.test('a removed client is disabled, and comes back with new settings', async t => {
      const { clients, clock } = await open(t);
      const { createdAt } = good(await clients.add(input('acme')));
      good(await clients.addCampaign('acme', 'q3', ['widgets.example']));
      const issued = good(await clients.addCredential({ client: 'acme', username: 'sender' }));
      t.equal(good(await clients.remove('acme')).disabled, true);
      t.equal(good(await clients.remove('acme')).disabled, true, 'again: the same');
      t.equal((await clients.profile(acme))?.disabled, true);
      t.equal(problem(await clients.remove('nobody')), 'unknown');
      t.equal(problem(await clients.update('acme', { name: 'x' })), 'disabled');
      t.equal(problem(await clients.addCampaign('acme', 'q4', [])), 'disabled');
      t.equal(problem(await clients.addCredential({ client: 'acme', username: 'second' })), 'disabled');
      t.equal(await clients.authenticate('sender', issued.password ?? '', '192.0.2.1'), 'disabled');
      clock.at += 1000;
      t.match(good(await clients.add(input('acme', { name: 'New' }))), { name: 'New', disabled: false, createdAt });
      t.ok(await clients.campaign('acme', 'q3'), 'campaigns stay: their lists bind');
      t.equal(await clients.authenticate('sender', issued.password ?? '', '192.0.2.1'), 'disabled', 'old log-ins stay dead');
    });

    t.test('A10: campaigns', async t => {
      const { clients } = await open(t);
      good(await clients.add(input('acme')));
      t.same(good(await clients.addCampaign('acme', 'q3', ['Widgets.example'])), { id: 'q3', targetDomains: ['widgets.example'] });
      t.equal(problem(await clients.addCampaign('acme', 'q3', [])), 'exists');
      t.equal(problem(await clients.addCampaign('beta', 'q3', [])), 'unknown');
      t.equal(problem(await clients.addCampaign('acme', 'q4', ['co.uk'])), 'invalid');
      t.same(good(await clients.campaigns('acme')), [{ id: 'q3', targetDomains: ['widgets.example'] }]);
      t.equal(problem(await clients.campaigns('beta')), 'unknown');
      t.same((await clients.profile(acme))?.campaigns.get('q3' as CampaignId)?.targetDomains, ['widgets.example']);
    });

    t.test('changes at once are all kept, and each is a new version', async t => {
      const { clients, parts } = await open(t);
      good(await clients.add(input('acme')));
      const before = await version();
      await Promise.all(Array.from({ length: 8 }, async (_, i) => good(await new Clients(parts).addCampaign('acme', `c${i}`, []))));
      t.equal(good(await clients.campaigns('acme')).length, 8);
      t.equal(await version(), before + 8);
      async function version() {
        const [head] = await parts.store.find([headKey('acme')]);
        return head === undefined ? -1 : (decodeHead(head)?.version ?? -1);
      }
    });

    t.test('a head that is absent or foreign is no answer', async t => {
      const { clients, parts, dir, clock } = await open(t);
      good(await clients.add(input('acme')));
      await clients.profile(acme);
      await createKeyring(`${dir}/other.key`, clock);
      const foreign = encodeHead(newHead((await loadKeyring({ file: `${dir}/other.key` }, clock)).fingerprint));
      for (const [owner, value] of [
        ['acme', undefined],
        ['acme', foreign],
        [GLOBAL, undefined],
        [GLOBAL, foreign],
      ] as const) {
        const [whole] = await parts.store.find([headKey(owner)]);
        await parts.store.apply([{ key: headKey(owner), value }]);
        for (const asked of [clients, new Clients(parts)]) {
          await t.rejects(asked.profile(acme), StoreUnavailable, `${owner} ${value === undefined ? 'absent' : 'foreign'}`);
          await t.rejects(asked.list(), StoreUnavailable);
        }
        if (owner === GLOBAL) await t.rejects(clients.add(input('fresh')), StoreUnavailable);
        await parts.store.apply([{ key: headKey(owner), value: whole }]);
      }
      t.equal((await clients.profile(acme))?.id, 'acme');
    });
  });
}

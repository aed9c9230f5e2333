/** Tests of clients and campaigns, on both engines. */
import t from 'tap';
import { Clients } from '../../src/clients/clients.ts';
import { clientKey, SealedRecords, type StoredClient } from '../../src/clients/records.ts';
import type { CampaignId, ClientId } from '../../src/ids.ts';
import { GLOBAL } from '../../src/ids.ts';
import { createKeyring, loadKeyring } from '../../src/keys/keyring.ts';
import { decodeHead, encodeHead, headKey, newHead } from '../../src/store/head.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { address as person } from '../checks/asking.ts';
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

    t.test('of two who change the same version, one is told; target domains are changed, not a campaign removed', async t => {
      const { clients } = await open(t);
      const { version } = good(await clients.add(input('acme')));
      t.equal(good(await clients.update('acme', { name: 'First' }, undefined, version)).name, 'First');
      t.equal(problem(await clients.update('acme', { name: 'Second' }, undefined, version)), 'outdated');
      t.equal(problem(await clients.remove('acme', undefined, version)), 'outdated');
      t.equal((await clients.show('acme'))?.name, 'First');
      good(await clients.addCampaign('acme', 'q3', ['widgets.example']));
      const now = (await clients.profile(acme))?.version;
      t.same(good(await clients.updateCampaign('acme', 'q3', ['gadgets.example'], undefined, now)).targetDomains, ['gadgets.example']);
      t.equal(problem(await clients.updateCampaign('acme', 'q3', [], undefined, now)), 'outdated');
      t.same((await clients.campaign('acme', 'q3'))?.targetDomains, ['gadgets.example']);
      t.same(good(await clients.updateCampaign('acme', 'q3', [])).targetDomains, []);
      t.equal(problem(await clients.updateCampaign('acme', 'q4', [])), 'unknown');
      t.equal(problem(await clients.updateCampaign('acme', 'q3', ['co.uk'])), 'invalid');
      good(await clients.remove('acme'));
      t.equal(problem(await clients.updateCampaign('acme', 'q3', [])), 'disabled');
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

    t.test("A16: a reply address is one client's, tagged or not, also when it was removed", async t => {
      const { clients, parts } = await open(t);
      const sales = person('sales@acme.example');
      t.match(good(await clients.add(input('acme'))), {
        replyAddresses: [],
        returnPath: undefined,
        tagReplyTo: false,
        forwardTo: undefined,
      });
      t.equal(await clients.byReplyAddress(sales), undefined);
      const given = { replyAddresses: ['Sales@acme.example', 'team@acme.example'], returnPath: 'acme.example', tagReplyTo: true };
      t.match(good(await clients.update('acme', given)), given);
      t.match(await new Clients(parts).profile(acme), given, 'another gate reads the same');
      for (const text of ['sales@acme.example', 'SALES+abc@acme.example', 'team@acme.example'])
        t.equal(await clients.byReplyAddress(person(text)), 'acme', text);
      t.equal(problem(await clients.add(input('beta', { replyAddresses: ['sales@ACME.example'] }))), 'taken');
      t.equal(await clients.show('beta'), undefined, 'refused as a whole');
      good(await clients.add(input('beta', { replyAddresses: ['beta@beta.example'] })));
      const taken = await clients.update('beta', { name: 'Other', replyAddresses: ['beta@beta.example', 'team@acme.example'] });
      t.match(taken, { problem: 'taken', texts: [/^reply-address: team@acme.example is client acme's/] });
      t.match(await clients.show('beta'), { name: 'beta GmbH', replyAddresses: ['beta@beta.example'] }, 'refused as a whole');
      good(await clients.update('acme', { name: 'Acme' }));
      t.equal(await clients.byReplyAddress(sales), 'acme', 'what was not named stays');
      good(await clients.update('acme', { replyAddresses: ['sales@acme.example'], forwardTo: 'inbox@acme.example' }));
      t.equal(await clients.byReplyAddress(person('team@acme.example')), undefined, 'given up');
      t.match(good(await clients.update('beta', { replyAddresses: ['team@acme.example'] })), { replyAddresses: ['team@acme.example'] });
      t.equal(await clients.byReplyAddress(person('beta@beta.example')), undefined);
      t.equal(problem(await clients.update('acme', { replyAddresses: [] })), 'invalid', 'tagged, so it needs one');
      t.equal(good(await clients.update('acme', { forwardTo: undefined })).forwardTo, undefined);

      good(await clients.remove('acme'));
      t.equal(await clients.byReplyAddress(sales), 'acme', 'removed: its replies still count');
      t.same(good(await clients.add(input('acme'))).replyAddresses, ['sales@acme.example'], 'and come back with it');
      t.equal(await clients.byReplyAddress(sales), 'acme');
    });

    t.test('of those who claim a reply address at once, one gets it', async t => {
      const { clients, parts } = await open(t);
      const names = ['a', 'b', 'c', 'd', 'e'];
      for (const name of names) good(await clients.add(input(name)));
      const answers = await Promise.all(
        names.map(name => new Clients(parts).update(name, { replyAddresses: ['sales@shared.example', `${name}@shared.example`] })),
      );
      const won = names.filter((_, i) => problem(answers[i] as object) === undefined);
      t.equal(won.length, 1);
      t.same(answers.map(problem).sort(), ['taken', 'taken', 'taken', 'taken', undefined]);
      t.equal(await clients.byReplyAddress(person('sales@shared.example')), won[0]);
      for (const { id, replyAddresses } of await clients.list()) {
        t.equal(replyAddresses.length, id === won[0] ? 2 : 0, 'all that was asked for, or none');
        t.equal(await clients.byReplyAddress(person(`${id}@shared.example`)), id === won[0] ? id : undefined);
      }
    });

    t.test('a client that was stored before replies were taken has none of their settings', async t => {
      const { clients, parts } = await open(t);
      good(await clients.add(input('acme')));
      const records = new SealedRecords(parts.keyring);
      const [value] = await parts.store.find([clientKey('acme')]);
      const { tagReplyTo: _, returnPath: __, forwardTo: ___, ...old } = records.get<StoredClient>(clientKey('acme'), value as Buffer);
      await parts.store.apply([records.put(clientKey('acme'), old)]);
      t.match(await new Clients(parts).profile(acme), {
        replyAddresses: [],
        returnPath: undefined,
        tagReplyTo: false,
        forwardTo: undefined,
      });
      t.match(good(await clients.update('acme', { name: 'New' })), { name: 'New', tagReplyTo: false });
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
          if (owner === GLOBAL) await t.rejects(asked.byReplyAddress(person('sales@acme.example')), StoreUnavailable);
        }
        if (owner === GLOBAL) await t.rejects(clients.add(input('fresh')), StoreUnavailable);
        await parts.store.apply([{ key: headKey(owner), value: whole }]);
      }
      t.equal((await clients.profile(acme))?.id, 'acme');
    });
  });
}

/** Sends: what is relayed is remembered, found by token, Message-ID and person, for its client only, unreadable at rest, and forgotten in time. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CampaignId, ClientId, CredentialId } from '../../src/ids.ts';
import type { SendInput } from '../../src/journal/sends.ts';
import { StoredSends } from '../../src/journal/stored-sends.ts';
import { Digests } from '../../src/keys/digest.ts';
import { addKey, loadKeyring } from '../../src/keys/keyring.ts';
import { VaultUnavailable } from '../../src/keys/vault-shelf.ts';
import { type Address, isAddress, parseAddress } from '../../src/mail/address.ts';
import { MAX_CHANGES, StoreUnavailable } from '../../src/store/store.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, type Desk, newDesk, OTHER } from './desk.ts';

const FOOTER = [
  'You receive this because we believe it matters to your work.',
  'Unsubscribe',
  'Unsubscribe: https://www.acme.example/out?u=42',
  'Acme GmbH, Hafenstraße 7, 20457 Hamburg',
];

function address(text: string): Address {
  const parsed = parseAddress(text, { utf8: true });
  if (!isAddress(parsed)) throw new Error(`${text} does not parse`);
  return parsed;
}

function input(to: readonly string[], more: Partial<SendInput> = {}): SendInput {
  return {
    client: ACME,
    campaigns: ['spring' as CampaignId],
    campaignNamed: true,
    credential: 'robot' as CredentialId,
    transaction: 'tx1',
    recipients: to.map(address),
    reversePath: 'bounce+17@acme.example',
    messageId: '<Spring-1@Acme.example>',
    footer: FOOTER,
    ...more,
  };
}

/** Each of these promises on both engines. */
function onBoth(name: string, test: (t: Test, desk: Desk, redis?: Awaited<ReturnType<typeof startRedis>>) => Promise<void>): void {
  t.test(`${name} (lmdb)`, async t => test(t, await newDesk(t)));
  t.test(`${name} (redis)`, { skip: noRedis }, async t => {
    const redis = await startRedis(t);
    await test(t, await newDesk(t, redis.url), redis);
  });
}

const ids = (sends: readonly { readonly id: string }[]): readonly string[] => sends.map(({ id }) => id);

onBoth('what was remembered is found, by its id, its Message-ID and its recipients', async (t, desk) => {
  const sends = new StoredSends(desk.parts);
  const id = sends.reserve();
  t.match(id, /^[0-9a-f]{20}$/);
  await sends.remember(id, input(['Jo+x@Prospect.example', '"a b"@bücher.example']));
  const send = await sends.find(ACME, id);
  t.match(send, {
    id,
    client: ACME,
    campaign: 'spring',
    reversePath: 'bounce+17@acme.example',
    messageId: '<Spring-1@Acme.example>',
    at: desk.clock.at,
  });
  t.same(
    send?.recipients.map(({ relayed }) => relayed),
    ['Jo+x@prospect.example', '"a b"@xn--bcher-kva.example'],
  );
  for (const spelled of ['<Spring-1@Acme.example>', '<spring-1@ACME.example>', ' Spring-1@acme.example ']) {
    t.same(ids(await sends.byMessageId([OTHER, ACME], ['<other@x.example>', spelled])), [id], spelled);
  }
  for (const person of ['jo@prospect.example', 'JO+else@prospect.example', '"A b"@xn--bcher-kva.example']) {
    t.same(ids(await sends.to([ACME], address(person))), [id], person);
  }
  t.same(await sends.to([ACME], address('o@prospect.example')), []);
  t.same(await sends.byMessageId([ACME], []), []);
  t.equal(await sends.find(ACME, '0'.repeat(20)), undefined);
});

onBoth('A1: another client finds nothing of it', async (t, desk) => {
  const sends = new StoredSends(desk.parts);
  const id = sends.reserve();
  await sends.remember(id, input(['jo@prospect.example']));
  t.equal(await sends.find(OTHER, id), undefined);
  t.same(await sends.byMessageId([OTHER], ['<spring-1@acme.example>']), []);
  t.same(await sends.to([OTHER], address('jo@prospect.example')), []);
});

onBoth('newest first, of several clients together, and at most a hundred of each', async (t, desk) => {
  const sends = new StoredSends(desk.parts);
  const made: string[] = [];
  for (let n = 0; n < 103; n++) {
    desk.clock.at += 1_000;
    const client: ClientId = n === 50 ? OTHER : ACME;
    const id = sends.reserve();
    made.push(id);
    await sends.remember(id, input(['jo@prospect.example'], { client, messageId: `<${n % 2}@acme.example>` }));
  }
  const found = await sends.to([ACME, OTHER], address('jo@prospect.example'));
  t.same(ids(found), [...made.slice(2)].reverse(), 'the two oldest of 102 are beyond the hundred');
  t.equal(found[52]?.client, OTHER);
  t.same(
    ids(await sends.byMessageId([ACME], ['<1@acme.example>', '<0@acme.example>'])),
    ids(found.filter(({ client }) => client === ACME)),
  );
});

onBoth('the same id again changes nothing', async (t, desk) => {
  const sends = new StoredSends(desk.parts);
  const id = sends.reserve();
  for (let n = 0; n < 2; n++) await sends.remember(id, input(['jo@prospect.example', 'jo+tag@prospect.example']));
  t.equal((await sends.to([ACME], address('jo@prospect.example'))).length, 1);
  t.equal((await sends.byMessageId([ACME], ['<spring-1@acme.example>'])).length, 1);
});

onBoth('A29: at rest there is neither address nor line in clear', async (t, desk, redis) => {
  const sends = new StoredSends(desk.parts);
  await sends.remember(sends.reserve(), input(['jo.doe@prospect.example']));
  await desk.parts.store.close();
  await redis?.kill();
  const folder = redis === undefined ? join(desk.dir, 'data') : redis.folder;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true }).filter(file => file.isFile());
  const all = Buffer.concat(files.map(file => readFileSync(join(file.parentPath, file.name))));
  t.ok(all.includes('sends-to'), 'it is there');
  for (const word of [
    'jo.doe',
    'prospect.example',
    'bounce+17',
    'acme.example',
    'pring-1@',
    'spring-1@',
    'matters to your work',
    'Hafenstr',
  ]) {
    t.notOk(all.includes(word), word);
  }
});

onBoth('A37: what is old is forgotten with everything that leads to it; the rest stays', async (t, desk) => {
  const sends = new StoredSends(desk.parts);
  const [old, others] = [sends.reserve(), sends.reserve()];
  await sends.remember(old, input(['jo@prospect.example', 'al@prospect.example']));
  await sends.remember(others, input(['jo@prospect.example'], { client: OTHER, messageId: undefined }));
  desk.clock.at += 1;
  const kept = sends.reserve();
  await sends.remember(kept, input(['jo@prospect.example']));
  t.equal(await sends.purge(ACME, desk.clock.at), 1);
  t.equal(await sends.purge(ACME, desk.clock.at), 0, 'again: nothing');
  t.equal(await sends.find(ACME, old), undefined);
  t.same(ids(await sends.to([ACME], address('jo@prospect.example'))), [kept]);
  t.same(ids(await sends.to([OTHER], address('jo@prospect.example'))), [others], 'A22: another client stays as it is');
  for (const [log, left] of [
    ['sends', 1],
    ['sends-to', 1],
    ['sends-by-id', 1],
  ] as const) {
    let found = 0;
    for await (const _ of desk.parts.store.scan({ owner: ACME, log })) found += 1;
    t.equal(found, left, log);
  }
  t.equal(await sends.purge(OTHER, desk.clock.at), 1, 'one without a Message-ID');
});

t.test('a purge of many, and of those whose client has lost its key', async t => {
  const desk = await newDesk(t);
  const sends = new StoredSends(desk.parts);
  await Promise.all(
    Array.from({ length: 700 }, () => sends.remember(sends.reserve(), input(['jo@prospect.example', 'al@prospect.example']))),
  );
  await desk.parts.vault.destroy(ACME);
  t.same(await sends.to([ACME], address('jo@prospect.example')), [], 'A37: shredded with the key');
  t.equal(await sends.purge(ACME, desk.clock.at + 1), 700);
  for (const log of ['sends', 'sends-to', 'sends-by-id']) {
    for await (const _ of desk.parts.store.scan({ owner: ACME, log })) t.fail(`${log} is left`);
  }
});

t.test('more recipients than one apply may hold', async t => {
  const desk = await newDesk(t);
  const sends = new StoredSends(desk.parts);
  const id = sends.reserve();
  await sends.remember(id, input(Array.from({ length: MAX_CHANGES + 5 }, (_, n) => `p${n}@prospect.example`)));
  t.same(ids(await sends.to([ACME], address(`p${MAX_CHANGES + 4}@prospect.example`))), [id]);
  t.equal((await sends.find(ACME, id))?.recipients.length, MAX_CHANGES + 5);
  t.equal(await sends.purge(ACME, desk.clock.at + 1), 1);
  for await (const _ of desk.parts.store.scan({ owner: ACME, log: 'sends-to' })) t.fail('one is left');
});

t.test('the campaign is told only where it is certain', async t => {
  const desk = await newDesk(t);
  const sends = new StoredSends(desk.parts);
  const cases: readonly (readonly [readonly string[], boolean, string | undefined])[] = [
    [['spring'], true, 'spring'],
    [['spring'], false, undefined],
    [['spring', 'autumn'], false, undefined],
    [[], false, undefined],
  ];
  for (const [campaigns, campaignNamed, told] of cases) {
    const id = sends.reserve();
    await sends.remember(id, input(['jo@prospect.example'], { campaigns: campaigns as CampaignId[], campaignNamed }));
    t.equal((await sends.find(ACME, id))?.campaign, told, `${campaigns} ${campaignNamed}`);
  }
});

t.test('lines of ours are known again, whatever a mail program made of them; short ones only beside others', async t => {
  const desk = await newDesk(t);
  const sends = new StoredSends(desk.parts);
  const id = sends.reserve();
  await sends.remember(id, input(['jo@prospect.example'], { reversePath: '', messageId: undefined }));
  const send = await sends.find(ACME, id);
  t.match(send, { reversePath: '', messageId: undefined });
  const cases: readonly (readonly [line: string, alone: boolean, beside: boolean])[] = [
    [FOOTER[0] as string, true, true],
    ['> > You receive this because\u00a0we believe  it matters to your work.\r', true, true],
    ['*YOU RECEIVE THIS BECAUSE WE BELIEVE IT MATTERS TO YOUR WORK.*', true, true],
    ['You receive this because we believe\nit matters to your work.', true, true],
    ['Acme GmbH, Hafenstrasse 7, 20457 Hamburg', true, true],
    ['Unsubscribe <https://www.acme.example/out?u=42>', true, true],
    ['Unsubscribe<https://www.acme.example/out?u=43>', false, false],
    ['unsubscribe', false, true],
    ['Unsubscribe me', false, false],
    ['You receive this because we believe it matters', false, false],
    ['Please remove me from your list', false, false],
    ['', false, false],
  ];
  for (const [line, alone, beside] of cases) {
    t.equal(send?.sent(line), alone, JSON.stringify(line));
    t.equal(send?.sent(line, true), beside, `${JSON.stringify(line)} beside one of ours`);
  }
});

t.test('after a rotation of the key ring, what older keys named is found', async t => {
  const desk = await newDesk(t);
  const before = new StoredSends(desk.parts);
  const id = before.reserve();
  await before.remember(id, input(['jo@prospect.example']));
  const file = join(desk.dir, 'keys/postern.key');
  await addKey(file, desk.clock);
  const keyring = await loadKeyring({ file }, { now: () => desk.clock.at + 1 });
  const after = new StoredSends({ ...desk.parts, digests: new Digests(keyring) });
  const newer = after.reserve();
  await after.remember(newer, input(['jo@prospect.example']));
  t.same([...ids(await after.to([ACME], address('jo@prospect.example')))].sort(), [id, newer].sort());
  t.same([...ids(await after.byMessageId([ACME], ['<spring-1@acme.example>']))].sort(), [id, newer].sort());
  for (const one of [id, newer]) t.equal((await after.find(ACME, one))?.sent(FOOTER[0] as string), true);
  t.equal(await after.purge(ACME, desk.clock.at + 1), 2);
  for await (const _ of desk.parts.store.scan({ owner: ACME, log: 'sends-to' })) t.fail('one is left');
});

t.test('law 1: no answer of store or vault, or a client without a key, is StoreUnavailable', async t => {
  const desk = await newDesk(t);
  const sends = new StoredSends(desk.parts);
  const id = sends.reserve();
  await t.rejects(sends.remember(id, input(['jo@prospect.example'], { client: 'keyless' as ClientId })), StoreUnavailable);
  const vault = { ...desk.parts.vault, sealer: async () => Promise.reject(new VaultUnavailable('away')) };
  const locked = new StoredSends({ ...desk.parts, vault: vault as typeof desk.parts.vault });
  await t.rejects(locked.remember(id, input(['jo@prospect.example'])), StoreUnavailable);
  desk.away = true;
  await t.rejects(sends.remember(id, input(['jo@prospect.example'])), StoreUnavailable);
  await t.rejects(sends.find(ACME, id), StoreUnavailable);
  desk.away = false;
  t.equal(await sends.find(ACME, id), undefined);
});

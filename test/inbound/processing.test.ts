/** From a message to what binds at the next RCPT: whose it is, once only, and never acknowledged before it is kept. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { GLOBAL } from '../../src/ids.ts';
import { readLatency } from '../../src/journal/inbound-latency.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, AUTUMN, address, DOMAIN, type Mail, newOffice, OTHER, SPRING, WORDS } from './office.ts';

const JANE = 'jane@widgets.example';
const DAY = 86_400_000;
const UNSUBSCRIBE = `unsubscribe@${DOMAIN}`;
const PRIVACY = `privacy@${DOMAIN}`;
const FEEDBACK = `feedback@${DOMAIN}`;
const OPT_OUT = ['suppression acme opt-out'];

t.test('A17: the very next look-up sees it, in whatever spelling', async t => {
  const office = await newOffice(t);
  const { messageId } = await office.sent(JANE, { campaign: SPRING });
  await office.receive({ from: 'JANE@Widgets.Example', as: { kind: 'opt-out' }, headers: [`In-Reply-To: ${messageId}`] });
  for (const spelled of [JANE, 'Jane+news@WIDGETS.example', '"jane"@widgets.example'])
    t.same(await office.listed(spelled), OPT_OUT, spelled);
});

t.test('B11: an opt-out in words binds, whatever client and campaign are left', async t => {
  const office = await newOffice(t);
  const { messageId } = await office.sent(JANE, { campaign: SPRING });
  await office.clients.remove('acme');
  await office.receive({ as: { kind: 'opt-out' }, headers: [`In-Reply-To: ${messageId}`] });
  t.same(await office.listed(JANE), OPT_OUT, 'a removed client, an ended campaign');
});

t.test('whose it is', async t => {
  t.test('ambiguous: two campaigns wrote, so it is the whole client', async t => {
    const office = await newOffice(t);
    await office.sent(JANE, { campaign: SPRING });
    await office.sent(JANE, { campaign: AUTUMN });
    await office.receive({ as: { kind: 'reply' } });
    t.same(await office.listed(JANE), ['exclusion acme reply']);
    t.match(await office.log(), [{ matchedBy: 'sender', campaign: undefined, people: [JANE] }]);
  });

  t.test('what it answers says more than who else wrote', async t => {
    const office = await newOffice(t);
    const { messageId } = await office.sent(JANE, { campaign: SPRING });
    const other = await office.sent(JANE, { campaign: AUTUMN });
    await office.receive({ as: { kind: 'reply' }, headers: [`In-Reply-To: ${messageId}`, `References: ${other.messageId} ${messageId}`] });
    t.same(await office.listed(JANE), ['exclusion acme/spring reply']);
  });

  t.test('References of two campaigns, and no In-Reply-To', async t => {
    const office = await newOffice(t);
    const one = await office.sent(JANE, { campaign: SPRING });
    const two = await office.sent(JANE, { campaign: AUTUMN });
    await office.receive({ as: { kind: 'reply' }, headers: [`References: ${one.messageId}\r\n ${two.messageId}`] });
    t.same(await office.listed(JANE), ['exclusion acme reply']);
  });

  t.test('a message whose campaign nobody named', async t => {
    const office = await newOffice(t);
    const { messageId } = await office.sent(JANE);
    await office.receive({ as: { kind: 'reply' }, headers: [`In-Reply-To: ${messageId}`] });
    t.same(await office.listed(JANE), ['exclusion acme reply']);
  });

  t.test("unknown to us, at a client's reply address: kept for that client", async t => {
    const office = await newOffice(t);
    await office.receive({ as: { kind: 'opt-out' } });
    t.same(await office.listed(JANE), OPT_OUT);
    t.same(await office.listed(JANE, OTHER), [], 'A1');
    t.match(await office.log(), [{ matchedBy: 'address' }]);
  });

  t.test('all clients that wrote to that person', async t => {
    const office = await newOffice(t);
    await office.sent(JANE, { campaign: SPRING });
    await office.sent(JANE, { client: OTHER, campaign: SPRING });
    const { logged } = await office.receive({ as: { kind: 'unsubscribe' }, to: UNSUBSCRIBE });
    t.same(logged.map(({ owner }) => owner).sort(), [ACME, OTHER]);
    t.same(await office.listed(JANE), OPT_OUT);
    t.same(await office.listed(JANE, OTHER), ['suppression other opt-out']);
    await office.receive({ as: { kind: 'reply' }, to: PRIVACY });
    t.same(await office.listed(JANE, OTHER), ['exclusion other review', 'suppression other opt-out'], 'of each the whole, and in doubt');
  });

  for (const [kind, to, expected] of [
    ['opt-out', PRIVACY, ['suppression global opt-out']],
    ['unsubscribe', UNSUBSCRIBE, ['suppression global opt-out']],
    ['request', PRIVACY, ['suppression global objection']],
    ['review', PRIVACY, ['exclusion global review']],
    ['reply', UNSUBSCRIBE, ['exclusion global review']],
    ['reply', FEEDBACK, []],
    ['unknown', PRIVACY, []],
    ['auto-reply', PRIVACY, []],
  ] as const) {
    t.test(`nobody known wrote: ${kind} at ${to}`, async t => {
      const office = await newOffice(t);
      const { logged } = await office.receive({ as: { kind }, to });
      t.same(
        logged.map(({ owner }) => owner),
        [GLOBAL],
      );
      t.same(await office.listed(JANE), expected);
      t.match(await office.log(GLOBAL), [{ kind, people: [JANE], text: WORDS }]);
    });
  }

  t.test('both the address that was mailed and the one that wrote', async t => {
    const office = await newOffice(t);
    const { token, messageId } = await office.sent(JANE, { campaign: SPRING });
    await office.receive({ from: 'j.doe@home.example', as: { kind: 'unsubscribe' }, to: `unsubscribe+${token}@${DOMAIN}` });
    for (const person of [JANE, 'j.doe@home.example']) t.same(await office.listed(person), OPT_OUT, person);
    await office.receive({ from: 'boss@widgets.example', as: { kind: 'reply' }, headers: [`In-Reply-To: ${messageId}`] });
    t.same(await office.listed('boss@widgets.example'), ['exclusion acme/spring reply']);
    t.same(await office.listed(JANE), ['exclusion acme/spring reply', ...OPT_OUT]);
  });

  t.test('of a message to many, nobody answers for the others', async t => {
    const office = await newOffice(t);
    const { token } = await office.sent([JANE, 'joe@gadgets.example', 'ann@gadgets.example'], { campaign: SPRING });
    await office.receive({ from: 'private@gadgets.example', as: { kind: 'opt-out' }, to: `sales+${token}@acme.example` });
    t.same(await office.listed(JANE), []);
    t.same(await office.listed('joe@gadgets.example'), OPT_OUT, 'one of his own house may have written');
    await office.receive({ from: JANE, as: { kind: 'opt-out' }, to: `sales+${token}@acme.example` });
    t.same(await office.listed(JANE), OPT_OUT);
  });

  t.test('tokens: in capitals, in the header, unknown, and too old', async t => {
    const office = await newOffice(t);
    const { token } = await office.sent(JANE, { campaign: SPRING });
    const tagged = `unsubscribe+${token.toUpperCase()}@${DOMAIN}`;
    await office.receive({ from: 'a@home.example', as: { kind: 'unsubscribe' }, to: tagged });
    t.match(await office.log(), [{ matchedBy: 'token', campaign: SPRING }]);
    const mailbox = { role: undefined, client: undefined, token: undefined };
    const headers = [`To: Sales <sales+${token}@acme.example>`];
    await office.receive({ from: 'b@home.example', as: { kind: 'opt-out' }, to: mailbox, via: 'mailbox:sales', headers });
    t.same(await office.listed('b@home.example'), OPT_OUT);
    const forged = `unsubscribe+${token.slice(0, -2)}aa@${DOMAIN}`;
    await office.receive({ from: 'c@home.example', as: { kind: 'unsubscribe' }, to: forged });
    t.same(await office.listed('c@home.example'), ['suppression global opt-out'], 'counts for the sender');
    office.clock.at += 401 * DAY;
    await office.sent('new@widgets.example', { campaign: SPRING });
    const old = `unsubscribe+${token}@${DOMAIN}`;
    await office.receive({ from: 'd@home.example', as: { kind: 'unsubscribe' }, to: old });
    t.same(await office.listed('d@home.example'), OPT_OUT, 'whose mail it was is still known');
  });

  t.test('our own addresses are nobody', async t => {
    const office = await newOffice(t);
    for (const from of ['sales@acme.example', 'SALES+x@acme.example', UNSUBSCRIBE]) {
      await office.receive({ from, as: { kind: 'opt-out' } });
      t.same(await office.listed(from), [], from);
    }
    t.match(await office.log(), [{ state: 'open', actions: ['none'] }], 'somebody has to look');
  });

  for (const [name, from, reversePath, person] of [
    ['a group', 'Undisclosed:;', JANE, JANE],
    ['no From at all', '', `prvs=1234567890=${JANE}`, JANE],
    ['SRS', '', 'SRS0=abcd=EF=widgets.example=jane@forwarder.example', JANE],
    ['a comma without quotes', `Doe, Jane <${JANE}>`, '', JANE],
    ['two authors', `${JANE}, joe@gadgets.example`, 'x@y.example', 'joe@gadgets.example'],
  ] as const) {
    t.test(`who wrote: ${name}`, async t => {
      const office = await newOffice(t);
      await office.receive({ from, reversePath, as: { kind: 'opt-out' } });
      t.same(await office.listed(person), OPT_OUT);
    });
  }
});

t.test('a stranger cannot enter others', async t => {
  for (const kind of ['bounce', 'complaint'] as const) {
    t.test(`a forged ${kind}`, async t => {
      const office = await newOffice(t);
      const { token } = await office.sent('joe@gadgets.example', { campaign: SPRING });
      const victim = { recipients: [{ address: JANE, status: '5.1.1', permanent: true }] };
      await office.receive({ as: { kind, ...victim }, to: FEEDBACK });
      await office.receive({ as: { kind, ...victim }, to: 'sales@acme.example' });
      await office.receive({ as: { kind, ...victim }, to: `bounce+${token.slice(0, -2)}aa@${DOMAIN}` });
      t.same(await office.listed(JANE), []);
      t.match(await office.log(GLOBAL), [
        { state: 'open', kind },
        { state: 'open', kind },
      ]);
      t.match(await office.log(), [{ state: 'open', kind, people: [JANE], actions: ['none'] }]);
      await office.receive({ as: { kind, ...victim }, to: `bounce+${token}@${DOMAIN}` });
      t.same(await office.listed(JANE), [], 'a token is about its own recipient');
    });
  }
  t.test('who is said to have left, and was never mailed', async t => {
    const office = await newOffice(t);
    await office.receive({ as: { kind: 'auto-reply', left: true } });
    t.same(await office.listed(JANE), []);
    t.match(await office.log(), [{ state: 'open' }]);
  });
});

t.test('temporary failures count by day, and suppress at the threshold', async t => {
  const office = await newOffice(t);
  const { token } = await office.sent(JANE, { campaign: SPRING });
  const full = { recipients: [{ address: JANE, status: '4.2.2', permanent: false }] };
  const fail = () => office.receive({ as: { kind: 'bounce', ...full }, to: `bounce+${token}@${DOMAIN}` });
  for (let i = 0; i < 5; i++) await fail();
  t.same(await office.listed(JANE), [], 'one day is one day');
  office.clock.at += 40 * DAY;
  await fail();
  office.clock.at += DAY;
  await fail();
  t.same(await office.listed(JANE), [], 'the first is too long ago');
  office.clock.at += DAY;
  await fail();
  t.same(await office.listed(JANE), ['suppression acme bounce']);
});

t.test('A20, B11: requests are registered with their clock', async t => {
  const office = await newOffice(t);
  const at = Date.parse('2026-01-31T10:00:00Z');
  await office.receive({ as: { kind: 'request', request: 'erasure' }, at });
  await office.receive({ as: { kind: 'request', request: 'access' }, at, to: PRIVACY });
  await office.receive({ as: { kind: 'opt-out' }, at, to: PRIVACY, from: 'joe@gadgets.example' });
  await office.receive({ as: { kind: 'opt-out' }, at });
  const due = '2026-02-03T10:00:00.000Z';
  const month = '2026-02-28T10:00:00.000Z';
  t.same(await office.registered(), [['erasure', JANE, due, month]]);
  t.same(await office.registered(GLOBAL), [
    ['access', JANE, due, month],
    ['objection', 'joe@gadgets.example', '2026-02-01T10:00:00.000Z', month],
  ]);
});

t.test('A21: "delete my data" is an opt-out at once, and a request for erasure with its clock', async t => {
  const office = await newOffice(t);
  const at = Date.parse('2026-01-31T10:00:00Z');
  await office.receive({ as: { kind: 'opt-out', request: 'erasure' }, at });
  t.same(await office.listed(JANE), ['suppression acme opt-out']);
  t.same(await office.registered(), [['erasure', JANE, '2026-02-03T10:00:00.000Z', '2026-02-28T10:00:00.000Z']]);
  t.match(await office.log(), [{ kind: 'opt-out', request: { kind: 'erasure', dueAt: Date.parse('2026-02-03T10:00:00Z') } }]);
});

async function once(t: Test, storeUrl?: string): Promise<void> {
  const office = await newOffice(t, storeUrl);
  await office.sent(JANE, { campaign: SPRING });
  await office.sent(JANE, { client: OTHER, campaign: SPRING });
  const mail: Mail = { as: { kind: 'unsubscribe' }, to: UNSUBSCRIBE, messageId: '<one@widgets.example>' };
  const answers = await Promise.all([1, 2, 3, 4].map(() => office.receive(mail)));
  t.equal(answers.filter(({ outcome }) => outcome === 'applied').length >= 1, true);
  const again = await office.receive(mail);
  t.equal(again.outcome, 'repeated');
  for (const { logged } of answers) t.same(logged, again.logged, 'all name the same lines');
  for (const owner of [ACME, OTHER]) {
    t.equal((await office.log(owner)).length, 1, `one line for ${owner}`);
    t.same(await office.counts(owner), { unsubscribe: 1 });
  }
}

t.test('A16: the same mail twice, and at once, is one line', async t => {
  t.test('on LMDB', async t => once(t));
  t.test('on Redis', { skip: noRedis }, async t => once(t, (await startRedis(t)).url));

  t.test('without a Message-ID, and by another way', async t => {
    const office = await newOffice(t);
    const mail: Mail = { as: { kind: 'reply' }, messageId: undefined, headers: ['Date: Sat, 21 Nov 2026 12:00:00 +0000'] };
    await office.receive(mail);
    const mailbox = { role: undefined, client: ACME, token: undefined };
    t.equal((await office.receive({ ...mail, to: mailbox, via: 'mailbox:sales' })).outcome, 'repeated');
    t.equal((await office.receive({ ...mail, body: 'Another.' })).outcome, 'applied');
  });

  t.test('to a reply address and to unsubscribe@: the second says more', async t => {
    const office = await newOffice(t);
    await office.sent(JANE, { campaign: SPRING });
    const mail = { messageId: '<two@widgets.example>' };
    await office.receive({ ...mail, as: { kind: 'reply' } });
    await office.receive({ ...mail, as: { kind: 'unsubscribe' }, to: UNSUBSCRIBE });
    t.same(await office.listed(JANE), ['exclusion acme/spring reply', ...OPT_OUT]);
  });

  t.test('a crash between two clients is mended by the retry', async t => {
    const office = await newOffice(t);
    await office.sent(JANE, { campaign: SPRING });
    await office.sent(JANE, { client: OTHER, campaign: SPRING });
    let applied = 0;
    office.steering.beforeApply = changes => {
      if (!changes.some(({ key }) => 'set' in key && key.set === 'reply-seen')) return;
      applied += 1;
      if (applied === 2) throw new StoreUnavailable('crashed');
    };
    const mail: Mail = { as: { kind: 'opt-out' }, to: PRIVACY, messageId: '<three@widgets.example>' };
    await t.rejects(office.receive(mail), StoreUnavailable);
    const bound = async () => [...(await office.listed(JANE)), ...(await office.listed(JANE, OTHER))];
    t.equal((await bound()).length, 1, 'one of them only');
    t.equal((await office.receive(mail)).outcome, 'applied');
    t.equal((await bound()).length, 2);
    for (const owner of [ACME, OTHER]) t.same(await office.counts(owner), { 'opt-out': 1 });
  });
});

t.test('law 2: nothing is acknowledged that is not kept', async t => {
  const office = await newOffice(t);
  const { messageId } = await office.sent(JANE, { campaign: SPRING });
  const mail: Mail = { as: { kind: 'opt-out' }, headers: [`In-Reply-To: ${messageId}`], messageId: '<four@widgets.example>' };
  office.steering.away = true;
  await t.rejects(office.receive(mail), StoreUnavailable);
  office.steering.away = false;
  office.steering.beforeApply = () => {
    throw new StoreUnavailable('no answer');
  };
  await t.rejects(office.receive(mail), StoreUnavailable);
  t.same(await office.log(), []);
  office.steering.beforeApply = undefined;
  t.equal((await office.receive(mail)).outcome, 'applied');
  t.same(await office.listed(JANE), OPT_OUT);
  t.same(await office.counts(), { 'opt-out': 1 });
});

t.test('law 6: the ledger has it before anybody is told', async t => {
  const office = await newOffice(t);
  await office.receive({ as: { kind: 'review' } });
  await office.receive({ as: { kind: 'opt-out' } });
  const before = await office.listed(JANE);
  t.same(before, ['exclusion acme review', ...OPT_OUT]);
  for (const list of ['exclusion', 'suppression']) {
    for await (const [key] of office.store.scan({ owner: ACME, set: list })) await office.store.apply([{ key, value: undefined }]);
  }
  t.same(await office.listed(JANE), [], 'the store forgot');
  await office.ledger.replay(office.store);
  t.same(await office.listed(JANE), before, 'and was told again');
});

t.test('law 6: an objection that repeats another is not lost with the lift of that one', async t => {
  const office = await newOffice(t);
  await office.receive({ as: { kind: 'opt-out' } });
  let lifted: string | undefined;
  office.steering.beforeApply = async changes => {
    // Right before the second is written: it has found the person listed.
    if (lifted !== undefined || !changes.some(({ key }) => 'set' in key && key.set === 'reply-seen')) return;
    lifted = '';
    lifted = await office.lists.lift({ owner: ACME }, address(JANE), { by: 'anna', why: 'asked for' });
  };
  await office.receive({ as: { kind: 'opt-out' } });
  t.equal(lifted, 'lifted');
  t.same(await office.listed(JANE), OPT_OUT);
});

t.test('A17: the clock from receipt to enforced', async t => {
  const office = await newOffice(t);
  for (const ms of [100, 100, 100, 5 * 3_600_000]) await office.receive({ as: { kind: 'reply' }, at: office.clock.at - ms });
  t.match(await readLatency(office.store, [ACME]), { count: 4, p50: 128, p99: 2 ** 25 });
  t.match((await office.log())[0], { receivedAt: office.clock.at - 100, enforcedAt: office.clock.at, processedAt: office.clock.at });
  t.same(await readLatency(office.store, [OTHER]), { count: 0, p50: undefined, p99: undefined });
  t.same(await office.counts(), { reply: 4 });
});

t.test('what is owed after it was applied', async t => {
  const office = await newOffice(t);
  const { token } = await office.sent(JANE, { campaign: SPRING });
  const reply: Mail = { as: { kind: 'reply' }, messageId: '<five@widgets.example>' };
  const first = await office.receive(reply);
  t.equal(first.forwardFor, ACME);
  t.equal((await office.receive(reply)).forwardFor, ACME, 'deferred, and come again');
  for (const place of first.logged) await office.replies.noteForwarded(place, 'done');
  t.equal((await office.receive(reply)).forwardFor, undefined);
  t.match(await office.log(), [{ forwarded: 'done' }]);
  const mailbox = { role: undefined, client: ACME, token: undefined };
  t.equal((await office.receive({ as: { kind: 'reply' }, to: mailbox, via: 'mailbox:sales' })).forwardFor, undefined);
  const failed = { recipients: [{ address: JANE, status: '5.1.1', permanent: true }] };
  const bounce = await office.receive({ as: { kind: 'bounce', ...failed }, to: `bounce+${token}@${DOMAIN}` });
  t.equal(bounce.passOnTo?.relayed, 'bounces@acme.example', "the platform's own reverse-path");
  t.equal((await office.receive({ as: { kind: 'bounce', ...failed } })).passOnTo, undefined);
});

t.test('10 MB, with a real classifier', async t => {
  const office = await newOffice(t);
  const { messageId } = await office.sent(JANE, { campaign: SPRING });
  const body = `Thanks, call me tomorrow.\r\n\r\n${'> what we wrote\r\n'.repeat(640_000)}`;
  await office.receive({ headers: [`In-Reply-To: ${messageId}`, 'Content-Type: text/plain'], body });
  t.same(await office.listed(JANE), ['exclusion acme/spring reply']);
  t.ok(((await office.log())[0]?.text ?? '').length <= 4_096);
});

t.test('law 7: no address and no word of a person in clear', async t => {
  const office = await newOffice(t);
  const { token } = await office.sent(JANE, { campaign: SPRING });
  await office.receive({ as: { kind: 'review', matched: { rule: 'r', span: 'zyxwvu' } }, to: `sales+${token}@acme.example` });
  await office.receive({ as: { kind: 'opt-out' }, to: PRIVACY, from: 'joe@gadgets.example' });
  for (const file of files(office.dir)) {
    const octets = readFileSync(file);
    for (const word of ['widgets.example', 'gadgets.example', 'jane', WORDS, 'zyxwvu', token]) {
      t.notOk(octets.includes(word), `${word} is not in ${file.slice(office.dir.length)}`);
    }
  }
});

function files(dir: string): readonly string[] {
  return readdirSync(dir).flatMap(name => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

/** Pages of decisions: whatever they are asked for, each page holds what a look at every single decision would find; on both stores. */
import t from 'tap';
import type { CampaignId, ClientId, DecisionId } from '../../src/ids.ts';
import type { Decision, Outcome } from '../../src/journal/decision.ts';
import { type DecisionQuery, Decisions } from '../../src/journal/decisions.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, type Desk, decision, newDesk, OTHER } from './desk.ts';

const BOTH: readonly ClientId[] = [ACME, OTHER];
const MINUTE = 60_000;
type Asked = Omit<DecisionQuery, 'limit' | 'clients'> & { readonly clients?: readonly ClientId[] };

/** Six hundred decisions of two clients, in an order that repeats none of their marks together. */
async function furnish(desk: Desk): Promise<readonly Decision[]> {
  const start = desk.clock.at;
  const ids: DecisionId[] = [];
  for (let n = 0; n < 600; n++) {
    desk.clock.at = start + n * MINUTE;
    const check = ['exclusion', 'suppression', 'upstream'][n % 3] as string;
    ids.push(
      desk.decided(`r${n % 7}@example.net`, {
        client: BOTH[n % 2] as ClientId,
        campaign: [undefined, 'spring', 'autumn'][n % 5] as CampaignId | undefined,
        outcome: (n % 11 === 0 ? 'deferred' : 'rejected') satisfies Outcome,
        check,
        token: n === 77 ? 'rare' : check.slice(0, 4),
        transaction: `tx${Math.floor(n / 4)}`,
        keepRecipient: n % 13 !== 0,
      }),
    );
  }
  await desk.journal.flush();
  const all: Decision[] = [];
  for (const id of ids.toReversed()) all.push((await desk.decisions.show(id, BOTH)) as Decision);
  return all;
}

async function pages(desk: Desk, asked: Asked, limit: number): Promise<readonly Decision[]> {
  const found: Decision[] = [];
  let after: DecisionId | undefined;
  do {
    const page = await desk.decisions.list({ clients: BOTH, ...asked, limit, after });
    if (page.items.length > limit) throw new Error('more than asked for');
    found.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return found;
}

const questions = (start: number): readonly (readonly [string, Asked, (line: Decision) => boolean])[] => [
  ['everything', {}, () => true],
  ['one client', { clients: [OTHER] }, line => line.client === OTHER],
  ['no client', { clients: [] }, () => false],
  ['a campaign', { campaign: 'spring' as CampaignId }, line => line.campaign === 'spring'],
  ['a check', { check: 'upstream' }, line => line.check === 'upstream'],
  ['a token that is rare', { token: 'rare' }, line => line.token === 'rare'],
  ['a token that there is none of', { token: 'none' }, () => false],
  ['an outcome', { outcome: 'deferred' }, line => line.outcome === 'deferred'],
  ['a transaction', { transaction: 'tx9' }, line => line.transaction === 'tx9'],
  [
    'check, outcome and campaign of a client',
    { clients: [ACME], check: 'exclusion', outcome: 'rejected', campaign: 'autumn' as CampaignId },
    line => line.client === ACME && line.check === 'exclusion' && line.outcome === 'rejected' && line.campaign === 'autumn',
  ],
  ['a recipient, in another spelling', { recipient: decision('R3+x@EXAMPLE.net').recipient }, line => line.recipient === 'r3@example.net'],
  [
    'a recipient and a check',
    { recipient: decision('r3@example.net').recipient, check: 'exclusion' },
    line => line.recipient === 'r3@example.net' && line.check === 'exclusion',
  ],
  ['a recipient that there is none of', { recipient: decision('nobody@example.net').recipient }, () => false],
  [
    'an hour',
    { from: start + 60 * MINUTE, to: start + 120 * MINUTE },
    line => line.at >= start + 60 * MINUTE && line.at < start + 120 * MINUTE,
  ],
  [
    'an outcome within an hour',
    { outcome: 'deferred', from: start + 60 * MINUTE, to: start + 120 * MINUTE },
    line => line.outcome === 'deferred' && line.at >= start + 60 * MINUTE && line.at < start + 120 * MINUTE,
  ],
];

for (const [name, url] of [
  ['LMDB', async () => 'lmdb:data'],
  ['Redis', async () => (await startRedis(t)).url],
] as const) {
  t.test(name, { skip: name === 'Redis' && noRedis }, async t => {
    const desk = await newDesk(t, await url());
    const start = desk.clock.at;
    const all = await furnish(desk);
    for (const [what, asked, fits] of questions(start)) {
      for (const limit of [1, 7, 100, 1_000]) t.same(await pages(desk, asked, limit), all.filter(fits), `${what}, ${limit} a page`);
    }
    t.equal((await desk.decisions.list({ clients: BOTH, token: 'rare', limit: 1 })).next, undefined, 'the last of all says so');
  });
}

t.test('A1: no page of a client holds what is another’s', async t => {
  const desk = await newDesk(t);
  await furnish(desk);
  t.ok((await pages(desk, { clients: [ACME] }, 50)).every(({ client }) => client === ACME));
});

t.test('what arrives while somebody reads neither repeats nor hides anything', async t => {
  const desk = await newDesk(t);
  const all = await furnish(desk);
  const read: Decision[] = [];
  let after: DecisionId | undefined;
  do {
    const page = await desk.decisions.list({ clients: BOTH, check: 'exclusion', limit: 20, after });
    read.push(...page.items);
    after = page.next;
    desk.clock.at += 1;
    for (const client of BOTH) desk.decided('late@example.net', { client });
    await desk.journal.flush();
  } while (after !== undefined);
  t.same(
    read,
    all.filter(({ check }) => check === 'exclusion'),
  );
});

t.test('one page looks at so many only: it may hold fewer, and says where to go on', async t => {
  const desk = await newDesk(t);
  // More combinations of labels than one page follows.
  for (let n = 0; n < 5_000; n++) {
    const campaign = `c${n % 300}` as CampaignId;
    desk.decided('sam@example.net', { campaign, token: n < 300 ? 'old' : 'excluded', keepRecipient: false });
    desk.clock.at += 1;
  }
  await desk.journal.flush();
  const first = await desk.decisions.list({ clients: [ACME], outcome: 'rejected', token: 'old', limit: 10 });
  t.same([first.items, typeof first.next], [[], 'string']);
  t.equal((await pages(desk, { clients: [ACME], token: 'old' }, 10)).length, 300);
});

t.test('the store failed once: labels are written with the next attempt', async t => {
  const desk = await newDesk(t);
  desk.away = true;
  desk.decided('sam@example.net');
  await t.rejects(desk.journal.flush());
  desk.away = false;
  await desk.journal.flush();
  t.equal((await pages(desk, { check: 'exclusion' }, 10)).length, 1);
  const foreign = await newDesk(t);
  t.equal((await pages(foreign, { check: 'exclusion' }, 10)).length, 0);
});

t.test('another key ring opens none of them, and says so', async t => {
  const desk = await newDesk(t);
  const foreign = await newDesk(t);
  desk.decided('sam@example.net');
  await desk.journal.flush();
  const decisions = new Decisions({ ...desk.parts, sealer: foreign.parts.sealer });
  await t.rejects(decisions.list({ clients: BOTH, limit: 1 }), /cannot be opened with this key/);
});

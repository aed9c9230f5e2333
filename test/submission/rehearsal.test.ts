/** Rehearsals say what the gate would say, word for word, and leave nothing behind. */
import t from 'tap';
import { type House, policiesOf } from '../../src/app.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { rehearse } from '../../src/submission/rehearsal.ts';
import { TrackedLinks } from '../../src/watch/tracked-links.ts';
import { ACME, exclude, type Gatehouse, good, letter, newGatehouse, send, suppress } from './gatehouse.ts';

async function rehearsed(g: Gatehouse, to: string, options: { from?: string; message?: string | undefined; policy?: string } = {}) {
  const profile = await g.house.clients.profile(ACME);
  const policy = await policyOf(g.house, options.policy ?? 'basic');
  if (profile === undefined || policy === undefined) throw new Error('no client or policy');
  const { from = 'bounce@acme.example', message } = options;
  const octets = message === undefined ? undefined : Buffer.from(message);
  return rehearse({ profile, policy, campaign: undefined, from, to, octets, campaignHeader: 'X-Campaign-ID' });
}

async function policyOf(house: House, name: string): Promise<Policy | undefined> {
  const tracked = new TrackedLinks({ store: house.store, clock: house.clock, log: house.log });
  const policy = (await policiesOf(house, tracked).at((await house.policyBook.now()).version)).get(name);
  await tracked.close();
  return policy;
}

interface Case {
  readonly of: string;
  readonly to?: string;
  readonly from?: string;
  readonly message?: string;
  readonly verdict: 'pass' | 'reject';
  /** Check and token of each objection. */
  readonly objections?: readonly (readonly [string, string])[];
}

const cases: readonly Case[] = [
  { of: 'a clean mail', verdict: 'pass' },
  { of: 'A19: excluded', to: 'Listed+tag@EXAMPLE.net', verdict: 'reject', objections: [['exclusion', 'excluded']] },
  { of: 'A4: personal', to: 'a@gmail.com', verdict: 'reject', objections: [['personal-address', 'personal']] },
  {
    of: 'several objections: the first in registry order is told',
    to: 'both@example.net',
    message: letter('From: News <news@other.example>'),
    verdict: 'reject',
    objections: [
      ['exclusion', 'excluded'],
      ['suppression', 'suppressed'],
      ['sender', 'sender'],
    ],
  },
  { of: 'the message', message: letter('From: News <news@other.example>'), verdict: 'reject', objections: [['sender', 'sender']] },
  { of: 'a campaign of nobody', message: letter('X-Campaign-ID: winter'), verdict: 'reject', objections: [['gate', 'campaign']] },
  { of: 'a bad recipient', to: 'nobody', verdict: 'reject' },
  { of: 'a bad reverse-path', from: 'nobody', verdict: 'reject' },
  { of: 'the null reverse-path', from: '', verdict: 'pass' },
];

t.test('the same words as on the wire', async t => {
  const g = await newGatehouse(t);
  await exclude(g.house, 'acme', 'listed@example.net');
  await exclude(g.house, 'acme', 'both@example.net');
  await suppress(g.house, 'acme', 'both@example.net', { reason: 'objection', source: 'recipient' });
  for (const { of, to = 'fine@example.net', from = 'bounce@acme.example', message = letter(), verdict, objections = [] } of cases) {
    await t.test(of, async t => {
      const answer = await rehearsed(g, to, { from, message });
      t.equal(answer.verdict, verdict);
      t.same(
        answer.objections.map(({ check, token }) => [check, token]),
        objections,
      );
      t.notMatch(JSON.stringify(answer), /listed@|both@/, 'law 7: reasons name nobody');
      t.same(await g.counts(), {}, 'nothing is counted');
      if (verdict === 'pass') return;
      const client = await g.hello();
      t.teardown(() => client.close());
      const { rcpts, last } = await send(client, [to], { from, message });
      const said = (rcpts[0] ?? '').startsWith('250') || rcpts.length === 0 ? last : (rcpts[0] ?? '');
      const words = (reply: string) => reply.replace(/ ref=\S{16}$/, '').split(':')[0];
      t.equal(words(answer.reply), words(said));
      await forget(g);
    });
  }
  t.equal(g.sink.messages.length, 0, 'nothing was sent by rehearsing');
});

/** What the wire counted is not the rehearsal's. */
async function forget(g: Gatehouse): Promise<void> {
  await g.counts();
  for await (const [key] of g.house.store.scan({ owner: ACME, log: 'counters' })) await g.house.store.apply([{ key, value: undefined }]);
}

t.test('without a message, what is known of the recipient is answered', async t => {
  const g = await newGatehouse(t);
  t.match(await rehearsed(g, 'fine@example.net', { from: 'bounce@other.example' }), {
    verdict: 'reject',
    objections: [{ check: 'sender' }],
  });
  t.match(await rehearsed(g, 'fine@example.net'), { verdict: 'pass', objections: [] });
});

t.test('a check in observe mode is shown, and passes', async t => {
  const g = await newGatehouse(t, { settings: { policies: { trial: { 'personal-address': 'observe' } } } });
  t.match(await rehearsed(g, 'a@gmail.com', { message: letter(), policy: 'trial' }), {
    verdict: 'pass',
    objections: [{ check: 'personal-address', mode: 'observe' }],
  });
  good(await g.house.clients.update('acme', { policy: 'trial' }));
  const client = await g.hello();
  t.teardown(() => client.close());
  t.match(await send(client, ['a@gmail.com']), { last: /^250/ });
  t.same(await g.counts(), { relayed: 1, 'observed personal-address personal': 1 }, 'and on the wire it is recorded');
});

t.test('a store that is gone: deferred, as on the wire', async t => {
  const g = await newGatehouse(t);
  const second = await g.second();
  const profile = await second.clients.profile(ACME);
  const policy = await policyOf(second, 'basic');
  if (profile === undefined || policy === undefined) throw new Error('no client or policy');
  await second.store.close();
  const question = { profile, policy, campaign: undefined, from: 'bounce@acme.example', campaignHeader: 'X-Campaign-ID' };
  const octets = Buffer.from(letter());
  t.match(await rehearse({ ...question, to: 'fine@example.net', octets }), { verdict: 'defer', reply: '451 4.3.0 Cannot decide now' });
  t.match(await rehearse({ ...question, to: 'a@gmail.com', octets }), { verdict: 'reject' }, 'a refusal is certain all the same');
});

/** Tests of conversation: who may be answered, and with what. The reply log is told what it holds; the log itself is tested with the journal. */
import t from 'tap';
import { conversation } from '../../src/checks/conversation.ts';
import { createChecks, registry } from '../../src/checks/index.ts';
import type { Act, Hit } from '../../src/lists/standing.ts';
import { basePerson } from '../../src/mail/address.ts';
import { createLog } from '../../src/ops/log.ts';
import { buildPolicies } from '../../src/policy/policy.ts';
import { policySettings } from '../../src/policy/settings.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { ACME, address, message, OTHER, submission, told } from './asking.ts';

const REFUSED = '550 5.7.1 Recipient may not be mailed (conversation) | conversation';

/** Jane wrote <jane-1@widgets.example> to acme. */
const replies = {
  wroteReply: async (client: string, messageId: string, person: Parameters<typeof basePerson>[0]) =>
    client === ACME && messageId === '<jane-1@widgets.example>' && basePerson(person) === 'jane@widgets.example',
};
const check = conversation.create({}, { replies });

t.test('at the dot: only whoever wrote the reply that the message answers', async t => {
  for (const [rcpt, header, expected] of [
    ['jane@widgets.example', ['In-Reply-To: <jane-1@widgets.example>'], 'pass'],
    ['Jane+work@Widgets.example', ['in-reply-to:\r\n <jane-1@widgets.example>'], 'pass'],
    ['jane@widgets.example', ['In-Reply-To: Message of Monday <jane-1@widgets.example> from Jane'], 'pass'],
    ['joe@widgets.example', ['In-Reply-To: <jane-1@widgets.example>'], REFUSED],
    ['jane@widgets.example', ['In-Reply-To: <jane-2@widgets.example>'], REFUSED],
    ['jane@widgets.example', ['In-Reply-To: jane-1@widgets.example'], REFUSED],
    ['jane@widgets.example', ['In-Reply-To: <jane-1@widgets.example> <jane-2@widgets.example>'], REFUSED],
    ['jane@widgets.example', ['In-Reply-To: <jane-1@widgets.example>', 'In-Reply-To: <jane-1@widgets.example>'], REFUSED],
    ['jane@widgets.example', ['References: <jane-1@widgets.example>'], REFUSED],
    ['jane@widgets.example', ['X-In-Reply-To: <jane-1@widgets.example>'], REFUSED],
    ['jane@widgets.example', ['Subject: Spring offer'], REFUSED],
  ] as const) {
    const asked = { ...submission(), message: message('From: Sam <sam@acme.example>', ...header) };
    t.equal(told(await check.rcpt?.(address(rcpt), asked)), expected, `${rcpt} ${header.join()}`);
  }
});

t.test('A1: a reply to one client opens nothing for another', async t => {
  const asked = { ...submission({ client: OTHER }), message: message('In-Reply-To: <jane-1@widgets.example>') };
  t.equal(told(await check.rcpt?.(address('jane@widgets.example'), asked)), REFUSED);
});

t.test('at RCPT it says nothing', async t => {
  t.equal(told(await check.rcpt?.(address('joe@widgets.example'), submission())), 'pass');
});

t.test('the policy: reason reply is skipped, everything else binds', async t => {
  const read = policySettings(registry);
  if ('problems' in read) throw new Error(read.problems.join());
  let standing: readonly Hit[] = [];
  let kept: typeof replies = replies;
  const checks = createChecks({
    lists: { standing: async () => standing },
    tracked: { judge: async () => 'unknown' },
    replies: { wroteReply: (...asked) => kept.wroteReply(...asked) },
  });
  const policies = buildPolicies(read.settings, checks, { clock: { now: () => 0 }, log: createLog('silent') });
  const jane = address('jane@widgets.example');
  const asked = { ...submission(), message: message('From: Sam <sam@acme.example>', 'In-Reply-To: <jane-1@widgets.example>') };
  const ask = async (policy = 'conversation') => (await policies.get(policy)?.askRcpt(jane, asked))?.objection;
  const acts = (...reasons: Act['reason'][]): Act[] => reasons.map(reason => ({ reason, source: 'recipient', at: 0 }));
  const hit = (list: Hit['list'], of: readonly Act[], match: Hit['match'] = 'address'): Hit => ({
    list,
    match,
    scope: { owner: ACME },
    acts: of,
  });
  for (const [hits, token] of [
    [[], undefined],
    [[hit('exclusion', acts('reply'))], undefined],
    [[hit('exclusion', acts('reply')), hit('exclusion', acts('reply'))], undefined],
    [[hit('exclusion', acts('reply', 'manual'))], 'excluded'],
    [[hit('exclusion', acts('reply', 'review'))], 'excluded'],
    [[hit('exclusion', acts('review'))], 'excluded'],
    [[hit('exclusion', acts('reply')), hit('exclusion', acts('import'), 'domain')], 'excluded'],
    [[hit('exclusion', [])], 'excluded'],
    [[hit('suppression', acts('reply'))], 'suppressed'],
    [[hit('suppression', acts('opt-out')), hit('exclusion', acts('reply'))], 'suppressed'],
    [[hit('suppression', acts('complaint'))], 'suppressed'],
    [[hit('suppression', [])], 'suppressed'],
  ] as const) {
    standing = hits;
    t.equal((await ask())?.token, token, JSON.stringify(hits));
  }
  standing = [hit('exclusion', acts('reply'))];
  for (const policy of ['basic', 'b2b-prospecting']) t.equal((await ask(policy))?.token, 'excluded', `A17: it binds under ${policy}`);
  standing = [];
  kept = { wroteReply: async () => Promise.reject(new StoreUnavailable('down')) };
  t.match(await ask(), { token: 'unavailable', reply: { code: 451, status: '4.3.0' } }, 'law 1');
});

/** Tests of the list of checks as a whole. */
import { readdirSync } from 'node:fs';
import t from 'tap';
import { createChecks, registry } from '../../src/checks/index.ts';
import { checksTable, tokensTable } from '../../src/checks/tables.ts';
import type { Standing } from '../../src/lists/standing.ts';
import { createLog } from '../../src/ops/log.ts';
import { buildPolicies } from '../../src/policy/policy.ts';
import { policySettings } from '../../src/policy/settings.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { ACME, address, submission } from './asking.ts';

/** The policy `basic` over lists that answer so, and how often they were asked. */
function basic(answer: () => Promise<Standing>) {
  const asked = { times: 0 };
  const lists = {
    standing: () => {
      asked.times += 1;
      return answer();
    },
  };
  const read = policySettings(registry, {});
  if ('problems' in read) throw new Error(read.problems.join());
  const policy = buildPolicies(
    read.settings,
    createChecks({ lists, tracked: { judge: async () => 'unknown' }, replies: { wroteReply: async () => false } }),
    {
      clock: { now: () => 0 },
      log: createLog('silent'),
    },
  ).get('basic');
  if (policy === undefined) throw new Error('no policy');
  return { policy, asked };
}

t.test('one rule, one file, in order; wired as registered', async t => {
  const names = registry.map(({ name }) => name);
  const order = ['exclusion', 'suppression', 'personal-address', 'target-domain', 'sender', 'privacy-link', 'opt-out', 'conversation'];
  t.same(
    names,
    order.filter(name => names.includes(name)),
  );
  const files = readdirSync(new URL('../../src/checks', import.meta.url));
  for (const name of names) t.ok(files.includes(`${name}.ts`), `${name}.ts`);
  t.same(
    createChecks({
      lists: { standing: async () => [] },
      tracked: { judge: async () => 'unknown' },
      replies: { wroteReply: async () => false },
    }).map(({ definition }) => definition.name),
    names,
  );
  t.same(
    registry.filter(({ alwaysEnforced }) => alwaysEnforced === true).map(({ name }) => name),
    ['exclusion', 'suppression'],
  );
});

t.test('both list checks cost one look-up, and every asking is a new one', async t => {
  const { policy, asked } = basic(async () => []);
  const same = submission();
  const [jane, joe] = [address('jane@widgets.example'), address('joe@widgets.example')];
  t.equal((await policy.askRcpt(jane, same)).objection, undefined);
  t.equal(asked.times, 1);
  await policy.askRcpt(jane, same);
  t.equal(asked.times, 2, 'the same again: never remembered');
  await Promise.all([policy.askRcpt(jane, same), policy.askRcpt(joe, same), policy.askRcpt(jane, submission())]);
  t.equal(asked.times, 5, 'at once: one look-up each');
});

t.test('order tells the exclusion; a store that is down tells 451', async t => {
  const scope = { owner: ACME };
  const acts = [{ reason: 'manual', source: 'operator', at: 0 }] as const;
  const listed = basic(async () => [
    { list: 'suppression', match: 'address', scope, acts },
    { list: 'exclusion', match: 'domain', scope, acts },
  ]);
  const ruling = await listed.policy.askRcpt(address('jane@gmail.com'), submission());
  t.same(
    ruling.all.map(({ check }) => check),
    ['exclusion', 'suppression', 'personal-address'],
  );
  t.equal(ruling.objection?.token, 'excluded');

  const down = basic(() => Promise.reject(new StoreUnavailable('down')));
  t.match((await down.policy.askRcpt(address('jane@widgets.example'), submission())).objection, { reply: { code: 451, status: '4.3.0' } });
  t.match((await down.policy.askRcpt(address('jane@gmail.com'), submission())).objection, { token: 'personal' }, 'this one is certain');
});

t.test('the tables name every check and every token', async t => {
  for (const { name, promises, tokens } of registry) {
    t.match(checksTable(), `\`${name}\``);
    for (const promise of promises) t.match(promise, /^[AB]\d+$/);
    for (const { token } of tokens) t.match(tokensTable(), `| \`${token}\` |`);
  }
  const tokens = registry.flatMap(check => check.tokens.map(({ token }) => token));
  t.equal(new Set(tokens).size, tokens.length, "a token is one check's");
  t.equal(checksTable().trim().split('\n').length, registry.length + 2);
});

/** Tests of what the configuration may make of the policies. */
import t from 'tap';
import { registry } from '../../src/checks/index.ts';
import { REASONS } from '../../src/lists/standing.ts';
import { policySettings } from '../../src/policy/settings.ts';

const names = registry.map(({ name }) => name).filter(name => name !== 'conversation');

function settings(config: Parameters<typeof policySettings>[1]) {
  const read = policySettings(registry, config);
  if ('problems' in read) throw new Error(read.problems.join('\n'));
  return read.settings;
}

t.test('the built-in policies', async t => {
  const built = settings({});
  t.same([...built.keys()], ['basic', 'b2b-prospecting', 'transactional', 'conversation']);
  for (const name of ['basic', 'b2b-prospecting']) {
    t.same(
      built.get(name)?.map(({ check }) => check),
      names,
      `${name} asks all`,
    );
    t.ok(built.get(name)?.every(({ mode }) => mode === 'enforce'));
  }
  t.same(built.get('transactional'), [
    { check: 'suppression', mode: 'enforce', options: { reasons: ['bounce'] } },
    { check: 'sender', mode: 'enforce', options: {} },
  ]);
  t.same(built.get('conversation'), [
    { check: 'exclusion', mode: 'enforce', options: { reasons: REASONS.filter(reason => reason !== 'reply') } },
    { check: 'suppression', mode: 'enforce', options: { reasons: REASONS } },
    { check: 'sender', mode: 'enforce', options: {} },
    { check: 'conversation', mode: 'enforce', options: {} },
  ]);
});

t.test('law 5: the policy conversation never goes without the check that narrows it', async t => {
  for (const given of ['off', 'observe', { mode: 'off' }]) {
    const read = policySettings(registry, { conversation: { conversation: given } } as never);
    t.match('problems' in read ? read.problems : [], [/^policies\.conversation\.conversation: is always enforced under this policy/]);
  }
  const read = settings({ conversation: { 'personal-address': 'enforce', exclusion: 'enforce' }, strict: { conversation: 'enforce' } });
  t.same(
    read.get('conversation')?.map(({ check }) => check),
    ['exclusion', 'suppression', 'personal-address', 'sender', 'conversation'],
    'it may be made stricter',
  );
  t.match(read.get('conversation')?.[0], settings({}).get('conversation')?.[0], 'saying so changes nothing');
  t.equal(read.get('strict')?.length, registry.length, 'and elsewhere the check may be asked besides');
});

t.test('configuration is laid over them; a new name starts from basic', async t => {
  const read = settings({
    basic: { 'personal-address': 'observe', 'target-domain': 'off' },
    strict: { 'personal-address': { deny: ['shop.example'] }, sender: { mode: 'observe' } },
    transactional: { 'personal-address': 'enforce' },
  });
  const find = (policy: string, check: string) => read.get(policy)?.find(setting => setting.check === check);
  t.equal(find('basic', 'personal-address')?.mode, 'observe');
  t.equal(find('basic', 'target-domain'), undefined, 'off is absent');
  t.equal(find('b2b-prospecting', 'target-domain')?.mode, 'enforce', 'another policy is untouched');
  t.same(find('strict', 'personal-address'), {
    check: 'personal-address',
    mode: 'enforce',
    options: { allow: [], deny: ['shop.example'] },
  });
  t.equal(find('strict', 'sender')?.mode, 'observe');
  t.same(
    read.get('strict')?.map(({ check }) => check),
    names,
    'in registry order',
  );
  t.same(
    read.get('transactional')?.map(({ check }) => check),
    ['suppression', 'personal-address', 'sender'],
  );
});

t.test('law 1: neither mode nor option weakens the list checks', async t => {
  for (const [check, given] of [
    ['exclusion', 'off'],
    ['exclusion', 'observe'],
    ['suppression', 'off'],
    ['suppression', { mode: 'observe' }],
    ['suppression', { reasons: ['bounce'] }],
    ['suppression', { mode: 'enforce', reasons: [] }],
  ] as const) {
    for (const policy of ['basic', 'b2b-prospecting', 'transactional', 'conversation', 'new']) {
      const read = policySettings(registry, { [policy]: { [check]: given } } as never);
      t.match('problems' in read ? read.problems : [], [
        new RegExp(`^policies\\.${policy}\\.${check}.*(always enforced|may not be changed)`),
      ]);
    }
  }
  t.ok(settings({ basic: { exclusion: 'enforce' } }).get('basic'), 'saying so is no mistake');
});

t.test('every problem names its key and the fix', async t => {
  const read = policySettings(registry, {
    basic: { exclusoin: 'enforce', sender: 'on', 'personal-address': { allowed: [] }, 'target-domain': { x: 1 } },
    'B 2': {},
    strict: { 'personal-address': { allow: 'shop.example', deny: ['not a domain'] } },
  } as never);
  t.match('problems' in read ? read.problems : [], [
    /^policies\.basic\.exclusoin: no such check; there are exclusion, suppression/,
    /^policies\.basic\.sender: no such mode 'on'; use enforce, observe or off/,
    /^policies\.basic\.personal-address\.allowed: no such option; there are allow, deny/,
    /^policies\.basic\.target-domain\.x: no such option; this check has none/,
    /^policies\.B 2: not a policy name/,
    /^policies\.strict\.personal-address\.allow: must be array; expected list of domains/,
    /^policies\.strict\.personal-address\.deny\.0: must be a domain name; expected/,
  ]);
});

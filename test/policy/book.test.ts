/** The book of policies: what the configuration changes is on record once, what does not fit any more lets nothing pass, and every version is kept. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse, stringify } from 'yaml';
import { type House, openHouse, startGate } from '../../src/app.ts';
import { registry } from '../../src/checks/index.ts';
import { createLog } from '../../src/ops/log.ts';
import { PolicyBook } from '../../src/policy/book.ts';
import { recordPolicies } from '../../src/policy/recording.ts';
import { type Gatehouse, good, newGatehouse } from '../submission/gatehouse.ts';
import { sendOne } from '../support/platform.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const ANN = { by: 'ann', from: 'cli', why: 'asked' };
const problemOf = (answer: object) => ('problem' in answer ? answer.problem : undefined);

/** The same site under another configuration of policies, as after an edit and a restart. */
async function edited(t: Test, g: Gatehouse, name: string, policies: object): Promise<House> {
  const file = join(g.dir, `${name}.yaml`);
  writeFileSync(file, stringify({ ...parse(readFileSync(g.configFile, 'utf8')), policies }));
  const house = await openHouse({ file, env: {} });
  t.teardown(() => house.close());
  return house;
}

async function started(t: Test, house: House): Promise<number> {
  const gate = await startGate(house);
  t.teardown(() => gate.stop());
  return gate.addresses[0]?.port ?? 0;
}

async function whole(t: Test, { audit }: House): Promise<void> {
  t.same((await audit.verify('global')).findings, []);
}

t.test('what the configuration changes is on record, once, by the gate that starts with it', async t => {
  const g = await newGatehouse(t);
  const before = await g.house.policyBook.history('basic', { limit: 10 });
  t.match(before, [{ version: 1, by: 'postern', from: 'configuration', amendments: undefined }]);
  t.equal(before[0]?.changes.length, before[0]?.settings?.length, 'the first version tells all that is asked');
  t.ok(
    before[0]?.changes.every(({ from }) => from === undefined),
    'and not that it was off before',
  );

  const policies = { basic: { 'personal-address': 'observe' }, strict: { sender: 'observe' } };
  const houses = await Promise.all([edited(t, g, 'one', policies), edited(t, g, 'two', policies)]);
  await Promise.all(houses.map(house => started(t, house)));
  const history = await g.house.policyBook.history('basic', { limit: 10 });
  t.match(
    history,
    [
      {
        version: 2,
        by: 'postern',
        from: 'configuration',
        changes: [{ check: 'personal-address', from: { mode: 'enforce' }, to: { mode: 'observe' } }],
      },
      { version: 1 },
    ],
    'two gates that start at once write it once',
  );
  t.equal(history.length, 2);
  t.match(await g.house.policyBook.history('strict', { limit: 10 }), [{ version: 1 }]);
  t.equal((await g.house.policyBook.history('b2b-prospecting', { limit: 10 })).length, 1, 'what it left alone has no new version');
  const acts: string[] = [];
  for await (const { what, by } of g.house.audit.list('global')) acts.push(`${by} ${what}`);
  t.same(
    acts.filter(act => act.includes('policy')),
    ['postern policy.configure', 'postern policy.configure'],
  );
  await whole(t, g.house);

  const third = await edited(t, g, 'three', {});
  await started(t, third);
  t.match(await g.house.policyBook.history('strict', { limit: 1 }), [{ version: 2, settings: null, why: /no longer names it/ }]);
});

t.test('what persons set stays laid over a configuration that changes, and the record tells the two apart', async t => {
  const g = await newGatehouse(t, { settings: { policies: { basic: { sender: 'observe' } } } });
  good(await g.house.policyBook.amend('basic', { 'personal-address': { allow: ['gmail.com'] } }, ANN));
  const house = await edited(t, g, 'edited', { basic: { 'opt-out': 'observe' } });
  // Not on record yet: no gate has started with it.
  const { state } = good(await house.policyBook.amend('basic', { 'personal-address': 'observe' }, ANN));
  const mode = (name: string) => state.settings?.find(({ check }) => check === name)?.mode ?? 'off';
  t.same(['personal-address', 'opt-out', 'sender'].map(mode), ['observe', 'observe', 'enforce']);
  t.match(await house.policyBook.history('basic', { limit: 10 }), [
    { version: 4, by: 'ann', changes: [{ check: 'personal-address' }] },
    { version: 3, by: 'postern', from: 'configuration', changes: [{ check: 'sender' }, { check: 'opt-out' }] },
    { version: 2, by: 'ann', changes: [{ check: 'personal-address', to: { options: { allow: ['gmail.com'] } } }] },
    { version: 1, by: 'postern' },
  ]);
  t.same(await house.policyBook.recordConfigured(), [], 'nothing is left to be put on record');
  await whole(t, house);
});

t.test('law 1: what was set and does not fit the software any more: nothing passes under that policy, until it is set anew', async t => {
  const g = await newGatehouse(t);
  good(await g.house.policyBook.amend('basic', { 'opt-out': 'observe' }, ANN));
  good(await g.house.clients.update('other', { policy: 'b2b-prospecting' }));
  const second = await g.second();
  const lines: string[] = [];
  const log = createLog('error', { write: line => void lines.push(line) });
  const definitions = registry.filter(({ name }) => name !== 'opt-out');
  const newer = { ...second, policyBook: new PolicyBook({ ...second, log, definitions, config: second.config.policies }) };
  const port = await started(t, newer);
  t.match(await sendOne(port, 'fine@there.example'), { stage: 'mail', reply: /^451 4\.3\.0/ });
  t.match(lines.join(''), /"policy":"basic","problems":\["checks\.opt-out: no such check/);
  t.match(await newer.policyBook.history('basic', { limit: 1 }), [{ settings: null, why: /checks\.opt-out: no such check/ }]);
  const { policies } = await newer.policyBook.now();
  t.match(policies.get('basic'), { settings: undefined, problems: [/opt-out/] });
  t.ok(policies.get('b2b-prospecting')?.settings, 'the others go on');

  good(await newer.policyBook.amend('basic', {}, ANN));
  t.match(await sendOne(port, 'fine@there.example'), { reply: /^250/ });
});

t.test('an amendment of nothing, a race, and names', async t => {
  const { house } = await newGatehouse(t);
  const { policyBook: book } = house;
  t.equal(good(await book.amend('basic', {}, ANN)).outcome, 'unchanged');
  t.equal(problemOf(await book.amend('basic', { sender: 'off' }, ANN, 7)), 'outdated');
  t.equal(problemOf(await book.amend('../basic', {}, ANN)), 'invalid');
  t.equal(good(await book.amend('constructor', {}, ANN)).outcome, 'made');
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, i) => book.amend('basic', { sender: i % 2 === 0 ? 'off' : 'observe' }, ANN, 1)),
  );
  t.same(all.map(problemOf).filter(problem => problem === 'outdated').length, 7, 'one of eight');
  t.match(await book.history('basic', { limit: 10 }), [{ version: 2 }, { version: 1 }]);
  await whole(t, house);
});

t.test('where the store is away when a gate starts, the policies are put on record when it is back', { skip: noRedis }, async t => {
  const redis = await startRedis(t);
  const g = await newGatehouse(t, { settings: { store: { url: redis.url } } });
  const { policyBook: book, log } = await edited(t, g, 'edited', { basic: { sender: 'observe' } });
  redis.freeze();
  const recording = await recordPolicies(book, log, 20);
  t.teardown(() => recording.stop());
  redis.thaw();
  await until('it is on record', async () => (await book.history('basic', { limit: 1 }))[0]?.version === 2);
  await whole(t, g.house);
});

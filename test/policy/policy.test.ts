/** Tests of asking: all at once, closed on failure, the right reason told. */
import t from 'tap';
import type { Address } from '../../src/mail/address.ts';
import type { Message } from '../../src/mail/message.ts';
import { defer, reject } from '../../src/mail/reply.ts';
import { createLog } from '../../src/ops/log.ts';
import { type CheckDefinition, defineCheck, type Objection, type Submission, type Verdict } from '../../src/policy/check.ts';
import { buildPolicies, type Policy, type WiredCheck } from '../../src/policy/policy.ts';
import { type PolicySettings, policySettings } from '../../src/policy/settings.ts';
import { StoreUnavailable } from '../../src/store/store.ts';

const rcpt = { relayed: 'jane@widgets.example' } as Address;
const submission = { id: 'tx1' } as Submission;
const message = {} as Message;

const refusal = (token: string): Objection => ({ reply: reject(550, '5.7.1', `No (${token})`), token, reason: `because of ${token}` });
const later = (token: string): Objection => ({ reply: defer(450, '4.7.0', `Later (${token})`), token, reason: token });

type Answer = () => Verdict | Promise<Verdict>;

interface Member {
  readonly name: string;
  readonly mode?: 'enforce' | 'observe';
  readonly answer: Answer;
}

/** A policy of these checks, in this order, with its log lines and a clock. */
function policyOf(...members: readonly Member[]) {
  const lines: Record<string, unknown>[] = [];
  const clock = { at: 1_000, now: () => clock.at };
  const log = createLog('info', { write: line => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const checks = members.map(({ name, answer }): WiredCheck => {
    const definition: CheckDefinition = defineCheck({
      name,
      doc: name,
      promises: [],
      tokens: [],
      options: {},
      defaults: {},
      create: () => ({ rcpt: answer, endOfData: answer }),
    });
    return { definition, create: options => definition.create(options, {}) };
  });
  const settings: PolicySettings = new Map([['p', members.map(({ name, mode = 'enforce' }) => ({ check: name, mode, options: {} }))]]);
  const policies = buildPolicies(settings, checks, { clock, log });
  return { policies, policy: policies.get('p') as Policy, lines, clock };
}

t.test('nothing against it', async t => {
  const { policy, policies } = policyOf({ name: 'a', answer: () => undefined }, { name: 'b', answer: async () => undefined });
  t.same(await policy.askRcpt(rcpt, submission), { objection: undefined, observed: [], all: [], erased: false });
  t.same(await policy.askMessage(message, submission), { objection: undefined, observed: [], all: [], erased: false });
  t.same(
    [...policy.modes],
    [
      ['a', 'enforce'],
      ['b', 'enforce'],
    ],
  );
  t.same(policies.names, ['p']);
  t.equal(policies.get('q'), undefined);
});

t.test('order decides which reason is told, not which answer was first', async t => {
  const slow = (objection: Verdict) => () => new Promise<Verdict>(done => setTimeout(done, 10, objection));
  for (const [members, told, all] of [
    [
      [
        ['a', slow(refusal('x'))],
        ['b', () => refusal('y')],
      ],
      'x',
      ['x', 'y'],
    ],
    [
      [
        ['a', () => undefined],
        ['b', () => refusal('y')],
      ],
      'y',
      ['y'],
    ],
    [
      [
        ['a', () => later('x')],
        ['b', () => refusal('y')],
      ],
      'y',
      ['x', 'y'],
    ],
    [
      [
        ['a', () => later('x')],
        ['b', () => later('y')],
      ],
      'x',
      ['x', 'y'],
    ],
  ] as const) {
    const { policy } = policyOf(...members.map(([name, answer]) => ({ name, answer: answer as Answer })));
    const ruling = await policy.askRcpt(rcpt, submission);
    t.equal(ruling.objection?.token, told);
    t.same(
      ruling.all.map(({ token }) => token),
      all,
    );
  }
});

t.test('all are asked before any is waited for', async t => {
  const asked: string[] = [];
  let release: () => void = () => undefined;
  const gate = new Promise<void>(done => {
    release = done;
  });
  const { policy } = policyOf(
    {
      name: 'a',
      answer: () => {
        asked.push('a');
        return gate.then(() => undefined);
      },
    },
    { name: 'b', answer: () => void asked.push('b') },
  );
  const ruling = policy.askRcpt(rcpt, submission);
  t.same(asked, ['a', 'b']);
  release();
  t.equal((await ruling).objection, undefined);
});

t.test('law 1: a check that gives no answer has not cleared the mail', async t => {
  const faults: [string, Answer][] = [
    [
      'store down, at once',
      () => {
        throw new StoreUnavailable('down');
      },
    ],
    ['store down, later', () => Promise.reject(new StoreUnavailable('down'))],
    [
      'a bug',
      () => {
        throw new TypeError('x of jane@widgets.example is undefined');
      },
    ],
    ['nonsense', () => Promise.reject('jane@widgets.example')],
  ];
  for (const [what, answer] of faults) {
    const { policy, lines } = policyOf({ name: 'a', answer }, { name: 'b', answer: () => undefined });
    for (const ruling of [await policy.askRcpt(rcpt, submission), await policy.askMessage(message, submission)]) {
      t.match(
        ruling.objection,
        { check: 'a', mode: 'enforce', token: 'unavailable', reply: { code: 451, status: '4.3.0', text: 'Cannot decide now' } },
        what,
      );
    }
    t.equal(lines.length, 1, 'logged, but not each time');
    t.match(lines[0], { check: 'a' });
    t.notMatch(JSON.stringify(lines), /jane|widgets/);
  }
});

t.test('a certain refusal is told even where another check gives no answer', async t => {
  const down: Answer = () => Promise.reject(new StoreUnavailable('down'));
  const { policy } = policyOf({ name: 'a', answer: down }, { name: 'b', answer: () => refusal('y') });
  const ruling = await policy.askRcpt(rcpt, submission);
  t.equal(ruling.objection?.token, 'y');
  t.same(
    ruling.all.map(({ check, token }) => `${check} ${token}`),
    ['a unavailable', 'b y'],
  );
});

t.test('observing refuses nothing, not even by failing', async t => {
  const { policy } = policyOf(
    { name: 'a', mode: 'observe', answer: () => refusal('x') },
    {
      name: 'b',
      mode: 'observe',
      answer: () => {
        throw new StoreUnavailable('down');
      },
    },
    { name: 'c', answer: () => undefined },
  );
  const ruling = await policy.askRcpt(rcpt, submission);
  t.equal(ruling.objection, undefined);
  t.same(
    ruling.observed.map(({ check, token, mode }) => [check, token, mode]),
    [
      ['a', 'x', 'observe'],
      ['b', 'unavailable', 'observe'],
    ],
  );
});

t.test('A21: an erased person is marked, whichever reason is told', async t => {
  const { policy } = policyOf({ name: 'a', answer: () => refusal('x') }, { name: 'b', answer: () => ({ ...refusal('y'), erased: true }) });
  const ruling = await policy.askRcpt(rcpt, submission);
  t.equal(ruling.objection?.token, 'x');
  t.equal(ruling.erased, true);
});

t.test('an outage is logged once a second, with what was left out', async t => {
  const { policy, lines, clock } = policyOf({ name: 'a', answer: () => Promise.reject(new StoreUnavailable('down')) });
  for (let i = 0; i < 50; i++) await policy.askRcpt(rcpt, submission);
  t.equal(lines.length, 1);
  clock.at += 1_000;
  await policy.askRcpt(rcpt, submission);
  t.match(lines[1], { level: 'warn', check: 'a', why: 'down', unlogged: 49 });
});

t.test('a policy that names a check nobody wired cannot be built', async t => {
  const read = policySettings([], {});
  t.ok('settings' in read);
  t.throws(
    () =>
      buildPolicies(new Map([['p', [{ check: 'ghost', mode: 'enforce', options: {} }]]]), [], {
        clock: { now: () => 0 },
        log: createLog('silent'),
      }),
    /ghost/,
  );
});

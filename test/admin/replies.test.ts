/** What came back, over HTTP: a real gate takes it by SMTP; the log, the decision of a person, and explain say what holds from then on. */
import t from 'tap';
import type { Role } from '../../src/accounts/account.ts';
import { newDecisionId } from '../../src/journal/ref.ts';
import { good, newGatehouse, suppress } from '../submission/gatehouse.ts';
import { bring, plainAnswer } from '../support/bringing.ts';
import { onBothStores } from '../support/stores.ts';

const BY = { by: 'test', from: 'cli' };
const SALES = 'sales@acme.example';
const PATH = '/v1/clients/acme/replies';
const LETTER = [
  'From: News <news@acme.example>',
  'Subject: offer',
  'List-Unsubscribe: <mailto:out@acme.example>',
  '',
  'privacy https://www.acme.example/privacy unsubscribe https://www.acme.example/unsubscribe',
].join('\n');

type Body = Readonly<Record<string, unknown>> & {
  readonly items: readonly (Readonly<Record<string, unknown>> & { readonly id: string })[];
};

async function newScene(t: Parameters<typeof newGatehouse>[0], settings: Readonly<Record<string, unknown>> = {}) {
  const inbound = { listen: '127.0.0.1:0', hostname: 'in.acme.example', domains: ['in.acme.example'] };
  const g = await newGatehouse(t, { settings: { ...settings, inbound, admin: { listen: '127.0.0.1:0' } } });
  const { accounts, clients, audit } = g.house;
  good(await clients.update('acme', { replyAddresses: [SALES] }));
  let serial = 0;
  return {
    ...g,
    async as(role: Role, client?: string) {
      const name = `${role}-${client ?? 'all'}`;
      good(await accounts.directory.add({ name, role, client, password: 'correct horse battery' }, BY));
      const { secret } = good(await accounts.tokens.issue(name, { days: 1 }, BY));
      return async (method: string, path: string, body?: unknown) => {
        const headers = { authorization: `Bearer ${secret}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
        const sent = body === undefined ? {} : { body: JSON.stringify(body) };
        const answer = await fetch(`http://127.0.0.1:${g.gate.admin[0]?.port}${path}`, { method, headers, ...sent });
        return { status: answer.status, body: (await answer.json()) as Body };
      };
    },
    /** Mails acme's reply address; its last answer. */
    async write(from: string, text: string): Promise<string> {
      serial += 1;
      const { last } = await bring(g.gate.inbound[0]?.port ?? 0, from, [SALES], plainAnswer({ from, to: SALES, text, id: `m${serial}` }));
      return last;
    },
    /** What RCPT says of this person. */
    async refusal(person: string): Promise<string> {
      const smtp = await g.hello();
      await smtp.ask('MAIL FROM:<news@acme.example>');
      const reply = await smtp.ask(`RCPT TO:<${person}>`);
      await smtp.ask('QUIT');
      return reply;
    },
    /** The same without ref=. */
    async rcpt(person: string): Promise<string> {
      return (await this.refusal(person)).replace(/ ref=\S+$/, '');
    },
    async audited(): Promise<readonly unknown[]> {
      const lines: unknown[] = [];
      for await (const { what, by, from, why, about } of audit.list('acme')) {
        if (what === 'reply.decide') lines.push({ what, by, from, why, about });
      }
      return lines;
    },
  };
}

t.test('A16: what came back is listed and shown as it was logged, and to its own client only', async t => {
  const scene = await newScene(t);
  const officer = await scene.as('officer');
  t.same((await officer('GET', PATH)).body, { items: [], next: null });
  t.match(await scene.write('ann@there.example', 'Call me on Monday.'), /^250/);
  t.match(await scene.write('jane@there.example', 'Unsubscribe me.'), /^250/);
  t.match(await scene.write('kim@there.example', 'This violates the GDPR.'), /^250/);

  const { body } = await officer('GET', PATH);
  t.match(body, {
    items: [
      { kind: 'review', state: 'open', people: ['kim@there.example'], actions: ['exclusion acme review'] },
      { kind: 'opt-out', state: 'done', people: ['jane@there.example'], actions: ['suppression acme opt-out'], text: /Unsubscribe me/ },
      { kind: 'reply', state: 'done', owner: 'acme', via: 'smtp', receivedAt: /^20\S+Z$/, actions: [/^exclusion acme\S* reply$/] },
    ],
    next: null,
  });
  const [doubt, optOut, friendly] = body.items;
  t.same((await officer('GET', `${PATH}?state=open`)).body, { items: [doubt], next: null });
  const first = (await officer('GET', `${PATH}?limit=2`)).body;
  t.same(first, { items: [doubt, optOut], next: optOut?.id });
  t.same((await officer('GET', `${PATH}?limit=2&cursor=${first.next}`)).body, { items: [friendly], next: null });
  t.same((await officer('GET', `${PATH}?since=2999-01-01T00:00:00Z`)).body.items, []);
  t.same((await officer('GET', '/v1/global/replies')).body.items, []);

  t.same((await officer('GET', `${PATH}/${friendly?.id}`)).body, friendly);
  t.equal((await officer('GET', `/v1/clients/other/replies/${friendly?.id}`)).status, 404);
  t.equal((await officer('GET', `/v1/global/replies/${friendly?.id}`)).status, 404);
  const own = await scene.as('client', 'acme');
  t.same((await own('GET', PATH)).body, body);
  t.same((await own('GET', `${PATH}/${doubt?.id}`)).body, doubt);
  const other = await scene.as('client', 'other');
  t.equal((await other('GET', `${PATH}/${doubt?.id}`)).status, 404);
  t.equal((await other('GET', `/v1/clients/other/replies/${doubt?.id}`)).status, 404);
});

t.test('A17: a decision holds for the very next RCPT, once, on record; the role client makes none', async t => {
  const scene = await newScene(t);
  const operator = await scene.as('operator');
  for (const person of ['ann@there.example', 'kim@there.example']) {
    t.match(await scene.write(person, 'This violates the GDPR.'), /^250/);
    t.equal(await scene.rcpt(person), '550 5.7.1 Recipient may not be mailed (excluded)', 'while in doubt');
  }
  const [kim, ann] = (await operator('GET', `${PATH}?state=open`)).body.items;
  t.match([kim?.people, ann?.people], [['kim@there.example'], ['ann@there.example']]);
  const decision = (of: typeof kim, client = 'acme') => `/v1/clients/${client}/replies/${of?.id}/decision`;
  const nothing = { as: 'nothing', reason: ' a question, no objection ' };

  const own = await scene.as('client', 'acme');
  t.equal((await own('POST', decision(ann), nothing)).status, 403);
  t.equal((await operator('POST', decision(ann, 'other'), nothing)).status, 404);
  t.equal((await operator('POST', `${PATH}/0000000000000000/decision`, nothing)).status, 404);
  for (const [wrong, field] of [
    [{ as: 'nothing' }, 'reason'],
    [{ as: 'nothing', reason: ' ' }, 'reason'],
    [{ as: 'forget', reason: 'x' }, 'as'],
    [{ ...nothing, by: 'kim' }, 'by'],
  ] as const) {
    const { status, body } = await operator('POST', decision(ann), wrong);
    t.match([status, body.errors], [422, [{ field }]], field);
  }
  t.equal(await scene.rcpt('ann@there.example'), '550 5.7.1 Recipient may not be mailed (excluded)', 'nothing of it was done');

  const decided = await operator('POST', decision(ann), nothing);
  t.match(decided, {
    status: 200,
    body: { state: 'decided', decision: { as: 'nothing', by: 'operator-all', why: 'a question, no objection', at: /^20\S+Z$/ } },
  });
  t.match(await scene.rcpt('ann@there.example'), /^250/);
  t.same(await operator('POST', decision(ann), nothing), decided, 'twice is once');
  t.equal((await operator('POST', decision(ann), { as: 'opt-out', reason: 'no' })).status, 409);
  t.match(await scene.rcpt('ann@there.example'), /^250/);

  t.equal((await operator('POST', decision(kim), { as: 'opt-out', reason: 'wants none' })).status, 200);
  t.equal(await scene.rcpt('kim@there.example'), '550 5.7.1 Recipient may not be mailed (suppressed)');
  t.same((await operator('GET', `${PATH}?state=open`)).body.items, []);
  const record = { what: 'reply.decide', by: 'operator-all', from: '127.0.0.1' };
  t.match(await scene.audited(), [
    { ...record, why: 'wants none', about: { reply: kim?.id, as: 'opt-out' } },
    { ...record, why: 'a question, no objection', about: { reply: ann?.id, as: 'nothing' } },
  ]);
  t.equal((await scene.audited()).length, 2);
});

t.test('explain says what the gate says, and why; nothing of it is counted; the policies that it knows', async t => {
  const scene = await newScene(t);
  const operator = await scene.as('operator');
  const explain = (body: object) => operator('POST', '/v1/clients/acme/explain', { from: 'news@acme.example', ...body });
  t.match(await scene.write('jane@there.example', 'Unsubscribe me.'), /^250/);
  const counted = await scene.counts();

  const jane = await explain({ to: '<JANE+x@there.example>' });
  t.match(jane, {
    status: 200,
    body: { verdict: 'reject', objections: [{ check: 'suppression', token: 'suppressed', mode: 'enforce', reason: /opt-out/ }] },
  });
  t.same(await scene.counts(), counted);
  t.equal(jane.body.reply, await scene.rcpt('jane@there.example'));
  const to = 'ann@there.example';
  t.match((await explain({ to })).body, { verdict: 'pass', objections: [] }, 'of the recipient alone');
  t.match((await explain({ to, campaign: 'spring', message: LETTER })).body, { verdict: 'pass', reply: /^250/, objections: [] });
  const bare = LETTER.replace(/privacy \S+ /, '');
  t.match((await explain({ to, message: bare })).body, {
    verdict: 'reject',
    reply: '554 5.6.0 Message may not be sent (privacy-link)',
    objections: [{ check: 'privacy-link' }],
  });
  t.match((await explain({ to, message: bare, policy: 'transactional' })).body, { verdict: 'pass' });
  t.match((await explain({ to: 'no address' })).body, { verdict: 'reject', reply: /^501/ });
  t.equal(scene.sink.messages.length, 0);

  for (const [wrong, field] of [
    [{ to, campaign: 'autumn' }, 'campaign'],
    [{ to, policy: 'weather' }, 'policy'],
    [{}, 'to'],
  ] as const) {
    const { status, body } = await explain(wrong);
    t.match([status, body.errors], [422, [{ field }]], field);
  }
  const own = await scene.as('client', 'acme');
  t.equal((await own('POST', '/v1/clients/acme/explain', { from: '', to })).status, 403, 'its reasons name lists that are not its own');
  t.equal((await operator('POST', '/v1/clients/nobody/explain', { from: '', to })).status, 404);
  const { status, body } = await operator('GET', '/v1/policies');
  t.match([status, body.next], [200, null]);
  for (const { name } of body.items) t.equal((await explain({ to, policy: name })).status, 200, String(name));
  t.equal((await own('GET', '/v1/policies')).status, 403);
});

t.test('A24: explain and a decision tell an operator of an erasure what they would tell of an objection', async t => {
  const scene = await newScene(t);
  const [officer, operator] = [await scene.as('officer'), await scene.as('operator')];
  for (const [name, ...reasons] of [
    ['erased', 'erasure'],
    ['objected', 'objection'],
    ['both', 'objection', 'erasure'],
  ] as const) {
    const person = `${name}@there.example`;
    for (const reason of reasons) await suppress(scene.house, 'acme', person, { reason, source: 'operator' });
    const [, ref = ''] = / ref=(\S+)$/.exec(await scene.refusal(person)) ?? [];
    await scene.gate.journal.flush();
    const why = async (ask: typeof officer) => {
      const { objections } = (await ask('POST', '/v1/clients/acme/explain', { from: 'news@acme.example', to: person })).body;
      const [{ reason = '' } = {}] = objections as { reason?: string }[];
      t.equal((await ask('GET', `/v1/decisions?id=${ref}`)).body.items[0]?.reason, reason, 'explain and decision alike');
      return reason.replace(/ at [^ ,;]+/g, '');
    };
    t.equal(await why(operator), 'suppression of acme lists this address: objection by operator', name);
    t.equal(
      await why(officer),
      `suppression of acme lists this address: ${reasons.map(reason => `${reason} by operator`).join(', ')}`,
      name,
    );
  }
});

onBothStores(
  'what came back is found by kind, campaign, person and time; a page that finds nothing looks at so many lines only',
  async (t, settings) => {
    const scene = await newScene(t, settings);
    const officer = await scene.as('officer');
    t.match(await scene.write('ann@there.example', 'Call me on Monday.'), /^250/);
    t.match(await scene.write('jane@there.example', 'Unsubscribe me.'), /^250/);
    t.match(await scene.write('ann@there.example', 'Unsubscribe me, please.'), /^250/);
    const found = async (query: string): Promise<readonly unknown[]> =>
      ((await officer('GET', `${PATH}?${query}`)).body.items ?? []).map(({ kind, people }) => `${kind} ${String(people)}`);
    const [last, second, first] = ['opt-out ann@there.example', 'opt-out jane@there.example', 'reply ann@there.example'];
    t.same(await found(''), [last, second, first]);
    t.same(await found('kind=opt-out'), [last, second]);
    t.same(await found('address=ANN%2Bnews@there.example'), [last, first]);
    t.same(await found('address=ann@there.example&kind=reply'), [first]);
    t.same(await found('address=nobody@there.example'), []);
    t.same(await found('from=2020-01-01'), [last, second, first]);
    t.same(await found('to=2020-01-01'), []);
    t.same(await found('since=2020-01-01T00:00:00Z'), [last, second, first], 'an older word for from');
    good(await scene.house.clients.addCampaign('acme', 'quiet', []));
    t.same(await found('campaign=quiet'), []);
    const page = (await officer('GET', `${PATH}?kind=opt-out&limit=1`)).body;
    t.same((await officer('GET', `${PATH}?kind=opt-out&limit=1&cursor=${String(page.next)}`)).body.items.length, 1);
    for (const [query, field] of [
      ['kind=praise', 'kind'],
      ['campaign=nosuch', 'campaign'],
      ['address=nobody', 'address'],
      ['from=2026-03-02&to=2026-03-01', 'to'],
      ['from=2026-03-02&since=2026-03-01T00:00:00Z', 'since'],
    ] as const)
      t.match((await officer('GET', `${PATH}?${query}`)).body, { status: 422, errors: [{ field }] }, query);
    t.match((await officer('GET', '/v1/global/replies?campaign=quiet')).body, { status: 422, errors: [{ field: 'campaign' }] });
    t.match(await officer('GET', '/v1/global/replies?kind=reply'), { status: 200, body: { items: [] } });

    const many = Array.from({ length: 2_100 }, async (_, n) => {
      const at = Date.UTC(2026, 0, 1) + n;
      const times = { receivedAt: at, processedAt: at, actions: [], matchedBy: 'none', via: 'smtp', state: 'done' } as const;
      const nothing = { campaign: undefined, rule: undefined, span: undefined, language: undefined, text: undefined, messageId: undefined };
      const line = { ...times, ...nothing, id: newDecisionId(at), owner: 'acme' as never, kind: 'auto-reply', writers: [], others: [] };
      return (await scene.house.replies.draft(line)).changes(at);
    });
    const changes = (await Promise.all(many)).flat();
    await scene.house.store.apply(changes);
    const empty = (await officer('GET', `${PATH}?kind=bounce&to=2026-02-01`)).body;
    t.match(empty, { items: [], next: /^\w{16}$/ });
    t.same((await officer('GET', `${PATH}?kind=bounce&to=2026-02-01&cursor=${String(empty.next)}`)).body, { items: [], next: null });
  },
);

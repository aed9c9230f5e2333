/** Decisions, statistics, explain and policies through the admin API: whatever a gate did, every way of asking agrees with it. */
import t from 'tap';
import type { Role } from '../../src/accounts/account.ts';
import { parseScope } from '../../src/lists/scope.ts';
import type { Scope } from '../../src/lists/standing.ts';
import { address, type Gatehouse, good, newGatehouse } from '../submission/gatehouse.ts';
import { postern } from '../support/command.ts';

const BY = { by: 'test', from: 'cli' };
const LETTER = [
  'From: News <news@acme.example>',
  'Subject: offer',
  'List-Unsubscribe: <mailto:out@acme.example>',
  '',
  'privacy https://www.acme.example/privacy unsubscribe https://www.acme.example/unsubscribe',
  '.',
];

interface Row {
  readonly [name: string]: string | number | undefined;
}
interface Stats {
  readonly totals: Readonly<Record<string, number>>;
  readonly rows: readonly Row[];
}
interface Page {
  readonly items: readonly (Row & { readonly id: string })[];
  readonly next: string | null;
}

type Get = <T = Page>(path: string, headers?: Readonly<Record<string, string>>) => Promise<{ status: number; text: string; body: T }>;

async function signedIn({ house, gate }: Gatehouse, role: Role, client?: string): Promise<Get> {
  const name = `${role}-${client ?? 'all'}`;
  good(await house.accounts.directory.add({ name, role, client, password: 'correct horse battery' }, BY));
  const { secret } = good(await house.accounts.tokens.issue(name, { days: 1 }, BY));
  const url = `http://127.0.0.1:${gate.admin[0]?.port}`;
  return async (path, headers = {}) => {
    const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${secret}`, ...headers } });
    const text = await answer.text();
    return { status: answer.status, text, body: (text.startsWith('{') ? JSON.parse(text) : undefined) as never };
  };
}

/** Sends to everybody in one session; the reply to each RCPT, and to the final dot. */
async function mail(house: Gatehouse, people: readonly string[]): Promise<readonly string[]> {
  const client = await house.hello();
  await client.ask('MAIL FROM:<news@acme.example>');
  const replies: string[] = [];
  for (const person of people) replies.push(await client.ask(`RCPT TO:<${person}>`));
  if (replies.some(reply => reply.startsWith('250'))) {
    await client.ask('DATA');
    replies.push(await client.ask(LETTER.join('\r\n')));
  }
  await client.ask('QUIT');
  return replies;
}

t.test('A16: what a gate did, its replies, decisions, statistics and the command line say alike', async t => {
  const site = await newGatehouse(t, { settings: { admin: { listen: '127.0.0.1:0' } } });
  const { house } = site;
  const act = { reason: 'manual', source: 'operator', by: 'test', from: 'cli' } as const;
  for (const who of ['out1@prospect.example', 'out2@prospect.example'])
    await house.lists.add(parseScope('acme') as Scope, address(who), act);
  await house.lists.suppress(parseScope('acme') as Scope, address('never@prospect.example'), { ...act, reason: 'objection' });

  const told: string[] = [];
  for (let n = 0; n < 7; n++) told.push(...(await mail(site, [`a${n}@prospect.example`, 'out1@prospect.example'])));
  for (let n = 0; n < 5; n++) told.push(...(await mail(site, ['never@prospect.example'])));
  told.push(...(await mail(site, ['b@prospect.example', 'c@prospect.example'])));
  told.push(...(await mail(site, ['out2@prospect.example', 'x@gmail.com'])));
  await site.gate.journal.flush();
  const refs = told.flatMap(reply => / ref=(\S{16})/.exec(reply)?.[1] ?? []);
  const count = (pattern: RegExp) => told.filter(reply => pattern.test(reply)).length;
  const relayed = 7 + 2;

  const officer = await signedIn(site, 'officer');
  const { totals, rows } = (await officer<Stats>('/v1/stats?client=acme')).body;
  t.same(totals, { relayed, rejected: refs.length, deferred: 0, observed: 0, unknown: 0 });
  const of = (token: string) => rows.filter(row => row.token === token).reduce((sum, row) => sum + Number(row.count), 0);
  t.equal(of('excluded'), count(/\(excluded\)/));
  t.equal(of('suppressed'), count(/\(suppressed\)/));
  t.equal(of('personal'), count(/\(personal\)/));
  t.same([of('excluded'), of('suppressed'), of('personal')], [8, 5, 1]);

  const listed: string[] = [];
  for (let cursor = ''; ; ) {
    const { items, next } = (await officer(`/v1/decisions?client=acme&limit=4${cursor}`)).body;
    listed.push(...items.map(({ id }) => id));
    if (next === null) break;
    cursor = `&cursor=${next}`;
  }
  t.same(listed, refs.toSorted().toReversed(), 'each ref= that was told, newest first, and no other');
  const asked = async (query: string) => (await officer(`/v1/decisions?limit=1000&${query}`)).body.items.length;
  t.equal(await asked('token=excluded'), 8);
  t.equal(await asked('check=suppression&outcome=rejected'), 5);
  t.equal(await asked('recipient=OUT1%2Btag@prospect.example'), 7);
  t.equal(await asked('recipient=nobody@prospect.example'), 0);
  t.equal(await asked('from=2020-01-01&to=2020-01-02'), 0);
  t.equal(await asked('from=2020-01-01'), refs.length);
  const [one] = (await officer('/v1/clients/acme/decisions?token=personal')).body.items;
  t.match(one, { client: 'acme', recipient: 'x@gmail.com', check: 'personal-address', stage: 'rcpt', reason: /\S/, reply: /^550 5\.7\.1/ });
  t.equal(await asked(`transaction=${one?.transaction}`), 2, 'both that were refused in it');
  t.equal(await asked(`id=ref%3D${one?.id?.toUpperCase()}`), 1);
  t.same((await officer(`/v1/clients/acme/decisions/${one?.id}`)).body, one);

  const cli = (...args: string[]) => postern([...args, '--config', site.configFile], { cwd: site.dir });
  t.same((await cli('stats', '--client', 'acme', '--json')).json<Stats>().rows, rows, 'the same from the command line');
  const grouped = 'groupBy=check,day';
  const csv = await officer(`/v1/clients/acme/stats?${grouped}`, { accept: 'text/csv' });
  t.equal(csv.text, (await cli('stats', '--client', 'acme', '--group-by', 'check,day', '--csv')).stdout);
  t.equal((await officer(`/v1/clients/acme/stats?${grouped}&format=csv`)).text, csv.text);
  t.match(csv.text, /^check,day,relayed,rejected,deferred,observed,unknown\r\n/);
  t.match(csv.text, new RegExp(`^,20\\d\\d-\\d\\d-\\d\\dT00:00:00\\.000Z,${relayed},0,0,0,0\r$`, 'm'));
  t.match(csv.text, /^exclusion,[^,]+,0,8,0,0,0\r$/m);
  const shown = (await cli('decision', 'list', 'acme', '--token', 'personal', '--json')).json<readonly Row[]>();
  t.same(shown, [one]);

  await t.test('A1: a client’s own account sees its own, and not whose list it was', async t => {
    const own = await signedIn(site, 'client', 'acme');
    const mine = (await own('/v1/clients/acme/decisions?token=personal')).body.items[0];
    t.match(mine, { id: one?.id, token: 'personal' });
    t.notOk(mine !== undefined && 'reason' in mine);
    t.same((await own<Stats>('/v1/clients/acme/stats')).body.totals, totals);
    const other = await signedIn(site, 'client', 'other');
    for (const path of ['decisions', `decisions/${one?.id}`, 'stats', 'replies']) {
      t.equal((await other(`/v1/clients/acme/${path}`)).status, 404, path);
    }
    t.same((await other('/v1/clients/other/decisions')).body, { items: [], next: null });
    t.equal((await other(`/v1/clients/other/decisions/${one?.id}`)).status, 404);
    for (const path of ['/v1/decisions', '/v1/stats', '/v1/policies', '/v1/global/replies']) t.equal((await other(path)).status, 403, path);
  });

  await t.test('what cannot be asked is told by field and fix', async t => {
    for (const [path, field] of [
      ['/v1/decisions?from=2026-02-31x', 'from'],
      ['/v1/decisions?from=2026-99-99', 'from'],
      ['/v1/decisions?cursor=nonsense', 'cursor'],
      ['/v1/decisions?recipient=no%20address', 'recipient'],
      ['/v1/decisions?id=12', 'id'],
      ['/v1/decisions?outcome=relayed', 'outcome'],
      ['/v1/stats?groupBy=weather', 'groupBy'],
      ['/v1/stats?to=2026-13-01', 'to'],
      ['/v1/clients/acme/replies?cursor=1', 'cursor'],
      ['/v1/decisions?from=2026-03-02&to=2026-03-01', 'to'],
      ['/v1/stats?from=2026-03-01&to=2026-03-01', 'to'],
      ['/v1/decisions?check=excluded', 'check'],
      ['/v1/clients/acme/decisions?token=exclusion', 'token'],
      ['/v1/clients/acme/decisions?campaign=nosuch', 'campaign'],
      ['/v1/clients/acme/stats?campaign=nosuch', 'campaign'],
      ['/v1/stats?campaign=nosuch', 'campaign'],
    ] as const) {
      const { status, body } = await officer<{ errors: { field: string }[] }>(path);
      t.match([status, body.errors], [422, [{ field }]], path);
    }
    for (const path of ['/v1/decisions?client=nobody', '/v1/stats?client=nobody', '/v1/policies/nobody', '/v1/clients/acme/replies/x'])
      t.equal((await officer(path)).status, 404, path);
  });

  await t.test('a word that no decision can have is refused with those there are; whatever stands on record can be asked for', async t => {
    type Errors = { errors: { fix: string }[] };
    const fix = async (query: string) => (await officer<Errors>(`/v1/decisions?${query}`)).body.errors[0]?.fix;
    t.match(await fix('check=excluded'), /^ask with token=excluded, or name one of exclusion, .*gate, upstream$/);
    t.match(await fix('token=exclusion'), /^ask with check=exclusion, or name one of excluded, .*unavailable$/);
    for (const query of ['check=gate', 'check=upstream', 'check=sender', 'token=held', 'token=unavailable'])
      t.same((await officer(`/v1/decisions?${query}`)).body, { items: [], next: null }, query);
    const { journal } = site.gate;
    const recipient = address('x@prospect.example');
    const line = {
      client: 'acme',
      campaign: undefined,
      credential: undefined,
      transaction: 't1',
      stage: 'rcpt',
      outcome: 'rejected',
    } as const;
    const ground = { check: 'of-yore', token: 'yore', reason: 'an older version', reply: '550 5.7.1 No', policy: 'basic' };
    journal.decided({ ...line, ...ground, client: line.client as never, recipient, keepRecipient: true });
    await journal.flush();
    for (const query of ['check=of-yore', 'token=yore']) t.equal(await asked(query), 1, query);
    t.equal((await officer('/v1/clients/other/decisions?check=of-yore')).status, 422, 'nor of another client’s record');
    const wrong = async (...args: string[]) => cli('decision', 'list', 'acme', ...args);
    t.match(await wrong('--check', 'excluded'), { code: 2, stdout: '', stderr: /--check is none that there is; ask with token=excluded/ });
    t.match(await wrong('--campaign', 'nosuch'), { code: 2, stdout: '', stderr: /--campaign is not registered/ });
    t.match(await wrong('--from', '1d', '--to', '2d'), { code: 2, stdout: '', stderr: /--to is not after --from/ });
    t.match(await cli('stats', '--from', '2026-03-02', '--to', '2026-03-01'), { code: 2, stdout: '', stderr: /--to is not after/ });
  });

  await t.test('statistics of a campaign hold nothing of its client’s other mail', async t => {
    type Whole = Stats & { topRefusedDomains?: unknown[]; inbound: Record<string, unknown> };
    good(await house.clients.addCampaign('acme', 'quiet', []));
    const { totals: none, ...beside } = (await officer<Whole>('/v1/clients/acme/stats?campaign=quiet')).body;
    t.same(none, { relayed: 0, rejected: 0, deferred: 0, observed: 0, unknown: 0 });
    t.same(beside, { rows: [], inbound: { kinds: {} } });
    const cliToo = (await cli('stats', '--client', 'acme', '--campaign', 'quiet', '--json')).json<Whole>();
    t.same(cliToo, { totals: none, ...beside });
    t.match((await officer<Whole>('/v1/clients/acme/stats')).body, {
      topRefusedDomains: Array,
      inbound: { open: 0, openMore: false, latency: { count: 0 } },
    });
  });

  await t.test('policies as they hold', async t => {
    const { body } = await officer<{ items: { name: string; checks: { check: string; mode: string }[] }[] }>('/v1/policies');
    t.match(body.items.map(({ name }) => name).sort(), ['b2b-prospecting', 'basic', 'conversation', 'transactional']);
    const basic = await officer<{ checks: { check: string; mode: string }[] }>('/v1/policies/basic');
    t.match(
      basic.body.checks.filter(({ check }) => ['exclusion', 'conversation'].includes(check)),
      [
        { check: 'exclusion', mode: 'enforce' },
        { check: 'conversation', mode: 'off' },
      ],
    );
  });
});

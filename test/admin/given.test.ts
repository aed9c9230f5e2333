/** What a client's own account may say, take back, and learn of the people of the house. */
import { createHash } from 'node:crypto';
import t from 'tap';
import type { ClientId } from '../../src/ids.ts';
import { isAddress, parsePerson } from '../../src/mail/address.ts';
import { type Ask, newOffice } from './support.ts';

const CLIENT = '/v1/clients/acme';
const TEXT = { 'content-type': 'text/csv' };

async function imported(ask: Ask, query: string, body: string): Promise<string> {
  const answer = await ask('POST', `${CLIENT}/imports${query}`, body, TEXT);
  if (answer.status !== 202) throw new Error(answer.text);
  const location = answer.headers.get('location') as string;
  const { text } = await ask('GET', `${location}/events`);
  if (!/event: end\ndata: .*"state":"finished"/.test(text)) throw new Error(text);
  return location;
}

t.test('law 6: a client’s platform gives no reason that is the house’s to give', async t => {
  const office = await newOffice(t);
  const [client, operator] = [await office.as('client'), await office.as('operator')];
  const refused: [string, unknown, Record<string, string>?][] = [
    ['/exclusions', { address: 'jo@one.example', reason: 'policy' }],
    ['/suppressions', { address: 'jo@one.example', reason: 'erasure' }],
    ['/exclusions/batch?reason=policy', { entries: ['jo@one.example'] }],
    ['/suppressions/batch?reason=erasure', { entries: ['jo@one.example'] }],
    ['/imports?reason=erasure', 'jo@one.example\n', TEXT],
    ['/imports?reason=review', 'jo@one.example\n', TEXT],
    ['/imports?reason=policy', 'jo@one.example\n', TEXT],
  ];
  for (const [path, body, headers] of refused) {
    const answer = await client('POST', CLIENT + path, body, headers);
    t.match(answer, { status: 422 }, path);
    const [error] = answer.json<{ errors: { field: string; fix: string }[] }>().errors;
    t.match(error, { field: 'reason', fix: /^use one of .*opt-out/ });
    t.notMatch(error?.fix, /erasure|review|policy/);
  }
  const batch = {
    entries: [
      { address: 'jo@one.example', reason: 'policy' },
      { address: 'ann@one.example', reason: 'opt-out' },
    ],
  };
  t.match((await client('POST', `${CLIENT}/exclusions/batch`, batch)).json(), {
    added: 1,
    invalid: 1,
    items: [{ error: /^reason: use one of / }, {}],
  });
  for (const [path, body, headers] of refused.filter(([path]) => !path.includes('review')))
    t.ok(
      [200, 201, 202].includes((await operator('POST', CLIENT + path, body, headers)).status) || path.startsWith('/imports'),
      `${path} of an operator`,
    );
});

t.test('law 6: a client’s file lists whom it names, under what the client can know', async t => {
  const office = await newOffice(t);
  const [client, operator] = [await office.as('client'), await office.as('operator')];
  const rows = ['erasure', 'review', 'policy', 'complaint', 'manual'].map(
    reason => `${reason}@given.example,,${reason},recipient,2026-01-02T03:04:05.006Z`,
  );
  await imported(client, '', ['address,domain,reason,source,created_at', ...rows, ''].join('\n'));
  const { text } = await operator('GET', `${CLIENT}/exclusions/export`);
  const given = text
    .trim()
    .split('\n')
    .slice(1)
    .map(line =>
      line
        .split(',')
        .filter(cell => cell !== '')
        .slice(0, 3)
        .join(' '),
    );
  t.same(given.sort(), [
    'complaint@given.example complaint import',
    'erasure@given.example objection import',
    'manual@given.example manual import',
    'policy@given.example manual import',
    'review@given.example objection import',
  ]);
  for (const [who, status] of [
    ['erasure', 403],
    ['review', 403],
    ['complaint', 403],
    ['manual', 204],
  ] as const)
    t.equal((await client('DELETE', `${CLIENT}/exclusions?address=${who}@given.example&reason=mistake`)).status, status, who);
});

t.test('law 6: what an operator listed for policy, no client’s account takes back; of an erasure it learns nothing by trying', async t => {
  const office = await newOffice(t);
  const [client, operator] = [await office.as('client'), await office.as('operator')];
  await operator('POST', `${CLIENT}/exclusions`, { domain: 'house.example', reason: 'policy' });
  const taken = await client('DELETE', `${CLIENT}/exclusions?domain=house.example`);
  t.match(taken, { status: 403 });
  t.match(taken.json(), { detail: /for policy/ });
  t.equal((await operator('DELETE', `${CLIENT}/exclusions?domain=house.example`)).status, 204);
  const erased = parsePerson('jo@erased.example');
  if (!isAddress(erased)) throw new Error('not an address');
  await office.house.lists.add({ owner: 'acme' as ClientId }, erased, { reason: 'erasure', source: 'recipient' });
  await client('POST', `${CLIENT}/exclusions`, { address: 'jo@objected.example', reason: 'objection' });
  const [one, other] = [
    await client('DELETE', `${CLIENT}/exclusions?address=jo@erased.example`),
    await client('DELETE', `${CLIENT}/exclusions?address=jo@objected.example`),
  ];
  t.same([one.status, one.text], [403, other.text], 'A24');
});

t.test('law 6: a client’s accounts take back their own slips among the suppressions, and nobody else’s', async t => {
  const office = await newOffice(t);
  const [client, sister, operator] = [await office.as('client'), await office.as('client'), await office.as('operator')];
  const { lists } = office.house;
  const SUPPRESSIONS = `${CLIENT}/suppressions`;
  const listed = (ask: Ask, who: string, reason: string) => ask('POST', SUPPRESSIONS, { address: `${who}@one.example`, reason });
  await listed(client, 'own', 'manual');
  await listed(client, 'sister', 'manual');
  await client('POST', `${SUPPRESSIONS}/batch`, { recipient_emails: ['import@one.example'] });
  await listed(operator, 'house', 'manual');
  await operator('POST', `${SUPPRESSIONS}/batch`, { recipient_emails: ['moved@one.example'] });
  await listed(client, 'optout', 'opt-out');
  await listed(client, 'both', 'manual');
  await listed(client, 'both', 'complaint');
  // The hash of hashed@one.example: whose file it was, nobody knows.
  const hash = createHash('md5').update('hashed@one.example').digest();
  await lists.addHashes({ owner: 'acme' as ClientId }, 'md5', [hash]);
  await listed(client, 'hashed', 'manual');
  const take = (ask: Ask, who: string) => ask('DELETE', `${SUPPRESSIONS}?address=${who}@one.example`);
  const kept: [who: string, detail: RegExp][] = [
    ['house', /no account of this client/],
    ['moved', /no account of this client/],
    ['hashed', /nobody knows/],
    ['optout', /a recipient caused/],
    ['both', /a recipient caused/],
  ];
  for (const [who, detail] of kept) {
    t.match((await take(client, who)).json(), { status: 403, detail }, who);
    const check = await client('GET', `${SUPPRESSIONS}/check?address=${who}@one.example`);
    t.match(check.json(), { listed: true }, who);
  }
  for (const [who, ask] of [
    ['own', client],
    ['sister', sister],
    ['import', client],
    ['nobody', client],
  ] as const) {
    t.equal((await take(ask, who)).status, 204, who);
    t.match((await ask('GET', `${SUPPRESSIONS}/check?address=${who}@one.example`)).json(), { listed: false }, who);
  }
  const lifts = [];
  for await (const { what, by } of office.house.audit.list('acme')) if (what === 'lift') lifts.push(by);
  t.same(lifts, ['client-1', 'client-2', 'client-1'], 'each on record');
  const other = await office.as('client', 'other');
  t.equal((await take(other, 'optout')).status, 404);
});

t.test('A1: a client learns no name of the house from its imports', async t => {
  const office = await newOffice(t);
  const [operator, client, sister] = [await office.token('operator'), await office.token('client'), await office.token('client')];
  const [house, own, other] = [operator, client, sister].map(({ token }) => office.withToken(token)) as [Ask, Ask, Ask];
  const theirs = await imported(house, '', 'jo@one.example\n');
  const mine = await imported(own, '', 'ann@one.example\n');
  t.match((await other('GET', mine)).json(), { by: client.name }, 'an account of the same client');
  t.match((await house('GET', theirs)).json(), { by: operator.name });
  const seen = [
    await own('GET', theirs),
    await own('GET', `${CLIENT}/imports`),
    await own('GET', `${theirs}/events`),
    await own('DELETE', theirs),
    await own('GET', `${CLIENT}/exclusions`),
  ];
  t.match(seen[0]?.json(), { by: 'operator' });
  for (const { status, text } of seen) {
    t.equal(status, 200);
    t.notMatch(text, operator.name);
  }
});

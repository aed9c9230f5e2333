/** Opaque tracking links, followed for real: an https server that redirects, a store on disk, and a clock that the test turns. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { campaignId, clientId } from '../../src/ids.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { type SamplingSettings, type TrackedLink, TrackedLinks } from '../../src/watch/tracked-links.ts';
import { TEST_CERTIFICATE } from '../support/certificate.ts';

const POLICY = 'https://client.example/privacy';
const acme = clientId('acme');
const other = clientId('other');
const spring = campaignId('spring');
const autumn = campaignId('autumn');
if (acme === undefined || other === undefined || spring === undefined || autumn === undefined) throw new Error('not ids');

/** What the tracking host answers on a path: a Location, or a status. */
type Answers = Record<string, string | number>;

async function site(t: Test, answers: Answers, settings: Partial<SamplingSettings> = {}) {
  const asked: string[] = [];
  const server = createServer(TEST_CERTIFICATE, (request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = answers[path] ?? 404;
    if (answer === 0) return;
    if (typeof answer === 'string') response.writeHead(302, { location: answer });
    else response.writeHead(answer);
    // A body without end: it must not be waited for.
    response.write('x');
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const store = await openStore(`lmdb:${join(t.testdir(), 'data')}`, {
    create: true,
    patient: false,
    log: pino({ level: 'silent' }),
    admit: async () => undefined,
  });
  const clock = { at: 1_000_000, now: () => clock.at };
  const lines: string[] = [];
  const alarms: (readonly [string, Readonly<Record<string, string>>])[] = [];
  const parts = {
    store,
    clock,
    log: pino({ level: 'info' }, { write: line => void lines.push(line) }),
    alarm: (name: string, detail: Readonly<Record<string, string>>) => void alarms.push([name, detail]),
    settings: { oneIn: 2 ** 40, timeoutMs: 1000, ...settings },
    tls: { ca: TEST_CERTIFICATE.cert },
  };
  const links = new TrackedLinks(parts);
  t.teardown(async () => {
    await links.close();
    server.closeAllConnections();
    await new Promise(done => server.close(done));
    await store.close();
  });
  const host = `127.0.0.1:${port}`;
  const link = (path: string, more: Partial<TrackedLink> = {}): TrackedLink => ({
    client: acme as NonNullable<typeof acme>,
    campaigns: [spring as NonNullable<typeof spring>],
    url: new URL(`https://${more.trackingHosts?.[0] ?? host}${path}`),
    label: 'privacy policy',
    privacyUrls: [POLICY],
    trackingHosts: [host],
    ...more,
  });
  /** What is said at first, and what once the sample is taken. */
  const judged = async (asking: TrackedLink): Promise<readonly string[]> => {
    const first = await links.judge(asking);
    await links.settled();
    return [first, await links.judge(asking)];
  };
  return { asked, answers, host, port, store, clock, lines, alarms, parts, links, link, judged };
}

t.test('A13: the first message waits, its retry passes, and other recipients at once', async t => {
  const { judged, links, link, asked, lines, alarms } = await site(t, { '/c/jane': `${POLICY}?utm_source=mail` });
  t.same(await judged(link('/c/jane')), ['unknown', 'resolves']);
  t.equal(await links.judge(link('/c/john')), 'resolves');
  await links.settled();
  t.same(asked, ['/c/jane'], 'no second sample so soon');
  t.same(alarms, []);
  t.notMatch(lines.join(''), /jane|john/, 'links name persons');
});

t.test('A1, A13: what is known holds for that client, campaign, host, policy and wording only', async t => {
  const { links, link, judged } = await site(t, { '/c/1': POLICY });
  t.same(await judged(link('/c/1')), ['unknown', 'resolves']);
  const others: Partial<TrackedLink>[] = [
    { client: other as NonNullable<typeof other> },
    { campaigns: [autumn as NonNullable<typeof autumn>] },
    { campaigns: [] },
    { campaigns: [spring, autumn] as NonNullable<typeof spring>[] },
    { privacyUrls: ['https://client.example/new-privacy'] },
    { label: 'privacy of the platform' },
  ];
  for (const more of others) t.equal(await links.judge(link('/none', more)), 'unknown', JSON.stringify(more));
});

t.test('A13: where links lead', async t => {
  const { link, judged, host, alarms, asked } = await site(t, {
    '/two': '/two-b',
    '/two-b': `${POLICY}#x`,
    '/away': 'https://elsewhere.example/secret-path',
    '/http': POLICY.replace('https', 'http'),
    '/user': 'https://client.example@evil.example/privacy',
    '/path': 'https://client.example/offers',
    '/page': 200,
    '/missing': 404,
    '/down': 503,
    '/loop': '/loop',
    '/odd': 'https://[::1',
    '/silent': 0,
    '/private': 'https://127.0.0.1:1/x',
  });
  const table: readonly (readonly [path: string, known: string])[] = [
    ['/two', 'resolves'],
    ['/away', 'elsewhere'],
    ['/http', 'elsewhere'],
    ['/user', 'elsewhere'],
    ['/path', 'elsewhere'],
    ['/page', 'elsewhere'],
    ['/private', 'elsewhere'],
    ['/missing', 'unknown'],
    ['/down', 'unknown'],
    ['/loop', 'unknown'],
    ['/odd', 'unknown'],
    ['/silent', 'unknown'],
  ];
  for (const [path, known] of table) t.same(await judged(link(path, { label: path })), ['unknown', known], path);
  t.equal(asked.filter(path => path === '/loop').length, 5, 'at most five requests');
  t.equal(alarms.length, 6);
  t.same(alarms[0], ['tracked-link-elsewhere', { client: 'acme', campaign: 'spring', host, leadsTo: 'elsewhere.example' }]);
  t.notMatch(JSON.stringify(alarms), /secret-path/);
});

t.test('A13: only registered hosts are asked, and none at a private address unless it was registered as that', async t => {
  const { link, judged, port, asked, lines } = await site(t, { '/c': POLICY });
  t.same(await judged(link('/c', { trackingHosts: [`localhost:${port}`] })), ['unknown', 'unknown'], 'a name of the own machine');
  t.same(asked, []);
  t.match(lines.join(''), 'leads to a private address');
  t.same(
    await judged(link('/c', { trackingHosts: ['t.example'], url: new URL(`https://127.0.0.1:${port}/c`) })),
    ['unknown', 'elsewhere'],
    'not registered',
  );
  t.same(asked, []);
});

t.test('A13: an unknown certificate is no answer', async t => {
  const { link, parts, asked } = await site(t, { '/c': POLICY });
  const links = new TrackedLinks({ ...parts, tls: {} });
  t.equal(await links.judge(link('/c')), 'unknown');
  await links.settled();
  t.equal(await links.judge(link('/c')), 'unknown');
  t.same(asked, []);
  await links.close();
});

t.test('A13: samples are repeated, and it is told when links no longer lead there, and when they do again', async t => {
  const { link, links, judged, answers, clock, alarms, lines, asked } = await site(t, { '/c': POLICY });
  t.same(await judged(link('/c')), ['unknown', 'resolves']);
  clock.at += 5 * 3_600_000;
  t.same(await judged(link('/c')), ['resolves', 'resolves']);
  t.equal(asked.length, 1, 'not due yet');
  answers['/c'] = 'https://elsewhere.example/';
  clock.at += 3_600_000;
  t.same(await judged(link('/c')), ['resolves', 'elsewhere'], 'due: this one still passes, the next does not');
  t.equal(alarms.length, 1);
  t.match(lines.at(-1), '"level":50');
  answers['/c'] = POLICY;
  clock.at += 60_000;
  t.same(await judged(link('/c')), ['elsewhere', 'elsewhere']);
  clock.at += 10 * 60_000;
  t.same(await judged(link('/c')), ['elsewhere', 'resolves'], 'corrected');
  answers['/c'] = 503;
  clock.at += 7 * 3_600_000;
  t.same(await judged(link('/c')), ['resolves', 'resolves'], 'no answer changes nothing');
  clock.at += 18 * 3_600_000;
  t.equal(await links.judge(link('/c')), 'unknown', 'but a day later nothing is known any more');
  await links.settled();
  t.equal(alarms.length, 1);
});

t.test('A13: a share of links is sampled whatever is known', async t => {
  const { link, links, judged, clock, asked } = await site(t, { '/c': POLICY }, { oneIn: 1 });
  t.same(await judged(link('/c')), ['unknown', 'resolves']);
  clock.at += 20_000;
  await links.judge(link('/c'));
  await links.settled();
  t.equal(asked.length, 2);
});

t.test('what was seen is known to the next process, and no link is in the store', async t => {
  const { link, judged, parts, store, host } = await site(t, { '/c/jane': POLICY });
  await judged(link('/c/jane'));
  t.equal(await new TrackedLinks(parts).judge(link('/c/john')), 'resolves');
  for await (const [key, value] of store.scan({ owner: 'acme', log: 'tracked-links' }))
    t.notMatch(JSON.stringify(key) + value.toString(), new RegExp(`jane|${host}|client`));
});

t.test('a burst of messages takes one sample; a hundred kinds of links wait their turn', async t => {
  const answers: Answers = { '/c': POLICY };
  const { link, links, asked } = await site(t, answers);
  await Promise.all(Array.from({ length: 50 }, () => links.judge(link('/c'))));
  await links.settled();
  t.equal(asked.length, 1);
  await Promise.all(Array.from({ length: 150 }, (_, i) => links.judge(link('/c', { label: `label ${i}` }))));
  await links.settled();
  t.ok(asked.length > 50 && asked.length <= 1 + 104, `${asked.length} asked`);
});

t.test('law 1: without a store there is no verdict; a sample that cannot be kept is logged', async t => {
  const { link, links, parts, store, lines } = await site(t, { '/c': POLICY });
  await t.rejects(new TrackedLinks({ ...parts, store: without(store, 'find') }).judge(link('/c')), StoreUnavailable);
  const unkept = new TrackedLinks({ ...parts, store: without(store, 'apply') });
  t.equal(await unkept.judge(link('/c')), 'unknown');
  await unkept.settled();
  t.match(lines.join(''), 'could not be kept');
  t.equal(await links.judge(link('/none')), 'unknown');
});

t.test('close breaks off what is under way', async t => {
  const { link, links } = await site(t, { '/silent': 0 }, { timeoutMs: 60_000 });
  t.equal(await links.judge(link('/silent')), 'unknown');
  await links.close();
  t.equal(await links.judge(link('/silent')), 'unknown', 'and nothing is begun');
  await links.settled();
});

/** The store, but for one method of which no answer comes. */
function without(store: Store, method: 'find' | 'apply'): Store {
  return new Proxy(store, {
    get: (target, name) => (name === method ? () => Promise.reject(new StoreUnavailable('down')) : Reflect.get(target, name).bind(target)),
  });
}

/** Metrics and health of a real gate: what is scraped, what the rules and the dashboard name, and what the documentation says of it. */
import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import type { Alerts } from '../../src/watch/alerts.ts';
import { acmeSite } from '../support/acme.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { dial } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';
import { newOffice } from './support.ts';

const file = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

interface Family {
  readonly type: string;
  readonly help: string;
}

/** The families of an exposition, by name. */
function families(text: string): ReadonlyMap<string, Family> {
  const found = new Map<string, { type: string; help: string }>();
  for (const line of text.split('\n')) {
    const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (word === 'HELP') found.set(name, { type: '', help: rest });
    const family = found.get(name);
    if (word === 'TYPE' && family !== undefined) family.type = rest;
  }
  return found;
}

/** The value of the series whose line begins so. */
function value(text: string, series: string): number | undefined {
  const line = text.split('\n').find(one => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

async function scrape(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  return answer.text();
}

/** Replies to MAIL, RCPT and, where it is taken, the final dot. */
async function send(port: number, recipient: string): Promise<readonly string[]> {
  const client = await dial(port);
  await client.reply();
  await client.ask('EHLO client.example');
  const replies = [await client.ask('MAIL FROM:<news@acme.example>'), await client.ask(`RCPT TO:<${recipient}>`)];
  if (replies[1]?.startsWith('250')) {
    await client.ask('DATA');
    const mail = [
      'From: News <news@acme.example>',
      `To: <${recipient}>`,
      'Subject: News',
      'Message-ID: <one@acme.example>',
      '',
      'Privacy policy: https://www.acme.example/privacy',
      'Unsubscribe: reply with the word stop, or visit https://www.acme.example/unsubscribe',
      'Acme Ltd, 1 High Street, London',
      '.',
    ];
    replies.push(await client.ask(mail.join('\r\n')));
  }
  client.close();
  return replies.map(reply => reply.slice(0, 3));
}

t.test('law 7: a real gate counts what passes and names nobody', async t => {
  const acme = await acmeSite(t);
  const gate = await acme.site.serve();
  await acme.run('list', 'add', 'acme', 'jo@prospect.example');
  t.same(await send(gate.port, 'jo@prospect.example'), ['250', '550']);
  const passed = await send(gate.port, 'ann@prospect.example');
  t.match(passed[2], /^[25]/);
  const text = await scrape(gate.adminPort);
  t.equal(value(text, 'postern_decisions_total{outcome="rejected",check="exclusion",token="excluded"}'), 1);
  t.equal(value(text, 'postern_rcpt_seconds_count{door="submission"}'), 2);
  t.equal(value(text, 'postern_sessions_total{door="submission"}'), 2);
  t.equal(value(text, 'postern_store_up'), 1);
  t.equal(value(text, 'postern_pending_oldest_seconds'), 0);
  t.equal(value(text, 'postern_reviews_open'), 0);
  t.ok((value(text, 'postern_store_seconds_count{operation="find"}') ?? 0) > 0);
  t.notMatch(text, /prospect|127\.0\.0\.1|acme|@/);
  t.equal(value(await scrape(gate.adminPort), 'postern_admin_requests_total{method="GET",route="/metrics",status="200"}'), 1);

  const named = new Set(families(text).keys());
  const series = (expression: string): string[] =>
    [...expression.matchAll(/\bpostern_[a-z0-9_]+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, ''));
  const rules = (parse(file('config/alerts.yaml')) as { groups: { rules: { alert: string; expr: string }[] }[] }).groups.flatMap(
    ({ rules }) => rules,
  );
  t.ok(rules.length > 10);
  for (const { alert, expr } of rules) for (const name of series(expr)) t.ok(named.has(name), `alert ${alert}: ${name} is scraped`);
  const dashboard = JSON.parse(file('config/grafana-dashboard.json')) as { panels: { title: string; targets: { expr: string }[] }[] };
  t.ok(dashboard.panels.length > 10);
  for (const { title, targets } of dashboard.panels)
    for (const { expr } of targets) for (const name of series(expr)) t.ok(named.has(name), `panel ${title}: ${name} is scraped`);

  const [, table = ''] = file('docs/metrics.md').split(/<!-- \/?metrics -->\n/);
  const rows = [...families(text)].map(([name, { type, help }]) => `| \`${name}\` | ${type} | ${help.replace(/\|/g, '\\|')} |`);
  t.same(
    table
      .trim()
      .split('\n')
      .slice(2)
      .map(row => row.replace(/ \| [^|]* \|$/, ' |'))
      .sort(),
    rows.sort(),
    'docs/metrics.md lists them all',
  );
});

t.test('several workers are scraped as one', t => scrapedAsOne(t));

t.test('several workers on one Redis are scraped as one', { skip: noRedis }, async t =>
  scrapedAsOne(t, { store: { url: (await startRedis(t)).url } }),
);

async function scrapedAsOne(t: Test, settings: object = {}): Promise<void> {
  const acme = await acmeSite(t, { submission: { workers: 2 }, ...settings });
  const gate = await acme.site.serve();
  await acme.run('list', 'add', 'acme', 'jo@prospect.example');
  for (let i = 0; i < 8; i++) t.same(await send(gate.port, 'jo@prospect.example'), ['250', '550']);
  const text = await scrape(gate.adminPort);
  t.equal(value(text, 'postern_decisions_total{outcome="rejected",check="exclusion",token="excluded"}'), 8);
  t.equal(value(text, 'postern_store_up'), 1);
  // Decisions are written behind, by each worker in its own time.
  await until('an empty journal', async () => value(await scrape(gate.adminPort), 'postern_journal_waiting') === 0);
}

t.test('ready says which part is failing; live only that it lives', async t => {
  const acme = await acmeSite(t);
  const gate = await acme.site.serve();
  const ask = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${gate.adminPort}${path}`);
    return { status: answer.status, body: (await answer.json()) as unknown };
  };
  const parts = { store: 'ok', ledger: 'ok', keys: 'ok', upstream: 'ok' };
  t.same(await ask('/health/ready'), { status: 200, body: { status: 'ok', parts } });
  await acme.sink.close();
  await until('the upstream is missed', async () => (await ask('/health/ready')).status === 503, 20_000);
  t.same((await ask('/health/ready')).body, { status: 'failing', parts: { ...parts, upstream: 'failing' } });
  t.same(await ask('/health/live'), { status: 200, body: { status: 'ok' } });
});

t.test('who may read metrics: networks that are named, or a token with the scope', async t => {
  const open = await newOffice(t, { settings: { upstream: { url: 'smtp://127.0.0.1:1?starttls=off' } } });
  t.equal((await open.ask('GET', '/metrics')).status, 200);
  const shut = await newOffice(t, { settings: { metrics: { from: [] } } });
  t.equal((await shut.ask('GET', '/metrics')).status, 401);
  const reader = await shut.token('operator', { scopes: ['metrics:read'] });
  const answer = await shut.withToken(reader.token)('GET', '/metrics');
  t.equal(answer.status, 200);
  t.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const other = await shut.token('operator', { scopes: ['stats:read'] });
  t.equal((await shut.withToken(other.token)('GET', '/metrics')).status, 403);
  t.equal((await shut.withToken((await shut.token('client')).token)('GET', '/metrics')).status, 403);
});

t.test('clients are named only where that is asked for', async t => {
  const acme = await acmeSite(t, { metrics: { perClient: true } });
  const gate = await acme.site.serve();
  await acme.run('list', 'add', 'acme', 'jo@prospect.example');
  await send(gate.port, 'jo@prospect.example');
  const text = await scrape(gate.adminPort);
  t.equal(value(text, 'postern_decisions_total{outcome="rejected",check="exclusion",token="excluded",client="acme"}'), 1);
});

t.test('A32, A34: a token that reads the metrics passes the same door as everywhere', async t => {
  const alarms: string[] = [];
  const alerts = { failedLogin: (door: string) => void alarms.push(door) } as unknown as Alerts;
  const office = await newOffice(t, { admin: { policyVersion: '1' }, settings: { metrics: { from: [] } }, parts: { alerts } });
  const { token } = await office.token('operator');
  const read = (of: string) => office.withToken(of)('GET', '/metrics');
  t.equal((await office.ask('GET', '/metrics')).status, 401);
  t.same(alarms, []);
  t.equal((await read(`postern_${'x'.repeat(43)}`)).status, 401);
  t.same(alarms, ['admin'], 'a wrong token is a failed log-in');
  const before = await read(token);
  t.match([before.status, before.json().type], [403, 'policy-acceptance-required']);
  await office.withToken(token)('POST', '/v1/session/policy', { version: '1' });
  t.equal((await read(token)).status, 200);
});

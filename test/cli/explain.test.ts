/** The outer contract of explain: the verdict on a recipient or a whole message, with every objection. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { postern, startShell } from '../support/command.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { mustAnswer, newSite, type Site } from '../support/site.ts';

const POLICY = 'https://www.acme.example/privacy';
const CLIENT = ['client', 'add', 'acme', '--name', 'Acme', '--privacy-url', POLICY, '--from-domain', 'acme.example'];
const ASK = ['explain', '--client', 'acme', '--from', 'jo@acme.example', '--to', 'sam@prospect.example'];
const mail = (body: string, ...more: string[]) =>
  [...more, 'From: Jo <jo@acme.example>', 'To: sam@prospect.example', 'Subject: Planning', '', body, ''].join('\n');
const GOOD = mail(`Privacy policy: ${POLICY}`, 'List-Unsubscribe: <https://www.acme.example/unsubscribe?u=1>');

const shell = startShell(t);
const on = (site: Site, ...args: string[]) => shell.run([...args, '--config', site.configFile], { cwd: site.dir });

t.test('of a recipient, and of a message', async t => {
  const site = newSite();
  t.teardown(() => site.close());
  mustAnswer(await on(site, ...CLIENT));
  mustAnswer(await on(site, 'campaign', 'add', 'acme', 'spring', '--target-domain', 'prospect.example'));
  mustAnswer(await on(site, 'list', 'add', 'acme/spring', 'lee@prospect.example'));
  writeFileSync(join(site.dir, 'good.eml'), GOOD);
  writeFileSync(join(site.dir, 'winter.eml'), `X-Campaign-ID: winter\n${GOOD}`);
  writeFileSync(join(site.dir, 'bare.eml'), mail('See you there.').replace('jo@acme.example', 'jo@other.example'));
  const table: [string[], object][] = [
    [[], { verdict: 'pass', reply: /^250 2\.0\.0 /, objections: [] }],
    [['good.eml'], { verdict: 'pass', reply: /^250 /, objections: [] }],
    [['--campaign', 'spring', 'good.eml'], { verdict: 'pass' }],
    [['good.eml', '--to', '<sam@elsewhere.example>'], { verdict: 'reject', reply: /^550 5\.7\.1 /, objections: [{ token: 'off-target' }] }],
    [['--to', 'lee@prospect.example'], { verdict: 'reject', objections: [{ check: 'exclusion' }] }],
    [['--campaign', 'spring', '--to', 'lee@prospect.example'], { verdict: 'reject', objections: [{ check: 'exclusion' }] }],
    [['--from', ''], { verdict: 'pass' }],
    [['--from', 'x@other.example'], { verdict: 'reject', objections: [{ check: 'sender', token: 'sender', mode: 'enforce' }] }],
    [['--to', 'sam%x@prospect.example'], { verdict: 'reject', reply: /^501 5\.1\.3 / }],
    [['winter.eml'], { verdict: 'reject', objections: [{ token: 'campaign' }] }],
    [['bare.eml'], { verdict: 'reject', objections: [{ check: 'sender' }, { check: 'privacy-link' }, { check: 'opt-out' }] }],
    [['bare.eml', '--policy', 'transactional'], { verdict: 'reject', objections: [{ check: 'sender' }] }],
  ];
  for (const [args, expected] of table) {
    const answer = mustAnswer(await on(site, ...ASK, ...args, '--json')).json<object>();
    t.match(answer, expected, args.join(' '));
    t.same(Object.keys(answer).sort(), ['objections', 'reply', 'verdict']);
  }
  t.match(mustAnswer(await on(site, ...ASK, 'bare.eml')).stdout, /^reject: 55\d [\s\S]*\n {2}privacy-link \(privacy-link, enforce\): \S/);
  const piped = await postern([...ASK, '-', '--json', '--config', site.configFile], { cwd: site.dir, input: GOOD });
  t.match(mustAnswer(piped).json(), { verdict: 'pass' });

  const wrong: [string[], number, RegExp][] = [
    [[...ASK, 'absent.eml'], 2, /absent\.eml: cannot be read/],
    [[...ASK, '--campaign', 'winter'], 1, /no campaign 'winter'/],
    [[...ASK, '--policy', 'none'], 2, /no policy 'none'/],
    [[...ASK, '--client', 'nobody'], 1, /no client 'nobody'/],
  ];
  for (const [args, code, stderr] of wrong) t.match(await on(site, ...args), { code, stdout: '', stderr }, args.slice(7).join(' '));
});

t.test('of a store that is away: deferred, and unavailable', { skip: noRedis }, async t => {
  const redis = await startRedis(t, { args: ['--appendfsync', 'always'] });
  const site = newSite({ store: { url: redis.url } });
  t.teardown(() => site.close());
  mustAnswer(await on(site, ...CLIENT));
  t.match(mustAnswer(await on(site, ...ASK, '--json')).json(), { verdict: 'pass' });
  await redis.kill();
  const away = await on(site, ...ASK, '--json');
  t.equal(away.code, 75);
  t.match(away.json(), { verdict: 'defer', reply: /^451 4\.3\.0 / });
  t.match(away.stderr, /^postern: /);
  for (const args of [['client', 'list'], ['list', 'show', 'acme', '--json'], ['stats'], ['suppress', 'acme', 'a@x.example']]) {
    t.match(await on(site, ...args), { code: 75, stdout: '', stderr: /^postern: / }, args.join(' '));
  }
  await redis.restart();
  t.match(mustAnswer(await on(site, ...ASK, '--json')).json(), { verdict: 'pass' });
});

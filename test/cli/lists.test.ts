/** The outer contract of list and suppress: what can be added, shown, taken back, and what cannot (A19, A23). */
import t from 'tap';
import { startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';

const site = newSite();
t.teardown(() => site.close());
const shell = startShell(t);
const cli = (...args: string[]) => shell.run([...args, '--config', site.configFile], { cwd: site.dir });
const json = async <T = unknown>(...args: string[]) => mustAnswer(await cli(...args, '--json')).json<T>();
const says = async (...args: string[]) => mustAnswer(await cli(...args)).stdout;
const CLIENT = [
  'client',
  'add',
  'acme',
  '--name',
  'Acme',
  '--privacy-url',
  'https://www.acme.example/privacy',
  '--from-domain',
  'acme.example',
];

interface Entry {
  readonly list: string;
  readonly match: string;
  readonly target?: string;
  readonly digest: string;
  readonly acts: readonly { readonly reason: string; readonly source: string; readonly at: string }[];
}

interface Explained {
  readonly verdict: string;
  readonly reply: string;
  readonly objections: readonly { readonly check: string; readonly token: string; readonly reason: string; readonly mode: string }[];
}

const ask = (to: string, ...more: string[]) =>
  json<Explained>('explain', '--client', 'acme', '--from', 'jo@acme.example', '--to', to, ...more);

t.before(async () => {
  await says(...CLIENT);
  await says('campaign', 'add', 'acme', 'spring');
});

t.test('A19: list add, in every scope, and what explain then says', async t => {
  t.equal(await says('list', 'add', 'acme', 'Jane.Roe+news@Customer.EXAMPLE'), 'added\n');
  t.same(await json('list', 'add', 'acme', 'jane.roe@customer.example', '--reason', 'policy'), { scope: 'acme', result: 'existing' });
  t.equal(await says('list', 'add', 'global', '*.competitor.example'), 'added\n');
  t.equal(await says('list', 'add', 'acme/spring', '@bücher.example'), 'added\n');
  const refused = await ask('jane.roe+other@customer.example');
  t.same(Object.keys(refused).sort(), ['objections', 'reply', 'verdict']);
  t.match(refused, { verdict: 'reject', reply: /^550 5\.7\.1 Recipient may not be mailed \(excluded\)/ });
  t.match(refused.objections, [{ check: 'exclusion', token: 'excluded', mode: 'enforce' }]);
  for (const objection of refused.objections) t.same(Object.keys(objection).sort(), ['check', 'mode', 'reason', 'token']);
  t.match(await ask('x@berlin.competitor.example'), { verdict: 'reject', reply: /excluded/ });
  t.match(await ask('x@bücher.example'), { verdict: 'reject' }, 'without a campaign, all of them bind');
  t.match(await ask('x@xn--bcher-kva.example', '--campaign', 'spring'), { verdict: 'reject' });
  const passed = await ask('x@notcompetitor.example');
  t.match(passed, { verdict: 'pass', reply: /^250 2\.0\.0 /, objections: [] });
});

t.test('list show tells what stands in exactly this scope', async t => {
  const entries = await json<Entry[]>('list', 'show', 'acme');
  t.equal(entries.length, 1);
  t.match(entries[0], { list: 'exclusion', match: 'address', target: 'jane.roe@customer.example', digest: /^[0-9a-f]{12}$/ });
  t.match(entries[0]?.acts, [
    { reason: 'manual', source: 'operator', at: /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
    { reason: 'policy', source: 'operator' },
  ]);
  t.match(await json('list', 'show', 'global'), [{ match: 'domain', target: 'competitor.example' }]);
  t.match(await says('list', 'show', 'acme/spring'), /^exclusion +domain +xn--bcher-kva\.example +manual by operator 20/);
});

t.test('A23: suppress keeps a digest, and nobody reads it back', async t => {
  t.equal(await says('suppress', 'acme', 'kim@former.example'), 'added\n');
  t.same(await json('suppress', 'acme', 'kim@former.example', '--reason', 'erasure'), { scope: 'acme', result: 'existing' });
  const entries = await json<Entry[]>('list', 'show', 'acme');
  const suppressed = entries.find(({ list }) => list === 'suppression');
  t.match(suppressed, { match: 'address', acts: [{ reason: 'objection' }, { reason: 'erasure' }] });
  t.equal(suppressed?.target, undefined);
  t.notMatch(await says('list', 'export', 'acme'), 'former.example');
  t.match(await ask('Kim+x@former.example'), { verdict: 'reject', reply: /550 5\.7\.1 .*\(suppressed\)/ });
});

t.test('list remove takes back what operators and imports put in, and nothing else', async t => {
  t.equal(await says('list', 'remove', 'acme', 'jane.roe@customer.example'), 'removed\n');
  await says('list', 'add', 'acme', 'sam@customer.example', '--reason', 'opt-out');
  const stays = /only a named person's act takes that back: postern suppress --lift/;
  t.match(await cli('list', 'remove', 'acme', 'sam@customer.example'), { code: 1, stdout: '', stderr: stays });
  t.match(await cli('list', 'remove', 'acme', 'kim@former.example'), { code: 1, stdout: '', stderr: stays });
  t.match(await cli('list', 'remove', 'acme', 'nobody@customer.example'), { code: 1, stdout: '', stderr: /does not list this/ });
  t.match(await ask('sam@customer.example'), { verdict: 'reject' });
});

t.test('suppress --lift is a named person’s act', async t => {
  const table: [string[], RegExp][] = [
    [['--lift', '--by', 'Ann', 'acme', 'kim@former.example'], /--lift needs --by NAME and --why TEXT/],
    [['--lift', '--why', 'asked', 'acme', 'kim@former.example'], /--lift needs --by NAME and --why TEXT/],
    [['--lift', '--by', ' ', '--why', 'asked', 'acme', 'kim@former.example'], /--lift needs/],
    [['--lift', '--by', 'Ann', '--why', 'x', '--reason', 'manual', 'acme', 'kim@former.example'], /--reason does not go with --lift/],
    [['acme', 'competitor.example'], /not an address/],
    [['acme', 'kim@former.example', '--reason', 'whim'], /--reason 'whim' is none; use one of opt-out, objection/],
  ];
  for (const [args, stderr] of table) t.match(await cli('suppress', ...args), { code: 2, stdout: '', stderr }, args.join(' '));
  const lift = ['suppress', '--lift', '--by', 'Ann Lee', '--why', 'asked in writing to be mailed again', 'acme'];
  t.equal(await says(...lift, 'kim@former.example'), 'lifted\n');
  t.match(await ask('kim@former.example'), { verdict: 'pass' });
  t.match(await cli(...lift, 'kim@former.example'), { code: 1, stdout: '', stderr: /nobody to lift/ });
  t.match(await ask('sam@customer.example'), { verdict: 'reject' });
});

t.test('client remove disables; what was objected outlives it and binds a re-added id', async t => {
  await says('suppress', 'acme', 'lee@former.example');
  t.match(await json('client', 'remove', 'acme'), { id: 'acme', disabled: true });
  t.match(await cli('explain', '--client', 'acme', '--from', 'jo@acme.example', '--to', 'x@y.example'), { code: 1, stdout: '' });
  t.match(await says('client', 'list'), /^acme .*removed$/m);
  t.equal((await json<Entry[]>('list', 'show', 'acme')).filter(({ list }) => list === 'suppression').length, 1);
  await says(...CLIENT);
  t.match(await ask('lee@former.example'), { verdict: 'reject', reply: /suppressed/ });
  t.match(await ask('sam@customer.example'), { verdict: 'reject', reply: /excluded/ });
});

t.test('scopes and targets that cannot be', async t => {
  const table: [string[], number, RegExp][] = [
    [['list', 'add', 'nobody', 'a@x.example'], 1, /no client 'nobody'/],
    [['list', 'show', 'acme/winter'], 1, /no campaign 'winter'/],
    [['list', 'add', 'a/b/c', 'a@x.example'], 2, /is no scope/],
    [['list', 'add', 'acme', 'co.uk'], 2, /public suffix/],
    [['list', 'add', 'acme', 'not an address'], 2, /neither an address nor a domain/],
    [['list', 'add', 'acme', 'a b@secret.example'], 2, /not an address/],
  ];
  for (const [args, code, stderr] of table) {
    const answer = await cli(...args);
    t.match(answer, { code, stdout: '', stderr }, args.join(' '));
    t.notMatch(answer.stderr, /secret\.example/, 'an address is not repeated');
  }
});

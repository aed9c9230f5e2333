/** The outer contract of client and campaign: answers in words and in JSON, as other tools rely on them. */
import { tmpdir } from 'node:os';
import t from 'tap';
import { startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';

const site = newSite();
t.teardown(() => site.close());
const shell = startShell(t);
const cli = (...args: string[]) => shell.run([...args, '--config', site.configFile], { cwd: site.dir });
const json = async <T = unknown>(...args: string[]) => mustAnswer(await cli(...args, '--json')).json<T>();
const says = async (...args: string[]) => mustAnswer(await cli(...args)).stdout;
const DETAILS = ['--name', 'Acme', '--privacy-url', 'https://www.acme.example/privacy', '--from-domain', 'acme.example'];

t.test('client add|list|show|update', async t => {
  const acme = await json('client', 'add', 'acme', ...DETAILS, 'acme.test', '--return-path-domain', 'bounces.example', '--policy', 'basic');
  const profile = {
    id: 'acme',
    name: 'Acme',
    privacyUrls: ['https://www.acme.example/privacy'],
    fromDomains: ['acme.example', 'acme.test'],
    returnPathDomains: ['bounces.example'],
    policy: 'basic',
    disabled: false,
    campaigns: [],
  };
  t.match(acme, profile);
  t.match(await json('client', 'list'), [profile]);
  t.match(await json('client', 'show', 'acme'), profile);
  t.match(await says('client', 'list'), /^client +name[\s\S]*\nacme +Acme +basic +acme\.example acme\.test/);
  t.match(await says('client', 'show', 'acme'), /^fromDomains +acme\.example acme\.test$/m);
  const upstream = 'smtps://robot:sesame@relay.example';
  t.equal(await says('client', 'update', 'acme', '--policy', 'b2b-prospecting', '--upstream', upstream), 'client acme changed\n');
  const shown = await says('client', 'show', 'acme');
  t.match(shown, /^policy +b2b-prospecting$/m);
  t.match(shown, /relay\.example/);
  t.notMatch(shown, /sesame/, 'a password of an upstream is not shown');
});

t.test('where replies and bounces arrive', async t => {
  const settings = [
    '--reply-address',
    'sales@acme.example',
    'Team@acme.example',
    '--return-path',
    'Bounces.acme.example',
    '--tag-reply-to',
  ];
  const updated = await json('client', 'update', ...settings, '--forward-to', 'inbox@acme.example', 'acme');
  const replyAddresses = ['sales@acme.example', 'Team@acme.example'];
  t.match(updated, { replyAddresses, returnPath: 'bounces.acme.example', tagReplyTo: true, forwardTo: 'inbox@acme.example' });
  const shown = await says('client', 'show', 'acme');
  t.match(shown, /^replyAddresses +sales@acme\.example Team@acme\.example$/m);
  t.match(shown, /^tagReplyTo +true$/m);
  const other = ['other', ...DETAILS, '--reply-address', 'SALES@acme.example'];
  t.match(await cli('client', 'add', ...other), { code: 1, stdout: '', stderr: /reply-address: SALES@acme\.example is client acme's/ });
  const cleared = await json('client', 'update', 'acme', '--no-reply-address', '--no-return-path', '--no-tag-reply-to', '--no-forward-to');
  t.match(cleared, { replyAddresses: [], tagReplyTo: false, name: 'Acme' });
  for (const gone of ['returnPath', 'forwardTo']) t.notOk(gone in (cleared as object), gone);
});

t.test('client add refuses what cannot be', async t => {
  const table: [string[], number, RegExp][] = [
    [['acme', ...DETAILS], 1, /client acme exists/],
    [['global', ...DETAILS], 2, /"global" is reserved/],
    [['Acme!', ...DETAILS], 2, /id: use 1 to 64 of/],
    [['other', ...DETAILS, '--policy', 'transactional'], 2, /only a credential may have it/],
    [['other', ...DETAILS, '--reply-address', 'sales+tag@acme.example'], 2, /reply-address: sales\+tag@acme\.example has a tag/],
    [['other', ...DETAILS, '--return-path', 'bounce@acme.example'], 2, /return-path: .* is no domain name/],
    [['other', ...DETAILS, '--tag-reply-to'], 2, /tag-reply-to: needs a reply-address/],
    [['other', ...DETAILS, '--policy', 'nonsense'], 2, /there is no such policy; use basic, b2b-prospecting/],
    [['other', ...DETAILS, '--upstream', 'http://relay.example'], 2, /upstream: the upstream URL must begin with smtp/],
    [
      ['other', '--name', 'A', '--from-domain', 'co.uk', '--privacy-url', 'http://a.example/p'],
      2,
      /privacy-url: .*https[\s\S]*public suffix/,
    ],
  ];
  for (const [args, code, stderr] of table) {
    t.match(await cli('client', 'add', ...args), { code, stdout: '', stderr }, args.join(' '));
  }
  t.match(await cli('client', 'show', 'other'), { code: 1, stdout: '', stderr: /no client 'other'/ });
});

t.test('campaign add|update|list|show', async t => {
  const spring = { id: 'spring', targetDomains: ['prospect.example', 'xn--bcher-kva.example'] };
  t.same(await json('campaign', 'add', 'acme', 'spring', '--target-domain', 'Prospect.example', 'bücher.example'), spring);
  t.equal(await says('campaign', 'add', 'acme', 'autumn'), 'campaign acme/autumn added\n');
  t.same(await json('campaign', 'list', 'acme'), [{ id: 'autumn', targetDomains: [] }, spring]);
  t.same(await json('campaign', 'show', 'acme', 'spring'), spring);
  t.match(await says('campaign', 'list', 'acme'), /autumn +any\nspring +prospect\.example xn--bcher-kva\.example/);
  t.same(await json('campaign', 'update', 'acme', 'spring', '--target-domain', 'other.example'), {
    ...spring,
    targetDomains: ['other.example'],
  });
  t.equal(await says('campaign', 'update', 'acme', 'spring', '--no-target-domain'), 'campaign acme/spring changed\n');
  t.match(await says('campaign', 'show', 'acme', 'spring'), 'any domain');
  t.match(await cli('campaign', 'update', 'acme', 'spring'), { code: 2, stdout: '', stderr: /--no-target-domain/ });
  t.match(await cli('campaign', 'update', 'acme', 'winter', '--no-target-domain'), { code: 1, stdout: '', stderr: /no campaign winter/ });
  t.match(await cli('campaign', 'add', 'acme', 'spring'), { code: 1, stdout: '', stderr: /client acme has campaign spring/ });
  t.match(await cli('campaign', 'add', 'nobody', 'spring'), { code: 1, stdout: '', stderr: /no client nobody/ });
  t.match(await cli('campaign', 'show', 'acme', 'winter'), { code: 1, stdout: '', stderr: /no campaign 'winter'/ });
});

t.test('--json and --config stand anywhere', async t => {
  const ids = (text: string) => (JSON.parse(text) as { id: string }[]).map(({ id }) => id);
  for (const args of [
    ['--json', 'client', 'list'],
    ['client', '--json', 'list'],
  ]) {
    t.same(ids(mustAnswer(await cli(...args)).stdout), ['acme'], args.join(' '));
  }
  for (const args of [
    ['--config', site.configFile, 'campaign', 'list', 'acme', '--json'],
    ['campaign', 'list', '--json', '--config', site.configFile, 'acme'],
  ]) {
    t.same(ids(mustAnswer(await shell.run(args, { cwd: tmpdir() })).stdout), ['autumn', 'spring'], args.join(' '));
  }
});

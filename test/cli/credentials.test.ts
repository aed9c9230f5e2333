/** The outer contract of credential: what is printed, once, and what can be done with it. */
import t from 'tap';
import { startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';

const site = newSite();
t.teardown(() => site.close());
const shell = startShell(t);
const cli = (...args: string[]) => shell.run([...args, '--config', site.configFile], { cwd: site.dir });
const json = async <T = unknown>(...args: string[]) => mustAnswer(await cli(...args, '--json')).json<T>();
const says = async (...args: string[]) => mustAnswer(await cli(...args)).stdout;

t.before(async () => {
  const details = ['--name', 'Acme', '--privacy-url', 'https://www.acme.example/privacy', '--from-domain', 'acme.example'];
  await says('client', 'add', 'acme', ...details);
  await says('campaign', 'add', 'acme', 'spring');
});

t.test('credential add|list|disable|rotate: a password is printed once and never again', async t => {
  const added = await json<{ username: string; password: string }>('credential', 'add', 'acme', 'mailer');
  t.same(Object.keys(added).sort(), ['password', 'username']);
  t.equal(added.username, 'mailer');
  t.match(added.password, /^\S{20,}$/);
  const said = await says('credential', 'add', '--ip', '127.0.0.1', '10.0.0.0/8', 'acme', 'robot', '--campaign', 'spring');
  t.match(said, /^username robot\npassword \S{20,}\n/);
  t.match(said, /cannot be read again/);
  const alone = ['credential', 'add', 'acme', 'box', '--ip', '192.0.2.7', '--no-password', '--policy', 'transactional'];
  t.same(await json(...alone), { username: 'box' });
  const rotated = await json<{ username: string; password: string }>('credential', 'rotate', 'acme', 'mailer');
  t.equal(rotated.username, 'mailer');
  t.match(await says('credential', 'rotate', 'mailer'), /^username mailer\npassword \S{20,}\n/, 'usernames are unique');
  t.not(rotated.password, added.password);
  t.equal(await says('credential', 'disable', 'acme', 'robot'), 'credential robot disabled\n');
  const listed = await says('credential', 'list', 'acme', '--json');
  for (const { password } of [added, rotated]) t.notMatch(listed, password);
  const all = JSON.parse(listed) as { id: string }[];
  const byId = Object.fromEntries(all.map(one => [one.id, one]));
  t.match(byId.mailer, { client: 'acme', password: true, ips: [], disabled: false });
  t.match(byId.robot, { campaign: 'spring', ips: ['127.0.0.1/32', '10.0.0.0/8'], disabled: true });
  t.match(byId.box, { password: false, policy: 'transactional', ips: ['192.0.2.7/32'] });
  t.match(await says('credential', 'list'), /^acme +box +transactional +192\.0\.2\.7\/32 +no/m);
});

t.test('credential update: what is named changes, the rest and the password stay', async t => {
  const args = ['credential', 'update', 'acme', 'mailer'];
  t.match(await json(...args, '--ip', '192.0.2.7', '198.51.100.0/24', '--campaign', 'spring'), {
    id: 'mailer',
    campaign: 'spring',
    ips: ['192.0.2.7/32', '198.51.100.0/24'],
    password: true,
  });
  t.equal(await says(...args, '--no-ip', '--no-campaign', '--policy', 'transactional'), 'credential mailer changed\n');
  const { campaign, ...rest } = await json<Record<string, unknown>>('credential', 'update', 'mailer', '--no-policy');
  t.match(rest, { ips: [], policy: undefined });
  t.equal(campaign, undefined);
});

t.test('credentials that cannot be', async t => {
  const table: [string[], number, RegExp][] = [
    [['add', 'acme', 'mailer'], 1, /has this credential; rotate it/],
    [['add', 'nobody', 'x'], 1, /no client nobody/],
    [['add', 'acme', 'x', '--campaign', 'winter'], 1, /no campaign winter/],
    [['add', 'acme', 'x', '--ip', '10.0.0.0/99'], 2, /is no IP address or block/],
    [['add', 'acme', 'x', '--no-password'], 2, /needs at least one/],
    [['rotate', 'acme', 'robot'], 1, /disabled/],
    [['rotate', 'acme', 'nobody'], 1, /no credential 'nobody'/],
    [['disable', 'nobody', 'mailer'], 1, /no client nobody/],
    [['update', 'acme', 'mailer'], 2, /name what is to change/],
    [['update', 'acme', 'box', '--no-ip'], 2, /needs at least one/],
    [['update', 'acme', 'mailer', '--campaign', 'winter'], 1, /no campaign winter/],
    [['update', 'acme', 'nobody', '--no-ip'], 1, /no credential 'nobody'/],
  ];
  for (const [args, code, stderr] of table) {
    t.match(await cli('credential', ...args), { code, stdout: '', stderr }, args.join(' '));
  }
});

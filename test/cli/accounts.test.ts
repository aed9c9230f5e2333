/** `postern account` and `postern token`: no default password, secrets printed once, refusals by exit code. */
import t from 'tap';
import { postern, startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';

const shell = startShell(t);

t.test('accounts and tokens at the command line', async t => {
  const site = newSite();
  t.teardown(() => site.close());
  const run = (...args: string[]) => shell.run([...args, '--config', site.configFile], { cwd: site.dir });
  const json = async <T>(...args: string[]) => mustAnswer(await run(...args, '--json')).json<T>();

  t.match(await json('account', 'add', 'boss', '--role', 'admin'), {
    account: { name: 'boss', role: 'admin', disabled: false },
    password: /^\w{28}$/,
  });
  t.match(await run('account', 'add', 'boss', '--role', 'admin'), { code: 1, stderr: /there is an account of this name/ });
  t.match(await run('account', 'add', 'jo', '--role', 'king'), { code: 2, stderr: /use one of admin, operator, officer, client/ });
  t.match(await run('account', 'add', 'jo', '--role', 'client'), { code: 2, stderr: /name its client/ });
  t.match(await run('account', 'add', 'jo', '--role', 'client', '--client', 'acme'), { code: 1, stderr: /there is no client acme/ });
  t.match(await run('account', 'add', 'jo@acme.example', '--role', 'admin'), { code: 2, stderr: /name: 1 to 64/ });
  const piped = await postern(
    ['account', 'add', 'jo', '--role', 'officer', '--ip', '192.0.2.0/24', '2001:db8::/32', '--password-stdin', '--config', site.configFile],
    {
      cwd: site.dir,
      input: 'correct horse battery\n',
    },
  );
  t.match(piped, { code: 0, stdout: 'account jo added\n' });
  t.match(await json('account', 'list'), [{ name: 'boss' }, { name: 'jo', ips: ['192.0.2.0/24', '2001:db8::/32'] }]);
  t.match(await json('account', 'show', 'JO'), { name: 'jo', role: 'officer' });
  t.match(await run('account', 'show', 'nobody'), { code: 1, stderr: /no account 'nobody'/ });
  t.match(await run('account', 'disable', 'boss'), { code: 1, stderr: /the last admin/ });
  t.match(await json('account', 'disable', 'jo'), { disabled: true });
  t.match(await run('token', 'add', 'jo'), { code: 1, stderr: /it is disabled/ });
  t.match(await json('account', 'enable', 'jo'), { disabled: false });
  t.match(await json('account', 'password', 'jo', '--without-totp'), { account: { totp: false }, password: /^\w{28}$/ });

  t.match(await json('account', 'update', 'jo', '--ip', '198.51.100.7', '203.0.113.0/24', '--by', 'ops', '--why', 'moved'), {
    role: 'officer',
    ips: ['198.51.100.7/32', '203.0.113.0/24'],
  });
  t.match(await json('account', 'update', 'jo', '--any-ip', '--role', 'operator'), { role: 'operator', ips: [] });
  t.match(await run('account', 'update', 'jo', '--role', 'client'), { code: 2, stderr: /name its client/ });
  t.match(await run('account', 'update', 'jo', '--client', 'acme'), { code: 1, stderr: /there is no client acme/ });
  t.match(await run('account', 'update', 'jo', '--any-ip', '--ip', '192.0.2.7'), { code: 2, stderr: /cannot be combined/ });
  t.match(await run('account', 'update', 'jo'), { code: 2, stderr: /nothing to change/ });
  t.match(await run('account', 'update', 'nobody', '--any-ip'), { code: 1, stderr: /no such account/ });
  t.match(await run('account', 'update', 'boss', '--role', 'officer'), { code: 1, stderr: /the last admin/ });
  const lines = await json<{ what: string; by: string }[]>('audit', 'show', 'global');
  t.match(
    lines.find(({ what, by }) => what === 'account.update' && by === 'ops'),
    {
      why: 'moved',
      about: { account: 'jo', ips: ['198.51.100.7', '203.0.113.0/24'] },
    },
  );

  const made = await json<{ id: string; token: string }>(
    ...['token', 'add', 'jo', '--scope', 'decisions:read', 'stats:read', '--expires', '7', '--name', 'nightly report'],
  );
  t.match(made, { token: /^postern_[\w-]{43}$/, account: 'jo', scopes: ['decisions:read', 'stats:read'] });
  const strange = await run('token', 'add', 'jo', '--scope', 'decisions:read', 'decisions:eat', 'mail:read');
  t.match(strange, { code: 2, stderr: /there is no "decisions:eat", "mail:read"; write RESOURCE:read .*decisions/ });
  t.match(await run('token', 'add', 'jo', '--name', made.token), { code: 2, stderr: /name: 1 to 64 printable/ });
  t.match(await run('token', 'add', 'nobody'), { code: 1, stderr: /no such account/ });
  const listed = mustAnswer(await run('token', 'list', 'jo'));
  t.match(listed.stdout, new RegExp(`${made.id}  nightly report  jo +decisions:read stats:read`));
  t.notMatch(listed.stdout, made.token);
  t.same(await json('token', 'revoke', made.id), { id: made.id, revoked: true });
  t.match(await run('token', 'revoke', made.id), { code: 1, stderr: /no token/ });
  const mistaken = await run('token', 'revoke', made.token);
  t.match(mistaken, { code: 1, stderr: /no token/ });
  t.notMatch(mistaken.stderr, made.token);
});

/** `postern policy`: read, set, reset and history at the command line; refusals by exit code. */
import t from 'tap';
import { startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';

const shell = startShell(t);

t.test('policies at the command line', async t => {
  const site = newSite();
  t.teardown(() => site.close());
  await site.addAcme();
  const run = (...args: string[]) => shell.run(['policy', ...args, '--config', site.configFile], { cwd: site.dir });
  const json = async <T>(...args: string[]) => mustAnswer(await run(...args, '--json')).json<T>();
  const why = ['--by', 'ann', '--why', 'to try it'];

  t.match(await json('list'), [{ name: 'basic', version: 0, amendments: {} }, {}, {}, {}]);
  t.match(await run('set', 'basic', 'sender=observe'), { code: 2, stderr: /--why/ });
  t.match(await run('set', 'basic', 'sender', ...why), { code: 2, stderr: /write personal-address=observe/ });
  t.match(await run('set', 'basic', 'exclusion=off', ...why), { code: 2, stderr: /checks\.exclusion: is always enforced/ });
  t.match(await run('set', 'basic', '--option', 'sender.x=1', ...why), { code: 2, stderr: /no such option/ });
  t.match(await run('set', 'basic', 'sender=observe', ...why), {
    code: 0,
    stdout: 'policy basic changed: sender enforce → observe\n',
  });
  const allow = ['--option', 'personal-address.allow=gmail.com, web.de'];
  t.match(await json('set', 'basic', ...allow, ...why), {
    amendments: { sender: { mode: 'observe' }, 'personal-address': { mode: 'enforce', allow: ['gmail.com', 'web.de'] } },
  });
  t.match(await json('set', 'basic', 'personal-address=off', '--option', 'personal-address.deny=["x.example"]', ...why), {
    amendments: { 'personal-address': { mode: 'off', allow: ['gmail.com', 'web.de'], deny: ['x.example'] } },
  });
  t.match(await run('set', 'basic', 'sender=observe', ...why), { code: 0, stdout: 'policy basic is so already\n' });
  const doctor = await shell.run(['doctor', '--config', site.configFile], { cwd: site.dir });
  t.match(doctor.stdout, /^ok {4}policies {2}4 policies, changed since: basic$/m);
  t.match(await run('show', 'basic'), { code: 0, stdout: /sender +observe +set here/ });
  t.match(await run('show', 'none'), { code: 1, stderr: /no policy 'none'; postern policy list/ });
  t.match(await run('reset', 'basic', ...why), { code: 0, stdout: /^policy basic changed: / });
  t.match(await run('reset', 'none', ...why), { code: 1, stderr: /no policy/ });

  t.match(await run('set', 'strict', ...why), { code: 0, stdout: 'policy strict made\n' });
  mustAnswer(await shell.run(['client', 'update', 'acme', '--policy', 'strict', '--config', site.configFile], { cwd: site.dir }));
  t.match(await json('history', 'basic', '--limit', '2'), [
    { version: 5, by: 'ann', from: 'cli', why: 'to try it', amendments: {} },
    { version: 4, by: 'ann' },
  ]);
  t.match(await run('history', 'basic'), { code: 0, stdout: /1 +\S+Z +postern +configuration/ });
  t.match(await run('history', 'none'), { code: 1, stderr: /no policy/ });
});

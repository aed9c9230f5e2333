/** A password typed at a real terminal: asked for twice, never shown, and nothing is changed where the two differ. */
import { spawn, spawnSync } from 'node:child_process';
import t from 'tap';
import { environment, MAIN } from '../support/command.ts';
import { mustAnswer, newSite, type Site } from '../support/site.ts';

/** util-linux's, which gives a command a terminal of its own. */
const hasTerminal = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '');

/** What stood on the terminal, after typing each answer when its question had been asked. */
function atTerminal(
  site: Site,
  args: readonly string[],
  answers: readonly (readonly [question: string, typed: string])[],
): Promise<string> {
  const words = [process.execPath, MAIN, ...args, '--config', site.configFile].map(word => `'${word}'`).join(' ');
  const child = spawn('script', ['-qfec', words, '/dev/null'], { cwd: site.dir, env: environment({}) });
  let screen = '';
  let from = 0;
  const left = [...answers];
  child.stdout.setEncoding('utf8').on('data', text => {
    screen += text;
    const [next] = left;
    const at = next === undefined ? -1 : screen.indexOf(next[0], from);
    if (next === undefined || at < 0) return;
    from = at + next[0].length;
    left.shift();
    child.stdin.write(next[1]);
  });
  return new Promise((done, failed) => child.on('error', failed).on('close', code => done(`${screen}\nexit ${code}`)));
}

t.test('A31: a password typed at the terminal', { skip: hasTerminal ? false : 'there is no script of util-linux' }, async t => {
  const site = newSite();
  t.teardown(() => site.close());
  const add = ['account', 'add', 'boss', '--role', 'admin', '--password-stdin'];
  const [ask, again] = ['password: ', 'once more: '];

  const differs = await atTerminal(site, add, [
    [ask, 'correct horse battery\r'],
    [again, 'correct horse buttery\r'],
  ]);
  t.match(differs, /the two are not the same; nothing was changed\s+exit 2$/);
  t.match(await atTerminal(site, add, [[ask, '\x03']]), /no password was typed; nothing was changed\s+exit 2$/, 'Ctrl-C');
  const weak = await atTerminal(site, add, [
    [ask, 'password2026!\r'],
    [again, 'password2026!\r'],
  ]);
  t.match(weak, /guessed first.*\s+exit 2$/);
  const made = await atTerminal(site, add, [
    [ask, 'oops\x15correct horsx\x7fe b\x1b[Dattery\r'],
    [again, 'correct horse battery\n'],
  ]);
  t.match(made, /account boss added\s+exit 0$/);
  for (const screen of [differs, weak, made]) t.notMatch(screen, /horse|2026!/, 'it is not shown');

  const gate = await site.serve();
  const login = await fetch(`http://127.0.0.1:${gate.adminPort}/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ account: 'boss', password: 'correct horse battery' }),
  });
  t.equal(login.status, 200, 'it is the password');
  mustAnswer(await site.cli('token', 'add', 'boss'));
  const kept = mustAnswer(await site.cli('account', 'password', 'boss'));
  t.match(kept, { stdout: /password \w{28}/, stderr: 'API tokens that still open it: 1; --revoke-tokens ends them\n' });
  t.equal(mustAnswer(await site.cli('account', 'password', 'boss', '--revoke-tokens')).stderr, '');
  t.equal(mustAnswer(await site.cli('token', 'list', 'boss', '--json')).stdout, '[]\n');
  t.equal(await gate.stop(), 0);
});

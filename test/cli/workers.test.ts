/** Several workers: one set of ports, the same lists at once, replaced when they die, stopped together. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { startSink } from '../support/sink.ts';
import { mustAnswer, newSite } from '../support/site.ts';
import { dial } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

/** Processes whose parent is `pid`. */
function children(pid: number | undefined): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function told(port: number, recipient: string): Promise<string> {
  const client = await dial(port);
  await client.reply();
  await client.ask('EHLO client.example');
  await client.ask('MAIL FROM:<news@acme.example>');
  const reply = await client.ask(`RCPT TO:<${recipient}>`);
  client.close();
  return reply.slice(0, 3);
}

const skip = process.platform !== 'linux' && 'finds the workers in /proc';

t.test('law 4: what the command line lists, every worker refuses at the next RCPT; a worker that dies is replaced', { skip }, async t => {
  const sink = await startSink();
  t.teardown(() => sink.close());
  const site = newSite({ submission: { workers: 3 }, upstream: { url: sink.url('?starttls=off') } });
  t.teardown(() => site.close());
  await site.addAcme();
  mustAnswer(await site.cli('credential', 'add', 'acme', 'robot', '--ip', '127.0.0.1/32', '--no-password'));
  const gate = await site.serve();
  t.equal(children(gate.child.pid).length, 3);

  const passed = await Promise.all(Array.from({ length: 9 }, () => told(gate.port, 'jo@prospect.example')));
  t.same(new Set(passed), new Set(['250']));
  mustAnswer(await site.cli('list', 'add', 'acme', 'jo@prospect.example'));
  const refused = await Promise.all(Array.from({ length: 9 }, () => told(gate.port, 'jo@prospect.example')));
  t.same(new Set(refused), new Set(['550']));

  const [victim] = children(gate.child.pid);
  process.kill(victim ?? 0, 'SIGKILL');
  await until('the worker is replaced', () => {
    const now = children(gate.child.pid);
    return now.length === 3 && !now.includes(victim ?? 0);
  });
  t.equal(await told(gate.port, 'jo@prospect.example'), '550');
  t.equal(await gate.stop(), 0);
  t.same(children(gate.child.pid), []);
});

t.test('a worker that cannot start ends the command with its exit code', async t => {
  const site = newSite({ submission: { workers: 2, listen: '192.0.2.1:2525' } });
  t.teardown(() => site.close());
  const answer = await site.cli('serve');
  t.equal(answer.code, 1);
  t.match(answer.stderr, /submission\.listen/);
});

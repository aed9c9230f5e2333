/** The command line beside a running gate, on either store: what it changes binds the next RCPT, and what the gate did can be read. */

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { acmeSite } from '../support/acme.ts';
import { type Shell, startShell } from '../support/command.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { mustAnswer, type RunningGate, type Site } from '../support/site.ts';
import { dial, type SmtpClient } from '../support/smtp-client.ts';
import { until } from '../support/until.ts';

const MESSAGE = [
  'From: Jo <jo@acme.example>',
  'To: sam@prospect.example',
  'Subject: Planning',
  'List-Unsubscribe: <https://www.acme.example/unsubscribe?u=1>',
  '',
  'Privacy policy: https://www.acme.example/privacy',
  'Unsubscribe: https://www.acme.example/unsubscribe?u=1',
  '.',
].join('\r\n');

async function session(gate: RunningGate): Promise<SmtpClient> {
  const client = await dial(gate.port);
  await client.reply();
  await client.ask('EHLO platform.example');
  return client;
}

async function rcpt(client: SmtpClient, to: string): Promise<string> {
  await client.ask('RSET');
  await client.ask('MAIL FROM:<jo@acme.example>');
  return client.ask(`RCPT TO:<${to}>`);
}

async function story(t: Test, settings: Record<string, unknown>): Promise<void> {
  const { site, sink } = await acmeSite(t, { log: { level: 'error' }, ...settings });
  const cli = commands(startShell(t), site);
  await cli('campaign', 'add', 'acme', 'spring');
  const gate = await site.serve();
  const client = await session(gate);
  t.teardown(() => client.close());

  t.match(await rcpt(client, 'sam@prospect.example'), /^250/);
  await cli('list', 'add', 'acme', 'prospect.example');
  const refused = await rcpt(client, 'sam@prospect.example');
  t.match(refused, /^550 5\.7\.1 Recipient may not be mailed \(excluded\) ref=[0-9a-z]{16}$/, 'at the very next RCPT');
  await cli('list', 'remove', 'acme', 'prospect.example');
  t.match(await rcpt(client, 'sam@prospect.example'), /^250/);
  await cli('suppress', 'global', 'sam@prospect.example', '--reason', 'complaint');
  t.match(await rcpt(client, 'sam@prospect.example'), /^550 5\.7\.1 .*\(suppressed\)/);
  await cli('suppress', '--lift', '--by', 'Ann', '--why', 'a mistake', 'global', 'sam@prospect.example');
  t.match(await rcpt(client, 'sam@prospect.example'), /^250/);
  await client.ask('DATA');
  client.send(MESSAGE);
  t.match(await client.reply(), { code: 250 });
  t.equal(sink.messages.length, 1);

  const ref = refused.slice(-16);
  const decision = await until('the decision is written', async () => {
    const answer = await cli.maybe('decision', 'show', `ref=${ref.toUpperCase()}`, '--json');
    return answer.code === 0 && answer.json<Record<string, string>>();
  });
  t.match(decision, { id: ref, client: 'acme', credential: 'robot', check: 'exclusion', token: 'excluded', outcome: 'rejected' });
  t.match(decision, { recipient: 'sam@prospect.example', stage: 'rcpt', reply: /^550 5\.7\.1 /, at: /^20.*Z$/ });
  t.match((await cli('decision', 'show', ref)).stdout, /^why +\S/m);
  t.match(await cli.maybe('decision', 'show', '0000000000000000'), { code: 1, stdout: '', stderr: /no decision 0000000000000000/ });
  t.match(await cli.maybe('decision', 'show', 'not-a-ref'), { code: 2, stdout: '' });

  interface Stats {
    readonly totals: Readonly<Record<string, number>>;
    readonly rows: readonly Readonly<Record<string, string | number>>[];
  }
  const stats = async (...args: string[]) => (await cli('stats', '--json', ...args)).json<Stats>();
  const counted = await until('all is counted', async () => {
    const now = await stats('--client', 'acme', '--since', '1h');
    return now.totals.relayed === 1 && now.totals.rejected === 2 && now;
  });
  const rows = counted.rows.map(({ client, check, token, outcome, count }) => `${client} ${outcome} ${check} ${token} ${count}`);
  t.same(rows.sort(), ['acme rejected exclusion excluded 1', 'acme rejected suppression suppressed 1', 'acme relayed   1']);
  t.same((await stats('--since', '2999-01-01')).rows, []);
  t.same((await stats('--client', 'acme', '--campaign', 'spring')).rows, []);
  t.match((await cli('stats')).stdout, /^client +campaign +outcome +check +token +recipients\n[\s\S]*1 relayed, 2 rejected, 0 deferred/);
  t.match(await cli.maybe('stats', '--since', 'yesterday-ish'), { code: 2, stdout: '' });
  t.match(await cli.maybe('stats', '--client', 'nobody'), { code: 1, stdout: '' });
  t.match(await cli.maybe('stats', '--campaign', 'spring'), { code: 2, stdout: '' });
  t.match(await cli.maybe('stats', '--client', 'acme', '--campaign', 'winter'), { code: 1, stdout: '', stderr: /no campaign 'winter'/ });

  await cli('client', 'remove', 'acme');
  t.match(await client.ask('RSET'), /^250/);
  t.match(await client.ask('MAIL FROM:<jo@acme.example>'), /^5\d\d /, 'and a client that is removed sends no more');
  t.equal(await gate.stop(), 0);
}

t.test('on LMDB', async t => story(t, {}));
t.test('on Redis', { skip: noRedis }, async t => story(t, { store: { url: (await startRedis(t)).url } }));

t.test('doctor tells well from unwell', async t => {
  const { site, sink } = await acmeSite(t, { log: { level: 'error' } });
  const cli = commands(startShell(t), site);
  interface Report {
    readonly ok: boolean;
    readonly findings: readonly { readonly level: string; readonly about: string; readonly text: string }[];
  }
  const calm = await cli('doctor', '--json');
  t.match(calm.json<Report>(), { ok: true });
  const about = (report: Report, what: string) => report.findings.filter(one => one.about === what).map(({ level }) => level);
  t.same(about(calm.json(), 'listener'), ['warn'], 'nothing listens yet, which is no fault');
  for (const what of ['keys', 'ledger', 'upstream']) t.same(about(calm.json(), what), ['ok'], what);
  t.match(await cli.maybe('doctor', '--live'), { code: 75, stdout: /^fail +listener +nothing answers/ });

  const gate = await site.serve();
  const at = { POSTERN_SUBMISSION_LISTEN: `127.0.0.1:${gate.port}` };
  t.match(await cli.with(at, 'doctor', '--live'), { code: 0, stdout: /^ok +listener +127\.0\.0\.1:\d+ 220 gate\.example/ });
  const withAdmin = { ...at, POSTERN_ADMIN_LISTEN: `127.0.0.1:${gate.adminPort}` };
  const lively = await cli.with(withAdmin, 'doctor');
  t.match(lively, { code: 0, stdout: /^ok +upstream/m });
  t.match(lively, { stdout: /^ok +admin +127\.0\.0\.1:\d+ answers/m });
  await gate.stop();
  t.match(await cli.with(withAdmin, 'doctor'), { code: 0, stdout: /^warn +admin +nothing answers/m });
  t.match(await cli.with(at, 'doctor', '--live', '--json'), { code: 75, stdout: /"ok":false/ });

  const failing = createHttpServer((_, answer) =>
    answer.writeHead(503).end('{"status":"failing","parts":{"store":"ok","keys":"failing"}}'),
  );
  t.teardown(() => void failing.close());
  await once(failing.listen(0, '127.0.0.1'), 'listening');
  const elsewhere = { POSTERN_ADMIN_LISTEN: `127.0.0.1:${(failing.address() as { port: number }).port}` };
  t.match(await cli.with(elsewhere, 'doctor'), { code: 75, stdout: /^fail +admin +the gate at .* defers mail: keys failing/m });

  const mute = createServer(socket => socket.end('554 go away\r\n')).listen(0, '127.0.0.1');
  t.teardown(() => void mute.close());
  await once(mute, 'listening');
  const { port } = mute.address() as { port: number };
  t.match(await cli.with({ POSTERN_SUBMISSION_LISTEN: `127.0.0.1:${port}` }, 'doctor', '--live'), { code: 75 }, 'a port is no gate');
  await sink.close();
  t.match(await cli.maybe('doctor'), { code: 75, stdout: /^fail +upstream/m });
});

function commands(shell: Shell, site: Site) {
  const run = (env: Record<string, string>, args: readonly string[]) =>
    shell.run([...args, '--config', site.configFile], { cwd: site.dir, env });
  return Object.assign(async (...args: string[]) => mustAnswer(await run({}, args)), {
    maybe: (...args: string[]) => run({}, args),
    with: (env: Record<string, string>, ...args: string[]) => run(env, args),
  });
}

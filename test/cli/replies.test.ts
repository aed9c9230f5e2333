/** The outer contract of reply, and what stats and doctor say of the way back. */
import t from 'tap';
import { ALARM_MS } from '../../src/journal/pending.ts';
import { acmeSite } from '../support/acme.ts';
import { bring, deliveryReport, plainAnswer } from '../support/bringing.ts';
import { startShell } from '../support/command.ts';
import { sendOne } from '../support/platform.ts';
import { mustAnswer } from '../support/site.ts';

const SALES = 'sales@acme.example';
const ANN = 'ann@there.example';

interface Line {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly people: readonly string[];
}

t.test('list, show, decide; counted and looked at', async t => {
  const all = await acmeSite(t, { inbound: { domains: ['in.acme.example'] }, log: { level: 'error' } });
  const shell = startShell(t);
  const cli = (...args: string[]) => shell.run([...args, '--config', all.site.configFile], { cwd: all.site.dir });
  const json = async <T>(...args: string[]) => mustAnswer(await cli(...args, '--json')).json<T>();
  const says = async (...args: string[]) => mustAnswer(await cli(...args)).stdout;
  await says('client', 'update', 'acme', '--reply-address', SALES);
  t.same(await json('reply', 'list', 'acme'), []);
  t.match(await json('stats'), { inbound: { kinds: {}, open: 0, pending: { alarm: false, sources: [] }, latency: { count: 0 } } });

  const gate = await all.site.serve();
  t.match(await sendOne(gate.port, ANN), { reply: /^250/ });
  const friendly = plainAnswer({ from: ANN, to: SALES, text: 'Call me on Monday.', id: 'ann-1', inReplyTo: '<m1@mailer.example>' });
  t.match(await bring(gate.inboundPort, ANN, [SALES], friendly), { last: /^250/ });
  // Anybody can write a report of somebody whom nobody mailed.
  const forged = deliveryReport(SALES, 'stranger@there.example', Buffer.from('Message-ID: <none@there.example>\r\n\r\n'));
  t.match(await bring(gate.inboundPort, '', [SALES], forged), { last: /^250/ });

  const lines = await json<Line[]>('reply', 'list', 'acme');
  t.match(lines, [
    { kind: 'bounce', state: 'open', owner: 'acme', receivedAt: /^20.*Z$/ },
    { kind: 'reply', state: 'done', people: [ANN], text: /Call me on Monday/, actions: [/^exclusion acme\S* reply$/], via: 'smtp' },
  ]);
  const [doubtful, reply] = lines as [Line, Line];
  t.same(
    (await json<Line[]>('reply', 'list', 'acme', '--open')).map(({ id }) => id),
    [doubtful.id],
  );
  t.equal((await json<Line[]>('reply', 'list', 'acme', '--limit', '1')).length, 1);
  t.same(await json('reply', 'list', 'acme', '--since', '2999-01-01'), []);
  const kinds = async (...args: string[]) => (await json<Line[]>('reply', 'list', 'acme', ...args)).map(({ kind }) => kind);
  t.same(await kinds('--kind', 'reply'), ['reply']);
  t.same(await kinds('--address', ANN.toUpperCase()), ['reply']);
  t.same(await kinds('--address', 'nobody@there.example'), []);
  t.same(await kinds('--from', '1h'), ['bounce', 'reply']);
  t.same(await kinds('--to', '1h'), []);
  t.match(await cli('reply', 'list', 'acme', '--campaign', 'nosuch'), { code: 1, stdout: '', stderr: /no campaign 'nosuch'/ });
  t.match(await cli('reply', 'list', 'acme', '--from', '1h', '--to', '2h'), { code: 2, stdout: '', stderr: /--to is not after/ });
  t.same(await json('reply', 'list', 'global'), []);
  t.same(await json('reply', 'list'), lines, 'of all, where nobody is named');
  t.same(await json('reply', 'list', '--open', '--limit', '1'), [doubtful]);
  t.match(await says('reply', 'list'), /^reply +owner +received[\s\S]*\n[0-9a-z]{16} +acme +20\S+Z/);
  t.match(await cli('reply', 'list', '--limit', '1001'), { code: 2, stderr: /--limit: at most 1000 of all/ });
  t.match(await cli('reply', 'list', '--campaign', 'spring'), { code: 2, stderr: /--campaign: name its client/ });
  t.match(
    await says('reply', 'list', 'acme'),
    /^reply +received +kind +state[\s\S]*\n[0-9a-z]{16} +20\S+Z +bounce +open[\s\S]*ann@there\.example/,
  );

  t.match(await json('reply', 'show', reply.id), reply);
  const shown = await says('reply', 'show', `ref=${reply.id.toUpperCase()}`);
  t.match(shown, /^people +ann@there\.example$/m);
  t.match(shown, /^followed +exclusion acme/m);
  t.match(shown, /\n\nCall me on Monday\./);

  const decide = (id: string, as: string, by = 'Kim', why = 'looked at it') =>
    cli('reply', 'decide', id, '--as', as, '--by', by, '--why', why);
  t.match(mustAnswer(await decide(doubtful.id, 'nothing')).stdout, `${doubtful.id} decided: nothing\n`);
  t.match(await json('reply', 'show', doubtful.id), { state: 'decided', decision: { as: 'nothing', by: 'Kim', at: /^20.*Z$/ } });
  t.match(mustAnswer(await decide(doubtful.id, 'nothing')).stdout, /was decided so before/);
  t.same(await json('reply', 'list', 'acme', '--open'), []);
  const wrong: [Parameters<typeof decide> | string[], number, RegExp][] = [
    [[doubtful.id, 'opt-out'], 1, /waits for no decision/],
    [[reply.id, 'nothing'], 1, /waits for no decision/],
    [['0000000000000000', 'nothing'], 1, /no reply 0000000000000000/],
    [['nonsense', 'nothing'], 2, /no id of a reply/],
    [[doubtful.id, 'forget'], 2, /Allowed choices are opt-out, reply, nothing/],
    [[doubtful.id, 'nothing', ' '], 2, /--by and --why must say something/],
  ];
  for (const [[id = '', as = '', ...more], code, stderr] of wrong) {
    t.match(await decide(id, as, ...more), { code, stdout: '', stderr }, `${id} ${as}`);
  }
  t.match(await cli('reply', 'show', reply.id, '--message'), { code: 1, stdout: '', stderr: /was not kept/ });
  t.match(await cli('reply', 'list', 'nobody'), { code: 1, stdout: '', stderr: /no client 'nobody'/ });
  t.match(await cli('reply', 'list', 'acme', '--since', 'whenever'), { code: 2, stdout: '', stderr: /is no time/ });

  const stats = await json<{ totals: object; rows: { outcome: string }[]; inbound: object }>('stats', '--client', 'acme');
  t.match(stats.inbound, { kinds: { bounce: 1, reply: 1 }, open: 0, latency: { count: 2, p50Ms: Number, p99Ms: Number } });
  t.notOk(
    stats.rows.some(({ outcome }) => outcome === 'received'),
    'what came back is counted apart',
  );
  t.match(await says('stats'), /\ncame back: [^\n]*1 reply[\s\S]*from receipt to enforced: half within \d+ ms/);
  await gate.stop();
});

t.test('A17: what waits too long is an alarm', async t => {
  const all = await acmeSite(t, { log: { level: 'error' } });
  const shell = startShell(t);
  const cli = (...args: string[]) => shell.run([...args, '--config', all.site.configFile], { cwd: all.site.dir });
  const note = (source: string, ms: number) =>
    all.house(({ pending, clock }) => pending.note(source, { oldestAt: clock.now() - ms, unreadableSince: undefined }));
  await note('smtp here', ALARM_MS / 2);
  t.match((await cli('stats', '--json')).json(), { inbound: { pending: { alarm: false, sources: [{ source: 'smtp here' }] } } });
  t.match((await cli('doctor')).code, 0);
  await note('smtp there', ALARM_MS + 60_000);
  t.match((await cli('stats', '--json')).json(), {
    inbound: { pending: { alarm: true, oldestAt: /^20/, sources: [{ source: 'smtp there', unreadable: false }, {}] } },
  });
  t.match((await cli('stats')).stdout, /^ALARM: smtp there holds something that is not enforced since 20\S+ \(12 h\)$/m);
  t.match(await cli('doctor'), { code: 75, stdout: /^fail +inbound +ALARM: smtp there/m });
});

t.test('doctor: whether replies and bounces can arrive', async t => {
  const all = await acmeSite(t, { log: { level: 'error' } });
  const shell = startShell(t);
  const doctor = async (env: Record<string, string> = {}) => {
    const { stdout } = await shell.run(['doctor', '--config', all.site.configFile], { cwd: all.site.dir, env });
    return stdout
      .split('\n')
      .filter(line => /^\w+ +inbound /.test(line))
      .map(line => line.replace(/ +/g, ' '));
  };
  t.match(await doctor(), [/^warn inbound inbound\.domains is empty/, /^warn inbound client acme: its replies are taken nowhere/]);
  t.match(await doctor({ POSTERN_INBOUND_LISTEN: 'off' }), [/^warn inbound nothing that comes back is taken/, /taken nowhere/]);
  const domains = { POSTERN_INBOUND_DOMAINS: 'in.acme.example' };
  await all.run('credential', 'add', 'acme', 'sam', '--policy', 'conversation');
  t.match(await doctor(domains), [/taken nowhere/, /^warn inbound client acme: sam can answer nobody/]);
  await all.run('client', 'update', 'acme', '--reply-address', 'sales@acme.example', '--return-path', 'in.acme.example');
  t.match(await doctor(domains), [/^ok inbound takes what comes back at 127\.0\.0\.1:0, in\.acme\.example$/]);
  t.match(await doctor({ POSTERN_INBOUND_DOMAINS: 'other.example' }), [
    /^fail inbound client acme: bounces to its return path in\.acme\.example/,
  ]);
  await all.run('client', 'update', 'acme', '--reply-address', 'privacy@in.acme.example', '--forward-to', 'feedback@in.acme.example');
  t.match(await doctor(domains), [
    /^warn inbound client acme: a reply address is one of inbound\.domains' own/,
    /^fail .*copies would come back/,
  ]);
});

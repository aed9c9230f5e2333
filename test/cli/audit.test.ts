/** The outer contract of audit: every command that changes anything leaves a line, and verify finds what was done to the lines. */

import { cpSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { recordKey } from '../../src/audit/chain.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';

const site = newSite();
t.teardown(() => site.close());
const shell = startShell(t);
const cli = (...args: string[]) => shell.run([...args, '--config', site.configFile], { cwd: site.dir });
const json = async <T = unknown>(...args: string[]) => mustAnswer(await cli(...args, '--json')).json<T>();

interface Line {
  readonly owner: string;
  readonly n: number;
  readonly by: string;
  readonly from: string;
  readonly what: string;
  readonly about?: Readonly<Record<string, unknown>>;
  readonly why?: string;
}

async function inStore(work: (store: Store) => Promise<unknown>): Promise<void> {
  const log = pino({ level: 'silent' });
  const store = await openStore(`lmdb:${join(site.dir, 'data')}`, {
    create: false,
    patient: false,
    baseDir: site.dir,
    log,
    admit: async () => undefined,
  });
  await work(store).finally(() => store.close());
}

t.test('A18: who, from where, what and why of every change', async t => {
  await site.addAcme();
  const ann = ['--by', 'Ann Example', '--why', 'asked for'];
  for (const args of [
    ['client', 'update', 'acme', '--policy', 'b2b-prospecting', ...ann],
    ['campaign', 'add', 'acme', 'q3', '--target-domain', 'widgets.example'],
    ['credential', 'add', 'acme', 'mailer'],
    ['credential', 'rotate', 'mailer'],
    ['list', 'add', 'acme', 'jo@widgets.example'],
    ['list', 'add', 'acme', 'jo@widgets.example'],
    ['list', 'remove', 'acme', 'jo@widgets.example', ...ann],
    ['suppress', 'acme/q3', 'kim@widgets.example', ...ann],
    ['suppress', 'acme/q3', 'kim@widgets.example', '--lift', ...ann],
    ['list', 'export', 'acme'],
    ['list', 'add', 'global', 'competitor.example'],
    ['client', 'remove', 'acme'],
  ]) {
    mustAnswer(await cli(...args));
  }
  const lines = await json<Line[]>('audit', 'show', 'acme');
  const me = userInfo().username;
  t.same(
    lines.toReversed().map(({ what, by, from, why }) => [what, by, from, why]),
    [
      ['client.add', me, 'cli', undefined],
      ['credential.add', me, 'cli', undefined],
      ['client.update', 'Ann Example', 'cli', 'asked for'],
      ['campaign.add', me, 'cli', undefined],
      ['credential.add', me, 'cli', undefined],
      ['credential.rotate', me, 'cli', undefined],
      ['exclusion.add', me, 'cli', undefined],
      ['exclusion.remove', 'Ann Example', 'cli', 'asked for'],
      ['suppression.add', 'Ann Example', 'cli', 'asked for'],
      ['lift', 'Ann Example', 'cli', 'asked for'],
      ['export.start', me, 'cli', undefined],
      ['export.end', me, 'cli', undefined],
      ['client.remove', me, 'cli', undefined],
    ],
  );
  t.match(lines.find(({ what }) => what === 'client.update')?.about, { policy: { from: 'basic', to: 'b2b-prospecting' } });
  t.notMatch(JSON.stringify(lines), /jo@|kim@/, 'no address, not even sealed');
  t.match(await json('audit', 'show', 'global'), [{ owner: 'global', n: 1, what: 'exclusion.add' }]);
  t.equal((await json<Line[]>('audit', 'show', '--limit', '3')).length, 3);
  t.same(await json('audit', 'show', 'acme', '--since', '2100-01-01'), []);
  const whats = async (...args: string[]) => (await json<Line[]>('audit', 'show', 'acme', ...args)).map(({ what }) => what);
  t.same(await whats('--what', 'client.'), ['client.remove', 'client.update', 'client.add']);
  t.same(await whats('--what', 'credential.add', '--limit', '1'), ['credential.add']);
  t.same(await whats('--actor', 'Ann Example'), ['lift', 'suppression.add', 'exclusion.remove', 'client.update']);
  t.same(await whats('--about', 'Kim+news@widgets.example'), ['lift', 'suppression.add']);
  t.same(await whats('--about', 'jo@widgets.example'), ['exclusion.remove', 'exclusion.add']);
  t.same(await whats('--to', '1h'), []);
  t.equal((await whats('--from', '1h')).length, 13);
  t.match(await cli('audit', 'show', '--from', '1h', '--to', '2h'), { code: 2, stdout: '', stderr: /--to is not after/ });
  t.match(mustAnswer(await cli('audit', 'show')).stdout, /client\.update .* policy=/);
});

t.test('A18: verify says where it is not whole, and exits with 1', async t => {
  t.same(await json('audit', 'verify'), [
    { owner: 'acme', records: 13, anchored: 13, findings: [], accepted: [] },
    { owner: 'global', records: 1, anchored: 1, findings: [], accepted: [] },
  ]);
  t.match(mustAnswer(await cli('audit', 'verify', 'acme')).stdout, /^acme: whole, 13 records/);
  await inStore(store => store.apply([{ key: recordKey('acme', 4), value: undefined }]));
  const { code, stdout } = await cli('audit', 'verify');
  t.equal(code, 1);
  t.match(stdout, /record 4 is missing/);
  t.equal((await cli('audit', 'verify', 'acme', '--json')).code, 1);
  t.equal((await cli('audit', 'verify', 'global')).code, 0);
  t.match(await cli('audit', 'verify', 'nobody'), { code: 1, stderr: /no client/ });
});

t.test('B8: every export is on record, with what was in it; A34: and many of them are an alarm', async t => {
  const other = newSite({ alerts: { exports: { count: 3 } } });
  t.teardown(() => other.close());
  await other.addAcme();
  const at = async (...args: string[]) => mustAnswer(await shell.run([...args, '--config', other.configFile], { cwd: other.dir }));
  await at('list', 'add', 'acme', 'jo@widgets.example');
  await at('list', 'add', 'acme', 'widgets.example');
  await at('suppress', 'acme', 'kim@widgets.example');
  const first = await at('list', 'export', 'acme', '--by', 'Ann Example', '--why', 'asked for');
  t.notMatch(first.stderr, /mass-export/);
  await at('list', 'show', 'acme');
  await at('decision', 'list', 'acme', '--limit', '1000');
  await at('reply', 'list', 'acme', '--limit', '1000');
  // A process of its own: the log goes past what a shell hears.
  const third = mustAnswer(await other.cli('decision', 'list', '--limit', '1001'));
  t.match(third.stderr, /"alarm":"mass-export".*"exports":3/);
  t.match((await other.cli('reply', 'list', 'acme', '--limit', '5000', '--json')).stderr, /"exports":4/);
  const ofTrail = async (owner: string) =>
    (await at('audit', 'show', owner, '--json'))
      .json<Line[]>()
      .filter(({ what }) => what.startsWith('export'))
      .toReversed();
  const acme = await ofTrail('acme');
  t.match(
    acme.map(({ what, by, about }) => [what, by, about]),
    [
      ['export.start', 'Ann Example', { list: 'exclusion', scope: 'acme', format: 'csv' }],
      ['export.end', 'Ann Example', { rows: 2, unreadable: 1, complete: true }],
      ['export.start', userInfo().username, { lists: ['exclusion', 'suppression'] }],
      ['export.end', userInfo().username, { rows: 3 }],
      ['export.start', userInfo().username, { journal: 'replies', limit: 5000 }],
      ['export.end', userInfo().username, { rows: 0 }],
    ],
  );
  t.equal(acme[0]?.about?.export, acme[1]?.about?.export);
  t.match(await ofTrail('global'), [{ what: 'export.start', about: { journal: 'decisions' } }, { what: 'export.end' }]);
});

t.test('A18: doctor looks at the trails', async t => {
  const ofAudit = async () => {
    const { findings } = (await cli('doctor', '--json')).json<{ findings: { level: string; about: string; text: string }[] }>();
    return findings.filter(({ about }) => about === 'audit');
  };
  t.match(await ofAudit(), [{ level: 'fail', text: /^acme: not whole; postern audit verify acme/ }]);
  // The record that was taken out above belongs to this test's own store: go on with a fresh one.
  const other = newSite();
  t.teardown(() => other.close());
  await other.addAcme();
  const at = (...args: string[]) => shell.run([...args, '--config', other.configFile], { cwd: other.dir });
  const backup = join(other.dir, 'backup');
  cpSync(join(other.dir, 'data'), backup, { recursive: true });
  mustAnswer(await at('client', 'update', 'acme', '--name', 'Acme Ltd'));
  rmSync(join(other.dir, 'data'), { recursive: true });
  cpSync(backup, join(other.dir, 'data'), { recursive: true });

  const broken = await at('audit', 'verify', 'acme');
  t.match(broken, { code: 1, stdout: /cut: records 3 to 3 were there and are gone/ });
  t.match((await at('doctor')).stdout, /fail {2}audit +acme: not whole/);
  t.match(await at('audit', 'accept', 'acme'), { code: 2 }, 'not without a name');
  t.match(await at('audit', 'accept', 'acme', '--by', 'Bea', '--why', ' '), { code: 2 }, 'nor without a reason');
  const because = ['--by', 'Bea', '--why', 'backup of Sunday'];
  t.match(mustAnswer(await at('audit', 'accept', 'acme', ...because)).stdout, /lines 3 to 3 accepted as lost/);
  t.match(mustAnswer(await at('audit', 'accept', 'acme', ...because)).stdout, /nothing is lost/);
  const told = mustAnswer(await at('audit', 'verify', 'acme')).stdout;
  t.match(told, /^acme: whole but for what was accepted as lost/);
  t.match(told, /accepted: lines 3 to 3 were lost; accepted by Bea at 20.*Z: backup of Sunday/);
  t.match((await at('doctor')).stdout, /warn {2}audit +acme: lines 3 to 3 were lost; accepted by Bea/);
  t.match((await at('audit', 'show', 'acme', '--json')).json<Line[]>()[0], {
    n: 3,
    what: 'audit.accept',
    by: 'Bea',
    why: 'backup of Sunday',
    about: { from: 3, to: 3 },
  });
  t.match(await at('audit', 'accept', 'nobody', ...because), { code: 1, stderr: /no client/ });
});

/** The outer contract of classify: one answer a file, whatever the files; needs neither store nor configuration. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { KINDS } from '../../src/inbound/finding.ts';
import { postern, startShell } from '../support/command.ts';
import { mustAnswer } from '../support/site.ts';

interface Verdict {
  readonly file: string;
  readonly kind: string;
  readonly recipients: readonly { readonly address: string; readonly status: string | null; readonly permanent: boolean }[];
  readonly ownText: string;
  readonly matched: { readonly rule: string; readonly span: string } | null;
  readonly language: string | null;
}

const dir = mkdtempSync(join(tmpdir(), 'postern-classify-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const shell = startShell(t);
const cli = (...args: string[]) => shell.run(['classify', ...args], { cwd: dir });
const verdicts = (stdout: string): Verdict[] =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Verdict);
const file = (name: string, content: string | Buffer) => writeFileSync(join(dir, name), content);

const reply = (text: string): string =>
  [
    'From: Jane <jane@widgets.example>',
    'To: sam@acme.example',
    'Subject: Re: Spring',
    'Message-ID: <jane-1@widgets.example>',
    'In-Reply-To: <spring-1@acme.example>',
    '',
    text,
    '',
  ].join('\n');
const FRIENDLY = reply('Thank you, let us talk on Monday.');
const BOUNCE = [
  'From: MAILER-DAEMON@mx.widgets.example',
  'To: bounce@acme.example',
  'Subject: Undelivered Mail Returned to Sender',
  'MIME-Version: 1.0',
  'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
  '',
  '--b',
  'Content-Type: message/delivery-status',
  '',
  'Reporting-MTA: dns; mx.widgets.example',
  '',
  'Final-Recipient: rfc822; gone@widgets.example',
  'Action: failed',
  'Status: 5.1.1',
  'Diagnostic-Code: smtp; 550 5.1.1 no such user',
  '',
  '--b--',
  '',
].join('\n');

t.test('one JSON object a line, with these keys in this order', async t => {
  file('friendly.eml', FRIENDLY);
  file('bounce.eml', BOUNCE);
  file('out.eml', reply('Please take me off your list.'));
  const answer = mustAnswer(await cli('friendly.eml', 'bounce.eml', 'out.eml', '--json'));
  const [friendly, bounce, out, ...more] = verdicts(answer.stdout);
  t.same(more, []);
  for (const one of [friendly, bounce, out]) {
    t.same(Object.keys(one ?? {}), ['file', 'kind', 'recipients', 'ownText', 'matched', 'language']);
    t.ok((KINDS as readonly string[]).includes(one?.kind ?? ''));
  }
  const own = 'Thank you, let us talk on Monday.';
  t.match(friendly, { file: 'friendly.eml', kind: 'reply', recipients: [], matched: null, language: null });
  t.equal(friendly?.ownText.trim(), own);
  t.match(bounce, { kind: 'bounce', recipients: [{ address: 'gone@widgets.example', status: '5.1.1', permanent: true }], ownText: '' });
  t.match(out, { kind: 'opt-out', matched: { rule: /^opt-out/, span: /off your list/ }, language: 'en' });
});

t.test('a line each for people', async t => {
  const { stdout } = mustAnswer(await cli('bounce.eml', 'out.eml'));
  t.match(stdout.split('\n'), [
    /^bounce .* bounce\.eml {2}gone@widgets\.example 5\.1\.1 permanent$/,
    /^opt-out +en +opt-out\/\S+ +out\.eml$/,
    '',
  ]);
});

t.test('line ends of any system, and a mailbox file with one message, say the same', async t => {
  const spelled: Record<string, string> = {
    'lf.eml': BOUNCE,
    'crlf.eml': BOUNCE.replaceAll('\n', '\r\n'),
    'cr.eml': BOUNCE.replaceAll('\n', '\r'),
    'mbox.eml': `From MAILER-DAEMON Mon Nov 16 10:00:00 2026\n${BOUNCE}`,
  };
  for (const [name, content] of Object.entries(spelled)) file(name, content);
  const found = verdicts(mustAnswer(await cli(...Object.keys(spelled), '--json')).stdout);
  t.equal(found.length, 4);
  for (const one of found) t.same({ ...one, file: '' }, { ...found[0], file: '' }, one.file);
});

t.test('what cannot be read is said, and the others are classified', async t => {
  const answer = await cli('absent.eml', 'friendly.eml', 'absent-too.eml', '--json');
  t.equal(answer.code, 1);
  t.match(answer.stderr, /^postern: absent\.eml: no such file\npostern: absent-too\.eml: no such file\n$/);
  t.same(
    verdicts(answer.stdout).map(one => one.file),
    ['friendly.eml'],
  );
  t.match(await cli(), { code: 2, stdout: '', stderr: /missing required argument 'file'/ });
  t.match(await cli('friendly.eml', '--rules', 'nowhere'), { code: 2, stdout: '', stderr: /--rules nowhere: no such folder/ });
});

t.test('whatever a file holds, it is classified', async t => {
  const octets: Record<string, Buffer> = {
    'empty.eml': Buffer.alloc(0),
    'nul.eml': Buffer.alloc(100_000),
    'from.eml': Buffer.from('From '),
    'text.eml': Buffer.from('no header at all'),
    'latin1.eml': Buffer.from(FRIENDLY.replace('Thank', 'Dank f\u00fcr'), 'latin1'),
  };
  for (const [name, content] of Object.entries(octets)) file(name, content);
  t.equal(verdicts(mustAnswer(await cli(...Object.keys(octets), '--json')).stdout).length, 5);
});

t.test('folders: all files in them and below, in order; thousands in one go', async t => {
  mkdirSync(join(dir, 'many/below'), { recursive: true });
  for (let i = 0; i < 2_000; i++) file(`many/${String(i).padStart(4, '0')}.eml`, i % 2 === 0 ? FRIENDLY : BOUNCE);
  file('many/below/last.eml', FRIENDLY);
  file('many/.hidden', FRIENDLY);
  const found = verdicts(mustAnswer(await cli('many', '--json')).stdout);
  t.same(
    found.map(one => one.file),
    [
      ...readdirSync(join(dir, 'many'))
        .filter(name => name.endsWith('.eml'))
        .sort()
        .map(name => `many/${name}`),
      'many/below/last.eml',
    ],
  );
  t.equal(found.filter(one => one.kind === 'bounce').length, 1_000);
});

t.test('- is standard input; a process of its own needs no configuration and no store', async t => {
  const env = { POSTERN_CONFIG: join(dir, 'no-such-config.yaml') };
  const answer = mustAnswer(await postern(['classify', '-', '--json'], { cwd: dir, env, input: BOUNCE }));
  t.match(verdicts(answer.stdout), [{ file: '-', kind: 'bounce', recipients: [{ address: 'gone@widgets.example' }] }]);
  t.notOk(readdirSync(dir).includes('data'), 'nothing was made');
});

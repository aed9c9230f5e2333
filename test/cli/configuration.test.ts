/** Configuration as an operator meets it: every key by file and by environment, paths from the file's folder, unknown keys as errors. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TEST_CERTIFICATE } from '../support/certificate.ts';
import { startShell } from '../support/command.ts';
import { mustAnswer, newSite } from '../support/site.ts';
import { dial } from '../support/smtp-client.ts';

const CLIENT = [
  'client',
  'add',
  'acme',
  '--name',
  'Acme',
  '--privacy-url',
  'https://www.acme.example/privacy',
  '--from-domain',
  'acme.example',
];
const shell = startShell(t);

t.test('relative paths start at the config file’s folder, given by file or by environment', async t => {
  const cwd = t.testdir({ elsewhere: {}, etc: {} });
  const file = join(cwd, 'etc', 'gate.yaml');
  writeFileSync(file, 'store: {url: "lmdb:one/data"}\nkeys: {file: one/ring.key}\nledger: {url: "file:one/ledger.log"}\n');
  mustAnswer(await shell.run([...CLIENT, '--config', 'etc/gate.yaml'], { cwd }));
  for (const path of ['data/data.mdb', 'ring.key', 'clients', 'ledger.log']) t.ok(existsSync(join(cwd, 'etc/one', path)), path);
  const env = {
    POSTERN_CONFIG: file,
    POSTERN_STORE_URL: 'lmdb:two/data',
    POSTERN_KEYS_FILE: 'two/ring.key',
    POSTERN_LEDGER_URL: 'file:two/ledger.log',
  };
  mustAnswer(await shell.run(CLIENT, { cwd: join(cwd, 'elsewhere'), env }));
  for (const path of ['data/data.mdb', 'ring.key', 'ledger.log']) t.ok(existsSync(join(cwd, 'etc/two', path)), path);
});

t.test('the keys of the gate, by environment', async t => {
  const site = newSite();
  t.teardown(() => site.close());
  mkdirSync(join(site.dir, 'pem'));
  writeFileSync(join(site.dir, 'pem/gate.crt'), TEST_CERTIFICATE.cert);
  writeFileSync(join(site.dir, 'pem/gate.key'), TEST_CERTIFICATE.key);
  const gate = await site.serve({
    POSTERN_SUBMISSION_LISTEN: '127.0.0.1:0,smtps://127.0.0.1:0',
    POSTERN_SUBMISSION_TLS_CERT: './pem/gate.crt',
    POSTERN_SUBMISSION_TLS_KEY: './pem/gate.key',
    POSTERN_SUBMISSION_MAXMESSAGEBYTES: '1048576',
    POSTERN_UPSTREAM_URL: 'smtp://127.0.0.1:9?starttls=off',
    POSTERN_LOG_LEVEL: 'error',
  });
  t.equal(gate.ports.length, 2);
  const plain = await dial(gate.ports[0] ?? 0);
  await plain.reply();
  t.match(await plain.ask('EHLO there.example'), /SIZE 1048576\b/);
  plain.close();
  const implicit = await dial(gate.ports[1] ?? 0, { tls: true });
  t.match(await implicit.reply(), { code: 220 });
  implicit.close();
  t.notOk(existsSync(join(site.dir, 'tls')), 'no certificate was made beside the one that was named');
  t.equal(await gate.stop(), 0);
  t.equal(gate.log(), '', 'log.level: error keeps warnings away');
});

t.test('a policy by environment, and one by file', async t => {
  const site = newSite({ policies: { lenient: { 'personal-address': 'off' } } });
  t.teardown(() => site.close());
  const run = async (env: Record<string, string>, ...args: string[]) =>
    mustAnswer(await shell.run([...args, '--config', site.configFile], { cwd: site.dir, env })).stdout;
  await run({}, ...CLIENT);
  const ask = async (env: Record<string, string>, ...more: string[]) => {
    const question = ['explain', '--client', 'acme', '--from', 'jo@acme.example', '--to', 'someone@gmail.com', '--json'];
    return JSON.parse(await run(env, ...question, ...more)) as { verdict: string; objections: object[] };
  };
  t.match(await ask({}), { verdict: 'reject', objections: [{ token: 'personal', mode: 'enforce' }] });
  t.match(await ask({ POSTERN_POLICIES_BASIC_PERSONAL_ADDRESS: 'observe' }), {
    verdict: 'pass',
    objections: [{ check: 'personal-address', mode: 'observe' }],
  });
  t.match(await ask({}, '--policy', 'lenient'), { verdict: 'pass', objections: [] });
});

t.test('what cannot be is refused with exit code 2, and named', async t => {
  const table: [string, RegExp][] = [
    ['stor: {url: x}', /^postern: stor: no such key; there are store,/],
    ['submission: {listn: x}\nupstream: {uri: x}', /^postern: submission\.listn: no such key.*\npostern: upstream\.uri: no such key/],
    ['policies: {basic: {exclusion: observe}}', /policies\.basic\.exclusion: is always enforced/],
    ['policies: {basic: {exclsion: observe}}', /policies\.basic\.exclsion: no such check; there are exclusion/],
    ['policies: {basic: {opt-out: {mode: enforce, suffice: [link]}}}', /policies\.basic\.opt-out\.suffice: no such option/],
    ['policies: {basic: {sender: maybe}}', /policies\.basic\.sender: no such mode/],
    ['log: {level: loud}', /log\.level: /],
    ['submission: {maxRecipients: 99}', /submission\.maxRecipients: .*never below 100/],
    ['store: [', /postern\.yaml: /],
    ['submission: {listen: here}', /submission\.listen: "here" is no listening address/],
    ['submission: {listen: ["127.0.0.1:0", "127.0.0.1:x"]}', /submission\.listen: "127\.0\.0\.1:x"/],
    ['upstream: {url: "http://relay.example"}', /upstream\.url: the upstream URL must begin with smtp:/],
    ['upstream: {url: "smtp://robot:sesame@relay.example:0"}', /upstream\.url: the upstream URL names port 0/],
    ['store: {url: "mysql://robot:sesame@db"}', /store\.url: must begin with lmdb:/],
    ['ledger: {url: "https://robot:sesame@db"}', /ledger\.url: must begin with file:/],
    ['keys: {vault: "https://robot:sesame@db"}', /keys\.vault: must be a folder/],
  ];
  for (const [text, stderr] of table) {
    const cwd = t.testdir({ 'postern.yaml': text });
    t.match(await shell.run(['doctor'], { cwd }), { code: 2, stdout: '', stderr }, text);
    const served = await shell.run(['serve'], { cwd });
    t.match(served, { code: 2, stdout: '', stderr }, `serve with ${text}`);
    t.notMatch(served.stderr, 'sesame', 'secrets are not repeated');
  }
  const cwd = t.testdir({});
  t.match(await shell.run(['client', 'list', '--config', 'absent.yaml'], { cwd }), { code: 2, stderr: /absent\.yaml: cannot be read/ });
});

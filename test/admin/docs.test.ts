/** docs/api.md against reality: its commands run, its curl examples answer. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { MAX_BATCH } from '../../src/admin/batch.ts';
import { problemOf, problemSchema } from '../../src/admin/problem.ts';
import { noCurl } from '../support/curl.ts';
import { mustAnswer, newSite } from '../support/site.ts';
import { newOffice } from './support.ts';

const run = promisify(execFile);
const text = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
const blocks = (language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(match => match[1] ?? '');

t.test('a first token, by the commands that docs/api.md names; then its curl examples', { skip: noCurl }, async t => {
  const site = newSite();
  t.teardown(() => site.close());
  let token = '';
  for (const line of blocks('sh cli').join('').trim().split('\n')) {
    const { stdout } = mustAnswer(await site.cli(...line.split(' ').slice(1)));
    token = /postern_[\w-]{43}/.exec(stdout)?.[0] ?? token;
  }
  await site.addAcme();
  const gate = await site.serve();
  const env = { ...process.env, TOKEN: token, API: `http://127.0.0.1:${gate.adminPort}` };
  const examples = blocks('sh');
  t.ok(examples.length >= 3);
  for (const example of examples) {
    const { stdout } = await run('bash', ['-c', example.replaceAll('curl -s ', "curl -s -w '\\n%{http_code}\\n' ")], { env });
    const statuses = stdout.split('\n').filter(line => /^\d{3}$/.test(line));
    t.equal(statuses.length, example.split('curl -s ').length - 1, stdout);
    for (const status of statuses) t.match(status, /^20[0-2]$/, example);
  }
  t.notMatch(gate.log(), /postern_|acme-platform/, 'neither token nor name is logged');
  t.equal(await gate.stop(), 0);
});

t.test('the problem that it shows, and the types that it lists', async t => {
  const office = await newOffice(t);
  const admin = await office.as('admin');
  const [shown] = blocks('json');
  t.same((await admin('POST', '/v1/accounts', { name: 'jo' })).json(), JSON.parse(shown ?? ''));
  t.ok(problemSchema.properties.type);
  t.ok(text.includes(`up to ${MAX_BATCH.toLocaleString('en')} entries`), 'how much a batch takes');
  for (const [, status, types] of text.matchAll(/^\| ([\d, ]+) \| (`.*?)\|$/gm)) {
    for (const [, type] of (types ?? '').matchAll(/`([a-z-]+)`/g)) {
      t.ok(status?.includes(String(problemOf(type as Parameters<typeof problemOf>[0]).status)), `${type} is ${status}`);
    }
  }
});

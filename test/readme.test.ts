/** README: what is generated from the code says what the code says, and what it links to is there. */
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { checksTable, tokensTable } from '../src/checks/tables.ts';
import { commandsTable } from '../src/cli/tables.ts';
import { newSite } from './support/site.ts';

const root = new URL('../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

const part = (name: string): string => new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)<!-- /${name} -->`).exec(readme)?.[1] ?? `no part ${name}`;

t.test('the tables are the registry and the program (else: npm run readme)', async t => {
  t.equal(part('checks'), checksTable());
  t.equal(part('tokens'), tokensTable());
  t.equal(part('commands'), commandsTable());
});

t.test('the demo prints what README shows, but for ids and times', async t => {
  const site = newSite();
  t.teardown(() => site.close());
  const answer = await site.cli('demo');
  t.equal(answer.code, 0, answer.stderr);
  const bare = (text: string): string =>
    text
      .replace(/ref=\w{16}/g, 'ref=…')
      .replace(/```\n?/g, '')
      .trim();
  // The order of equal counts is nobody's promise.
  const lines = (text: string): string[] => bare(text).split('\n').sort();
  t.same(lines(answer.stdout), lines(part('demo')));
});

t.test('every command of the tour is one that works', async t => {
  const site = newSite();
  t.teardown(() => site.close());
  for (const [, line = ''] of part('tour').matchAll(/^\$ postern (.*)$/gm)) {
    const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
    const answer = await site.cli(...args);
    t.equal(answer.code, 0, `${line}: ${answer.stderr}`);
    const first = answer.stdout.split('\n')[0] ?? '';
    t.ok(part('tour').includes(first), `${line}: ${first}`);
  }
});

t.test('links lead somewhere', async t => {
  for (const [, target = ''] of readme.matchAll(/\]\(([^):#]+)\)/g)) t.ok(existsSync(new URL(target, root)), target);
});

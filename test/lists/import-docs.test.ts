/** docs/import.md says of columns and reasons what the code says. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { COLUMN_NAMES, REASON_WORDS } from '../../src/lists/columns.ts';
import { MAX_ERRORS } from '../../src/lists/import.ts';
import { REASONS } from '../../src/lists/standing.ts';

const text = readFileSync(new URL('../../docs/import.md', import.meta.url), 'utf8');
const part = (name: string): string => new RegExp(`<!-- ${name} -->\n([\\s\\S]*?)<!-- /${name} -->`).exec(text)?.[1] ?? `no part ${name}`;
const quoted = (words: readonly string[]): string => words.map(word => `\`${word}\``).join(' ');

t.test('the columns', async t => {
  const rows = Object.entries(COLUMN_NAMES).map(([column, names]) => `| ${column} | ${quoted(names)} |\n`);
  t.equal(part('columns'), `| column | header cells |\n|-|-|\n${rows.join('')}`);
});

t.test('the reasons', async t => {
  const rows = [...new Set(Object.values(REASON_WORDS))].map(reason => {
    const words = Object.keys(REASON_WORDS).filter(word => REASON_WORDS[word] === reason);
    return `| ${quoted(words)} | ${reason} |\n`;
  });
  t.equal(part('reasons'), `| word | reason |\n|-|-|\n${rows.join('')}`);
  t.match(text.replaceAll('\n', ' '), REASONS.join(' '), 'our own reasons');
});

t.test('the number of errors that are kept', async t => {
  t.match(text, MAX_ERRORS.toLocaleString('en'));
});

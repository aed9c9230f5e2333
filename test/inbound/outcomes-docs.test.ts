/** docs/outcomes.md says what the table says. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { OUTCOMES } from '../../src/inbound/outcome.ts';

t.test('the outcome table is documented as it is', async t => {
  const text = readFileSync(new URL('../../docs/outcomes.md', import.meta.url), 'utf8');
  const [, table = ''] = text.split(/<!-- \/?outcomes -->\n/);
  const rows = Object.entries(OUTCOMES).map(([name, { listing, review, logged }]) => {
    const cells = [
      listing?.list ?? '',
      listing === undefined ? '' : `\`${listing.reason}\``,
      listing?.reach ?? '',
      logged ? '' : 'no',
      review ? 'yes' : '',
    ];
    return `| \`${name}\` |${cells.map(cell => (cell === '' ? ' |' : ` ${cell} |`)).join('')}`;
  });
  t.same(table.trim().split('\n').slice(2), rows);
});

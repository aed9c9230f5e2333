/** The words that decisions can be asked by: those that the gate itself writes are among them. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { unknownWords } from '../../src/checks/grounds.ts';

const folder = new URL('../../src/submission/', import.meta.url);
const GROUND = /check: '(\w+)',\s*token: (?:'([\w-]+)'|UNAVAILABLE)/g;

t.test('every check and token that the gate writes beside those of the checks can be asked for', async t => {
  const decisions = { labels: async () => [] };
  let found = 0;
  for (const file of readdirSync(folder)) {
    for (const [, check, token = 'unavailable'] of readFileSync(new URL(file, folder), 'utf8').matchAll(GROUND)) {
      found += 1;
      t.same(await unknownWords({ check, token }, [], decisions), [], `${file}: ${check} ${token}`);
    }
  }
  t.ok(found >= 8, `${found} grounds`);
  t.match(await unknownWords({ check: 'excluded', token: 'exclusion', campaign: 'none' }, [], decisions), [
    { field: 'campaign', fix: 'leave it out: there is none yet' },
    { field: 'check', fix: /^ask with token=excluded/ },
    { field: 'token', fix: /^ask with check=exclusion/ },
  ]);
});

/** Tables of what comes back: an admin's own beside ours. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Type } from 'typebox';
import { readTables } from '../../src/inbound/tables.ts';

const anything = Type.Any();
/** Of ours as of the admin's, so that the admin's fault is the one told. */
const shape = Type.Array(Type.Object({ language: Type.String() }));

t.test('ours first, then the admin’s of the same name where there is one', async t => {
  const folder = t.testdir({ 'privacy-phrases.yaml': '[mine]' });
  t.equal(readTables('privacy-phrases', anything).length, 1);
  t.equal(readTables('opt-out-phrases', anything, folder).length, 1);
  const [ours, own] = readTables('privacy-phrases', anything, folder);
  t.ok(Array.isArray(ours));
  t.same(own, ['mine']);
});

t.test('a folder that is not there is no folder without tables', async t => {
  const folder = join(t.testdir(), 'nowhere');
  t.throws(() => readTables('privacy-phrases', anything, folder), /inbound\.rules: .*nowhere cannot be read \(ENOENT\)/);
});

t.test('a damaged table of an admin: the file and the place are named', async t => {
  const folder = t.testdir({});
  const file = join(folder, 'privacy-phrases.yaml');
  for (const [text, place] of [
    ['a: [', 'is not valid YAML'],
    ['- language: 5', '/0/language'],
  ] as const) {
    writeFileSync(file, text);
    const error = t.throws(() => readTables('privacy-phrases', text === 'a: [' ? anything : shape, folder)) as Error;
    t.match(error.message, file);
    t.match(error.message, place);
    t.notMatch(error.message, 'package', 'nothing of it comes with the package');
  }
});

/** Data tables: a damaged one stops the start with a sentence that names file, place and fix. */

import t from 'tap';
import { Type } from 'typebox';
import { parseTable, readTable } from '../../src/ops/table.ts';

const schema = Type.Array(Type.Object({ name: Type.String() }, { additionalProperties: false }));

t.test('a table of the right shape is read', async t => {
  t.same(parseTable('x.yaml', '- name: a\n- name: b', schema), [{ name: 'a' }, { name: 'b' }]);
  t.type(readTable('hiding-rules', Type.Array(Type.Unknown())).length, 'number', 'from the package, wherever the process runs');
});

t.test('errors name file, place and fix', async t => {
  t.throws(() => readTable('no-such-table', schema), /config\/no-such-table\.yaml cannot be read .*install the package again/);
  t.throws(() => parseTable('/p/x.yaml', 'a: [', schema), /^\/p\/x\.yaml is not valid YAML .*restore it/);
  t.throws(() => parseTable('/p/x.yaml', '- name: 1', schema), /^\/p\/x\.yaml: \/0\/name .*correct it/);
  t.throws(() => parseTable('/p/x.yaml', '', schema), /\/p\/x\.yaml: the whole/);
});

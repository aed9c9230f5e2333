/** Decision ids: sixteen characters, sorted by time, read back however a person pastes them. */
import t from 'tap';
import { newDecisionId, parseDecisionId, timePrefix } from '../../src/journal/ref.ts';

t.test('sixteen characters without i, l, o and u', async t => {
  const at = Date.parse('2026-11-21T12:00:00Z');
  const ids = Array.from({ length: 5_000 }, () => newDecisionId(at));
  t.ok(ids.every(id => /^[0-9a-hjkmnp-tv-z]{16}$/.test(id)));
  t.ok(ids.every(id => id.startsWith(timePrefix(at))));
});

t.test('never the same, however many there are in one millisecond: by chance alone two of so many are, nine times in ten', async t => {
  const at = Date.parse('2026-11-21T12:00:00Z');
  const ids = new Set(Array.from({ length: 400_000 }, () => newDecisionId(at)));
  t.equal(ids.size, 400_000);
});

t.test('sorts by time', async t => {
  const moments = [0, 1, 31, 32, 1_000_000, Date.parse('2026-11-21T12:00:00Z'), Date.parse('2026-11-21T12:00:00.001Z'), 4e12];
  const ids = moments.map(at => newDecisionId(at));
  t.same(ids.toSorted(), ids);
  for (const [i, id] of ids.entries()) {
    t.ok(id >= timePrefix(moments[i] ?? 0), 'at or after its moment');
    t.ok(id < timePrefix((moments[i] ?? 0) + 1), 'before the next');
  }
  t.equal(timePrefix(-5), timePrefix(0), 'a clock before 1970 still gives an id');
});

t.test('reads what was pasted', async t => {
  const id = newDecisionId(Date.now());
  for (const text of [id, ` ${id}\n`, `ref=${id}`, `REF=${id.toUpperCase()}`]) t.equal(parseDecisionId(text), id);
  for (const text of ['', 'ref=', id.slice(1), `${id}0`, `${id.slice(0, 15)}u`, `${id.slice(0, 15)}/`])
    t.equal(parseDecisionId(text), undefined);
});

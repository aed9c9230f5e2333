import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { inTurns } from '../../src/ops/turns.ts';

const numbers = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i);

t.test('things are worked on in order, so many at a time, whoever works on them', async t => {
  const pieces: [number, number][] = [];
  const doubled = await inTurns(numbers(7), 3, (piece, from) => {
    pieces.push([from, piece.length]);
    return piece.map(n => n * 2);
  });
  t.same(doubled, [0, 2, 4, 6, 8, 10, 12]);
  t.same(pieces, [
    [0, 3],
    [3, 3],
    [6, 1],
  ]);
  t.same(await inTurns(numbers(4), 2, async piece => piece.flatMap(n => (n % 2 === 0 ? [n] : []))), [0, 2]);
  t.same(await inTurns([], 2, () => ['none']), ['none'], 'nothing is one piece, too');
});

t.test('others have their turn in between', async t => {
  const order: string[] = [];
  const other = (async () => {
    for (let i = 0; i < 2; i++) {
      await turn();
      order.push('other');
    }
  })();
  await inTurns(numbers(3), 1, piece => {
    order.push(`piece ${piece[0]}`);
    return [];
  });
  await other;
  t.same(order, ['piece 0', 'other', 'piece 1', 'other', 'piece 2']);
});

t.test('what the work throws is thrown, and nothing is worked on after it', async t => {
  let pieces = 0;
  await t.rejects(
    inTurns(numbers(3), 1, async () => {
      pieces += 1;
      throw new Error('no answer');
    }),
    /no answer/,
  );
  t.equal(pieces, 1);
});

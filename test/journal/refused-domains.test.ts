/** The domains refused most: bounded, sealed, summed over runs, and told only where no single person stands behind one. */
import t from 'tap';
import { moveOldTallies, RefusedDomains, readRefusedDomains } from '../../src/journal/refused-domains.ts';
import { ACME, decision, newDesk, OTHER } from './desk.ts';

t.test('most first, of all runs and days asked for; nobody is told of a domain of few', async t => {
  const desk = await newDesk(t);
  const start = desk.clock.at;
  const another = desk.another();
  for (let n = 0; n < 8; n++) desk.decided(`p${n}@big.example`);
  for (let n = 0; n < 3; n++) desk.decided(`p${n}@small.example`);
  for (let n = 0; n < 50; n++) desk.decided('anna@anna.example');
  for (let n = 0; n < 9; n++) desk.decided(`p${n}@erased.example`, { keepRecipient: false });
  for (let n = 0; n < 9; n++) desk.decided(`p${n}@later.example`, { outcome: 'deferred' });
  for (let n = 0; n < 6; n++) desk.decided(`p${n}@other.example`, { client: OTHER });
  await desk.journal.flush();
  desk.clock.at += 86_400_000;
  for (let n = 0; n < 6; n++) desk.decided(`p${n}@small.example`);
  await desk.journal.close();
  await another.close();
  const read = (from?: number, to?: number) => readRefusedDomains(desk.parts, [ACME], { from, to }, 10);
  t.same(await read(), [
    { domain: 'small.example', recipients: 9 },
    { domain: 'big.example', recipients: 8 },
  ]);
  t.same(await read(undefined, start + 1), [{ domain: 'big.example', recipients: 8 }]);
  t.same(await read(start + 86_400_000), [{ domain: 'small.example', recipients: 6 }]);
  t.same(await readRefusedDomains(desk.parts, [OTHER], {}, 10), [{ domain: 'other.example', recipients: 6 }], 'A1: each its own');
  t.equal((await readRefusedDomains(desk.parts, [ACME, OTHER], {}, 1)).length, 1);
  for await (const [, value] of desk.parts.store.scan({ owner: ACME, log: 'refused-domains' }))
    t.notMatch(value.toString('latin1'), /example/);
});

t.test('of more domains than are kept count of, the frequent ones are not missed, and never counted too high', async t => {
  const desk = await newDesk(t);
  for (let n = 0; n < 3_000; n++) {
    desk.decided(`p${n}@once${n}.example`);
    if (n % 10 === 0) desk.decided(`p${n}@often.example`);
  }
  await desk.journal.close();
  const [often, ...others] = await readRefusedDomains(desk.parts, [ACME], {}, 10);
  t.same(often, { domain: 'often.example', recipients: 300 });
  t.same(others, []);
});

t.test('A21: with the client’s key its tallies are gone', async t => {
  const desk = await newDesk(t);
  for (let n = 0; n < 8; n++) desk.decided(`p${n}@big.example`);
  await desk.journal.close();
  await desk.parts.vault.destroy(ACME);
  t.same(await readRefusedDomains(desk.parts, [ACME], {}, 10), []);
});

t.test('however many runs a day had, it is read as one: what they leave is moved together, by others where they were killed', async t => {
  const desk = await newDesk(t);
  const { parts } = desk;
  const DAY = 86_400_000;
  const logged = async (log: string): Promise<number> => {
    let n = 0;
    for await (const _ of parts.store.scan({ owner: ACME, log })) n += 1;
    return n;
  };
  const runs = Array.from({ length: 12 }, () => new RefusedDomains(parts.digests));
  for (const [i, run] of runs.entries()) {
    for (let n = 0; n < 3; n++) run.add(ACME, decision(`p${n + i}@big.example`).recipient, desk.clock.at);
    await run.flush(parts, desk.clock.at);
  }
  const read = () => readRefusedDomains(parts, [ACME], {}, 10);
  const all = [{ domain: 'big.example', recipients: 36 }];
  t.same(await read(), all);
  t.equal(await logged('refused-domains'), 12);
  await Promise.all(runs.slice(0, 4).map(run => run.flush(parts, desk.clock.at, true)));
  t.same(await read(), all, 'ended');
  await runs[4]?.flush(parts, desk.clock.at + DAY);
  t.same(await read(), all, 'a day that is over');
  t.equal(await logged('refused-domains'), 7);
  await moveOldTallies(parts, ACME, desk.clock.at + DAY);
  t.equal(await logged('refused-domains'), 7, 'their runs may go on writing');
  runs[5]?.add(ACME, decision('late@big.example').recipient, desk.clock.at);
  await Promise.all([1, 2].map(() => moveOldTallies(parts, ACME, desk.clock.at + 3 * DAY)));
  await runs[5]?.flush(parts, desk.clock.at + 3 * DAY);
  t.same(await read(), all, 'killed');
  t.equal(await logged('refused-domains'), 0);
  t.equal(await logged('refused-domains-days'), 1);
  for await (const [, value] of parts.store.scan({ owner: ACME, log: 'refused-domains-days' }))
    t.notMatch(value.toString('latin1'), /example/);
});

/** The domains refused most: bounded, sealed, summed over runs, and told only where no single person stands behind one. */
import t from 'tap';
import { readRefusedDomains } from '../../src/journal/refused-domains.ts';
import { ACME, newDesk, OTHER } from './desk.ts';

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

/** Pseudonyms: one for each person of a client, whoever makes it first; gone with its mapping. */
import t from 'tap';
import { Pseudonyms } from '../../src/journal/pseudonyms.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, type Desk, decision, newDesk, OTHER } from './desk.ts';

const pseudonyms = ({ parts }: Desk) => new Pseudonyms(parts.store, parts.digests, parts.vault);
const who = (person: string, client = ACME) => ({ client, person: decision(person).recipient });

t.test('the same person has the same one, in every spelling; another client another', async t => {
  const desk = await newDesk(t);
  const people = [who('sam@example.net'), who('SAM+spring@Example.Net.'), who('"sam"@example.net'), who('kim@example.net')];
  const first = await pseudonyms(desk).of(people);
  const [sam, again, quoted, kim] = people.map(({ client, person }) => first.get(client, person));
  t.match(sam, /^[A-Za-z0-9_-]{16}$/);
  t.same([again, quoted], [sam, sam]);
  t.not(kim, sam);
  t.equal(await desk.count('persons'), 2);
  const elsewhere = await pseudonyms(desk).of([who('sam@example.net', OTHER)]);
  t.not(elsewhere.get(OTHER, who('sam@example.net').person), sam, 'A1');
  const later = await pseudonyms(desk).of([who('sam@example.net')]);
  t.equal(later.get(ACME, who('sam@example.net').person), sam);
  t.equal(await pseudonyms(desk).person(ACME, sam ?? ''), 'sam@example.net');
  t.equal(await pseudonyms(desk).person(OTHER, sam ?? ''), undefined, 'A1: another client cannot ask for it');
});

t.test('A21: erased: nothing is kept, and the mapping deleted leaves a word that means nobody', async t => {
  const desk = await newDesk(t);
  const id = desk.decided('erased@example.net', { keepRecipient: false });
  const known = desk.decided('sam@example.net');
  await desk.journal.flush();
  t.match(await desk.decisions.show(id, [ACME]), { pseudonym: undefined, recipient: undefined });
  t.equal(await desk.count('persons'), 1);
  for await (const [key] of desk.parts.store.scan({ owner: ACME, set: 'pseudonyms' })) {
    await desk.parts.store.apply([{ key, value: undefined }]);
  }
  t.match(await desk.decisions.show(known, [ACME]), { pseudonym: /^\S{16}$/, recipient: undefined });
});

t.test('a mapping sealed under a key that was destroyed stands for nobody, and gives way', async t => {
  const desk = await newDesk(t);
  const before = (await pseudonyms(desk).of([who('sam@example.net')])).get(ACME, who('sam@example.net').person);
  await desk.parts.vault.destroy(ACME);
  await desk.parts.vault.create(ACME);
  const after = (await pseudonyms(desk).of([who('sam@example.net')])).get(ACME, who('sam@example.net').person);
  t.match(after, /^\S{16}$/);
  t.not(after, before);
  t.equal(await pseudonyms(desk).person(ACME, after ?? ''), 'sam@example.net');
});

t.test('outrun at every attempt: an error to be tried again, never a line without its person', async t => {
  const desk = await newDesk(t);
  let i = 0;
  // Somebody else is always there first, for one more of the people asked about.
  const people = Array.from({ length: 40 }, (_, n) => who(`r${n}@example.net`));
  const rival = pseudonyms({ ...desk, parts: { ...desk.parts, store: { ...desk.parts.store, apply: bare(desk) } } });
  desk.beforeApply = async () => {
    const next = people[i++];
    if (next !== undefined) await rival.of([next]);
  };
  await t.rejects(pseudonyms(desk).of(people), { name: 'StoreUnavailable' });
  desk.beforeApply = undefined;
  const all = await pseudonyms(desk).of(people);
  t.ok(people.every(({ client, person }) => all.get(client, person) !== undefined));
  t.equal(await desk.count('persons'), 40);
});

/** The desk's store without what happens before each apply. */
function bare(desk: Desk): Desk['parts']['store']['apply'] {
  return async (changes, expect) => {
    const hook = desk.beforeApply;
    desk.beforeApply = undefined;
    try {
      return await desk.parts.store.apply(changes, expect);
    } finally {
      desk.beforeApply = hook;
    }
  };
}

for (const [engine, skip] of [
  ['LMDB', false],
  ['Redis', noRedis],
] as const) {
  t.test(`two gates at once make one for each person (${engine})`, { skip }, async t => {
    const desk = await newDesk(t, engine === 'Redis' ? (await startRedis(t)).url : undefined);
    const people = Array.from({ length: 50 }, (_, n) => who(`r${n}@example.net`));
    const gates = Array.from({ length: 4 }, () => pseudonyms(desk));
    const found = await Promise.all(gates.map((gate, n) => gate.of(people.slice(n * 5, 30 + n * 5))));
    for (const { client, person } of people.slice(15, 30)) {
      t.equal(new Set(found.map(one => one.get(client, person))).size, 1);
    }
    t.equal(await desk.count('persons'), 45);
    t.equal(await desk.count('pseudonyms'), 45, 'and no mapping that nobody uses');
  });
}

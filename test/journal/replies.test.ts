/** The reply log as the journal keeps it: what stays of a line when its people or its client's key are gone, and what goes with time. */
import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { Audit } from '../../src/audit/audit.ts';
import { GLOBAL } from '../../src/ids.ts';
import { StoredReplies } from '../../src/journal/replies.ts';
import { oneMonthAfter } from '../../src/journal/requests.ts';
import { SoftBounces } from '../../src/journal/soft-bounces.ts';
import { createKeyring, loadKeyring } from '../../src/keys/keyring.ts';
import { isAddress, parsePerson } from '../../src/mail/address.ts';
import { StoreUnavailable } from '../../src/store/store.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { ACME, type Desk, newDesk, OTHER } from './desk.ts';

const DAY = 86_400_000;

function person(text: string) {
  const parsed = parsePerson(text);
  if (!isAddress(parsed)) throw new Error(`${text} does not parse`);
  return parsed;
}
const JANE = person('jane@widgets.example');

async function newLog(t: Test, storeUrl?: string): Promise<{ desk: Desk; replies: StoredReplies; write(id: string): Promise<void> }> {
  const desk = await newDesk(t, storeUrl);
  const file = `${desk.dir}/keys/another.key`;
  await createKeyring(file, desk.clock);
  const keyring = await loadKeyring({ file }, desk.clock);
  const replies = new StoredReplies({ ...desk.parts, keyring, audit: new Audit({ ...desk.parts, keyring }) });
  const at = desk.clock.at;
  const times = { receivedAt: at, processedAt: at };
  const what = { kind: 'reply', rule: 'a/rule', language: 'en', matchedBy: 'sender', via: 'smtp', campaign: undefined } as const;
  return {
    desk,
    replies,
    async write(id) {
      const words = { text: 'call me', span: 'me', messageId: `<${id}@widgets.example>` };
      const draft = await replies.draft({
        ...what,
        ...times,
        ...words,
        id,
        owner: ACME,
        actions: [],
        state: 'done',
        writers: [JANE],
        others: [],
      });
      t.equal(await desk.parts.store.apply(draft.changes(at), draft.expect), true);
    },
  };
}

for (const engine of ['lmdb', 'redis'] as const) {
  t.test(`a message that nobody else took is kept whole, or not at all, on ${engine}`, { skip: engine === 'redis' && noRedis }, async t => {
    const { desk, replies } = await newLog(t, engine === 'redis' ? (await startRedis(t)).url : undefined);
    const { store } = desk.parts;
    const message = randomBytes(2.5 * 1024 * 1024);
    for (const id of ['one', 'one.', 'two']) await replies.keep({ owner: ACME, id }, message);
    await replies.keep({ owner: ACME, id: 'none' }, Buffer.alloc(0));
    const read = async () => Promise.all(['one', 'two', 'none', 'three'].map(id => replies.kept(ACME, id)));
    const asked: unknown[] = [];
    const scan = store.scan;
    store.scan = range => {
      asked.push('log' in range && range.limit);
      return scan(range);
    };
    t.same(await read(), [message, message, Buffer.alloc(0), undefined]);
    t.same(new Set(asked), new Set([1]), 'no more than one part of it at once');
    const last = { owner: ACME, log: 'reply-kept', id: 'two.00002/3' };
    t.equal(await store.apply([{ key: last, value: undefined }]), true);
    t.same(await replies.kept(ACME, 'two'), undefined, 'what was not kept to its end');
    t.same(await replies.kept(OTHER, 'one'), undefined, 'A1');
  });
}

t.test('an erasure leaves the line, and nobody behind it', async t => {
  const { desk, replies, write } = await newLog(t);
  await write('one');
  t.match(await replies.show('one', [OTHER, ACME]), { people: ['jane@widgets.example'], text: 'call me', span: 'me', rule: 'a/rule' });
  t.equal(await replies.show('one', [OTHER]), undefined, 'A1');
  for await (const [key] of desk.parts.store.scan({ owner: ACME, set: 'pseudonyms' }))
    await desk.parts.store.apply([{ key, value: undefined }]);
  t.match(await replies.show('one', [ACME]), { people: [], kind: 'reply' });
});

t.test("with the client's key its people and their words are gone", async t => {
  const { desk, replies, write } = await newLog(t);
  await write('one');
  await desk.parts.vault.destroy(ACME);
  t.match(await replies.show('one', [ACME]), { people: [], text: undefined, span: undefined, kind: 'reply' });
  await t.rejects(replies.wroteReply(ACME, '<one@widgets.example>', JANE), StoreUnavailable, 'law 1: no answer is no permission');
});

t.test('what is no line of ours is no answer', async t => {
  const { desk, replies, write } = await newLog(t);
  await write('one');
  for await (const [key, value] of desk.parts.store.scan({ owner: ACME, log: 'replies' })) {
    await desk.parts.store.apply([{ key, value: Buffer.from(value).fill(0, 20) }]);
  }
  await t.rejects(replies.show('one', [ACME]), StoreUnavailable);
});

t.test('a store or vault that gives no answer', async t => {
  const { desk, replies, write } = await newLog(t);
  await write('one');
  desk.away = true;
  await t.rejects(replies.wroteReply(ACME, '<one@widgets.example>', JANE), StoreUnavailable);
  await t.rejects(replies.noteForwarded({ owner: ACME, id: 'one' }, 'done'), StoreUnavailable);
  await t.rejects(replies.show('one', [ACME, GLOBAL]), StoreUnavailable);
});

t.test('temporary failures are forgotten when they are too old to count', async t => {
  const { store, digests } = (await newDesk(t)).parts;
  const soft = new SoftBounces(store, digests);
  const threshold = { limit: 2, days: 30 };
  const fail = async (text: string, day: number) => {
    const { over, changes, expect } = await soft.tally(ACME, [person(text), person(text.toUpperCase())], day * DAY, threshold);
    t.equal(await store.apply(changes, expect), true);
    return over.length;
  };
  t.equal(await fail('old@widgets.example', 100), 0);
  t.equal(await fail('new@widgets.example', 130), 0);
  t.equal(await soft.purge(ACME, 110 * DAY), 1);
  t.equal(await soft.purge(ACME, 110 * DAY), 0);
  t.equal(await fail('old@widgets.example', 101), 0, 'forgotten');
  t.equal(await fail('new@widgets.example', 131), 1, 'kept');
});

t.test('GDPR 12(3): one month is the same date of the next, or its last', async t => {
  for (const [from, to] of [
    ['2026-01-31T10:00:00.000Z', '2026-02-28T10:00:00.000Z'],
    ['2028-01-31T00:00:00.000Z', '2028-02-29T00:00:00.000Z'],
    ['2026-12-31T23:59:59.000Z', '2027-01-31T23:59:59.000Z'],
    ['2026-11-22T12:00:00.000Z', '2026-12-22T12:00:00.000Z'],
    ['2026-08-31T12:00:00.000Z', '2026-09-30T12:00:00.000Z'],
  ] as const) {
    t.equal(new Date(oneMonthAfter(Date.parse(from))).toISOString(), to);
  }
});

/** Head records: what is not a head of ours is no answer, and concurrent changes are all counted. */
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { changeHead, checkHead, decodeHead, encodeHead, headKey, newHead } from '../../src/store/head.ts';
import { openStore } from '../../src/store/open.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';

async function open(t: Test): Promise<Store> {
  const log = pino({ level: 'silent' });
  const store = await openStore(`lmdb:${join(t.testdir(), 'data')}`, { create: true, patient: false, log, admit: async () => undefined });
  t.teardown(() => store.close());
  return store;
}

t.test('a head survives being written and read', async t => {
  const head = { fingerprint: 'f1', version: 7, hashes: { '': ['sha1'], spring: ['md5', 'sha256'], constructor: [] } };
  t.same({ ...decodeHead(encodeHead(head)), hashes: { ...decodeHead(encodeHead(head))?.hashes } }, head);
  t.same(encodeHead(newHead('f1')).toString(), '{"fingerprint":"f1","version":1,"hashes":{}}');
  for (const made of [newHead('f'), decodeHead(encodeHead(newHead('f')))])
    t.equal(made?.hashes.constructor, undefined, 'a campaign may be called constructor');
});

t.test('law 1: an absent, foreign or damaged head is StoreUnavailable', async t => {
  const good = encodeHead({ fingerprint: 'ours', version: 3, hashes: {} });
  t.equal(checkHead(good, 'ours').version, 3);
  const bad: (string | undefined)[] = [
    undefined,
    '',
    'null',
    '[]',
    '{}',
    '"ours"',
    good.toString().slice(0, -1),
    encodeHead({ fingerprint: 'theirs', version: 3, hashes: {} }).toString(),
    '{"fingerprint":"ours","version":"3","hashes":{}}',
    '{"fingerprint":"ours","version":3}',
    '{"fingerprint":"ours","version":3,"hashes":null}',
    '{"fingerprint":"ours","version":3,"hashes":{"":"sha1"}}',
    '{"fingerprint":"ours","version":3,"hashes":{"":[1]}}',
  ];
  for (const text of bad)
    t.throws(() => checkHead(text === undefined ? undefined : Buffer.from(text), 'ours'), StoreUnavailable, `${text}`);
});

t.test('a change of the head and of what goes with it is one apply, and counts the version', async t => {
  const store = await open(t);
  const record = { owner: 'acme', log: 'l', id: 'i' };
  await t.rejects(
    changeHead(store, 'acme', 'f', head => ({ head, changes: [] })),
    StoreUnavailable,
    'there is no head yet',
  );
  await store.apply([{ key: headKey('acme'), value: encodeHead(newHead('f')) }]);
  await t.rejects(
    changeHead(store, 'acme', 'other', head => ({ head, changes: [] })),
    StoreUnavailable,
  );

  t.equal(await changeHead(store, 'acme', 'f', () => undefined), false);
  const edited = await changeHead(store, 'acme', 'f', head => ({
    head: { ...head, version: 99, fingerprint: 'x', hashes: { '': ['sha1'] } },
    changes: [{ key: record, value: Buffer.from('1') }],
  }));
  t.equal(edited, true);
  const [value, held] = await store.find([headKey('acme'), record]);
  t.equal(value?.toString(), '{"fingerprint":"f","version":2,"hashes":{"":["sha1"]}}');
  t.equal(held?.toString(), '1');
});

t.test('no change is lost among many at once', async t => {
  const store = await open(t);
  await store.apply([{ key: headKey('acme'), value: encodeHead(newHead('f')) }]);
  const names = Array.from({ length: 20 }, (_, n) => `campaign-${n}`);
  const adding = names.map(name =>
    changeHead(store, 'acme', 'f', head => ({
      head: { ...head, hashes: { ...head.hashes, [name]: ['sha1'] } },
      changes: [{ key: { owner: 'acme', log: 'campaign', id: name }, value: Buffer.from(name) }],
    })),
  );
  t.ok((await Promise.all(adding)).every(Boolean));
  const [value] = await store.find([headKey('acme')]);
  const head = checkHead(value, 'f');
  t.equal(head.version, 1 + names.length);
  t.same(Object.keys(head.hashes).sort(), names.sort());
});

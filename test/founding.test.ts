/** Founding: a new store begins whole however often the beginning is interrupted, and a lost one never passes for new (law 1). */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { foundStore, keyringFor, type NewStoreParts } from '../src/founding.ts';
import { GLOBAL } from '../src/ids.ts';
import { createKeyring, loadKeyring } from '../src/keys/keyring.ts';
import { openVault } from '../src/keys/vault.ts';
import { openLedger } from '../src/lists/ledger.ts';
import { systemClock } from '../src/ops/clock.ts';
import { checkHead, headKey } from '../src/store/head.ts';
import { openLmdb } from '../src/store/lmdb.ts';
import type { Store } from '../src/store/store.ts';

const log = pino({ level: 'silent' });

interface Place extends NewStoreParts {
  readonly store: Store;
  close(): Promise<void>;
}

async function openPlace(dir: string, keys = 'keys'): Promise<Place> {
  const file = join(dir, keys, 'postern.key');
  if (!existsSync(file)) await createKeyring(file, systemClock);
  const keyring = await loadKeyring({ file }, systemClock);
  const vault = openVault(join(dir, keys, 'clients'), { keyring, clock: systemClock });
  const ledger = openLedger('file:ledger/objections.log', { keyring, vault, clock: systemClock, log, baseDir: dir, create: true });
  const store = openLmdb(join(dir, 'data'), true);
  const close = async () => {
    await ledger.close();
    await store.close();
  };
  return { keyring, vault, ledger, store, close };
}

async function inPlace(dir: string, work: (place: Place) => Promise<void>, keys?: string): Promise<void> {
  const place = await openPlace(dir, keys);
  try {
    await work(place);
  } finally {
    await place.close();
  }
}

/** Dies after the step of this number, counted over what founding writes. */
function dyingAfter(step: number, { store, vault, ...rest }: Place): Place {
  let steps = 0;
  const counted = async <T>(done: Promise<T>): Promise<T> => {
    const answer = await done;
    steps += 1;
    if (steps === step) throw new Error('killed');
    return answer;
  };
  const mortal: Store = {
    find: keys => store.find(keys),
    apply: (changes, expect) => counted(store.apply(changes, expect)),
    scan: range => store.scan(range),
    isEmpty: () => store.isEmpty(),
    inspect: () => store.inspect(),
    ping: () => store.ping(),
    close: () => store.close(),
  };
  const mortalVault = {
    sealer: (owner: string) => vault.sealer(owner),
    create: (owner: string) => counted(vault.create(owner)),
    destroy: (owner: string) => vault.destroy(owner),
    note: (owner: string, line: string) => vault.note(owner, line),
    notes: (owner: string) => vault.notes(owner),
    noted: () => vault.noted(),
    close: () => vault.close(),
  };
  return { ...rest, store: mortal, vault: mortalVault };
}

const founded = async (place: Place) => {
  await foundStore(place.store, place);
  const [head] = await place.store.find([headKey(GLOBAL)]);
  checkHead(head, place.keyring.fingerprint);
  if ((await place.vault.sealer(GLOBAL)) === undefined) throw new Error('no vault key');
  await place.ledger.replay(place.store);
};

for (const step of [1, 2, 3]) {
  t.test(`a crash after step ${step} of 3 is made good by the next start`, async t => {
    const dir = t.testdir();
    await inPlace(dir, async place => {
      const mortal = dyingAfter(step, place);
      await t.rejects(foundStore(mortal.store, mortal), { message: 'killed' });
    });
    await inPlace(dir, async place => {
      await t.resolves(founded(place));
      const notes = [];
      for await (const [key] of place.store.scan({ owner: GLOBAL, log: 'founding' })) notes.push(key);
      t.same(notes, [], 'nothing of the founding is left');
    });
    await inPlace(dir, async place => void (await t.resolves(founded(place), 'nor anything to do')));
  });
}

t.test('law 1: an empty store whose vault or ledger is not new was lost', async t => {
  const dir = t.testdir();
  await inPlace(dir, founded);
  const lost = { name: 'StoreUnavailable', message: /the store is empty, but .*: it was lost or store.url is wrong/ };
  rmSync(join(dir, 'data'), { recursive: true });
  await inPlace(dir, async place => void (await t.rejects(foundStore(place.store, place), lost, 'both')));
  rmSync(join(dir, 'keys/clients'), { recursive: true });
  await inPlace(dir, async place => void (await t.rejects(foundStore(place.store, place), lost, 'the ledger alone')));
  rmSync(join(dir, 'ledger'), { recursive: true });
  await inPlace(dir, async place => void (await t.resolves(founded(place), 'to begin anew, both are moved away')));
  rmSync(join(dir, 'data'), { recursive: true });
  rmSync(join(dir, 'ledger'), { recursive: true });
  await inPlace(dir, async place => void (await t.rejects(foundStore(place.store, place), lost, 'the vault alone')));
});

t.test('law 1: a founding that another key ring began is not ended by ours', async t => {
  const dir = t.testdir();
  await inPlace(dir, async place => {
    const mortal = dyingAfter(1, place);
    await t.rejects(foundStore(mortal.store, mortal), { message: 'killed' });
  });
  const foreign = { name: 'StoreUnavailable', message: /begun with another key ring/ };
  await inPlace(dir, async place => void (await t.rejects(foundStore(place.store, place), foreign)), 'other');
});

t.test('several processes that found one store at once end with one', async t => {
  const dir = t.testdir();
  await inPlace(dir, async one => {
    const others = await Promise.all([openPlace(dir), openPlace(dir), openPlace(dir)]);
    await Promise.all([one, ...others].map(place => foundStore(place.store, place)));
    const sealers = await Promise.all([one, ...others].map(place => place.vault.sealer(GLOBAL)));
    const sealed = sealers[0]?.seal('plain', 'here') ?? Buffer.alloc(0);
    for (const sealer of sealers) t.equal(sealer?.open(sealed, 'here')?.toString(), 'plain');
    await Promise.all(others.map(place => place.close()));
  });
});

t.test('law 1: a missing key ring is made for a new store only', async t => {
  const dir = t.testdir();
  const file = join(dir, 'keys/postern.key');
  const parts = (create: boolean) => ({
    storeUrl: 'lmdb:data',
    open: { create, baseDir: dir, log },
    keys: { file, master: undefined },
    clock: systemClock,
    log,
  });
  await t.rejects(keyringFor(parts(false)), { name: 'StoreMissing' });
  await keyringFor(parts(true));
  await inPlace(dir, founded);
  rmSync(file);
  const missing = { name: 'KeyringProblem', message: /postern.key is missing, but the store is not new: restore the key ring/ };
  for (const create of [true, false]) await t.rejects(keyringFor(parts(create)), missing);
  t.notOk(existsSync(file), 'and not made anew');
});

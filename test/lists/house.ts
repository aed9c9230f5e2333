/** Everything that lists stand on, real and in a folder of the test's own: store, key ring, vault and ledger. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { Audit } from '../../src/audit/audit.ts';
import { foundStore } from '../../src/founding.ts';
import type { ClientId } from '../../src/ids.ts';
import { clientId } from '../../src/ids.ts';
import { Digests } from '../../src/keys/digest.ts';
import { createKeyring, type Keyring, loadKeyring } from '../../src/keys/keyring.ts';
import { openVault, type Vault } from '../../src/keys/vault.ts';
import { type Ledger, openLedger } from '../../src/lists/ledger.ts';
import { Lists } from '../../src/lists/lists.ts';
import type { Replayed } from '../../src/lists/replay.ts';
import { type Address, isAddress, parseAddress } from '../../src/mail/address.ts';
import { encodeHead, headKey, newHead } from '../../src/store/head.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';

export const ACME = clientId('acme') as ClientId;
export const OTHER = clientId('other') as ClientId;

/** A clock that stands where the test puts it. */
export interface TestClock {
  now(): number;
  at: number;
}

export function clockAt(at: number): TestClock {
  const clock = { at, now: () => clock.at };
  return clock;
}

export interface House {
  readonly store: Store;
  readonly lists: Lists;
  readonly audit: Audit;
  readonly ledger: Ledger;
  readonly keyring: Keyring;
  readonly digests: Digests;
  readonly vault: Vault;
  /** What the replay at the opening found. */
  readonly replayed: Replayed;
  close(): Promise<void>;
}

export interface HouseOptions {
  readonly storeUrl?: string;
  readonly ledgerUrl?: string;
  readonly keysFile?: string;
  readonly clock?: TestClock;
  readonly place?: string;
  readonly vault?: string;
  /** False: nothing is created, as for most commands. */
  readonly create?: boolean;
}

/** Opens what is in `dir`; the first time, creates it with the clients acme and other. */
export async function openHouse(dir: string, options: HouseOptions = {}): Promise<House> {
  const { storeUrl = 'lmdb:data', ledgerUrl = 'file:ledger/objections.log', create = true } = options;
  const clock = options.clock ?? { now: () => Date.now() };
  const log = pino({ level: 'silent' });
  const file = join(dir, options.keysFile ?? 'keys/postern.key');
  if (!existsSync(file)) await createKeyring(file, clock);
  const keyring = await loadKeyring({ file }, clock);
  const vault = openVault(join(dir, options.vault ?? 'vault'), { keyring, clock });
  const place = options.place ?? 'embedded';
  const lasting = storeUrl.startsWith('lmdb:');
  const ledger = openLedger(ledgerUrl, { keyring, vault, clock, log, baseDir: dir, create, place, lasting });
  let replayed: Replayed = { read: 0, restored: 0 };
  const admit = async (store: Store) => {
    if (create) await foundStore(store, { keyring, vault, ledger });
    replayed = await ledger.replay(store);
  };
  let store: Store;
  try {
    store = await openStore(storeUrl, { create, patient: false, baseDir: dir, log, admit, timeoutMs: 5_000 });
  } catch (error) {
    await ledger.close();
    throw error;
  }
  const [head] = await store.find([headKey(ACME)]);
  if (head === undefined) for (const owner of [ACME, OTHER]) await addOwner(store, vault, keyring, owner);
  const digests = new Digests(keyring);
  const audit = new Audit({ store, keyring, vault, clock, log });
  const lists = new Lists({ store, keyring, digests, vault, ledger, clock, audit });
  return {
    store,
    lists,
    audit,
    ledger,
    keyring,
    digests,
    vault,
    replayed,
    async close() {
      await ledger.close(store);
      await store.close();
      await vault.close();
    },
  };
}

async function addOwner(store: Store, vault: Vault, keyring: Keyring, owner: string): Promise<void> {
  await vault.create(owner);
  await store.apply([{ key: headKey(owner), value: encodeHead(newHead(keyring.fingerprint)) }]);
}

export function address(text: string): Address {
  const parsed = parseAddress(text, { utf8: true });
  if (!isAddress(parsed)) throw new Error(`${text} does not parse`);
  return parsed;
}

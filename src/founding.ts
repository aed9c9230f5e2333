/** Founding: when a store is new, it gets its key ring, its vault and its head; when it only looks new, nothing is made (law 1). */
import { existsSync } from 'node:fs';
import { GLOBAL } from './ids.ts';
import { createKeyring, type Keyring, KeyringProblem, loadKeyring } from './keys/keyring.ts';
import type { Vault } from './keys/vault.ts';
import { VaultRefused, VaultUnavailable } from './keys/vault-shelf.ts';
import type { Ledger } from './lists/ledger.ts';
import { LedgerProblem } from './lists/ledger-medium.ts';
import type { Clock } from './ops/clock.ts';
import type { Logger } from './ops/log.ts';
import { checkHead, encodeHead, headKey, newHead, storeIsNew } from './store/head.ts';
import { type OpenOptions, openStore } from './store/open.ts';
import { type RecordKey, type Store, StoreRefused, StoreUnavailable } from './store/store.ts';

export interface KeySettings {
  /** Absolute path of the key ring file. */
  readonly file: string;
  readonly master: string | undefined;
}

export interface FoundingParts {
  readonly storeUrl: string;
  readonly open: Omit<OpenOptions, 'admit' | 'patient'>;
  readonly keys: KeySettings;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The key ring. Where there is no file, one is made if `open.create` allows it and the store was never used: a used store without
 * its key ring is a loss to be mended, not a beginning.
 * @throws KeyringProblem, StoreMissing, StoreUnavailable
 */
export async function keyringFor(parts: FoundingParts): Promise<Keyring> {
  const { keys, clock, log, open, storeUrl } = parts;
  const warn = (text: string) => log.warn(text);
  if (keys.master !== undefined) return loadKeyring({ master: keys.master }, clock, warn);
  if (!existsSync(keys.file)) {
    const admit = async (store: Store) => {
      if (await storeIsNew(store)) return;
      throw new KeyringProblem(`key ring ${keys.file} is missing, but the store is not new: restore the key ring (keys.file)`);
    };
    const store = await openStore(storeUrl, { ...open, patient: false, admit });
    await store.close();
    await createKeyring(keys.file, clock);
    log.warn({ file: keys.file }, 'made a new key ring: back it up, apart from the store');
  }
  return loadKeyring({ file: keys.file }, clock, warn);
}

export interface NewStoreParts {
  readonly keyring: Keyring;
  readonly vault: Vault;
  readonly ledger: Ledger;
}

/** Stands in a store from the beginning of its founding to the end, so that a crash in between is not taken for a loss. */
const NOTE: RecordKey = { owner: GLOBAL, log: 'founding', id: 'founding' };

/**
 * Gives a store that was never used its head and its vault key, or ends what a crash interrupted; leaves any other alone. Vault and ledger
 * outlive a store, so where one of them is not new, an empty store was lost, or is not the one that is meant.
 * @throws LedgerProblem, StoreUnavailable, VaultUnavailable
 */
export async function foundStore(store: Store, parts: NewStoreParts): Promise<void> {
  const { keyring, vault, ledger } = parts;
  // Asked before the store: another process may be founding it at this moment, and leaves its note there first.
  const used = (await vault.sealer(GLOBAL)) !== undefined || (await ledger.exists());
  const key = headKey(GLOBAL);
  const [head, note] = await store.find([key, NOTE]);
  if (head !== undefined) return;
  if (note === undefined) {
    if (!(await store.isEmpty())) return;
    if (used) {
      throw new StoreUnavailable(
        `the store is empty, but its keys or ${ledger.name} are not new: it was lost or store.url is wrong; restore it or name the right one`,
      );
    }
    const nothing = [key, NOTE].map(none => ({ key: none, value: undefined }));
    if (!(await store.apply([{ key: NOTE, value: Buffer.from(keyring.fingerprint) }], nothing))) return foundStore(store, parts);
  } else if (note.toString() !== keyring.fingerprint) {
    throw new StoreUnavailable('The store was begun with another key ring: restore that (keys.file), or name another store (store.url)');
  }
  await vault.create(GLOBAL);
  const changes = [
    { key, value: encodeHead(newHead(keyring.fingerprint)) },
    { key: NOTE, value: undefined },
  ];
  await store.apply(changes, [{ key, value: undefined }]);
}

/**
 * What must be true of a store before it may answer anything, at every connection anew: ours, whole, with the vault that belongs to it,
 * and nothing forgotten that the ledger knows.
 */
export function admission(parts: NewStoreParts & { readonly patient: boolean; readonly create: boolean }): (store: Store) => Promise<void> {
  const { keyring, vault, ledger, patient } = parts;
  let mayFound = parts.create;
  return async store => {
    try {
      let [head] = await store.find([headKey(GLOBAL)]);
      if (head === undefined && mayFound) {
        await foundStore(store, parts);
        [head] = await store.find([headKey(GLOBAL)]);
      }
      if (head === undefined && (await store.isEmpty())) throw new StoreUnavailable('the store is empty: it was lost; restore it');
      checkHead(head, keyring.fingerprint);
      if ((await vault.sealer(GLOBAL)) === undefined) {
        throw new StoreUnavailable('the vault has no key of this store: restore it or name the right one (keys.vault)');
      }
      await ledger.replay(store);
      mayFound = false;
    } catch (error) {
      if (error instanceof VaultRefused) throw new StoreRefused(error.message, { cause: error });
      if (error instanceof VaultUnavailable) throw new StoreUnavailable(error.message, { cause: error });
      // A gate answers 451 until its ledger is mended; a command says what is wrong and ends.
      if (patient && error instanceof LedgerProblem) throw new StoreUnavailable(error.message, { cause: error });
      throw error;
    }
  };
}

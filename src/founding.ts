/** Founding: when a store is new, it gets its key ring, its vault and its head; when it only looks new, nothing is made (law 1). */
import { existsSync } from 'node:fs';
import { GLOBAL } from './ids.ts';
import { createKeyring, type Keyring, KeyringProblem, loadKeyring } from './keys/keyring.ts';
import type { Vault } from './keys/vault.ts';
import type { Clock } from './ops/clock.ts';
import type { Logger } from './ops/log.ts';
import { encodeHead, headKey, newHead, storeIsNew } from './store/head.ts';
import { type OpenOptions, openStore } from './store/open.ts';
import { type Store, StoreUnavailable } from './store/store.ts';

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

/**
 * Gives a store that was never used its head and its vault key. The vault outlives the store, so one that already has a key
 * belongs to a store that was lost, or to another folder.
 * @throws StoreUnavailable
 */
export async function foundStore(store: Store, keyring: Keyring, vault: Vault): Promise<void> {
  if ((await vault.sealer(GLOBAL)) !== undefined) {
    throw new StoreUnavailable(
      'the store is empty, but its keys are not new: it was lost or store.url is wrong; restore it or name the right one',
    );
  }
  await vault.create(GLOBAL);
  const key = headKey(GLOBAL);
  await store.apply([{ key, value: encodeHead(newHead(keyring.fingerprint)) }], [{ key, value: undefined }]);
}

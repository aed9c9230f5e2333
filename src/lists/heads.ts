/** Heads as list look-ups need them: ours, of keys that we have, and without decoding again what has not changed. */
import { LRUCache } from 'lru-cache';
import type { HashAlgorithm } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import { changeHead, checkHead, checkKeys, type Head } from '../store/head.ts';
import type { Store, Value } from '../store/store.ts';
import type { Scope } from './standing.ts';

const OWNERS_KEPT = 10_000;

export class Heads {
  readonly #keyring: Keyring;
  readonly #known: ReadonlySet<string>;
  readonly #last = new LRUCache<string, { readonly value: Value; readonly head: Head }>({ max: OWNERS_KEPT });

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
    this.#known = new Set(keyring.digestKeys.map(({ id }) => id));
  }

  /** @throws StoreUnavailable where the head is absent or foreign, or entries were made under a key that this ring lacks */
  check(owner: string, value: Value | undefined): Head {
    const last = this.#last.get(owner);
    if (last !== undefined && value !== undefined && last.value.equals(value)) return last.head;
    const head = checkHead(value, this.#keyring.fingerprint);
    checkKeys(head, this.#known);
    this.#last.set(owner, { value: value as Value, head });
    return head;
  }

  /** The head as it was when it was last read: good for a guess at what to ask, never for an answer. */
  last(owner: string): Head | undefined {
    return this.#last.get(owner)?.head;
  }

  /** Makes sure that the head says under which key entries are made from now on. False: it did already. */
  async announceKey(store: Store, owner: string, head: Head): Promise<boolean> {
    const id = this.#keyring.digestKeys[0]?.id as string;
    if (id === this.#keyring.oldestId || head.keys?.includes(id)) return false;
    return changeHead(store, owner, this.#keyring.fingerprint, now => {
      const keys = now.keys ?? [];
      return keys.includes(id) ? undefined : { head: { ...now, keys: [...keys, id] }, changes: [] };
    });
  }

  /** Makes sure that look-ups in this scope ask for hashes by the algorithm. */
  async announceHashes(store: Store, { owner, campaign }: Scope, algorithm: HashAlgorithm): Promise<void> {
    const list = campaign ?? '';
    await changeHead(store, owner, this.#keyring.fingerprint, now => {
      const algorithms = now.hashes[list] ?? [];
      if (algorithms.includes(algorithm)) return undefined;
      const hashes = Object.assign(Object.create(null) as Record<string, readonly string[]>, now.hashes, {
        [list]: [...algorithms, algorithm],
      });
      return { head: { ...now, hashes }, changes: [] };
    });
  }
}

/** The algorithms of the hashes that a scope holds. */
export function hashesOf(head: Head | undefined, { campaign }: Scope): readonly HashAlgorithm[] {
  return (head?.hashes[campaign ?? ''] ?? []) as readonly HashAlgorithm[];
}

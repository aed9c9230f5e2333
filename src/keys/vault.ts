/** The vault: one random data key per owner, kept apart from the store, so that destroying it shreds the owner's data in every copy. */
import { randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../ops/clock.ts';
import type { Keyring } from './keyring.ts';
import { Sealer } from './seal.ts';
import { FileShelf } from './vault-file.ts';
import { RedisShelf } from './vault-redis.ts';
import { type Shelf, VaultUnavailable } from './vault-shelf.ts';

/** Another process may have made or destroyed a key: what is older than this is read again. */
const FRESH_MS = 5_000;
const OWNER = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Every method throws VaultRefused where a Redis may evict or keeps nothing on disk. */
export interface Vault {
  /** Seals and opens the owner's data; undefined where the owner has no key (any more). @throws VaultUnavailable */
  sealer(owner: string): Promise<Sealer | undefined>;
  /** The owner's key, made where there is none; kept for good when it resolves. @throws VaultUnavailable */
  create(owner: string): Promise<Sealer>;
  /** Shreds: nothing that was sealed for the owner opens again. False where there was no key. Other processes notice within 5 s. @throws VaultUnavailable */
  destroy(owner: string): Promise<boolean>;
  /**
   * Notes a line of printable ASCII about the owner, where neither a change of the store nor `destroy` reaches it; kept for good when it
   * resolves. @throws VaultUnavailable
   */
  note(owner: string, line: string): Promise<void>;
  /** What was noted of the owner, the oldest first; a crash may have left part of a line among it. @throws VaultUnavailable */
  notes(owner: string): Promise<readonly string[]>;
  /** Owners of whom anything was noted, in no order. @throws VaultUnavailable */
  noted(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface VaultParts {
  readonly keyring: Keyring;
  readonly clock: Clock;
}

/** Where the vault is by default: the folder `clients` beside the key ring file. */
export function defaultVault(keysFile: string): string {
  return resolve(dirname(keysFile), 'clients');
}

/**
 * The vault at `where`: `redis://…` or `rediss://…`, or a folder (made with the first key in it). Nothing is asked of it yet: whether it
 * answers and may be relied on, its methods say.
 * @throws VaultRefused where the URL is none
 */
export function openVault(where: string, parts: VaultParts): Vault {
  const shelf = /^rediss?:/.test(where) ? new RedisShelf(where) : new FileShelf(resolve(where.replace(/^file:/, '')));
  return new WrappingVault(shelf, parts);
}

/** Wraps keys under the key ring before they are put on the shelf, and remembers them for a short while. */
class WrappingVault implements Vault {
  readonly #shelf: Shelf;
  readonly #wrapper: Sealer;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly sealer: Sealer; readonly wrapped: Buffer; readonly until: number }>();

  constructor(shelf: Shelf, { keyring, clock }: VaultParts) {
    this.#shelf = shelf;
    this.#wrapper = keyring.sealer('vault');
    this.#clock = clock;
  }

  async sealer(owner: string): Promise<Sealer | undefined> {
    const known = this.#known.get(checked(owner));
    if (known !== undefined && this.#clock.now() < known.until) return known.sealer;
    const wrapped = await this.#shelf.read(owner);
    if (wrapped === undefined) {
      this.#known.delete(owner);
      return undefined;
    }
    return this.#keep(owner, wrapped);
  }

  async create(owner: string): Promise<Sealer> {
    checked(owner);
    const wrapped = this.#wrapper.seal(randomBytes(32), aad(owner));
    // Of two processes that do this at once, both go on with the key that was first.
    return this.#keep(owner, await this.#shelf.add(owner, wrapped));
  }

  async destroy(owner: string): Promise<boolean> {
    this.#known.delete(checked(owner));
    return this.#shelf.remove(owner);
  }

  note(owner: string, line: string): Promise<void> {
    return this.#shelf.note(checked(owner), line);
  }

  notes(owner: string): Promise<readonly string[]> {
    return this.#shelf.notes(checked(owner));
  }

  noted(): Promise<readonly string[]> {
    return this.#shelf.noted();
  }

  close(): Promise<void> {
    this.#known.clear();
    return this.#shelf.close();
  }

  #keep(owner: string, wrapped: Buffer): Sealer {
    const known = this.#known.get(owner);
    const sealer = known?.wrapped.equals(wrapped) ? known.sealer : this.#unwrap(owner, wrapped);
    this.#known.set(owner, { sealer, wrapped, until: this.#clock.now() + FRESH_MS });
    return sealer;
  }

  #unwrap(owner: string, wrapped: Buffer): Sealer {
    const key = this.#wrapper.open(wrapped, aad(owner));
    if (key === undefined) {
      throw new VaultUnavailable(
        `${this.#shelf.name}: the data key of ${owner} was wrapped under another key ring or is damaged; restore it or the right key ring`,
      );
    }
    return new Sealer([key]);
  }
}

function aad(owner: string): string {
  return `vault ${owner}`;
}

/** Owners become file names. */
function checked(owner: string): string {
  if (!OWNER.test(owner)) throw new RangeError('not the id of an owner');
  return owner;
}

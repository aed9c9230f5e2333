/** The key ring: the master keys, kept outside the store, from which every other key is derived. */
import { hkdfSync, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../ops/clock.ts';
import { syncFolder } from '../ops/durable.ts';
import { Sealer } from './seal.ts';

/** The key ring cannot be used. The message names the file and the fix, and never holds key material. */
export class KeyringProblem extends Error {
  override readonly name = 'KeyringProblem';
}

export type KeyringSource = { readonly file: string } | { readonly master: string };

export interface DigestKey {
  /** Public: what heads call the key by. */
  readonly id: string;
  readonly key: Buffer;
}

interface Master {
  readonly id: string;
  readonly key: Buffer;
  /** Milliseconds since 1970 UTC from which the key makes digests and seals; before, it is only looked under. */
  readonly since: number;
}

const KEY_OCTETS = 32;
const KEY_TEXT = /^[A-Za-z0-9_-]{43}=?$/;
const COMMENT = `# Postern key ring. Whoever holds it and the data can read the data; without it nothing can be read or looked up.
# Back it up apart from the store's backups. One key a line, newest first: id, key (base64url), since when it is in use.
# Lines are never removed while anything made under them is kept: digests cannot be made anew from what is stored.
`;

/** Master keys, newest first. Fields are private so that no inspection prints a key. */
export class Keyring {
  readonly #masters: readonly Master[];
  readonly #digestKeys: readonly DigestKey[];
  /**
   * Check value of the ring, public: a head record that carries another was made with another ring. It is the oldest key's and so
   * outlives every rotation, on gates that know the new key and on gates that do not yet.
   */
  readonly fingerprint: string;
  /** Id of the oldest key, which the fingerprint stands for. */
  readonly oldestId: string;

  /** In the order of the file, newest first. `now`: the first key that is in use by then becomes the current one. */
  constructor(masters: readonly Master[], now: number) {
    const oldest = masters.at(-1);
    if (oldest === undefined) throw new RangeError('a key ring needs a key');
    const current = masters.find(({ since }) => since <= now) ?? oldest;
    this.#masters = [current, ...masters.filter(master => master !== current)];
    this.#digestKeys = this.#masters.map(({ id, key }) => ({ id, key: hkdf(key, 'digest', KEY_OCTETS) }));
    this.fingerprint = hkdf(oldest.key, 'fingerprint', 12).toString('base64url');
    this.oldestId = oldest.id;
  }

  /** Keys to make digests with: the first is current (writes use it), look-ups ask under all. */
  get digestKeys(): readonly DigestKey[] {
    return this.#digestKeys;
  }

  /** 32 octets for one purpose: HKDF-SHA-256 (RFC 5869) from the current master key. */
  derive(purpose: string): Buffer {
    return hkdf((this.#masters[0] as Master).key, `purpose ${purpose}`, KEY_OCTETS);
  }

  /** The same from every master key, the current one's first: for what is made under one key and read under all. */
  deriveAll(purpose: string): readonly Buffer[] {
    return this.#masters.map(({ key }) => hkdf(key, `purpose ${purpose}`, KEY_OCTETS));
  }

  /** Seals under the current key's derivation for the purpose, and opens what any key of the ring sealed for it. */
  sealer(purpose: string): Sealer {
    return new Sealer(this.deriveAll(purpose));
  }
}

/**
 * Makes a key ring file with one random key, mode 0600, and its folder (0700) where there is none; on disk when it resolves.
 * @throws KeyringProblem where the file exists already or cannot be made
 */
export async function createKeyring(file: string, clock: Clock): Promise<void> {
  await attempt(file, 'create', async () => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeNew(file, `${COMMENT}${keyLine(newMaster(clock.now()))}\n`);
    await syncFolder(dirname(file));
  });
}

/**
 * The key ring in a file, or in `master`: 32 octets in base64url, or several with commas, newest first.
 * @param warn told when others may read the file: a container's secrets often are so, hence no refusal
 * @throws KeyringProblem
 */
export async function loadKeyring(source: KeyringSource, clock: Clock, warn: (text: string) => void = () => {}): Promise<Keyring> {
  if ('master' in source) return new Keyring(parseMaster(source.master), clock.now());
  const { file } = source;
  const text = await attempt(file, 'read', async () => {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) warn(`key ring ${file} is open to other users of this machine; chmod 600 it`);
    return readFile(file, 'utf8');
  });
  return new Keyring(parseFile(file, text), clock.now());
}

/**
 * Rotation: puts a new key before the others; on disk when it resolves. From `since` on (default: now) whoever loads the ring
 * makes digests and seals under it; what older keys made stays found. For a rolling restart name a time by which every gate has
 * loaded the ring: a gate that meets an owner in whose lists a key unknown to it is in use answers 451.
 * @throws KeyringProblem
 */
export async function addKey(file: string, clock: Clock, since: number = clock.now()): Promise<void> {
  await attempt(file, 'change', async () => {
    // A symbolic link stays one, and the owner stays who it was: the server may run as somebody else.
    const target = await realpath(file);
    const text = await readFile(target, 'utf8');
    parseFile(file, text);
    const { uid, gid } = await stat(target);
    const at = text.split('\n').findIndex(line => !isComment(line));
    const lines = text.split('\n').toSpliced(at, 0, keyLine(newMaster(since)));
    const temporary = `${target}.${randomBytes(4).toString('hex')}`;
    await writeNew(temporary, lines.join('\n'), { uid, gid });
    await rename(temporary, target);
    await syncFolder(dirname(target));
  });
}

function newMaster(since: number): Master {
  const key = randomBytes(KEY_OCTETS);
  return { id: keyId(key), key, since };
}

function keyLine({ id, key, since }: Master): string {
  return `${id} ${key.toString('base64url')} ${new Date(since).toISOString()}`;
}

/** Derived, so that a damaged line is recognised and a ring in a variable knows its keys by the same names. */
function keyId(key: Buffer): string {
  return hkdf(key, 'id', 6).toString('base64url');
}

function hkdf(key: Buffer, info: string, octets: number): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `postern ${info}`, octets));
}

function isComment(line: string): boolean {
  return line.trim() === '' || line.startsWith('#');
}

function parseFile(file: string, text: string): readonly Master[] {
  const masters: Master[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (isComment(line)) continue;
    const problem = (what: string) => new KeyringProblem(`key ring ${file}, line ${index + 1}: ${what}; restore the file from its backup`);
    const [id, encoded, time, ...more] = line.trim().split(/\s+/);
    if (encoded === undefined || time === undefined || more.length > 0) throw problem('wants id, key and time');
    const key = decodeKey(encoded);
    const since = Date.parse(time);
    if (key === undefined || keyId(key) !== id) throw problem('the key is damaged');
    if (Number.isNaN(since)) throw problem('the third word is no time');
    if (masters.some(other => other.id === id)) throw problem('the same key twice');
    masters.push({ id, key, since });
  }
  if (masters.length === 0) throw new KeyringProblem(`key ring ${file} holds no key; restore the file from its backup`);
  return masters;
}

function parseMaster(text: string): readonly Master[] {
  const keys = text.split(',').map(part => decodeKey(part.trim()));
  return keys.map(key => {
    if (key === undefined) {
      throw new KeyringProblem('keys.master (POSTERN_KEYS_MASTER): wants 32 octets in base64url (43 characters), or several with commas');
    }
    return { id: keyId(key), key, since: 0 };
  });
}

function decodeKey(text: string): Buffer | undefined {
  return KEY_TEXT.test(text) ? Buffer.from(text, 'base64url') : undefined;
}

async function writeNew(file: string, text: string, owner?: { readonly uid: number; readonly gid: number }): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    if (owner !== undefined && process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    await unlink(file);
    throw error;
  } finally {
    await handle.close();
  }
}

const FIXES: Readonly<Record<string, string>> = {
  ENOENT: 'is missing; restore it from its backup (only a new store gets a new one), or set keys.file',
  EEXIST: 'is there already; it is never overwritten',
  EACCES: 'is not accessible for the user this runs as; chown it',
  EPERM: 'is not accessible for the user this runs as; chown it',
};

async function attempt<T>(file: string, verb: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KeyringProblem) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown fault';
    throw new KeyringProblem(`key ring ${file} ${FIXES[code] ?? `could not be accessed to ${verb} it (${code})`}`);
  }
}

/** A vault in a folder: one file of mode 0600 per owner, overwritten before it is unlinked; beside it one of what is noted of the owner. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, unlessCode } from '../ops/durable.ts';
import { type Shelf, VaultUnavailable } from './vault-shelf.ts';

const NOTES = '.notes';

export class FileShelf implements Shelf {
  readonly name: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.name = `vault ${folder}`;
  }

  read(owner: string): Promise<Buffer | undefined> {
    return this.#attempt(async () => {
      const text = await unlessMissing(readFile(this.#file(owner), 'utf8'));
      return text === undefined ? undefined : Buffer.from(text.trim(), 'base64url');
    });
  }

  add(owner: string, wrapped: Buffer): Promise<Buffer> {
    return this.#attempt(async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      // Written whole under another name and then linked, so that no process ever reads half a key.
      const temporary = join(this.#folder, `.${owner}.${randomBytes(6).toString('hex')}`);
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await handle.writeFile(`${wrapped.toString('base64url')}\n`);
        await handle.sync();
        await link(temporary, this.#file(owner)).catch(unlessCode('EEXIST'));
      } finally {
        await handle.close();
        await unlink(temporary);
      }
      await syncFolder(this.#folder);
      await syncFolder(dirname(this.#folder));
      const text = await readFile(this.#file(owner), 'utf8');
      return Buffer.from(text.trim(), 'base64url');
    });
  }

  remove(owner: string): Promise<boolean> {
    return this.#attempt(async () => {
      const handle = await unlessMissing(open(this.#file(owner), 'r+'));
      if (handle === undefined) return false;
      try {
        const { size } = await handle.stat();
        await handle.write(randomBytes(size), 0, size, 0);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await unlink(this.#file(owner)).catch(unlessCode('ENOENT'));
      await syncFolder(this.#folder);
      return true;
    });
  }

  note(owner: string, line: string): Promise<void> {
    return this.#attempt(async () => {
      const file = this.#notes(owner);
      let handle = await unlessMissing(open(file, 'a', 0o600));
      if (handle === undefined) {
        await mkdir(this.#folder, { recursive: true, mode: 0o700 });
        handle = await open(file, 'a', 0o600);
      }
      try {
        const { size } = await handle.stat();
        // In one write, and after a line end: neither another process nor what a crash left can join it.
        await handle.write(`\n${line}\n`);
        await handle.datasync();
        if (size === 0) await syncFolder(this.#folder);
      } finally {
        await handle.close();
      }
    });
  }

  notes(owner: string): Promise<readonly string[]> {
    return this.#attempt(async () => {
      const text = await unlessMissing(readFile(this.#notes(owner), 'latin1'));
      return (text ?? '').split('\n').filter(line => line !== '');
    });
  }

  noted(): Promise<readonly string[]> {
    return this.#attempt(async () => {
      const names = (await unlessMissing(readdir(this.#folder))) ?? [];
      return names.filter(name => name.endsWith(NOTES)).map(name => name.slice(0, -NOTES.length));
    });
  }

  async close(): Promise<void> {}

  #notes(owner: string): string {
    return join(this.#folder, `${owner}${NOTES}`);
  }

  #file(owner: string): string {
    return join(this.#folder, `${owner}.key`);
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new VaultUnavailable(`${this.name} cannot be used (${(error as NodeJS.ErrnoException).code ?? 'unknown fault'})`);
    }
  }
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch(unlessCode('ENOENT'));
}

/** Sorts more records by their key than memory holds: what is too much waits in a temporary file, sealed under a key that nobody keeps. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sealer } from '../keys/seal.ts';

export interface Spooled {
  readonly key: Buffer;
  readonly text: string;
}

/** Octets of one partition in memory; a record must fit. */
const CHUNK = 64 * 1024;
const LENGTHS = 4;
/** More than the records of one partition. */
const ROOM = 2 ** 29;

interface Partition {
  readonly open: Buffer;
  used: number;
  /** Where in the file its sealed chunks lie. */
  readonly kept: { readonly at: number; readonly length: number }[];
}

export class Spool {
  readonly #keyOctets: number;
  readonly #sealer = new Sealer([randomBytes(32)]);
  /** By a key's first octet; keys are digests, so they spread evenly. */
  readonly #partitions = new Map<number, Partition>();
  #file: FileHandle | undefined;
  #end = 0;
  #size = 0;

  /** All keys have this many octets, 6 or more, evenly spread. */
  constructor(keyOctets: number) {
    this.#keyOctets = keyOctets;
  }

  /** Records added so far. */
  get size(): number {
    return this.#size;
  }

  /** Takes a record of less than 16 KiB. Where it gives a promise, wait for it before the next. @throws Error where no temporary file can be made */
  add(key: Buffer, text: string): Promise<void> | undefined {
    const index = key[0] as number;
    let partition = this.#partitions.get(index);
    if (partition === undefined) {
      partition = { open: Buffer.allocUnsafe(CHUNK), used: 0, kept: [] };
      this.#partitions.set(index, partition);
    }
    // A code unit takes three octets at most.
    if (partition.used + LENGTHS + key.length + text.length * 3 <= CHUNK) return this.#put(partition, key, text);
    return this.#keep(partition).then(() => this.#put(partition, key, text));
  }

  /**
   * Everything in the order of the keys, records of one key in the order they came and always in one batch; otherwise a batch has
   * about `size` records. To be asked for once.
   */
  async *batches(size: number): AsyncIterable<readonly Spooled[]> {
    let batch: Spooled[] = [];
    for (const index of [...this.#partitions.keys()].sort((a, b) => a - b)) {
      const octets = await this.#read(index);
      // Made as they are asked for: a whole partition of objects would outlive the collector's young ones.
      for (const at of this.#sorted(octets)) {
        const record = this.#recordAt(octets, at);
        if (batch.length >= size && batch.at(-1)?.key.equals(record.key) === false) {
          yield batch;
          batch = [];
        }
        batch.push(record);
      }
      this.#partitions.delete(index);
    }
    if (batch.length > 0) yield batch;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#partitions.clear();
  }

  #put(partition: Partition, key: Buffer, text: string): undefined {
    const { open } = partition;
    const start = partition.used + LENGTHS;
    key.copy(open, start);
    const length = open.write(text, start + key.length);
    open.writeUInt32LE(length, partition.used);
    partition.used = start + key.length + length;
    this.#size += 1;
  }

  async #keep(partition: Partition): Promise<void> {
    this.#file ??= await temporaryFile();
    const sealed = this.#sealer.seal(partition.open.subarray(0, partition.used), 'spool');
    const at = this.#end;
    this.#end += sealed.length;
    partition.kept.push({ at, length: sealed.length });
    partition.used = 0;
    const { bytesWritten } = await this.#file.write(sealed, 0, sealed.length, at);
    if (bytesWritten < sealed.length) throw new Error(`the temporary folder ${tmpdir()} is full; make room, or set TMPDIR to another`);
  }

  async #read(index: number): Promise<Buffer> {
    const { open, used, kept } = this.#partitions.get(index) as Partition;
    if (kept.length === 0) return open.subarray(0, used);
    const chunks: Buffer[] = [];
    for (const { at, length } of kept) {
      const sealed = Buffer.allocUnsafe(length);
      await this.#file?.read(sealed, 0, length, at);
      const chunk = this.#sealer.open(sealed, 'spool');
      if (chunk === undefined) throw new Error('the temporary file was altered; try again');
      chunks.push(chunk);
    }
    return Buffer.concat([...chunks, open.subarray(0, used)]);
  }

  /** Where the records of a partition begin, in the order of their keys. */
  #sorted(octets: Buffer): readonly number[] {
    const starts: number[] = [];
    for (let at = 0; at < octets.length; at += LENGTHS + this.#keyOctets + octets.readUInt32LE(at)) starts.push(at);
    // Numbers of three octets of the key (of a partition, the first is the same) and the order in which the records came: sorted without asking us.
    const order = new Float64Array(starts.length);
    for (const [i, at] of starts.entries()) order[i] = octets.readUIntBE(at + LENGTHS + 1, 3) * ROOM + i;
    order.sort();
    const sorted: number[] = [];
    let before = -1;
    for (const one of order) {
      const prefix = Math.floor(one / ROOM);
      const start = starts[one - prefix * ROOM] as number;
      let to = sorted.length;
      if (prefix === before) while (to > 0 && this.#compare(octets, sorted[to - 1] as number, start) > 0) to -= 1;
      sorted.splice(to, 0, start);
      before = prefix;
    }
    return sorted;
  }

  #compare(octets: Buffer, a: number, b: number): number {
    const [keyA, keyB] = [a + LENGTHS, b + LENGTHS];
    return octets.compare(octets, keyB, keyB + this.#keyOctets, keyA, keyA + this.#keyOctets);
  }

  #recordAt(octets: Buffer, at: number): Spooled {
    const textAt = at + LENGTHS + this.#keyOctets;
    const end = textAt + octets.readUInt32LE(at);
    return { key: octets.subarray(at + LENGTHS, textAt), text: octets.toString('utf8', textAt, end) };
  }
}

/** Gone from its folder at once, so that no end of this process leaves it behind. */
async function temporaryFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `postern-${randomBytes(9).toString('base64url')}`);
  try {
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  } catch (error) {
    throw new Error(
      `no temporary file can be made in ${tmpdir()} (${(error as NodeJS.ErrnoException).code}); set TMPDIR to another folder`,
    );
  }
}

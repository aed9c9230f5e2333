/** A ledger in a file that several processes append to; concurrent appends share one fsync. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../ops/clock.ts';
import { syncFolder, unlessCode } from '../ops/durable.ts';
import { StoreUnavailable } from '../store/store.ts';
import { firstTime, latestTime, ledgerLine, parseLedgerLine } from './ledger-lines.ts';
import { type LedgerLine, type LedgerMedium, LedgerProblem } from './ledger-medium.ts';

const CHUNK = 256 * 1024;
/** Octets of one write; what waits beyond it goes with the next. */
const BATCH = 1024 * 1024;
/** A line's time stands at its beginning, and no line is longer. */
const LONGEST_LINE = 8 * 1024 * 1024;
/** Octets of a line's end by which it is known again: of a seal, which no other line has. */
const TOLD = 24;

interface Waiting {
  readonly payload: Buffer;
  readonly resolve: (time: number) => void;
  readonly reject: (error: Error) => void;
}

export class FileLedger implements LedgerMedium {
  readonly name: string;
  readonly #path: string;
  readonly #clock: Clock;
  #handle: FileHandle | undefined;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #lastTime = 0;
  /** Size after our last write: another means that somebody else has written, too. */
  #lastSize = -1;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
    this.name = `ledger file:${path}`;
  }

  header(): Promise<string | undefined> {
    return this.#attempt(async () => {
      const handle = await open(this.#path, 'r').catch(unlessCode('ENOENT'));
      if (handle === undefined) return undefined;
      try {
        const text = await textAt(handle, 0, 1024);
        return text === '' ? undefined : text.split('\n', 1)[0];
      } finally {
        await handle.close();
      }
    });
  }

  async create(header: string): Promise<string> {
    await this.#attempt(async () => {
      const folder = dirname(this.#path);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      if ((await stat(this.#path).catch(unlessCode('ENOENT')))?.size === 0) await unlink(this.#path);
      // Written whole under another name and then linked, so that no process ever reads half a header.
      const temporary = `${this.#path}.${randomBytes(6).toString('hex')}`;
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await handle.writeFile(`${header}\n`);
        await handle.sync();
        await link(temporary, this.#path).catch(unlessCode('EEXIST'));
      } finally {
        await handle.close();
        await unlink(temporary);
      }
      await syncFolder(folder);
    });
    return (await this.header()) ?? header;
  }

  append(payload: Buffer): Promise<number> {
    return new Promise<number>((resolve, reject) => {
      this.#waiting.push({ payload, resolve, reject });
      this.#flushing ??= this.#flush().finally(() => {
        this.#flushing = undefined;
      });
    });
  }

  async *read(from: number, after?: string): AsyncIterable<LedgerLine> {
    const handle = await this.#attempt(() => open(this.#path, 'r'));
    try {
      const { size } = await handle.stat();
      const behind = after === undefined ? undefined : await endOf(handle, size, after);
      const start = behind ?? (await offsetOf(handle, size, from));
      let end = start - 1;
      for await (const text of linesOf(handle, start, size)) {
        const begins = end + 1;
        end = begins + text.length;
        // The first is the header, or what is left of the line that `start` lies in.
        if (begins === start) continue;
        const line = parseLedgerLine(text);
        if (line === 'foreign') throw new LedgerProblem(`${this.name} holds a line that is none; restore the file from its backup`);
        if (typeof line !== 'string' && (behind !== undefined || line.time >= from)) yield { ...line, place: placeOf(end, text) };
      }
    } finally {
      await handle.close();
    }
  }

  async close(): Promise<void> {
    await this.#flushing;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        const time = await this.#attempt(() => this.#write(batch));
        for (const { resolve } of batch) resolve(time);
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
  }

  #take(): readonly Waiting[] {
    let octets = 0;
    const end = this.#waiting.findIndex(({ payload }) => {
      octets += payload.length;
      return octets > BATCH;
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : Math.max(end, 1));
  }

  async #write(batch: readonly Waiting[]): Promise<number> {
    const handle = await this.#ours();
    const time = Math.max(this.#clock.now(), this.#lastTime);
    const octets = Buffer.from(`\n${batch.map(({ payload }) => ledgerLine(time, payload)).join('')}`, 'latin1');
    const { size } = await handle.stat();
    // One write: another process's comes before or after, never in between.
    const { bytesWritten } = await handle.write(octets);
    if (bytesWritten < octets.length) throw new Error('the disk took only a part');
    await handle.datasync();
    this.#lastTime = time;
    this.#lastSize = size + octets.length;
    return time;
  }

  /** The open file, as long as it is the one at the path; with its latest time known. */
  async #ours(): Promise<FileHandle> {
    // Never created here: a ledger that is gone must be noticed.
    this.#handle ??= await open(this.#path, constants.O_WRONLY | constants.O_APPEND);
    const [ours, there] = [await this.#handle.stat(), await stat(this.#path)];
    if (ours.ino !== there.ino || ours.dev !== there.dev) {
      await this.#handle.close();
      this.#handle = undefined;
      throw new Error('it was moved away while it was open');
    }
    if (there.size !== this.#lastSize) this.#lastTime = Math.max(this.#lastTime, await this.#latest(there.size));
    return this.#handle;
  }

  /** Another process may have a faster clock: time must not run backwards in the file. */
  async #latest(size: number): Promise<number> {
    const handle = await open(this.#path, 'r');
    try {
      for (let window = CHUNK; ; window *= 8) {
        const start = Math.max(0, size - window);
        const time = latestTime(await textAt(handle, start, size));
        if (time !== undefined || start === 0) return time ?? 0;
      }
    } finally {
      await handle.close();
    }
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new StoreUnavailable(`${this.name} cannot be used: ${code ?? message}`, { cause: error });
    }
  }
}

/** Where a line ends, and how: a file that was put back from its backup has other lines there. */
function placeOf(end: number, text: string): string {
  return `${end} ${text.slice(-TOLD)}`;
}

/** The offset behind that line; undefined where it is not there. */
async function endOf(handle: FileHandle, size: number, place: string): Promise<number | undefined> {
  const [offset, told = ''] = place.split(' ');
  const end = Number(offset);
  if (!(end >= told.length && end <= size)) return undefined;
  const [there, next] = (await textAt(handle, end - told.length, Math.min(end + 1, size))).split('\n');
  return there === told && (next !== undefined || end === size) ? end : undefined;
}

/** An offset before the first line of that time, found by halving: a ledger grows for years, a replay wants minutes. */
async function offsetOf(handle: FileHandle, size: number, from: number): Promise<number> {
  let [low, high] = [0, size];
  while (high - low > CHUNK) {
    const middle = Math.floor((low + high) / 2);
    const time = await timeAfter(handle, middle, high);
    if (time === undefined || time >= from) high = middle;
    else low = middle;
  }
  return low;
}

async function timeAfter(handle: FileHandle, start: number, end: number): Promise<number | undefined> {
  for (let window = 16 * 1024; ; window *= 8) {
    const to = Math.min(end, start + window);
    const time = firstTime(await textAt(handle, start, to));
    if (time !== undefined || to === end || window > LONGEST_LINE) return time;
  }
}

async function textAt(handle: FileHandle, start: number, end: number): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
  return buffer.toString('latin1', 0, bytesRead);
}

async function* linesOf(handle: FileHandle, start: number, end: number): AsyncIterable<string> {
  let rest = '';
  for (let at = start; at < end; at += CHUNK) {
    const lines = `${rest}${await textAt(handle, at, Math.min(end, at + CHUNK))}`.split('\n');
    rest = lines.pop() as string;
    yield* lines;
  }
  // Without its line end: being written at this moment, or never finished. The line itself says which.
  if (rest !== '') yield rest;
}

/** What comes in: command lines one by one, and the octets of a message while one is read. Takes the place of smtp-server's parser. */
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import type { MessageReader } from './message-reader.ts';

/** A line without its end, octets as Latin-1; or what is wrong with it. `flood`: it is not even worth waiting for its end. */
export type Line = { readonly text: string } | { readonly wrong: 'ending' | 'long' | 'flood' };

interface Reading {
  readonly reader: MessageReader;
  readonly done: (whole: boolean) => void;
}

/** Octets of a line, its CRLF included: RFC 4954 §4.3 asks for 12,288 for authentication; the session has its own limit for the rest. */
const MAX_LINE = 12_288;
const MAX_SWALLOWED = 65_536;
/** So many lines of one chunk are answered before other connections get their turn. */
const TURN = 64;

const NOTHING = Buffer.alloc(0);
const LF = 10;

/** Hands out one line at a time and waits until it is dealt with; nothing is read from the socket meanwhile but what a buffer holds. */
export class Wire extends SMTPStream {
  readonly #onLine: (line: Line) => Promise<void>;
  #input: Buffer = NOTHING;
  #at = 0;
  #chunk = 0;
  #next: (() => void) | undefined;
  #busy = false;
  #turn = 0;
  #swallowed = 0;
  #reader: Reading | undefined;

  /** `onLine` must not reject. */
  constructor(onLine: (line: Line) => Promise<void>) {
    super();
    this.#onLine = onLine;
  }

  /** True where a further line has come in whole already, so that the reply to this one may wait for its. */
  get lineWaiting(): boolean {
    return !this.isClosed && this.#input.indexOf(LF, this.#at) !== -1;
  }

  /** True where anything has come in that was not dealt with. */
  get pending(): boolean {
    return this.#at < this.#input.length || this.writableLength > this.#chunk;
  }

  /** Octets go to `reader` until its message ends. False: the connection went first. */
  read(reader: MessageReader): Promise<boolean> {
    return new Promise(resolve => {
      this.#reader = { reader, done: resolve };
      this.#proceed();
    });
  }

  /** Nothing more is handed out; a message that is being read is given up. */
  stop(): void {
    this.isClosed = true;
    const reading = this.#reader;
    this.#reader = undefined;
    reading?.done(false);
    this.#proceed();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding | 'buffer', next: () => void): void {
    this.#input = this.#at < this.#input.length ? Buffer.concat([this.#input.subarray(this.#at), chunk]) : chunk;
    this.#at = 0;
    this.#chunk = chunk.length;
    this.#next = next;
    this.#turn = 0;
    this.#proceed();
  }

  /** A line without an end is no command. */
  override _flushData(): void {}

  #proceed(): void {
    while (this.#next !== undefined) {
      if (this.isClosed) this.#drained(this.#input.length);
      else if (this.#reader !== undefined) this.#feed(this.#reader);
      else if (this.#busy) return;
      else this.#hand(this.#line());
    }
  }

  /** Asks for more input; what lies before `at` is done with. */
  #drained(at: number): void {
    const next = this.#next;
    this.#next = undefined;
    this.#at = at;
    if (at >= this.#input.length) this.#input = NOTHING;
    next?.();
  }

  #feed(reading: Reading): void {
    const rest = this.#at === 0 ? this.#input : this.#input.subarray(this.#at);
    const end = reading.reader.take(rest);
    if (end === -1) {
      this.#drained(this.#input.length);
    } else {
      this.#at += end;
      this.#reader = undefined;
      reading.done(true);
    }
  }

  /** Undefined: the line goes on in the next chunk. */
  #hand(line: Line | undefined): void {
    if (line === undefined) {
      this.#drained(this.#at);
      return;
    }
    this.#busy = true;
    void this.#onLine(line).then(() => {
      this.#busy = false;
      if (++this.#turn % TURN === 0) setImmediate(() => this.#proceed());
      else this.#proceed();
    });
  }

  #line(): Line | undefined {
    const end = this.#input.indexOf(LF, this.#at);
    const length = (end === -1 ? this.#input.length : end + 1) - this.#at;
    if (this.#swallowed + length > MAX_LINE) {
      // The octets of a line that is too long are not kept while its end is awaited.
      this.#swallowed += length;
      this.#at += length;
      if (this.#swallowed > MAX_SWALLOWED) return { wrong: 'flood' };
      if (end === -1) return undefined;
      this.#swallowed = 0;
      return { wrong: 'long' };
    }
    if (end === -1) return undefined;
    const text = this.#input.toString('latin1', this.#at, end);
    this.#at = end + 1;
    // Only CRLF ends a line (RFC 5321 §2.3.8); a CR or NUL within one means different things to different readers.
    return text.indexOf('\r') === text.length - 1 && text !== '' && !text.includes('\0')
      ? { text: text.slice(0, -1) }
      : { wrong: 'ending' };
  }
}

/** One connection to an upstream: sends commands and the message, and holds every reply against what was asked. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Capabilities } from './capabilities.ts';
import { NONE } from './capabilities.ts';
import { ReplyReader, type ServerReply } from './replies.ts';
import { Stuffer } from './stuff.ts';
import { UpstreamUnavailable } from './upstream.ts';

/** How a connection ended: by the network, by a 421, by silence, or by us because what came was no answer to anything asked. */
export type EndKind = 'lost' | 'farewell' | 'silent' | 'garbled';

interface End {
  readonly kind: EndKind;
  readonly what: string;
  readonly cause: Error | undefined;
}

interface Expectation {
  readonly what: string;
  readonly count: number;
  readonly nextMs: number;
  readonly replies: ServerReply[];
  readonly resolve: (replies: readonly ServerReply[]) => void;
  readonly reject: (error: UpstreamUnavailable) => void;
  timer: NodeJS.Timeout;
}

/** Octets stuffed at a time. */
const BLOCK = 64 * 1024;
/** Octets handed to the socket before waiting until it has taken them. */
const BATCH = 256 * 1024;
/** How long a server may take to answer QUIT before the connection is cut. */
const QUIT_MS = 2000;

export class Connection {
  capabilities: Capabilities = NONE;
  readonly secure: boolean;
  /** Transactions begun on it. */
  transactions = 0;
  /** Refusals since the last message it took: servers slow down and cut off clients that gather them. */
  refusals = 0;
  /** True once the running transaction may not be begun again elsewhere: its consent was asked, or DATA was sent. */
  committed = false;
  /** True from the moment the final dot of the running transaction was handed to the socket. */
  dotSent = false;
  /** Called once if the connection ends while nothing is asked of it. */
  onIdleEnd: (() => void) | undefined;
  readonly #socket: Socket;
  readonly #name: string;
  readonly #reader = new ReplyReader();
  #expected: Expectation | undefined;
  #end: End | undefined;
  #quitting = false;
  /** While the message is being sent: a refusal that came too soon, and who waits for the socket. */
  #sending: { refusal?: ServerReply; wake?: () => void } | undefined;

  /** `name`: the upstream as it may stand in logs. */
  constructor(socket: Socket, name: string) {
    this.#socket = socket;
    this.#name = name;
    this.secure = socket instanceof TLSSocket;
    socket.on('data', this.#onData);
    socket.on('drain', this.#onDrain);
    socket.on('end', this.#onClosed);
    socket.on('close', this.#onClosed);
    socket.on('error', error => this.#finish('lost', 'connection failed', error));
    if (socket.destroyed) this.#onClosed();
  }

  /** How it ended, or undefined while it is usable. */
  get ended(): EndKind | undefined {
    return this.#end?.kind;
  }

  /**
   * Sends `text` (whole lines) and waits for `count` replies; `firstMs` and `nextMs` bound the first and each further one.
   * Fewer come only where the last is 421, which ends the connection. `what` names the command in errors: never its arguments.
   * @throws UpstreamUnavailable
   */
  ask(text: string, what: string, count: number, firstMs: number, nextMs = firstMs): Promise<readonly ServerReply[]> {
    if (this.#end !== undefined) return Promise.reject(this.#error());
    this.#socket.write(text);
    return this.#expect(what, count, firstMs, nextMs);
  }

  /** One command, one reply. @throws UpstreamUnavailable */
  async command(text: string, what: string, ms: number): Promise<ServerReply> {
    return first(await this.ask(text, what, 1, ms));
  }

  /** The greeting: a reply to nothing. @throws UpstreamUnavailable */
  async greeting(ms: number): Promise<ServerReply> {
    if (this.#end !== undefined) throw this.#error();
    return first(await this.#expect('the connection', 1, ms, ms));
  }

  /**
   * Sends the message and its final dot, and waits for the reply; after 354 only. A refusal that comes before the dot is returned as the
   * answer, the dot is then never sent, and the connection has ended. `blockMs` bounds each 256 KiB, `dotMs` the reply.
   * @throws UpstreamUnavailable
   */
  async message(pieces: readonly Buffer[], blockMs: number, dotMs: number): Promise<ServerReply> {
    if (this.#end !== undefined) throw this.#error();
    const socket = this.#socket;
    const stuffer = new Stuffer();
    this.#sending = {};
    let held = 0;
    socket.cork();
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; at += BLOCK) {
        const block = stuffer.next(piece.subarray(at, at + BLOCK));
        socket.write(block);
        held += block.length;
        if (held < BATCH) continue;
        socket.uncork();
        const refusal = await this.#taken(blockMs);
        if (refusal !== undefined) return refusal;
        socket.cork();
        held = 0;
      }
    }
    // What has begun before the dot is no answer to it.
    if (this.#reader.partial) this.#finish('garbled', 'upstream began to answer before the final dot');
    this.#sending = undefined;
    if (this.#end !== undefined) throw this.#error();
    this.dotSent = true;
    socket.write(stuffer.ending());
    socket.uncork();
    return first(await this.#expect('the final dot', 1, dotMs, dotMs));
  }

  /** Gives the socket away, with nothing of ours listening (STARTTLS). @throws UpstreamUnavailable where something unasked came in clear */
  release(): Socket {
    if (this.#end !== undefined) throw this.#error();
    const socket = this.#socket;
    socket.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onClosed).off('close', this.#onClosed);
    socket.pause();
    this.#end = { kind: 'lost', what: 'connection was given away', cause: undefined };
    return socket;
  }

  /** Says QUIT and closes; resolves when the socket is closed, after two seconds at most. */
  quit(): Promise<void> {
    this.#quitting = true;
    const socket = this.#socket;
    if (socket.destroyed) return Promise.resolve();
    if (this.#end !== undefined) {
      socket.destroy();
      return Promise.resolve();
    }
    return new Promise(resolve => {
      const timer = setTimeout(() => socket.destroy(), QUIT_MS);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.end('QUIT\r\n');
    });
  }

  /** Cuts the connection because of what came over it; returns what is to be thrown. */
  misplaced(what: string): UpstreamUnavailable {
    this.#finish('garbled', what);
    return this.#error();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#finish('lost', 'connection given up');
  }

  #expect(what: string, count: number, firstMs: number, nextMs: number): Promise<readonly ServerReply[]> {
    return new Promise((resolve, reject) => {
      this.#expected = { what, count, nextMs, replies: [], resolve, reject, timer: this.#deadline(what, firstMs) };
    });
  }

  #deadline(what: string, ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#finish('silent', `no answer to ${what} within ${ms / 1000} s`), ms);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#quitting) return;
    for (const reply of this.#reader.read(chunk)) {
      if (this.#end !== undefined) return;
      this.#onReply(reply);
    }
    if (this.#reader.garbled) this.#finish('garbled', 'upstream sent something that is no reply');
    else if (this.#reader.partial && this.#expected === undefined && this.#sending === undefined) this.#unasked();
  };

  #onReply(reply: ServerReply): void {
    const expected = this.#expected;
    if (expected !== undefined) {
      expected.replies.push(reply);
      clearTimeout(expected.timer);
      if (reply.code !== 421 && expected.replies.length < expected.count) {
        expected.timer = this.#deadline(expected.what, expected.nextMs);
        return;
      }
      this.#expected = undefined;
      expected.resolve(expected.replies);
    } else if (this.#sending !== undefined && reply.code >= 400) {
      this.#sending.refusal = reply;
      this.#finish('farewell', 'upstream refused the message before its end');
    } else if (reply.code !== 421) {
      this.#unasked();
    }
    // RFC 5321 §3.8: whatever 421 answers, the channel is being closed.
    if (reply.code === 421) this.#finish('farewell', 'upstream closes the connection (421)');
  }

  /** RFC 2920 matches replies to commands by order alone: with one too many, every later reply would answer the wrong command. */
  #unasked(): void {
    this.#finish('garbled', 'upstream sent a reply to nothing');
  }

  readonly #onDrain = (): void => this.#sending?.wake?.();

  readonly #onClosed = (): void => this.#finish('lost', 'connection closed by the upstream');

  /** Waits until the socket has taken what it was given. */
  async #taken(ms: number): Promise<ServerReply | undefined> {
    const sending = this.#sending;
    if (sending !== undefined && this.#end === undefined && this.#socket.writableNeedDrain) {
      const timer = setTimeout(() => this.#finish('silent', `upstream took no octets of the message for ${ms / 1000} s`), ms);
      await new Promise<void>(resolve => {
        sending.wake = resolve;
      });
      clearTimeout(timer);
    }
    if (sending?.refusal !== undefined) return sending.refusal;
    if (this.#end !== undefined) throw this.#error();
    return undefined;
  }

  #finish(kind: EndKind, what: string, cause?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { kind, what, cause };
    this.#socket.destroy();
    const expected = this.#expected;
    this.#expected = undefined;
    if (expected !== undefined) {
      clearTimeout(expected.timer);
      expected.reject(this.#error());
    }
    this.#sending?.wake?.();
    this.onIdleEnd?.();
  }

  #error(): UpstreamUnavailable {
    const { what, cause } = this.#end ?? { what: 'connection unusable', cause: undefined };
    return new UpstreamUnavailable(`${this.#name}: ${what}`, this.dotSent, cause === undefined ? {} : { cause });
  }
}

function first(replies: readonly ServerReply[]): ServerReply {
  const [reply] = replies;
  if (reply === undefined) throw new Error('an expectation was met by no reply');
  return reply;
}

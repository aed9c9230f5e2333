/** One connection of the test sink: reads commands in order, asks the script, answers, and collects the message. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { TEST_CERTIFICATE } from './certificate.ts';
import {
  DEFAULT_EXTENSIONS,
  type SinkAnswer,
  type SinkOptions,
  type SinkPeer,
  type SinkStage,
  type SinkTransaction,
} from './sink-script.ts';

/** Body octets so far; `tail`: the last of them, too few to hold the end. */
interface Body {
  readonly chunks: Buffer[];
  length: number;
  tail: Buffer;
}

const END = Buffer.from('\r\n.\r\n');

export class SinkSession implements SinkPeer {
  readonly commands: string[] = [];
  pipelined = false;
  secure: boolean;
  user: string | undefined;
  closed = false;
  readonly #options: SinkOptions;
  readonly #transactions: SinkTransaction[];
  #socket: Socket;
  #input: Buffer = Buffer.alloc(0);
  #body: Body | undefined;
  #transaction: SinkTransaction | undefined;
  #login: { user?: string } | undefined;
  #busy = false;
  #deaf = false;

  constructor(socket: Socket, options: SinkOptions, transactions: SinkTransaction[]) {
    this.#socket = socket;
    this.#options = options;
    this.#transactions = transactions;
    this.secure = options.tls === 'implicit';
  }

  start(): void {
    this.#attach();
    this.#run(() => this.#answer('connect', '', '', '220 sink.example ESMTP'));
  }

  say(text: string): void {
    this.#socket.write(text);
  }

  end(): void {
    this.#socket.end();
  }

  #attach(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
    socket.on('data', (chunk: Buffer) => {
      if (this.#deaf) return;
      this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
      if (this.#body !== undefined && this.#options.pauseMs !== undefined) {
        socket.pause();
        setTimeout(() => socket.resume(), this.#options.pauseMs).unref();
      }
      this.#run(async () => {});
    });
  }

  #run(first: () => Promise<unknown>): void {
    if (this.#busy) {
      if (this.#body === undefined) this.pipelined = true;
      return;
    }
    this.#busy = true;
    void (async () => {
      await first();
      while (!this.#deaf && (this.#body === undefined ? await this.#command() : await this.#collect())) {
        if (this.#body === undefined && this.#input.length > 0) this.pipelined = true;
      }
      this.#busy = false;
    })();
  }

  async #command(): Promise<boolean> {
    const end = this.#input.indexOf('\n');
    if (end < 0) return false;
    const line = this.#input.toString('utf8', 0, end).replace(/\r$/, '');
    this.#input = this.#input.subarray(end + 1);
    this.commands.push(line);
    if (this.#login !== undefined) {
      await this.#loginStep(line);
      return true;
    }
    const verb = line.split(' ', 1)[0]?.toLowerCase() ?? '';
    const path = /:\s*<(.*?)>(?= |$)/.exec(line)?.[1] ?? '';
    await this.#obey(verb, line, path);
    return true;
  }

  async #obey(verb: string, line: string, path: string): Promise<void> {
    switch (verb) {
      case 'ehlo':
        this.#transaction = undefined;
        await this.#answer('ehlo', line, '', this.#greeting());
        return;
      case 'helo':
        await this.#answer('helo', line, '', '250 sink.example');
        return;
      case 'starttls':
        await this.#starttls(line);
        return;
      case 'auth':
        await this.#auth(line);
        return;
      case 'mail':
        await this.#mail(line, path);
        return;
      case 'rcpt':
        await this.#rcpt(line, path);
        return;
      case 'data':
        await this.#data(line);
        return;
      case 'rset':
        this.#transaction = undefined;
        await this.#answer('rset', line, '', '250 2.0.0 Reset');
        return;
      case 'noop':
        await this.#answer('noop', line, '', '250 2.0.0 OK');
        return;
      case 'quit':
        await this.#answer('quit', line, '', { reply: '221 2.0.0 Bye', end: 'close' });
        return;
      default:
        await this.#answer('other', line, '', '502 5.5.1 Unknown command');
    }
  }

  #greeting(): string {
    const { extensions = DEFAULT_EXTENSIONS, tls, login } = this.#options;
    if (extensions === 'helo') return '502 5.5.1 Unknown command';
    const words: string[] = [...extensions];
    if (tls === 'starttls' && !this.secure) words.push('STARTTLS');
    if (login !== undefined && (this.secure || tls === undefined)) words.push(`AUTH ${login.mechanisms ?? 'PLAIN LOGIN'}`);
    return ['sink.example', ...words].map((word, i) => `250${i === words.length ? ' ' : '-'}${word}`).join('\n');
  }

  async #starttls(line: string): Promise<void> {
    if (this.#options.tls !== 'starttls') {
      await this.#answer('starttls', line, '', '502 5.5.1 No TLS here');
      return;
    }
    const { reply, upgrade } = await this.#answer('starttls', line, '', '220 2.0.0 Go on');
    if (!reply.startsWith('220') || !upgrade) return;
    const plain = this.#socket;
    plain.removeAllListeners('data');
    this.#input = Buffer.alloc(0);
    this.secure = true;
    this.#socket = new TLSSocket(plain, { isServer: true, ...TEST_CERTIFICATE });
    this.#attach();
  }

  async #auth(line: string): Promise<void> {
    const [, mechanism = '', initial] = line.split(' ');
    if (mechanism.toUpperCase() === 'PLAIN' && initial !== undefined) {
      const [, user = '', password = ''] = Buffer.from(initial, 'base64').toString().split('\0');
      await this.#verdict(line, user, password);
    } else if (mechanism.toUpperCase() === 'LOGIN') {
      this.#login = {};
      this.#socket.write('334 VXNlcm5hbWU6\r\n');
    } else {
      await this.#answer('auth', line, '', '504 5.5.4 Unknown mechanism');
    }
  }

  async #loginStep(line: string): Promise<void> {
    const text = Buffer.from(line, 'base64').toString();
    const user = this.#login?.user;
    if (user === undefined) {
      this.#login = { user: text };
      this.#socket.write('334 UGFzc3dvcmQ6\r\n');
      return;
    }
    this.#login = undefined;
    await this.#verdict(line, user, text);
  }

  async #verdict(line: string, user: string, password: string): Promise<void> {
    const { login } = this.#options;
    const right = login !== undefined && user === login.user && password === login.password;
    const { reply } = await this.#answer('auth', line, '', right ? '235 2.7.0 Welcome' : '535 5.7.8 Wrong');
    if (reply.startsWith('235')) this.user = user;
  }

  async #mail(line: string, path: string): Promise<void> {
    const locked = this.#options.login !== undefined && this.user === undefined;
    const usual = locked ? '530 5.7.0 Authentication required' : this.#transaction ? '503 5.5.1 Nested MAIL' : '250 2.1.0 OK';
    const { reply } = await this.#answer('mail', line, path, usual);
    if (!reply.startsWith('2')) return;
    const none = Buffer.alloc(0);
    this.#transaction = {
      session: this,
      from: path,
      mailLine: line,
      secure: this.secure,
      rcpts: [],
      to: [],
      octets: none,
      wire: none,
      complete: false,
      reply: undefined,
    };
    this.#transactions.push(this.#transaction);
  }

  async #rcpt(line: string, path: string): Promise<void> {
    const { reply } = await this.#answer('rcpt', line, path, this.#transaction ? '250 2.1.5 OK' : '503 5.5.1 MAIL first');
    this.#transaction?.rcpts.push({ path, line, reply });
    if (reply.startsWith('2')) this.#transaction?.to.push(path);
  }

  async #data(line: string): Promise<void> {
    const usual =
      this.#transaction === undefined
        ? '503 5.5.1 MAIL first'
        : this.#transaction.to.length === 0
          ? '554 5.5.1 No valid recipients'
          : '354 Go on';
    const { reply } = await this.#answer('data', line, '', usual);
    if (!reply.startsWith('354') || this.#transaction === undefined) return;
    // As if the DATA line's CRLF were the body's: a message may begin with its final dot.
    const start = Buffer.from('\r\n');
    this.#body = { chunks: [start], length: start.length, tail: start };
  }

  async #collect(): Promise<boolean> {
    const [body, transaction] = [this.#body, this.#transaction];
    if (this.#input.length === 0 || body === undefined || transaction === undefined) return false;
    const chunk = this.#input;
    this.#input = Buffer.alloc(0);
    // The last octets of what came before may hold the beginning of the end.
    const window = Buffer.concat([body.tail, chunk]);
    const end = window.indexOf(END);
    const start = body.length - body.tail.length;
    body.chunks.push(chunk);
    body.length += chunk.length;
    body.tail = window.subarray(1 - END.length);
    if (end < 0) {
      await this.#answer('body', '', '', undefined);
      return true;
    }
    this.#input = window.subarray(end + END.length);
    this.#body = undefined;
    transaction.wire = Buffer.concat(body.chunks).subarray(2, start + end + 2);
    transaction.octets = Buffer.from(`\r\n${transaction.wire.toString('latin1')}`.replaceAll('\r\n.', '\r\n').slice(2), 'latin1');
    transaction.complete = true;
    const { reply } = await this.#answer('dot', '', '', '250 2.0.0 Taken');
    transaction.reply = reply === '' ? undefined : reply;
    this.#transaction = undefined;
    return true;
  }

  async #answer(stage: SinkStage, line: string, path: string, usual: SinkAnswer | undefined): Promise<{ reply: string; upgrade: boolean }> {
    const event = {
      stage,
      line,
      path,
      session: this,
      transaction: this.#transaction,
      received: this.#body === undefined ? (this.#transaction?.wire.length ?? 0) : this.#body.length - 2,
    };
    const chosen = (await this.#options.script?.(event)) ?? usual ?? {};
    const answer = typeof chosen === 'string' ? { reply: chosen } : chosen;
    const reply = answer.reply ?? '';
    // One write, so that a reply and unasked octets behind it travel together.
    const text = (reply === '' ? '' : reply.replaceAll('\n', '\r\n').concat('\r\n')) + (answer.raw ?? '');
    if (text !== '') this.#socket.write(text);
    if (answer.end !== undefined) {
      this.#deaf = true;
      if (answer.end === 'close') this.#socket.end();
      if (answer.end === 'reset') this.#socket.resetAndDestroy();
    }
    return { reply: reply.split('\n').at(-1) ?? '', upgrade: answer.upgrade !== false && answer.end === undefined };
  }
}

/** A raw SMTP client for tests: sends exactly what it is told, reads whole replies, judges nothing. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

export interface ReplyRead {
  readonly code: number;
  /** Without the code and the character behind it. */
  readonly lines: readonly string[];
  /** As it came, without the last CRLF. */
  readonly text: string;
}

export interface DialOptions {
  readonly tls?: boolean;
  readonly host?: string;
  /** The server name asked for. */
  readonly servername?: string;
  /** Sent with the connection, before any greeting. */
  readonly early?: string;
  /** How long to wait for one reply. */
  readonly waitMs?: number;
}

/** Connects; the greeting is the first `reply()`. Certificates are not verified. */
export async function dial(port: number, options: DialOptions = {}): Promise<SmtpClient> {
  const host = options.host ?? '127.0.0.1';
  const socket: Socket =
    options.tls === true ? connectTls({ port, host, rejectUnauthorized: false, ...named(options) }) : connect({ port, host });
  const client = new SmtpClient(socket, options);
  if (options.early !== undefined) socket.write(options.early, 'latin1');
  await new Promise<void>((resolve, reject) => {
    socket.once(options.tls === true ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  return client;
}

const named = (options: DialOptions) => (options.servername === undefined ? {} : { servername: options.servername });

export class SmtpClient {
  socket: Socket;
  /** How often data arrived. */
  reads = 0;
  #input = '';
  #waiting: (() => void)[] = [];
  #over = false;
  readonly #options: DialOptions;

  constructor(socket: Socket, options: DialOptions) {
    this.socket = socket;
    this.#options = options;
    this.#listen();
  }

  /** Sends a line; CRLF is added. */
  send(line: string): void {
    this.socket.write(`${line}\r\n`);
  }

  /** Sends as it is; a string as UTF-8. */
  write(octets: string | Buffer): void {
    this.socket.write(octets);
  }

  /** The next whole reply. Rejects where the connection closes first or none comes in time. */
  async reply(): Promise<ReplyRead> {
    const deadline = Date.now() + (this.#options.waitMs ?? 10_000);
    for (;;) {
      const match = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3}(?: [^\r\n]*)?\r\n/.exec(this.#input);
      if (match !== null) {
        this.#input = this.#input.slice(match[0].length);
        const text = match[0].slice(0, -2);
        const lines = text.split('\r\n');
        return { code: Number(text.slice(0, 3)), lines: lines.map(line => line.slice(4)), text };
      }
      if (this.#over) throw new Error(`connection closed; unread: ${JSON.stringify(this.#input)}`);
      await this.#more(deadline);
    }
  }

  /** Sends a line and gives its reply as it came, such as `250 2.0.0 OK`. */
  async ask(line: string): Promise<string> {
    this.send(line);
    return (await this.reply()).text;
  }

  /** Whatever the server still says until it closes. */
  async rest(): Promise<string> {
    const deadline = Date.now() + (this.#options.waitMs ?? 10_000);
    while (!this.#over) await this.#more(deadline);
    return this.#input;
  }

  /** The handshake; STARTTLS and its 220 come before. */
  async upgrade(): Promise<void> {
    this.socket.removeAllListeners();
    const socket: TLSSocket = connectTls({ socket: this.socket, rejectUnauthorized: false, ...named(this.#options) });
    this.socket = socket;
    this.#listen();
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('connection closed in the handshake')));
    });
  }

  /** STARTTLS and the handshake; gives the reply to the command. */
  async starttls(): Promise<string> {
    const text = await this.ask('STARTTLS');
    if (text.startsWith('220')) await this.upgrade();
    return text;
  }

  close(): void {
    this.socket.destroy();
  }

  #listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.reads++;
      this.#input += chunk.toString('latin1');
      this.#wake();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.#over = true;
      this.#wake();
    });
    this.socket.on('end', () => {
      this.#over = true;
      this.#wake();
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #more(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no reply in time; unread: ${JSON.stringify(this.#input)}`)), deadline - Date.now());
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

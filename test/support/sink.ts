/** A raw SMTP sink on a real socket for tests: records transactions octet by octet, and a script may answer, stall or drop at every stage. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { TEST_CERTIFICATE } from './certificate.ts';
import type { SinkOptions, SinkTransaction } from './sink-script.ts';
import { SinkSession } from './sink-session.ts';

export type * from './sink-script.ts';

export class Sink {
  readonly host: string;
  readonly port: number;
  /** Every transaction whose MAIL was accepted, in order. */
  readonly transactions: SinkTransaction[] = [];
  /** Every connection so far, in order. */
  readonly sessions: SinkSession[] = [];
  readonly options: SinkOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(server: Server, options: SinkOptions) {
    const { address, port } = server.address() as AddressInfo;
    this.host = address;
    this.port = port;
    this.options = options;
    this.#server = server;
    server.on('tlsClientError', () => {});
    server.on(options.tls === 'implicit' ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      const session = new SinkSession(socket, options, this.transactions);
      this.sessions.push(session);
      session.start();
    });
  }

  /** Transactions whose final dot was answered 2xx: what this sink has taken. */
  get messages(): readonly SinkTransaction[] {
    return this.transactions.filter(transaction => transaction.reply?.startsWith('2'));
  }

  /** `smtp://host:port` (`smtps://` for implicit TLS), with further query text appended as given. */
  url(query = ''): string {
    return `${this.options.tls === 'implicit' ? 'smtps' : 'smtp'}://${this.host}:${this.port}${query}`;
  }

  /** Connections open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Drops every connection, keeps listening. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.dropAll();
    await closed;
  }
}

/** Starts a sink that accepts everything unless its options say otherwise. Port 0 (default): any free one. */
export async function startSink(options: SinkOptions = {}): Promise<Sink> {
  const server = options.tls === 'implicit' ? createTlsServer({ ...TEST_CERTIFICATE }) : createServer();
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  return new Sink(server, options);
}

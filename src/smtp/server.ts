/** One listening socket: smtp-server's accept, PROXY header and TLS handshake, with our connections behind it. */
import type { Socket } from 'node:net';
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js';
import { SMTPServer } from 'smtp-server/lib/smtp-server.js';
import type { KeyPair } from './certificate.ts';
import { Connection, type ConnectionNeeds } from './connection.ts';
import type { Endpoint } from './listen.ts';

/** How long a PROXY header and a TLS handshake may take together. */
const PRELUDE_MS = 60_000;

export class Server<Login> extends SMTPServer {
  readonly #needs: ConnectionNeeds<Login>;
  readonly #all: Set<Connection<Login>>;
  /** Every accepted socket that is still open, with or without a session. */
  readonly #sockets = new Set<Socket>();

  /** `all` holds the connections of all servers of a listener. @param proxies addresses that must send a PROXY header, and may. */
  constructor(
    endpoint: Endpoint,
    pair: KeyPair,
    proxies: readonly string[],
    maxPending: number,
    needs: ConnectionNeeds<Login>,
    all: Set<Connection<Login>>,
  ) {
    super({
      ...pair,
      minVersion: 'TLSv1.2',
      secure: endpoint.implicitTls,
      useProxy: [...proxies],
      maxClients: maxPending,
      socketTimeout: PRELUDE_MS,
      // Its log would hold addresses.
      logger: false,
    });
    this.#needs = needs;
    this.#all = all;
    this.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // What fails here is a client's handshake; the client knows.
    this.on('error', (error: NodeJS.ErrnoException) => needs.log.debug({ code: error.code }, 'client or listening socket failed'));
  }

  override connect(socket: Socket, options?: SMTPConnectionOptions | null): void {
    if (socket.destroyed) return;
    const connection = new Connection(this, socket, options, this.#needs);
    this.connections.add(connection);
    this.#all.add(connection);
    connection.init();
  }

  /** smtp-server's own guard starts again with every octet that drips in. */
  override _acceptSocket(socket: Socket, handshake: boolean): (() => void) | false {
    const release = super._acceptSocket(socket, handshake);
    if (release === false || !this._pendingSockets.has(socket)) return release;
    const deadline = setTimeout(() => this._pendingSockets.get(socket)?.destroy(), PRELUDE_MS).unref();
    return () => {
      clearTimeout(deadline);
      release();
    };
  }

  /** Takes no more connections; those without a session yet hold nothing worth waiting for. Resolves when all sockets are closed. */
  shut(): Promise<void> {
    const closed = new Promise<void>(resolve => this.server.close(() => resolve()));
    for (const socket of this._pendingSockets.values()) socket.destroy();
    return closed;
  }

  /** What is open once the sessions are destroyed: clients turned away for their PROXY header that do not leave. */
  destroyLeftovers(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

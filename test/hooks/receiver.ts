/** A platform's end of a webhook: a real HTTP server that verifies signatures with the library, and answers as a test says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { until } from '../support/until.ts';

export interface Told {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class Receiver {
  /** Whose signature was good, in the order they came. */
  readonly told: Told[] = [];
  /** Requests whose signature was not. */
  forged = 0;
  /** What it answers. */
  status = 204;
  secret = '';
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response) => {
      const chunks: Buffer[] = [];
      request.on('data', chunk => chunks.push(chunk));
      request.on('end', () => {
        try {
          const body = Buffer.concat(chunks).toString();
          const said = new Webhook(this.secret).verify(body, request.headers as Record<string, string>) as Omit<Told, 'id'>;
          this.told.push({ ...said, id: String(request.headers['webhook-id']) });
        } catch {
          this.forged += 1;
        }
        response.writeHead(this.status, { location: '/elsewhere' }).end();
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook`;
  }

  /** The first event that is so. */
  told1(what: string, so: (told: Told) => boolean): Promise<Told> {
    return until(what, () => this.told.find(so), 60_000);
  }

  close(): Promise<unknown> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    return closed;
  }
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return new Receiver(server);
}

/** A connection that the test feeds and reads by hand, as slowly as it likes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawConnection {
  readonly socket: Socket;
  /** What came so far. */
  text(): string;
  /** Resolves with all that came when the other side ends or breaks the connection. */
  readonly ended: Promise<string>;
  /** Resolves when what came matches. */
  until(pattern: RegExp): Promise<string>;
}

export async function dialRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let said = '';
  socket.on('data', chunk => {
    said += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const ended = once(socket, 'close').then(() => said);
  await once(socket, 'connect');
  return {
    socket,
    text: () => said,
    ended,
    async until(pattern) {
      while (!pattern.test(said)) {
        if (socket.destroyed) throw new Error(`closed before ${pattern}: ${said}`);
        await Promise.race([once(socket, 'data'), ended]);
      }
      return said;
    },
  };
}

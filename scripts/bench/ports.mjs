/** Ports of this machine for what a bench starts. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const EVERY_MS = 100;

/** One that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Resolves when somebody listens there; rejects where nobody does for so many seconds. */
export async function listening(port, seconds = 10) {
  for (let i = 0; i < (seconds * 1_000) / EVERY_MS; i++) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise(resolve => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
    socket.destroy();
    if (open) return;
    await sleep(EVERY_MS);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Who is at the other end of a connection, and how many of them there may be: the gate's mail needs descriptors, too. */
import { isIP, type Server } from 'node:net';
import { networkOf, normalizeAddress, parseBlock } from '../clients/addresses.ts';

/** At once: from one network (a proxy stands for many), and in all. */
export const MAX_CONNECTIONS = { each: 100, all: 1_000 } as const;

/** Whether an address is one of the proxies whose X-Forwarded-For is believed. */
export function proxyTest(trustedProxies: readonly string[]): (address: string) => boolean {
  const blocks = trustedProxies.flatMap(text => parseBlock(text) ?? []);
  return address => blocks.some(block => block.contains(address));
}

/** Closes what comes beyond MAX_CONNECTIONS without an answer. */
export function boundConnections(server: Server, isProxy: (address: string) => boolean): void {
  const open = new Map<string, number>();
  server.maxConnections = MAX_CONNECTIONS.all;
  server.on('connection', socket => {
    const address = normalizeAddress(socket.remoteAddress ?? '');
    if (isProxy(address)) return;
    const network = networkOf(address);
    const count = (open.get(network) ?? 0) + 1;
    if (count > MAX_CONNECTIONS.each) {
      socket.destroy();
      return;
    }
    open.set(network, count);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
  });
}

/** Whether a proxy told of its client as the gate reads it: what it put in X-Forwarded-For last is an address. */
export function isAddressed(ip: string): boolean {
  return isIP(ip) !== 0;
}

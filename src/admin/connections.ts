/** Who is at the other end of a connection, how many of them there may be (the gate's mail needs descriptors, too), and how they end. */
import type { Server as HttpServer } from 'node:http';
import { isIP, type Server, type Socket } from 'node:net';
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

interface Open {
  socket: Socket;
  /** Not answered yet. */
  requests: number;
}

/**
 * Readies a server for its end, which Node leaves to its connections: one that has not asked anything (browsers open some ahead) would
 * hold it up until it is gone, because a closed server looks for late headers no more.
 * @returns what begins the end: no connection stays that has no request under way, and none at all after `limitMs`
 */
export function endable(server: HttpServer): (limitMs: number) => void {
  const open = new Map<string, Open>();
  let ending = false;
  server.on('connection', socket => {
    if (ending) return socket.destroy();
    const name = nameOf(socket);
    open.set(name, { socket, requests: 0 });
    return socket.once('close', () => open.delete(name));
  });
  server.on('request', ({ socket }, response) => {
    const one = open.get(nameOf(socket));
    if (one === undefined) return;
    // Of TLS, what takes leave properly.
    one.socket = socket;
    one.requests += 1;
    response.once('close', () => {
      one.requests -= 1;
      if (ending && one.requests === 0) socket.destroySoon();
    });
  });
  return limitMs => {
    ending = true;
    for (const { socket, requests } of open.values()) if (requests === 0) socket.destroy();
    const late = setTimeout(() => {
      for (const { socket } of open.values()) socket.destroy();
    }, limitMs);
    late.unref();
  };
}

/** The same for a connection and for the TLS in it. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Whether a proxy told of its client as the gate reads it: what it put in X-Forwarded-For last is an address. */
export function isAddressed(ip: string): boolean {
  return isIP(ip) !== 0;
}

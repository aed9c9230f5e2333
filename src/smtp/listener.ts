/** Starts and stops a listener: smtp-server made safe, on one or more addresses, in front of one gate. */
import type { AddressInfo } from 'node:net';
import type { Reply } from '../mail/reply.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { ByteBudget } from './budget.ts';
import type { TlsSettings } from './certificate.ts';
import type { Connection, ConnectionNeeds } from './connection.ts';
import type { Gate } from './gate.ts';
import { type Endpoint, parseListens } from './listen.ts';
import { STOPPING, TOO_MANY_SESSIONS } from './replies.ts';
import { Server } from './server.ts';
import { Certificates } from './tls.ts';
import { plainAddress } from './xclient.ts';

export interface ListenerSettings<Login> {
  /** Where these settings stand in the configuration, for errors that name a key. */
  readonly section?: 'submission' | 'inbound';
  /** As parseListens takes it. */
  readonly listen: string | readonly string[];
  readonly hostname: string;
  readonly tls: TlsSettings;
  /** Relative paths start here, and a certificate made at first start goes to `tls/` in it. */
  readonly baseDir: string;
  readonly maxMessageBytes: number;
  /** At least 100 (RFC 5321 §4.5.3.1.8). */
  readonly maxRecipients: number;
  readonly maxSessions: number;
  /** IP addresses that must begin with a PROXY header, version 1. */
  readonly proxyProtocol: readonly string[];
  /** IP addresses that may use XCLIENT. */
  readonly xclient: readonly string[];
  readonly budget: ByteBudget;
  readonly gate: Gate<Login>;
  /** AUTH is neither offered nor known. */
  readonly withoutAuth?: boolean;
  readonly log: Logger;
  readonly clock: Clock;
  /** How long a client may keep us waiting, in milliseconds; default five minutes (RFC 5321 §4.5.3.2.7). */
  readonly idleMs?: number;
  /** How often the certificate's files are looked at, in milliseconds. */
  readonly watchMs?: number;
}

export interface Listener {
  /** Where it really listens, in the order of `listen`. */
  readonly addresses: readonly Endpoint[];
  /**
   * Takes no new connection or transaction, waits up to `limitMs` for those under way, then ends them with 421. A whole message that is
   * being judged may be on its way upstream, and 421 would have it sent again: it gets `verdictMs` more (none by default) for its true reply.
   */
  stop(limitMs: number, verdictMs?: number): Promise<void>;
  /** Reads the certificate's files again, as on SIGHUP; open sessions stay. */
  reloadCertificates(): void;
}

const IDLE_MS = 300_000;
/** How long a 421 may take to leave before the socket is cut. */
const LAST_WORDS_MS = 300;

/** Listens. @throws Error or RangeError that names the configuration key where an address or a certificate is not usable. */
export async function startListener<Login>(settings: ListenerSettings<Login>): Promise<Listener> {
  const { section = 'submission' } = settings;
  const endpoints = parseListens(settings.listen, `${section}.listen`);
  const proxies = plainAddresses(settings.proxyProtocol, `${section}.proxyProtocol`);
  const forwarders = new Set(plainAddresses(settings.xclient, `${section}.xclient`));
  const tls = { ...settings.tls, option: `${section}.tls` };
  const certificates = await Certificates.load(tls, settings.baseDir, settings.hostname, settings.clock, settings.log);
  const all = new Set<Connection<Login>>();
  let stopping = false;
  const needs: ConnectionNeeds<Login> = {
    hostname: settings.hostname,
    maxMessageBytes: settings.maxMessageBytes,
    maxRecipients: settings.maxRecipients,
    budget: settings.budget,
    gate: settings.gate,
    log: settings.log,
    withoutAuth: settings.withoutAuth,
    idleMs: settings.idleMs ?? IDLE_MS,
    stopping: () => stopping,
    busy: () => busy(),
    mayXclient: address => forwarders.has(address),
    gone: connection => void all.delete(connection),
  };
  const servers = endpoints.map(endpoint => new Server(endpoint, certificates.current, proxies, settings.maxSessions, needs, all));
  const busy = (): Reply | undefined => {
    if (stopping) return STOPPING;
    // A connection that is being closed is no longer among these.
    const open = servers.reduce((sum, server) => sum + server.connections.size, 0);
    return open > settings.maxSessions ? TOO_MANY_SESSIONS : undefined;
  };

  const addresses: Endpoint[] = [];
  try {
    for (const [i, server] of servers.entries()) addresses.push(await open(server, endpoints[i] as Endpoint, `${section}.listen`));
  } catch (error) {
    for (const server of servers) server.server.close();
    throw error;
  }
  certificates.watch(pair => {
    for (const server of servers) server.updateSecureContext({ ...pair });
  }, settings.watchMs);

  let stopped: Promise<void> | undefined;
  const waiting = () => [...all].filter(connection => !connection.judging);
  const destroy = (connections: readonly Connection<Login>[]): void => {
    const rest = all.size - connections.length;
    for (const connection of connections) connection.destroy();
    // A turn later: what lies under a TLS socket goes with it, and must not be pulled away before.
    setImmediate(() => {
      if (rest === 0) for (const server of servers) server.destroyLeftovers();
    });
  };
  const stop = async (limitMs: number, verdictMs: number): Promise<void> => {
    stopping = true;
    certificates.close();
    const closed = Promise.all(servers.map(server => server.shut()));
    for (const connection of all) connection.stop();
    const timers = [
      setTimeout(() => {
        for (const connection of waiting()) connection.part(STOPPING);
      }, limitMs),
      setTimeout(() => destroy(waiting()), limitMs + LAST_WORDS_MS),
      setTimeout(() => destroy([...all]), limitMs + verdictMs + LAST_WORDS_MS),
    ];
    await closed;
    for (const timer of timers) clearTimeout(timer);
  };
  return {
    addresses,
    stop: (limitMs, verdictMs = 0) => (stopped ??= stop(limitMs, verdictMs)),
    reloadCertificates: () => void certificates.reload(),
  };
}

function open<Login>(server: Server<Login>, endpoint: Endpoint, key: string): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(
        new Error(`${key}: cannot listen on ${endpoint.host}:${endpoint.port} (${error.code}); choose a free address of this machine`),
      );
    };
    server.server.once('error', failed);
    server.server.listen(endpoint.port, endpoint.host, () => {
      server.server.removeListener('error', failed);
      resolve({ ...endpoint, port: (server.server.address() as AddressInfo).port });
    });
  });
}

function plainAddresses(texts: readonly string[], key: string): string[] {
  return texts.map(text => {
    const address = plainAddress(text);
    // Anything else, a `*` above all, would have smtp-server believe everybody.
    if (address === undefined) throw new RangeError(`${key}: "${text}" is no IP address; list single addresses, such as 10.0.0.5`);
    return address;
  });
}

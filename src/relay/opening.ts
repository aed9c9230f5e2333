/** Opens a connection to an upstream until mail may be sent on it: TCP, greeting, EHLO, STARTTLS, AUTH. */
import { readFile } from 'node:fs/promises';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import { fromServer } from '../mail/reply.ts';
import { NONE, readCapabilities } from './capabilities.ts';
import { Connection } from './connection.ts';
import type { Timeouts } from './options.ts';
import type { ServerReply } from './replies.ts';
import { UpstreamUnavailable } from './upstream.ts';
import { describe, type UpstreamTarget } from './url.ts';

export interface Opening {
  readonly target: UpstreamTarget;
  /** What we call ourselves in EHLO. */
  readonly hostname: string;
  readonly timeouts: Timeouts;
  /** Told of every TCP socket, before it is connected. */
  readonly track: (socket: Socket) => void;
}

/** A connection ready for MAIL. @throws UpstreamUnavailable where the upstream is out of reach, not as safe as demanded, or will not have us */
export async function openConnection(opening: Opening): Promise<Connection> {
  const { target, timeouts } = opening;
  const ca = target.ca === undefined ? undefined : await readAuthorities(target, target.ca);
  const tcp = await reach(opening);
  let connection = new Connection(target.tls === 'implicit' ? await secure(opening, ca, tcp) : tcp, describe(target));
  try {
    const greeting = await connection.greeting(timeouts.greeting);
    if (greeting.code !== 220) throw refused(target, 'the connection', greeting);
    await greet(opening, connection);
    if (await startTls(opening, connection)) {
      // Throws where more than the 220 came in clear: somebody else may have put it there (RFC 3207 §6).
      connection = new Connection(await secure(opening, ca, connection.release()), describe(target));
      // Everything learnt in clear is forgotten and asked again (RFC 3207 §4.2).
      await greet(opening, connection);
    }
    await authenticate(opening, connection);
    return connection;
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

/** EHLO, or HELO where the server knows no EHLO (RFC 5321 §3.2). */
async function greet({ target, hostname, timeouts }: Opening, connection: Connection): Promise<void> {
  const ehlo = await connection.command(`EHLO ${hostname}\r\n`, 'EHLO', timeouts.mail);
  if (ehlo.code === 250) {
    connection.capabilities = readCapabilities(ehlo.lines);
    return;
  }
  if (ehlo.code < 500) throw refused(target, 'EHLO', ehlo);
  const helo = await connection.command(`HELO ${hostname}\r\n`, 'HELO', timeouts.mail);
  if (helo.code !== 250) throw refused(target, 'HELO', helo);
  connection.capabilities = NONE;
}

/** STARTTLS as the target demands: true where a handshake is to follow. */
async function startTls({ target, timeouts }: Opening, connection: Connection): Promise<boolean> {
  if (target.tls === 'implicit' || target.tls === 'off') return false;
  if (!connection.capabilities.starttls) {
    if (target.tls === 'require') throw unavailable(target, 'the upstream offers no STARTTLS, which this URL requires');
    return false;
  }
  const reply = await connection.command('STARTTLS\r\n', 'STARTTLS', timeouts.mail);
  if (reply.code === 220) return true;
  if (target.tls === 'require') throw refused(target, 'STARTTLS', reply);
  return false;
}

async function authenticate({ target, timeouts }: Opening, connection: Connection): Promise<void> {
  const { login } = target;
  if (login === undefined) return;
  if (target.tls !== 'off' && !connection.secure)
    throw unavailable(target, 'no password is sent without TLS; starttls=off in the URL allows it');
  const { auth } = connection.capabilities;
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  let reply: ServerReply;
  if (auth.includes('PLAIN')) {
    reply = await connection.command(`AUTH PLAIN ${encoded(`\0${login.user}\0${login.password}`)}\r\n`, 'AUTH', timeouts.mail);
  } else if (auth.includes('LOGIN')) {
    reply = await connection.command('AUTH LOGIN\r\n', 'AUTH', timeouts.mail);
    if (reply.code === 334) reply = await connection.command(`${encoded(login.user)}\r\n`, 'AUTH', timeouts.mail);
    if (reply.code === 334) reply = await connection.command(`${encoded(login.password)}\r\n`, 'AUTH', timeouts.mail);
  } else {
    throw unavailable(target, 'the upstream offers neither AUTH PLAIN nor AUTH LOGIN');
  }
  if (reply.code !== 235) throw refused(target, 'AUTH', reply);
}

async function reach({ target, timeouts, track }: Opening): Promise<Socket> {
  const socket = connectTcp({ host: target.host, port: target.port, noDelay: true, keepAlive: true });
  track(socket);
  await established(target, socket, 'connect', timeouts.connect);
  return socket;
}

/** TLS over a connected socket. */
async function secure({ target, timeouts }: Opening, ca: Buffer | undefined, over: Socket): Promise<Socket> {
  const name = target.servername ?? target.host;
  const socket = connectTls({
    socket: over,
    rejectUnauthorized: target.verified,
    // A name indication is a host name, never an IP literal (RFC 6066 §3); the certificate is compared with either.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ...(ca === undefined ? {} : { ca }),
  });
  await established(target, socket, 'secureConnect', timeouts.connect);
  return socket;
}

/** Read at every connection, so that a renewed file needs no restart. */
async function readAuthorities(target: UpstreamTarget, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw unavailable(target, 'the file that ca names cannot be read', cause);
  }
}

/** Waits for `event`; a socket that fails first, or is not ready within `ms`, is destroyed. */
function established(target: UpstreamTarget, socket: Socket, event: 'connect' | 'secureConnect', ms: number): Promise<void> {
  const what = event === 'connect' ? 'connection' : 'TLS handshake';
  return new Promise((resolve, reject) => {
    const settle = (error?: UpstreamUnavailable): void => {
      clearTimeout(timer);
      socket.removeListener('close', onClose);
      if (error === undefined) {
        resolve();
      } else {
        socket.destroy();
        reject(error);
      }
    };
    const onClose = (): void => settle(unavailable(target, `${what} closed by the upstream`));
    const timer = setTimeout(() => settle(unavailable(target, `no ${what} within ${ms / 1000} s`)), ms);
    // Stays: a socket without an error listener ends the process when it fails.
    socket.on('error', cause => settle(unavailable(target, `${what} failed`, cause)));
    socket.once('close', onClose);
    socket.once(event, () => settle());
  });
}

function unavailable(target: UpstreamTarget, what: string, cause?: unknown): UpstreamUnavailable {
  const reason = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new UpstreamUnavailable(`${describe(target)}: ${what}${reason}`, false, cause === undefined ? {} : { cause });
}

/** The server's words stay out of it: they may quote the user name. */
function refused(target: UpstreamTarget, what: string, reply: ServerReply): UpstreamUnavailable {
  const { code, status } = fromServer(reply.code, reply.lines);
  return unavailable(target, `the upstream answered ${what} with ${code} ${status}`);
}

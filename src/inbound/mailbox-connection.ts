/** The connection that a mailbox's URL stands for: encrypted, verified, bounded in time and in what one answer may hold. */
import { readFile } from 'node:fs/promises';
import { ImapFlow } from 'imapflow';
import type { MailboxTarget } from './mailbox-url.ts';

/** Limits in milliseconds and octets. */
export interface ConnectionLimits {
  /** For the connection and the greeting, each. */
  readonly connectMs: number;
  /** A server that says nothing for so long, while it owes an answer, is gone. */
  readonly answerMs: number;
  /** The longest answer taken. */
  readonly octets: number;
}

/** A connection that is not open yet. Errors after its opening end it; whoever uses it next is told. @throws where a file of the URL cannot be read */
export async function mailboxConnection(target: MailboxTarget, { connectMs, answerMs, octets }: ConnectionLimits): Promise<ImapFlow> {
  const { host, port, tls, user, password, token, servername, ca, insecure } = target;
  const secret = token === undefined ? { pass: password } : { accessToken: (await readFile(token, 'utf8')).trim() };
  const client = new ImapFlow({
    host,
    port,
    secure: tls === 'implicit',
    ...(tls === 'implicit' ? {} : { doSTARTTLS: tls === 'require' }),
    ...(servername === undefined ? {} : { servername }),
    tls: { rejectUnauthorized: !insecure, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca: await readFile(ca) }) },
    auth: { user, ...secret },
    clientInfo: { name: 'Postern', version: false, vendor: false, 'support-url': false },
    // Its log lines hold addresses.
    logger: false,
    // What is compressed may be longer than it looks.
    disableCompression: true,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: answerMs,
    autoIdleDelay: Math.min(2_000, answerMs / 2),
    maxLiteralSize: octets,
    maxResponseSize: octets + 65_536,
  });
  client.on('error', () => undefined);
  return client;
}

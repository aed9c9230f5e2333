/** Mailbox URLs: `imaps://user:password@host`, read strictly and never told with their secrets. */
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { readServerUrl, type Trust, type UrlProblem } from '../ops/server-url.ts';

export interface MailboxTarget extends Trust {
  readonly host: string;
  readonly port: number;
  readonly tls: 'implicit' | 'require' | 'off';
  readonly user: string;
  /** Either this, or a token file. */
  readonly password: string | undefined;
  /** Absolute path of a file that holds an OAuth 2.0 access token (SASL XOAUTH2, RFC 7628), read anew at every login. */
  readonly token: string | undefined;
}

/**
 * Reads `imaps://user:password@host[:993]`, or `imap://…[:143]` where STARTTLS must succeed before anything is said. Parameters:
 * `servername=NAME`, `ca=/absolute/file.pem`, `tls=insecure` (no certificate is checked), `token=/absolute/file` in place of the password, and
 * `starttls=off` for a server on this very machine. Special characters, the `@` of a user name too, are written %XX.
 */
export function parseMailboxUrl(text: string): MailboxTarget | UrlProblem {
  const problem = (how: string): UrlProblem => ({ problem: `the mailbox URL ${how}` });
  const url = readServerUrl(text, 'the mailbox URL', 'imap', ['token']);
  if ('problem' in url) return url;
  const { implicit, host, user, servername, ca, insecure } = url;
  const token = url.parameters.get('token');
  if (token !== undefined && !isAbsolute(token)) return problem('has a token that is not an absolute path');
  if (user === '' || (url.password === '') === (token === undefined)) {
    return problem('needs a user name and either a password or token=/absolute/file');
  }
  const starttls = url.parameters.get('starttls') ?? 'require';
  if (starttls !== 'require' && starttls !== 'off') return problem('has starttls set to something other than require or off');
  if (starttls === 'off' && !isLoopback(host)) return problem('would send the password in clear: starttls=off is for this machine only');
  return {
    host,
    port: url.port ?? (implicit ? 993 : 143),
    tls: implicit ? 'implicit' : starttls,
    user,
    password: token === undefined ? url.password : undefined,
    token,
    servername,
    ca,
    insecure,
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

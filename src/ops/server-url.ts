/** URLs of servers that mail goes to or lies on, read strictly: scheme, login, host, port and parameters; never told with their secrets. */
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { domainToASCII } from 'node:url';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** How the server proves who it is. */
export interface Trust {
  /** The name that the certificate must bear; the host where absent. */
  readonly servername: string | undefined;
  /** Absolute path of a PEM file of certificate authorities to trust in place of the built-in ones. */
  readonly ca: string | undefined;
  /** True: any certificate will do. */
  readonly insecure: boolean;
}

export interface ServerUrl extends Trust {
  /** TLS from the first octet: the scheme's `s` form. */
  readonly implicit: boolean;
  /** A-labels or an IP literal without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  /** Empty where the URL has none. */
  readonly user: string;
  readonly password: string;
  /** What else the caller allowed, and `starttls`. */
  readonly parameters: ReadonlyMap<string, string>;
}

export interface UrlProblem {
  /** One sentence for the operator. Never holds the URL's user name or password. */
  readonly problem: string;
}

const PARAMETERS = ['starttls', 'servername', 'ca', 'tls'];

/**
 * Reads `scheme://[user:password@]host[:port]` and `schemes://…` with the parameters `starttls` (its meaning is the caller's; not with the `s` form),
 * `servername=NAME`, `ca=/absolute/file.pem`, `tls=insecure`, and those of `more`. `what` begins every problem: `the upstream URL`.
 */
export function readServerUrl(text: string, what: string, scheme: string, more: readonly string[] = []): ServerUrl | UrlProblem {
  const problem = (how: string): UrlProblem => ({ problem: `${what} ${how}` });
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined)
    return problem(`is not a URL; write ${scheme}://host:port or ${scheme}s://host:port (special characters in a password as %XX)`);
  if (url.protocol !== `${scheme}:` && url.protocol !== `${scheme}s:`) return problem(`must begin with ${scheme}:// or ${scheme}s://`);
  if ((url.pathname !== '' && url.pathname !== '/') || url.hash !== '') return problem('must end after host and port, but for ?parameters');
  const host = readHost(url.hostname);
  if (host === undefined) return problem('names no valid host');
  if (url.port === '0') return problem('names port 0');
  const known = [...PARAMETERS, ...more];
  const parameters = new Map<string, string>();
  for (const [key, value] of url.searchParams) {
    if (!known.includes(key)) return problem(`has an unknown parameter; known are ${known.join(', ')}`);
    if (parameters.has(key)) return problem(`has ${key} twice`);
    parameters.set(key, value);
  }
  const user = decode(url.username);
  const password = decode(url.password);
  if (user === undefined || password === undefined) return problem('has a user name or password with a malformed %XX');
  // NUL parts the fields of AUTH PLAIN (RFC 4616 §2).
  if (`${user}${password}`.includes('\0')) return problem('has a NUL in its user name or password');
  const implicit = url.protocol === `${scheme}s:`;
  if (implicit && parameters.has('starttls')) return problem(`is ${scheme}s:, so starttls has no meaning in it`);
  const laxity = parameters.get('tls');
  if (laxity !== undefined && laxity !== 'insecure') return problem('has tls set to something other than insecure');
  const servername = parameters.get('servername');
  const ca = parameters.get('ca');
  if (servername === '') return problem('has an empty servername');
  if (ca !== undefined && !isAbsolute(ca)) return problem('has a ca that is not an absolute path');
  const port = url.port === '' ? undefined : Number(url.port);
  return { implicit, host, port, user, password, parameters, servername, ca, insecure: laxity !== undefined };
}

/** `host:port`, for logs and messages. */
export function hostAndPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

function readHost(hostname: string): string | undefined {
  const literal = /^\[(.+)\]$/.exec(hostname)?.[1];
  if (literal !== undefined) return isIP(literal) === 6 ? literal : undefined;
  const decoded = decode(hostname);
  const host = decoded === undefined ? '' : domainToASCII(decoded);
  return /^[a-z0-9_]([a-z0-9._-]*[a-z0-9])?$/.test(host) ? host : undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

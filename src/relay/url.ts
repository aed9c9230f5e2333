/** Upstream URLs: `smtp://host:25?starttls=require` and `smtps://user:pass@host:465`, read strictly and described without their secrets. */
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { domainToASCII } from 'node:url';

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Where mail goes and how it is kept from others on the way. */
export interface UpstreamTarget {
  /** A-labels or an IP literal without brackets. */
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first octet. `require`, `may`, `off`: what to make of STARTTLS. */
  readonly tls: 'implicit' | 'require' | 'may' | 'off';
  readonly login: Login | undefined;
  /** The name that the certificate must bear; the host where absent. */
  readonly servername: string | undefined;
  /** Absolute path of a PEM file of certificate authorities to trust in place of the built-in ones. */
  readonly ca: string | undefined;
  /** False: any certificate will do. */
  readonly verified: boolean;
}

export interface UrlProblem {
  /** One sentence for the operator. Never holds the URL's user name or password. */
  readonly problem: string;
}

const PARAMETERS = ['starttls', 'servername', 'ca', 'tls'];

/**
 * Reads an upstream URL: `smtp://[user:pass@]host[:port]` or `smtps://…`, with the parameters `starttls=require|may|off` (smtp only; default
 * `may`, or `require` where there is a login), `servername=NAME`, `ca=/absolute/file.pem` and `tls=insecure` (no certificate is checked).
 * Certificates are checked except under a `may` without login, which is opportunistic (RFC 7435 §3): there is nothing to compare with a clear text.
 */
export function parseUpstreamUrl(text: string): UpstreamTarget | UrlProblem {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined)
    return problem('is not a URL; write smtp://host:port or smtps://host:port (special characters in a password as %XX)');
  if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') return problem('must begin with smtp:// or smtps://');
  if ((url.pathname !== '' && url.pathname !== '/') || url.hash !== '') return problem('must end after host and port, but for ?parameters');
  const host = readHost(url.hostname);
  if (host === undefined) return problem('names no valid host');
  if (url.port === '0') return problem('names port 0');
  const parameters = readParameters(url.searchParams);
  if ('problem' in parameters) return parameters;
  const login = readLogin(url);
  if (login !== undefined && 'problem' in login) return login;

  const implicit = url.protocol === 'smtps:';
  const starttls = parameters.values.get('starttls');
  if (implicit && starttls !== undefined) return problem('is smtps:, so starttls has no meaning in it');
  if (starttls !== undefined && !isStarttls(starttls)) return problem('has starttls set to something other than require, may or off');
  const tls = implicit ? 'implicit' : (starttls ?? (login === undefined ? 'may' : 'require'));
  const laxity = parameters.values.get('tls');
  if (laxity !== undefined && laxity !== 'insecure') return problem('has tls set to something other than insecure');
  const servername = parameters.values.get('servername');
  const ca = parameters.values.get('ca');
  if (servername === '') return problem('has an empty servername');
  if (ca !== undefined && !isAbsolute(ca)) return problem('has a ca that is not an absolute path');
  const verified = laxity === undefined && (tls !== 'may' || login !== undefined);
  return { host, port: url.port === '' ? (implicit ? 465 : 25) : Number(url.port), tls, login, servername, ca, verified };
}

/** The target as a URL for logs and messages: neither user name nor password. */
export function describe(target: UpstreamTarget): string {
  const host = isIP(target.host) === 6 ? `[${target.host}]` : target.host;
  return target.tls === 'implicit' ? `smtps://${host}:${target.port}` : `smtp://${host}:${target.port}?starttls=${target.tls}`;
}

function problem(what: string): UrlProblem {
  return { problem: `the upstream URL ${what}` };
}

function isStarttls(text: string): text is 'require' | 'may' | 'off' {
  return text === 'require' || text === 'may' || text === 'off';
}

function readHost(hostname: string): string | undefined {
  const literal = /^\[(.+)\]$/.exec(hostname)?.[1];
  if (literal !== undefined) return isIP(literal) === 6 ? literal : undefined;
  const decoded = decode(hostname);
  const host = decoded === undefined ? '' : domainToASCII(decoded);
  return /^[a-z0-9_]([a-z0-9._-]*[a-z0-9])?$/.test(host) ? host : undefined;
}

function readParameters(search: URLSearchParams): { readonly values: ReadonlyMap<string, string> } | UrlProblem {
  const values = new Map<string, string>();
  for (const [key, value] of search) {
    if (!PARAMETERS.includes(key)) return problem(`has an unknown parameter; known are ${PARAMETERS.join(', ')}`);
    if (values.has(key)) return problem(`has ${key} twice`);
    values.set(key, value);
  }
  return { values };
}

function readLogin(url: URL): Login | UrlProblem | undefined {
  if (url.username === '' && url.password === '') return undefined;
  const user = decode(url.username);
  const password = decode(url.password);
  if (user === undefined || password === undefined) return problem('has a user name or password with a malformed %XX');
  if (user === '' || password === '') return problem('has a user name without a password, or the other way round');
  // NUL parts the fields of AUTH PLAIN (RFC 4616 §2).
  if (`${user}${password}`.includes('\0')) return problem('has a NUL in its user name or password');
  return { user, password };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

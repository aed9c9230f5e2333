/** Upstream URLs: `smtp://host:25?starttls=require` and `smtps://user:pass@host:465`, read strictly and described without their secrets. */
import { hostAndPort, type Login, readServerUrl, type UrlProblem } from '../ops/server-url.ts';

export type { Login, UrlProblem } from '../ops/server-url.ts';

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

/**
 * Reads an upstream URL: `smtp://[user:pass@]host[:port]` or `smtps://…`, with the parameters `starttls=require|may|off` (smtp only; default
 * `may`, or `require` where there is a login), `servername=NAME`, `ca=/absolute/file.pem` and `tls=insecure` (no certificate is checked).
 * Certificates are checked except under a `may` without login, which is opportunistic (RFC 7435 §3): there is nothing to compare with a clear text.
 */
export function parseUpstreamUrl(text: string): UpstreamTarget | UrlProblem {
  const url = readServerUrl(text, 'the upstream URL', 'smtp');
  if ('problem' in url) return url;
  const { implicit, host, user, password, servername, ca, insecure } = url;
  if ((user === '') !== (password === '')) return problem('has a user name without a password, or the other way round');
  const login: Login | undefined = user === '' ? undefined : { user, password };
  const starttls = url.parameters.get('starttls');
  if (starttls !== undefined && !isStarttls(starttls)) return problem('has starttls set to something other than require, may or off');
  const tls = implicit ? 'implicit' : (starttls ?? (login === undefined ? 'may' : 'require'));
  const verified = !insecure && (tls !== 'may' || login !== undefined);
  return { host, port: url.port ?? (implicit ? 465 : 25), tls, login, servername, ca, verified };
}

/** The target as a URL for logs and messages: neither user name nor password. */
export function describe(target: UpstreamTarget): string {
  return target.tls === 'implicit' ? `smtps://${hostAndPort(target)}` : `smtp://${hostAndPort(target)}?starttls=${target.tls}`;
}

function problem(what: string): UrlProblem {
  return { problem: `the upstream URL ${what}` };
}

function isStarttls(text: string): text is 'require' | 'may' | 'off' {
  return text === 'require' || text === 'may' || text === 'off';
}

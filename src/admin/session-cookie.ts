/** The cookie of a browser's session: bound to this host and to TLS; over plain HTTP, which never leaves this machine, one that every browser keeps. */
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';

export interface SessionCookie {
  readonly name: string;
  readonly options: CookieSerializeOptions;
}

/** `__Host-`: a browser takes it from this very host over TLS only, for all paths (RFC 6265bis §4.1.3.2). */
export const TLS_COOKIE = '__Host-postern';
/** Without TLS, Chrome and Safari keep no such cookie, from loopback either. It means nothing where there is TLS: nobody plants one there. */
export const PLAIN_COOKIE = 'postern';

/** The one that counts for this request; whether there is TLS, a trusted proxy may say (X-Forwarded-Proto). */
export function sessionCookie({ protocol }: Pick<FastifyRequest, 'protocol'>): SessionCookie {
  const secure = protocol === 'https';
  return { name: secure ? TLS_COOKIE : PLAIN_COOKIE, options: { path: '/', httpOnly: true, secure, sameSite: 'strict' } };
}

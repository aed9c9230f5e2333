/** Requests passed on by a proxy that the configuration does not name: where they come from nobody knows. */
import type { FastifyRequest } from 'fastify';
import type { Logger } from '../ops/log.ts';
import type { App } from './app.ts';

type IsProxy = (address: string) => boolean;

/** Whether a request says that it was passed on, by somebody whose word does not count. */
export function isPassedOn({ headers, socket }: Pick<FastifyRequest, 'headers' | 'socket'>, isProxy: IsProxy): boolean {
  return (headers['x-forwarded-for'] ?? headers.forwarded) !== undefined && !isProxy(socket.remoteAddress ?? '');
}

/** Says so in the log, once: everybody may write such a header. */
export function warnOfProxies(app: App, isProxy: IsProxy, log: Logger): void {
  let warned = false;
  app.addHook('onRequest', async request => {
    if (warned || !isPassedOn(request, isProxy)) return;
    warned = true;
    log.warn(
      'a request came through a proxy that admin.trustedProxies does not name: all behind it count as one for limits, allow-lists and the audit trail',
    );
  });
}

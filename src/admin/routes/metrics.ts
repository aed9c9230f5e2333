/** Metrics for Prometheus: what was counted, in its text format; and every request to this API is counted, too. */
import { Type } from 'typebox';
import { grants } from '../../accounts/scopes.ts';
import { parseBlock } from '../../clients/addresses.ts';
import { METRICS_TYPE } from '../../ops/metrics.ts';
import type { AdminParts, App } from '../app.ts';
import { problem } from '../problem.ts';

/** Whoever comes from a network of `metrics.from` reads without a login; anybody else shows a token with the scope metrics:read. */
export function metricsRoutes(app: App, { metrics, exposition, metricsFrom, accounts }: AdminParts): void {
  const blocks = metricsFrom.flatMap(text => parseBlock(text) ?? []);
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    metrics.adminRequests.inc({ method, route: routeOptions.url ?? 'none', status: reply.statusCode });
    metrics.adminSeconds.observe({ method }, reply.elapsedTime / 1_000);
  });
  app.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics in the text format of Prometheus; from the networks of metrics.from, or with a token of scope metrics:read',
        tags: ['metrics'],
        security: [{}, { bearer: [] }],
        response: { 200: { description: 'docs/metrics.md lists them', content: { 'text/plain': { schema: Type.String() } } } },
      },
      config: { roles: 'anyone' },
    },
    async (request, reply) => {
      if (!blocks.some(block => block.contains(request.ip))) {
        const token = /^Bearer ([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1];
        const admitted = token === undefined ? undefined : await accounts.byToken(token, request.ip);
        if (admitted === undefined)
          return problem(reply, 'unauthenticated', 'show a token with the scope metrics:read, or come from a network of metrics.from');
        if (admitted.actor.role === 'client') return problem(reply, 'forbidden', 'the role of this account does not allow it');
        if (!grants(admitted.scopes, 'metrics:read')) return problem(reply, 'forbidden', 'this API token lacks the scope metrics:read');
      }
      return reply.type(METRICS_TYPE).send(await exposition());
    },
  );
}

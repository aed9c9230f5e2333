/** Metrics for Prometheus: what was counted, in its text format; and every request to this API is counted, too. */
import { Type } from 'typebox';
import { parseBlock } from '../../clients/addresses.ts';
import { METRICS_TYPE } from '../../ops/metrics.ts';
import { deny, type Need } from '../access.ts';
import type { AdminParts, App } from '../app.ts';
import { proxyTest } from '../connections.ts';
import { isPassedOn } from '../passed-on.ts';

const NEED: Need = { roles: ['admin', 'operator', 'officer'], scope: 'metrics:read' };

/** Whoever comes from a network of `metrics.from`, through no proxy but those named, reads without a login; anybody else shows a token with the scope metrics:read. */
export function metricsRoutes(app: App, { metrics, exposition, metricsFrom, options }: AdminParts): void {
  const blocks = metricsFrom.flatMap(text => parseBlock(text) ?? []);
  const isProxy = proxyTest(options.trustedProxies);
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
      if (isPassedOn(request, isProxy) || !blocks.some(block => block.contains(request.ip))) {
        const entry = await app.guard.enter(request, NEED);
        if ('problem' in entry) return deny(reply, entry);
      }
      return reply.type(METRICS_TYPE).send(await exposition());
    },
  );
}

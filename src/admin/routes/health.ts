/** Health: whether the process lives, and whether it could pass mail now; for balancers and supervisors, without a login. */
import { Type } from 'typebox';
import type { AdminParts, App } from '../app.ts';
import { PARTS, ReadinessProbe } from '../readiness.ts';
import { strict } from '../schemas.ts';

const state = Type.Union([Type.Literal('ok'), Type.Literal('failing')]);
const readiness = Type.Object(
  { status: state, parts: Type.Object(Object.fromEntries(PARTS.map(part => [part, state])), strict) },
  { ...strict, examples: [{ status: 'ok', parts: { store: 'ok', ledger: 'ok', keys: 'ok', upstream: 'ok' } }] },
);

export function healthRoutes(app: App, parts: AdminParts): void {
  const probe = new ReadinessProbe(parts);
  app.get(
    '/health/live',
    {
      schema: {
        summary: 'Whether the process answers',
        tags: ['health'],
        response: { 200: Type.Object({ status: Type.Literal('ok') }, { ...strict, examples: [{ status: 'ok' }] }) },
      },
      config: { roles: 'anyone' },
    },
    async () => ({ status: 'ok' as const }),
  );
  app.get(
    '/health/ready',
    {
      schema: {
        summary: 'Whether mail could pass now: store, ledger, keys and upstream; the upstream is looked at every ten seconds',
        tags: ['health'],
        response: { 200: readiness, 503: readiness },
      },
      config: { roles: 'anyone' },
    },
    async (_request, reply) => {
      const states = await probe.ask();
      const ready = Object.values(states).every(part => part === 'ok');
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'failing', parts: states });
    },
  );
}

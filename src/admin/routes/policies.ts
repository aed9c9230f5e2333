/** Policies: which checks each one asks, in which mode and with which options, as the configuration made them. */
import { type Static, Type } from 'typebox';
import { registry } from '../../checks/index.ts';
import { type CheckSetting, CREDENTIAL_ONLY } from '../../policy/settings.ts';
import type { AdminParts, App } from '../app.ts';
import { problem } from '../problem.ts';
import { pageOf, strict } from '../schemas.ts';

const tags = ['policies'];
const read = { roles: ['admin', 'operator', 'officer'], scope: 'policies:read' } as const;

const policySchema = Type.Object(
  {
    name: Type.String({ examples: ['basic'] }),
    credentialOnly: Type.Boolean({ description: 'Only a credential may have it, given by a person; never a client' }),
    checks: Type.Array(
      Type.Object(
        {
          check: Type.String({ examples: ['personal-address'] }),
          mode: Type.Enum(['enforce', 'observe', 'off']),
          options: Type.Record(Type.String(), Type.Unknown()),
          doc: Type.String(),
        },
        strict,
      ),
      { description: 'In the order in which objections are told' },
    ),
  },
  strict,
);

export function policyRoutes(app: App, { settings }: AdminParts): void {
  app.get(
    '/v1/policies',
    {
      schema: {
        summary: 'The policies there are, with the settings that hold; they come from the configuration file',
        tags,
        response: { 200: pageOf(policySchema) },
      },
      config: read,
    },
    async () => ({ items: [...settings].map(shown), next: null }),
  );

  app.get(
    '/v1/policies/:policy',
    {
      schema: {
        summary: 'One policy',
        tags,
        params: Type.Object({ policy: Type.String({ examples: ['basic'] }) }),
        response: { 200: policySchema },
      },
      config: read,
    },
    async ({ params: { policy } }, reply) => {
      const set = settings.get(policy);
      return set === undefined ? problem(reply, 'not-found', 'there is no such policy') : shown([policy, set]);
    },
  );
}

function shown([name, set]: readonly [string, readonly CheckSetting[]]): Static<typeof policySchema> {
  const checks = registry.map(({ name: check, doc }) => {
    const { mode, options } = set.find(one => one.check === check) ?? { mode: 'off' as const, options: {} };
    return { check, mode, options: { ...options }, doc };
  });
  return { name, credentialOnly: CREDENTIAL_ONLY.includes(name), checks };
}

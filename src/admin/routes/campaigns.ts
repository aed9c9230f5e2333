/** A client's campaigns, with the company domains they are aimed at. */
import { type Static, Type } from 'typebox';
import { isRefusal } from '../../clients/clients.ts';
import type { Campaign } from '../../clients/profile.ts';
import type { CampaignId } from '../../ids.ts';
import type { AdminParts, App } from '../app.ts';
import { expectedVersion } from '../etag.ts';
import { problem } from '../problem.ts';
import { campaignIdSchema, clientIdSchema, clientParams, pageOf, strict } from '../schemas.ts';
import { refusedSettings, saysAlready } from '../settings.ts';
import { whoOf } from '../who.ts';

const tags = ['campaigns'];
const read = { roles: ['admin', 'operator', 'officer', 'client'], scope: 'campaigns:read' } as const;
const write = { roles: ['admin', 'operator'], scope: 'campaigns:write' } as const;

const targetDomains = Type.Array(Type.String({ maxLength: 254 }), {
  maxItems: 100_000,
  description: 'Company domains it may mail, with their subdomains; none: no such limit',
});
export const campaignSchema = Type.Object(
  { id: campaignIdSchema, targetDomains },
  { ...strict, examples: [{ id: 'spring', targetDomains: ['customer.example'] }] },
);
const params = Type.Object({ client: clientIdSchema, campaign: campaignIdSchema });

const shown = ({ id, targetDomains: domains }: Campaign): Static<typeof campaignSchema> => ({ id, targetDomains: [...domains] });

export function campaignRoutes(app: App, { clients }: AdminParts): void {
  /** The ETag, a version of the client; none where the campaign was changed again since, for then it would be another's. */
  const etagOf = async (client: string, { id, targetDomains: domains }: Campaign): Promise<{ etag?: string }> => {
    const profile = await clients.show(client);
    const there = profile?.campaigns.get(id);
    return profile !== undefined && there !== undefined && saysAlready(there, { targetDomains: domains })
      ? { etag: `"${profile.version}"` }
      : {};
  };

  app.get(
    '/v1/clients/:client/campaigns',
    {
      schema: { summary: 'The campaigns of a client', tags, params: clientParams, response: { 200: pageOf(campaignSchema) } },
      config: read,
    },
    async ({ profile }) => ({ items: [...profile.campaigns.values()].map(shown), next: null }),
  );

  app.post(
    '/v1/clients/:client/campaigns',
    {
      schema: {
        summary: 'Registers a campaign; mail that names one which is not registered is refused',
        description: 'Twice is once: 200 where it is there just so, 409 where it has other target domains.',
        tags,
        params: clientParams,
        body: Type.Object(
          { id: campaignIdSchema, targetDomains: Type.Optional(targetDomains) },
          { ...strict, examples: [{ id: 'summer', targetDomains: ['customer.example'] }] },
        ),
        response: { 200: campaignSchema, 201: campaignSchema },
      },
      config: write,
    },
    async (request, reply) => {
      const { id, targetDomains: domains = [] } = request.body;
      const { profile } = request;
      const made = await clients.addCampaign(profile.id, id, domains, whoOf(request.actor));
      if (!isRefusal(made)) {
        const location = `/v1/clients/${profile.id}/campaigns/${made.id}`;
        return reply
          .code(201)
          .header('location', location)
          .headers(await etagOf(profile.id, made))
          .send(shown(made));
      }
      const there = made.problem === 'exists' ? await clients.campaign(profile.id, id) : undefined;
      if (there === undefined || !saysAlready(there, { targetDomains: domains })) return refusedSettings(reply, made);
      return reply
        .code(200)
        .headers(await etagOf(profile.id, there))
        .send(shown(there));
    },
  );

  app.get(
    '/v1/clients/:client/campaigns/:campaign',
    { schema: { summary: 'One campaign', tags, params, response: { 200: campaignSchema } }, config: read },
    async ({ profile, params: { campaign } }, reply) => {
      const there = profile.campaigns.get(campaign as CampaignId);
      if (there === undefined) return problem(reply, 'not-found', 'there is no such campaign');
      return reply.header('etag', `"${profile.version}"`).send(shown(there));
    },
  );

  app.patch(
    '/v1/clients/:client/campaigns/:campaign',
    {
      schema: {
        summary: "Changes a campaign's target domains; there is no removing, because what its lists hold must go on binding",
        tags,
        params,
        body: Type.Object({ targetDomains }, { ...strict, examples: [{ targetDomains: ['customer.example', 'customer.test'] }] }),
        response: { 200: campaignSchema },
      },
      config: write,
    },
    async (request, reply) => {
      const version = expectedVersion(request);
      if (version === 'unreadable') return problem(reply, 'precondition-failed', 'If-Match holds no ETag of this resource');
      const { client, campaign } = request.params;
      const changed = await clients.updateCampaign(client, campaign, request.body.targetDomains, whoOf(request.actor), version);
      return isRefusal(changed) ? refusedSettings(reply, changed) : reply.headers(await etagOf(client, changed)).send(shown(changed));
    },
  );
}

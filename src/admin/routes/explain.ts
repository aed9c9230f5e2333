/** Explain: what would become of a mail, and why, asked of the same checks, with nothing relayed, recorded or counted. */
import { Type } from 'typebox';
import { describeAnew } from '../../checks/standing.ts';
import type { CampaignId } from '../../ids.ts';
import { toCrlf } from '../../mail/line-ends.ts';
import { rehearse } from '../../submission/rehearsal.ts';
import type { AdminParts, App } from '../app.ts';
import { toldActs } from '../entries.ts';
import { problem } from '../problem.ts';
import { campaignIdSchema, clientParams, strict } from '../schemas.ts';

/** Octets of JSON: a message of ten megabytes, escaped. */
const BODY_LIMIT = 16 * 1_048_576;

const answerSchema = Type.Object(
  {
    verdict: Type.Enum(['pass', 'reject', 'defer']),
    reply: Type.String({ description: 'As on the wire, without the ref= of a decision' }),
    objections: Type.Array(
      Type.Object({ check: Type.String(), token: Type.String(), reason: Type.String(), mode: Type.String() }, strict),
      { description: 'Of all checks, also of those that only observe' },
    ),
  },
  strict,
);

export function explainRoutes(app: App, { policies, campaignHeader }: AdminParts): void {
  app.post(
    '/v1/clients/:client/explain',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        summary: 'What would become of a client’s mail, and why, without sending it',
        tags: ['explain'],
        params: clientParams,
        body: Type.Object(
          {
            from: Type.String({ maxLength: 998, description: 'The reverse-path; empty for the null one' }),
            to: Type.String({ minLength: 1, maxLength: 998, description: 'The recipient' }),
            campaign: Type.Optional(campaignIdSchema),
            policy: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Instead of the client’s' })),
            message: Type.Optional(
              Type.String({ description: 'As it would be sent, header and body; without it only the recipient is judged' }),
            ),
          },
          {
            ...strict,
            examples: [{ from: 'news@acme.example', to: 'jane@customer.example', campaign: 'spring' }],
          },
        ),
        response: { 200: answerSchema },
      },
      config: { roles: ['admin', 'operator', 'officer'], scope: 'explain:read' },
    },
    async ({ profile, actor, body: { from, to, campaign, policy: name = profile.policy, message } }, reply) => {
      if (profile.disabled) return problem(reply, 'conflict', 'the client was removed: nothing of it may be sent');
      if (campaign !== undefined && !profile.campaigns.has(campaign as CampaignId))
        return problem(reply, 'invalid', 'see errors', [
          { field: 'campaign', message: 'is none of this client', fix: 'register it first' },
        ]);
      const policy = (await policies.at(profile.globalVersion)).get(name);
      if (policy === undefined)
        return problem(reply, 'invalid', 'see errors', [
          { field: 'policy', message: 'is none that can be used', fix: 'GET /v1/policies lists them' },
        ]);
      const octets = message === undefined ? undefined : toCrlf(Buffer.from(message));
      const path = (text: string): string => text.trim().replace(/^<(.*)>$/, '$1');
      const question = {
        profile,
        policy,
        campaign: campaign as CampaignId | undefined,
        from: path(from),
        to: path(to),
        octets,
        campaignHeader,
      };
      const { verdict, reply: told, objections } = await rehearse(question);
      const known = (reason: string): string => describeAnew(reason, acts => toldActs(acts, actor));
      return { verdict, reply: told, objections: objections.map(({ reason, ...rest }) => ({ ...rest, reason: known(reason) })) };
    },
  );
}

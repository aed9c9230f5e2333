/** Exclusions: addresses and domains that operators, platforms and imports put on a list. */
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { AdminParts, App } from '../app.ts';
import { addBatchRoute } from '../batch.ts';
import { addressSchema, domainSchema, entrySchema, isWrong, readWhom, wrongReason } from '../entries.ts';
import { addListRoutes, answerEntry, noCampaign } from '../list-routes.ts';
import { OF_CLIENT, type Place, paramsOf } from '../places.ts';
import { problem } from '../problem.ts';
import { campaignIdSchema, strict } from '../schemas.ts';
import { actOf, whoOf } from '../who.ts';

/** Why somebody may be excluded by hand; an erasure leaves no address behind, and a review is the inbound side's own. */
const REASONS = ['manual', 'opt-out', 'objection', 'complaint', 'reply', 'bounce', 'import', 'policy'] as const;

export function exclusionRoutes(app: App, parts: AdminParts): void {
  exclusionRoutesOf(app, parts, OF_CLIENT);
}

export function exclusionRoutesOf(app: App, parts: AdminParts, place: Place): void {
  const list = { place, list: 'exclusion', resource: 'exclusions' } as const;
  app.post(
    `${place.path}/exclusions`,
    {
      schema: {
        summary: `Excludes an address, or a domain with its subdomains, ${place.whose}; binds the very next RCPT`,
        description: 'Twice is once: 200 with the entry that is there, to which a new reason is added.',
        tags: ['exclusions'],
        params: paramsOf(place),
        body: Type.Object(
          {
            address: Type.Optional(addressSchema),
            domain: Type.Optional(domainSchema),
            ...(place.path === '/v1/global' ? {} : { campaign: Type.Optional(campaignIdSchema) }),
            reason: Type.Enum([...REASONS], { default: 'manual', description: `Why: ${REASONS.join(', ')}` }),
          },
          {
            ...strict,
            examples: [
              { address: 'jane@customer.example', reason: 'manual' },
              { domain: 'customer.example', reason: 'policy' },
            ],
          },
        ),
        response: { 200: entrySchema, 201: entrySchema },
      },
      config: { roles: ['admin', 'operator', 'officer', ...place.also], scope: place.needs('exclusions', 'write') },
    },
    async (request, reply) => {
      const { reason } = request.body;
      const { campaign, ...whom } = request.body as { readonly campaign?: string; readonly address?: string; readonly domain?: string };
      const scope = place.scope(request, campaign);
      if (scope === undefined) return noCampaign(reply);
      const wrong = wrongReason(reason, REASONS, request.actor);
      if (wrong !== undefined) return problem(reply, 'invalid', 'see errors', [wrong]);
      const target = readWhom(whom);
      if (isWrong(target)) return problem(reply, 'invalid', 'see errors', target.errors);
      const result = await parts.lists.add(scope, target, { reason, ...actOf(request.actor) }, whoOf(request.actor));
      if (typeof result === 'object')
        return problem(reply, 'invalid', 'see errors', [{ field: 'domain', message: result.problem, fix: 'name a domain below it' }]);
      const answer = { scope, list: 'exclusion', name: target, added: result === 'added' } as const;
      return answerEntry(parts, request, reply as unknown as FastifyReply, answer) as never;
    },
  );
  addBatchRoute(app, parts, { ...list, reasons: REASONS });
  addListRoutes(app, parts, list);
}

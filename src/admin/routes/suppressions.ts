/** Suppressions: people who objected, complained, bounced or were erased, kept as keyed digests that nobody can read back. */
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { AdminParts, App } from '../app.ts';
import { addBatchRoute } from '../batch.ts';
import { addressSchema, entrySchema, isWrong, readPerson, wrongReason } from '../entries.ts';
import { addListRoutes, answerEntry, noCampaign } from '../list-routes.ts';
import { OF_CLIENT, type Place, paramsOf } from '../places.ts';
import { problem } from '../problem.ts';
import { campaignIdSchema, strict } from '../schemas.ts';
import { actOf, whoOf } from '../who.ts';

const REASONS = ['opt-out', 'objection', 'complaint', 'bounce', 'erasure', 'manual'] as const;

export function suppressionRoutes(app: App, parts: AdminParts): void {
  suppressionRoutesOf(app, parts, OF_CLIENT);
}

export function suppressionRoutesOf(app: App, parts: AdminParts, place: Place): void {
  const list = { place, list: 'suppression', resource: 'suppressions' } as const;
  app.post(
    `${place.path}/suppressions`,
    {
      schema: {
        summary: `Suppresses a person ${place.whose}; binds the very next RCPT`,
        description:
          'Kept as a digest, in the objection ledger first. Twice is once: 200 with the entry that is there, to which a new reason is added.',
        tags: ['suppressions'],
        params: paramsOf(place),
        body: Type.Object(
          {
            address: addressSchema,
            ...(place.path === '/v1/global' ? {} : { campaign: Type.Optional(campaignIdSchema) }),
            reason: Type.Enum([...REASONS], { description: `Why: ${REASONS.join(', ')}` }),
          },
          { ...strict, examples: [{ address: 'jane@customer.example', reason: 'opt-out' }] },
        ),
        response: { 200: entrySchema, 201: entrySchema },
      },
      config: { roles: ['admin', 'operator', 'officer', ...place.also], scope: place.needs('suppressions', 'write') },
    },
    async (request, reply) => {
      const { address, reason } = request.body;
      const scope = place.scope(request, (request.body as { readonly campaign?: string }).campaign);
      if (scope === undefined) return noCampaign(reply);
      const wrong = wrongReason(reason, REASONS, request.actor);
      if (wrong !== undefined) return problem(reply, 'invalid', 'see errors', [wrong]);
      const person = readPerson('address', address);
      if (isWrong(person)) return problem(reply, 'invalid', 'see errors', person.errors);
      const result = await parts.lists.suppress(scope, person, { reason, ...actOf(request.actor) }, whoOf(request.actor));
      const answer = { scope, list: 'suppression', name: person, added: result === 'added' } as const;
      return answerEntry(parts, request, reply as unknown as FastifyReply, answer) as never;
    },
  );
  addBatchRoute(app, parts, { ...list, reasons: REASONS });
  addListRoutes(app, parts, list);
}

/** Webhooks: where a client's platform wants to be told of what, what could not be delivered, and sending it again. */

import type { FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import { DISABLED, type Endpoint, MAX_ENDPOINTS, type Missed } from '../../hooks/endpoints.ts';
import { EVENT_TYPES } from '../../hooks/event.ts';
import type { Queued } from '../../hooks/outbox.ts';
import type { Standing } from '../../hooks/standing.ts';
import type { ClientId } from '../../ids.ts';
import type { AdminParts, App } from '../app.ts';
import { expectedVersion } from '../etag.ts';
import { fieldError, problem } from '../problem.ts';
import { clientIdSchema, clientParams, isoTimeSchema, nothing, PAGE_LIMIT, pageOf, pageQuery, strict } from '../schemas.ts';
import { whoOf } from '../who.ts';

const tags = ['webhooks'];
const read = { roles: ['admin', 'operator', 'officer', 'client'], scope: 'webhooks:read' } as const;
const write = { roles: ['admin', 'operator', 'client'], scope: 'webhooks:write' } as const;

const endpointId = Type.String({ pattern: '^ep_[0-9a-f]{18}$', examples: ['ep_0123456789abcdef01'] });
const eventId = Type.String({ pattern: '^evt_[0-9a-f]{28}$', examples: ['evt_019b0000000000112233445566aa'] });
const settings = {
  url: Type.String({ maxLength: 2_000, description: 'https:// at a public address', examples: ['https://hooks.example.com/postern'] }),
  types: Type.Array(Type.Enum([...EVENT_TYPES]), { minItems: 1, description: 'The events it is told of' }),
};
const timeOrNull = (description: string) => Type.Union([isoTimeSchema, Type.Null()], { description });
const shownFields = {
  id: endpointId,
  ...settings,
  disabled: Type.Union([Type.Enum([...DISABLED]), Type.Null()], {
    description:
      'Why it is told of nothing: switched off by somebody; it answered 410 Gone; or every attempt failed for `webhooks.failingDays`',
  }),
  createdAt: isoTimeSchema,
  failingSince: timeOrNull('Since when every attempt failed'),
  waiting: Type.Integer({ minimum: 0, description: 'Events that wait for it, when they were last counted: a minute or two ago at most' }),
  dead: Type.Integer({ minimum: 0, description: 'Events that were given up, then' }),
  oldestWaitingAt: timeOrNull('When the oldest of those happened that wait'),
  dropped: Type.Integer({ minimum: 0, description: 'Events dropped because more than `webhooks.maxQueued` were kept, the oldest first' }),
  droppedSince: timeOrNull('When the first was dropped'),
};
const endpointSchema = Type.Object(shownFields, strict);
const withSecret = Type.Object(
  { ...shownFields, secret: Type.String({ description: 'whsec_…: shown this once; verify signatures with it (Standard Webhooks)' }) },
  strict,
);
const deliverySchema = Type.Object(
  {
    id: eventId,
    type: Type.String(),
    happenedAt: isoTimeSchema,
    attempts: Type.Integer({ minimum: 0 }),
    last: Type.Union([Type.String(), Type.Null()], { description: 'What became of the last attempt' }),
  },
  strict,
);
const one = Type.Object({ client: clientIdSchema, id: endpointId });

export function webhookRoutes(app: App, { endpoints, outbox, standings, audit }: AdminParts): void {
  const find = (client: ClientId, id: string) => endpoints.find(client, id);
  const missing = 'there is no such webhook';

  const shownAll = async (all: readonly Endpoint[]): Promise<Shown[]> => {
    const found = await standings.of(all.map(({ id }) => id));
    return all.map((endpoint, index) => shown(endpoint, found[index] ?? {}));
  };
  const shownOne = async (endpoint: Endpoint): Promise<Shown> => shown(endpoint, (await standings.of([endpoint.id]))[0] ?? {});
  const missed = (reply: FastifyReply, why: Missed | 'unreadable') =>
    why === 'missing'
      ? problem(reply, 'not-found', missing)
      : problem(
          reply,
          'precondition-failed',
          why === 'changed' ? 'somebody changed it meanwhile' : 'If-Match holds no ETag of this resource',
        );

  app.get(
    '/v1/clients/:client/webhooks',
    {
      schema: {
        summary: 'The webhooks of a client, without their secrets',
        tags,
        params: clientParams,
        response: { 200: pageOf(endpointSchema) },
      },
      config: read,
    },
    async ({ profile }) => ({ items: await shownAll(await endpoints.of(profile.id)), next: null }),
  );

  app.post(
    '/v1/clients/:client/webhooks',
    {
      schema: {
        summary: 'Makes a webhook; its secret is shown this once',
        tags,
        params: clientParams,
        body: Type.Object(settings, {
          ...strict,
          examples: [{ url: 'https://hooks.example.com/postern', types: ['email.unsubscribed', 'email.bounced'] }],
        }),
        response: { 201: withSecret },
      },
      config: write,
    },
    async (request, reply) => {
      const { profile, actor, body } = request;
      const made = await endpoints.add(profile.id, body.url, body.types, whoOf(actor));
      if (made === 'full') return problem(reply, 'conflict', `a client has ${MAX_ENDPOINTS} webhooks at most; delete one first`);
      if ('problem' in made) return problem(reply, 'invalid', 'see errors', [fieldError(`url: ${made.problem}`)]);
      return reply
        .code(201)
        .header('etag', etag(made))
        .header('location', `/v1/clients/${profile.id}/webhooks/${made.id}`)
        .send({ ...(await shownOne(made)), secret: secretOf(made) });
    },
  );

  app.get(
    '/v1/clients/:client/webhooks/:id',
    { schema: { summary: 'One webhook', tags, params: one, response: { 200: endpointSchema } }, config: read },
    async ({ profile, params }, reply) => {
      const endpoint = await find(profile.id, params.id);
      return endpoint === undefined ? missed(reply, 'missing') : reply.header('etag', etag(endpoint)).send(await shownOne(endpoint));
    },
  );

  app.patch(
    '/v1/clients/:client/webhooks/:id',
    {
      schema: {
        summary: 'Changes what a webhook is told of, or switches it off and on; another URL is another webhook',
        description: 'If-Match guards against somebody else changing it, too.',
        tags,
        params: one,
        body: Type.Object(
          { types: Type.Optional(settings.types), disabled: Type.Optional(Type.Boolean()) },
          { ...strict, minProperties: 1, examples: [{ disabled: true }] },
        ),
        response: { 200: endpointSchema },
      },
      config: write,
    },
    async (request, reply) => {
      const { profile, params, body, actor } = request;
      const version = expectedVersion(request);
      if (version === 'unreadable') return missed(reply, version);
      const changed = await endpoints.update(profile.id, params.id, body, whoOf(actor), version);
      return typeof changed === 'string' ? missed(reply, changed) : reply.header('etag', etag(changed)).send(await shownOne(changed));
    },
  );

  app.delete(
    '/v1/clients/:client/webhooks/:id',
    {
      schema: { summary: 'Deletes a webhook and whatever it was still to be told', tags, params: one, response: { 204: nothing } },
      config: write,
    },
    async (request, reply) => {
      const { profile, params, actor } = request;
      const version = expectedVersion(request);
      if (version === 'unreadable') return missed(reply, version);
      const removed = await endpoints.remove(profile.id, params.id, whoOf(actor), version);
      if (removed === 'changed') return missed(reply, removed);
      await outbox.clear(profile.id, params.id);
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/clients/:client/webhooks/:id/secret',
    {
      schema: {
        summary: 'Makes a new secret, shown this once; the one before signs beside it for 24 hours',
        tags,
        params: one,
        response: { 200: withSecret },
      },
      config: write,
    },
    async (request, reply) => {
      const { profile, params, actor } = request;
      const version = expectedVersion(request);
      if (version === 'unreadable') return missed(reply, version);
      const changed = await endpoints.rotate(profile.id, params.id, whoOf(actor), version);
      if (typeof changed === 'string') return missed(reply, changed);
      return reply.header('etag', etag(changed)).send({ ...(await shownOne(changed)), secret: secretOf(changed) });
    },
  );

  app.post(
    '/v1/clients/:client/webhooks/:id/test',
    {
      schema: {
        summary: 'Sends an event webhook.test to this webhook, on the way that all others take',
        tags,
        params: one,
        response: { 202: Type.Object({ id: eventId }, strict) },
      },
      config: write,
    },
    async ({ profile, params, actor }, reply) => {
      const endpoint = await find(profile.id, params.id);
      if (endpoint === undefined) return problem(reply, 'not-found', missing);
      await audit.record(profile.id, { ...whoOf(actor), what: 'webhook.test', about: { webhook: endpoint.id } });
      return reply.code(202).send({ id: await outbox.test(profile.id, endpoint) });
    },
  );

  app.get(
    '/v1/clients/:client/webhooks/:id/deliveries',
    {
      schema: {
        summary: 'Events that wait for this webhook, or were given up; what was delivered is not kept',
        description: 'Dead ones by when they were given up, waiting ones by when they are due; without what they say.',
        tags,
        params: one,
        querystring: Type.Object(
          {
            state: Type.Enum(['waiting', 'dead'], { default: 'dead' }),
            ...pageQuery,
            cursor: Type.Optional(
              Type.String({ pattern: '^[0-9a-f]{12}-evt_[0-9a-f]{28}$', description: 'The `next` of the page before' }),
            ),
          },
          strict,
        ),
        response: { 200: pageOf(deliverySchema) },
      },
      config: read,
    },
    async ({ profile, params, query }, reply) => {
      if ((await find(profile.id, params.id)) === undefined) return problem(reply, 'not-found', missing);
      const { state, limit = PAGE_LIMIT, cursor: after } = query;
      const { items, next } = await outbox.page(profile.id, params.id, state, { limit, after });
      return reply.send({ items: items.map(({ event }) => delivery(event)), next: next ?? null });
    },
  );

  app.post(
    '/v1/clients/:client/webhooks/:id/deliveries/:event/replay',
    {
      schema: {
        summary: 'Tries an event again that was given up, from the first attempt on; `all` stands for the first thousand',
        tags,
        params: Type.Object({ client: clientIdSchema, id: endpointId, event: Type.Union([eventId, Type.Literal('all')]) }),
        response: { 202: Type.Object({ replayed: Type.Integer({ minimum: 0 }) }, strict) },
      },
      config: write,
    },
    async ({ profile, params, actor }, reply) => {
      if ((await find(profile.id, params.id)) === undefined) return problem(reply, 'not-found', missing);
      const replayed = await outbox.replay(profile.id, params.id, params.event === 'all' ? undefined : params.event);
      if (replayed === 0 && params.event !== 'all') return problem(reply, 'not-found', 'there is no such dead event');
      await audit.record(profile.id, { ...whoOf(actor), what: 'webhook.replay', about: { webhook: params.id, events: replayed } });
      return reply.code(202).send({ replayed });
    },
  );
}

type Shown = Static<typeof endpointSchema>;

const iso = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());
const etag = ({ version }: Endpoint): string => `"${version}"`;
const secretOf = ({ secrets: [newest] }: Endpoint): string => newest?.secret ?? '';

function shown({ id, url, types, disabled, createdAt }: Endpoint, standing: Standing): Shown {
  const { failingSince, waiting = 0, dead = 0, oldestAt, dropped = 0, droppedSince } = standing;
  return {
    ...{ id, url, types: [...types], disabled: disabled ?? null, createdAt: new Date(createdAt).toISOString() },
    ...{ failingSince: iso(failingSince), waiting, dead, oldestWaitingAt: iso(oldestAt), dropped, droppedSince: iso(droppedSince) },
  };
}

function delivery({ id, type, at, attempts, last }: Queued): Static<typeof deliverySchema> {
  return { id, type, happenedAt: new Date(at).toISOString(), attempts, last: last ?? null };
}

/** Webhooks: where a client's platform wants to be told of what, what could not be delivered, and sending it again. */
import { type Static, Type } from 'typebox';
import type { AuditAct } from '../../audit/act.ts';
import { type Endpoint, MAX_ENDPOINTS } from '../../hooks/endpoints.ts';
import { EVENT_TYPES } from '../../hooks/event.ts';
import type { Queued } from '../../hooks/outbox.ts';
import type { ClientId } from '../../ids.ts';
import type { AdminParts, App } from '../app.ts';
import { problem } from '../problem.ts';
import { clientIdSchema, clientParams, isoTimeSchema, nothing, PAGE_LIMIT, pageOf, strict } from '../schemas.ts';
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
const shownFields = {
  id: endpointId,
  ...settings,
  disabled: Type.Union([Type.Null(), Type.Literal('operator'), Type.Literal('gone')], {
    description: 'Why it is told of nothing: switched off, or it answered 410 Gone',
  }),
  createdAt: isoTimeSchema,
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

export function webhookRoutes(app: App, { endpoints, outbox, audit }: AdminParts): void {
  const find = async (client: ClientId, id: string) => (await endpoints.of(client)).find(endpoint => endpoint.id === id);
  const missing = 'there is no such webhook';

  /** Changes one endpoint, on the audit trail; undefined where it is not there. */
  const change = async (
    client: ClientId,
    id: string,
    act: AuditAct,
    edit: (endpoint: Endpoint) => Endpoint | undefined,
  ): Promise<Endpoint | 'removed' | undefined> => {
    if ((await find(client, id)) === undefined) return undefined;
    return audit.together<Endpoint | 'removed'>(client, act, async draft => {
      let edited: Endpoint | undefined;
      const done = await endpoints.change(
        client,
        all =>
          all.flatMap(endpoint => {
            if (endpoint.id !== id) return [endpoint];
            edited = edit(endpoint);
            return edited === undefined ? [] : [edited];
          }),
        draft,
      );
      return done ? (edited ?? 'removed') : undefined;
    });
  };

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
    async ({ profile }) => ({ items: (await endpoints.of(profile.id)).map(shown), next: null }),
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
      const drafted = endpoints.draft(body.url, body.types);
      if ('problem' in drafted) return problem(reply, 'invalid', undefined, [{ field: 'url', message: drafted.problem }]);
      const about = { webhook: drafted.id, host: new URL(drafted.url).host, types: drafted.types };
      const made = await audit.together<'made' | 'full'>(profile.id, { ...whoOf(actor), what: 'webhook.add', about }, async draft => {
        if ((await endpoints.of(profile.id)).length >= MAX_ENDPOINTS) return 'full';
        return (await endpoints.change(profile.id, all => [...all, drafted], draft)) ? 'made' : undefined;
      });
      if (made === 'full') return problem(reply, 'conflict', `a client has ${MAX_ENDPOINTS} webhooks at most; delete one first`);
      return reply
        .code(201)
        .header('location', `/v1/clients/${profile.id}/webhooks/${drafted.id}`)
        .send({ ...shown(drafted), secret: drafted.secrets[0]?.secret ?? '' });
    },
  );

  app.get(
    '/v1/clients/:client/webhooks/:id',
    { schema: { summary: 'One webhook', tags, params: one, response: { 200: endpointSchema } }, config: read },
    async ({ profile, params }, reply) => {
      const endpoint = await find(profile.id, params.id);
      return endpoint === undefined ? problem(reply, 'not-found', missing) : reply.send(shown(endpoint));
    },
  );

  app.patch(
    '/v1/clients/:client/webhooks/:id',
    {
      schema: {
        summary: 'Changes what a webhook is told of, or switches it off and on; another URL is another webhook',
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
    async ({ profile, params, body, actor }, reply) => {
      const act = { ...whoOf(actor), what: 'webhook.update', about: { webhook: params.id, ...body } };
      const changed = await change(profile.id, params.id, act, endpoint => ({
        ...endpoint,
        types: body.types ?? endpoint.types,
        disabled: body.disabled === undefined ? endpoint.disabled : body.disabled ? 'operator' : undefined,
      }));
      return changed === undefined || changed === 'removed' ? problem(reply, 'not-found', missing) : reply.send(shown(changed));
    },
  );

  app.delete(
    '/v1/clients/:client/webhooks/:id',
    {
      schema: { summary: 'Deletes a webhook and whatever it was still to be told', tags, params: one, response: { 204: nothing } },
      config: write,
    },
    async ({ profile, params, actor }, reply) => {
      await change(profile.id, params.id, { ...whoOf(actor), what: 'webhook.remove', about: { webhook: params.id } }, () => undefined);
      await outbox.purge(profile.id, params.id);
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
    async ({ profile, params, actor }, reply) => {
      const act = { ...whoOf(actor), what: 'webhook.rotate', about: { webhook: params.id } };
      const changed = await change(profile.id, params.id, act, endpoint => endpoints.rotated(endpoint));
      if (changed === undefined || changed === 'removed') return problem(reply, 'not-found', missing);
      return reply.send({ ...shown(changed), secret: changed.secrets[0]?.secret ?? '' });
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
        description: 'The oldest first, without what they say.',
        tags,
        params: one,
        querystring: Type.Object(
          {
            state: Type.Enum(['waiting', 'dead'], { default: 'dead' }),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: PAGE_LIMIT })),
          },
          strict,
        ),
        response: { 200: pageOf(deliverySchema) },
      },
      config: read,
    },
    async ({ profile, params, query }, reply) => {
      if ((await find(profile.id, params.id)) === undefined) return problem(reply, 'not-found', missing);
      const found = await outbox.list(profile.id, params.id, query.state, query.limit ?? PAGE_LIMIT);
      return reply.send({ items: found.map(({ event }) => delivery(event)), next: null });
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

function shown({ id, url, types, disabled, createdAt }: Endpoint): Static<typeof endpointSchema> {
  return { id, url, types: [...types], disabled: disabled ?? null, createdAt: new Date(createdAt).toISOString() };
}

function delivery({ id, type, at, attempts, last }: Queued): Static<typeof deliverySchema> {
  return { id, type, happenedAt: new Date(at).toISOString(), attempts, last: last ?? null };
}

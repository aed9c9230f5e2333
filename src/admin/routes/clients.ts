/** Clients: the companies on whose behalf mail is sent. */
import { type Static, Type } from 'typebox';
import type { Actor } from '../../accounts/account.ts';
import { type ClientInput, isRefusal } from '../../clients/clients.ts';
import type { Profile } from '../../clients/profile.ts';
import { describe, parseUpstreamUrl } from '../../relay/url.ts';
import type { AdminParts, App } from '../app.ts';
import { expectedVersion } from '../etag.ts';
import { problem } from '../problem.ts';
import { clientIdSchema, clientParams, isoTimeSchema, nothing, PAGE_LIMIT, pageOf, pageQuery, strict } from '../schemas.ts';
import { refusedSettings, saysAlready } from '../settings.ts';
import { whoOf } from '../who.ts';
import { campaignSchema } from './campaigns.ts';

const tags = ['clients'];
const read = { roles: ['admin', 'operator', 'officer'], scope: 'clients:read' } as const;
const write = { roles: ['admin', 'operator'], scope: 'clients:write' } as const;

const texts = (description: string) => Type.Array(Type.String({ maxLength: 2_000 }), { maxItems: 1_000, description });
const orNull = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Integer>>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });
const limit = Type.Integer({ minimum: 0, maximum: 1_000_000 });

const settings = {
  returnPathDomains: texts('Domains its reverse-paths may have besides (platforms bounce to their own)'),
  trackingHosts: texts("Host or host:port of the platform's click-tracking links"),
  policy: Type.String({
    maxLength: 100,
    description: 'basic (default), b2b-prospecting, or another of GET /v1/policies that is not credentialOnly',
  }),
  upstream: orNull(
    Type.String({ maxLength: 2_000 }),
    'Relay through this smarthost instead of upstream.url; null: that one. Its password is never shown',
  ),
  maxRate: orNull(limit, 'Transactions a minute, 0 for no limit; null: as configured'),
  maxSessions: orNull(limit, 'Sessions at once, 0 for no limit; null: as configured'),
  replyAddresses: texts('Where its replies arrive, with or without a +tag'),
  returnPath: orNull(
    Type.String({ maxLength: 254 }),
    "Relay its mail with bounce+TOKEN@ this domain as the reverse-path; null: leave the platform's",
  ),
  tagReplyTo: Type.Boolean({ description: 'Add a Reply-To with a token where the message has none' }),
  forwardTo: orNull(Type.String({ maxLength: 320 }), 'Send a copy of what came back here; null: none'),
};
const named = {
  name: Type.String({ maxLength: 200, description: 'The company' }),
  privacyUrls: texts("The client's own https privacy policy, at least one"),
  fromDomains: texts('Domains its From headers may have, subdomains included; at least one'),
};
const optional = Object.fromEntries(Object.entries(settings).map(([name, schema]) => [name, Type.Optional(schema)])) as unknown as {
  readonly [name in keyof typeof settings]: ReturnType<typeof Type.Optional<(typeof settings)[name]>>;
};

const clientSchema = Type.Object(
  {
    id: clientIdSchema,
    ...named,
    ...settings,
    campaigns: Type.Array(campaignSchema),
    disabled: Type.Boolean({ description: 'Removed: nothing of it may send; its lists stay and bind' }),
    createdAt: isoTimeSchema,
  },
  strict,
);
type ShownClient = Static<typeof clientSchema>;

/** A client as it may be shown: its upstream without the password, and to its own accounts none at all. */
function shownClient(
  { campaigns, createdAt, upstream, maxRate, maxSessions, returnPath, forwardTo, version: _, globalVersion: __, ...profile }: Profile,
  { role }: Pick<Actor, 'role'>,
): ShownClient {
  const target = upstream === undefined || role === 'client' ? undefined : parseUpstreamUrl(upstream);
  return {
    ...profile,
    privacyUrls: [...profile.privacyUrls],
    fromDomains: [...profile.fromDomains],
    returnPathDomains: [...profile.returnPathDomains],
    trackingHosts: [...profile.trackingHosts],
    replyAddresses: [...profile.replyAddresses],
    upstream: target === undefined ? null : 'problem' in target ? 'unreadable' : describe(target),
    maxRate: maxRate ?? null,
    maxSessions: maxSessions ?? null,
    returnPath: returnPath ?? null,
    forwardTo: forwardTo ?? null,
    campaigns: [...campaigns.values()].map(({ id, targetDomains }) => ({ id, targetDomains: [...targetDomains] })),
    createdAt: new Date(createdAt).toISOString(),
  };
}

/** What was named; null clears. */
function inputOf(body: object): Partial<Omit<ClientInput, 'id'>> {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, value ?? undefined]));
}

const etag = ({ version }: Profile): string => `"${version}"`;

export function clientRoutes(app: App, { clients }: AdminParts): void {
  app.get(
    '/v1/clients',
    {
      schema: {
        summary: 'All clients in the order of their ids, removed ones too',
        tags,
        querystring: Type.Object({ ...pageQuery, cursor: Type.Optional(clientIdSchema) }, strict),
        response: { 200: pageOf(clientSchema) },
      },
      config: read,
    },
    async ({ query: { cursor, limit = PAGE_LIMIT }, actor }) => {
      const following = (await clients.list()).filter(({ id }) => cursor === undefined || id > cursor);
      const items = following.slice(0, limit);
      return {
        items: items.map(profile => shownClient(profile, actor)),
        next: following.length > limit ? (items.at(-1)?.id ?? null) : null,
      };
    },
  );

  app.post(
    '/v1/clients',
    {
      schema: {
        summary: 'Registers a client, or brings a removed one back',
        description: 'Twice is once: 200 where it is there just so, 409 where it is there otherwise.',
        tags,
        body: Type.Object(
          { id: clientIdSchema, ...named, ...optional },
          {
            ...strict,
            examples: [{ id: 'acme', name: 'Acme GmbH', privacyUrls: ['https://www.acme.example/privacy'], fromDomains: ['acme.example'] }],
          },
        ),
        response: { 200: clientSchema, 201: clientSchema },
      },
      config: write,
    },
    async (request, reply) => {
      const { id, name, privacyUrls, fromDomains, ...more } = request.body;
      const made = await clients.add({ id, name, privacyUrls, fromDomains, ...inputOf(more) }, whoOf(request.actor));
      if (!isRefusal(made)) {
        return reply
          .code(201)
          .header('etag', etag(made))
          .header('location', `/v1/clients/${made.id}`)
          .send(shownClient(made, request.actor));
      }
      const there = made.problem === 'exists' ? await clients.show(id) : undefined;
      if (there === undefined || !saysAlready(there, { name, privacyUrls, fromDomains, ...inputOf(more) }))
        return refusedSettings(reply, made);
      return reply.code(200).header('etag', etag(there)).send(shownClient(there, request.actor));
    },
  );

  app.get(
    '/v1/clients/:client',
    {
      schema: { summary: 'One client', tags, params: clientParams, response: { 200: clientSchema } },
      config: { ...read, roles: [...read.roles, 'client'] },
    },
    async ({ profile, actor }, reply) => reply.header('etag', etag(profile)).send(shownClient(profile, actor)),
  );

  app.patch(
    '/v1/clients/:client',
    {
      schema: {
        summary: 'Changes what is named; the rest stays. If-Match guards against somebody else changing it, too',
        tags,
        params: clientParams,
        body: Type.Object(
          {
            name: Type.Optional(named.name),
            privacyUrls: Type.Optional(named.privacyUrls),
            fromDomains: Type.Optional(named.fromDomains),
            ...optional,
          },
          { ...strict, minProperties: 1, examples: [{ maxRate: 600 }] },
        ),
        response: { 200: clientSchema },
      },
      config: write,
    },
    async (request, reply) => {
      const version = expectedVersion(request);
      if (version === 'unreadable') return problem(reply, 'precondition-failed', 'If-Match holds no ETag of this resource');
      const changed = await clients.update(request.profile.id, inputOf(request.body), whoOf(request.actor), version);
      if (isRefusal(changed)) return refusedSettings(reply, changed);
      return reply.header('etag', etag(changed)).send(shownClient(changed, request.actor));
    },
  );

  app.delete(
    '/v1/clients/:client',
    {
      schema: {
        summary: 'Removes a client: it and its credentials are switched off; its lists stay, and bind whoever takes the id again',
        tags,
        params: clientParams,
        response: { 204: nothing },
      },
      config: write,
    },
    async (request, reply) => {
      const version = expectedVersion(request);
      if (version === 'unreadable') return problem(reply, 'precondition-failed', 'If-Match holds no ETag of this resource');
      const { profile } = request;
      if (profile.disabled && (version === undefined || version === profile.version)) return reply.code(204).send(null);
      const removed = await clients.remove(profile.id, whoOf(request.actor), version);
      return isRefusal(removed) ? refusedSettings(reply, removed) : reply.code(204).send(null);
    },
  );
}

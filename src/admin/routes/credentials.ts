/** Credentials: what a platform logs in to the gate with. Their passwords are shown once, when they are made. */
import { type Static, Type } from 'typebox';
import { isRefusal } from '../../clients/clients.ts';
import type { Credential } from '../../clients/profile.ts';
import { type ClientId, credentialId } from '../../ids.ts';
import type { AdminParts, App } from '../app.ts';
import { expectedVersion } from '../etag.ts';
import { problem } from '../problem.ts';
import { campaignIdSchema, clientIdSchema, clientParams, isoTimeSchema, nothing, pageOf, strict } from '../schemas.ts';
import { refusedSettings, saysAlready } from '../settings.ts';
import { whoOf } from '../who.ts';

const tags = ['credentials'];
const read = { roles: ['admin', 'operator', 'officer'], scope: 'credentials:read' } as const;
const write = { roles: ['admin', 'operator'], scope: 'credentials:write' } as const;

const username = Type.String({
  pattern: '^[\\x21-\\x7e]{1,128}$',
  description: '1 to 128 printable ASCII characters; unique among all clients',
  examples: ['acme-mailer'],
});
const fields = {
  username,
  campaign: Type.Union([campaignIdSchema, Type.Null()], { description: 'All its mail is of this campaign' }),
  policy: Type.Union([Type.String({ maxLength: 100 }), Type.Null()], {
    description: "Instead of the client's; transactional for receipts and password resets, conversation for answers to replies",
  }),
  ips: Type.Array(Type.String({ maxLength: 50 }), {
    maxItems: 1_000,
    description: 'Only from these addresses or blocks; none: from anywhere',
  }),
  hasPassword: Type.Boolean({ description: 'False: the IP address alone is the credential' }),
};
const credentialSchema = Type.Object({ ...fields, disabled: Type.Boolean(), createdAt: isoTimeSchema }, strict);
const issuedSchema = Type.Object(
  {
    ...fields,
    disabled: Type.Boolean(),
    createdAt: isoTimeSchema,
    password: Type.Union([Type.String(), Type.Null()], {
      description: 'Shown this once; null where there is none, or it was shown before',
    }),
  },
  strict,
);
const params = Type.Object({ client: clientIdSchema, username });

function shown({ id, campaign, policy, ips, password, disabled, createdAt }: Credential): Static<typeof credentialSchema> {
  return {
    username: id,
    campaign: campaign ?? null,
    policy: policy ?? null,
    ips: [...ips],
    hasPassword: password,
    disabled,
    createdAt: new Date(createdAt).toISOString(),
  };
}

export function credentialRoutes(app: App, { clients }: AdminParts): void {
  /** The credential of this name with its client's version, where it is this client's. */
  const versioned = async (client: ClientId, name: string) => {
    const id = credentialId(name);
    const found = id === undefined ? undefined : await clients.credential(id);
    return found?.credential.client === client ? found : undefined;
  };
  const own = async (client: ClientId, name: string): Promise<Credential | undefined> => (await versioned(client, name))?.credential;
  /** None where it was changed again since, for then it would be another's. */
  const etagOf = async (credential: Credential): Promise<{ etag?: string }> => {
    const now = await versioned(credential.client, credential.id);
    return now !== undefined && saysAlready(now.credential, credential) ? { etag: `"${now.version}"` } : {};
  };

  app.get(
    '/v1/clients/:client/credentials',
    {
      schema: {
        summary: 'The credentials of a client, disabled ones too',
        tags,
        params: clientParams,
        response: { 200: pageOf(credentialSchema) },
      },
      config: read,
    },
    async ({ profile }, reply) => {
      const credentials = await clients.credentials(profile.id);
      if (isRefusal(credentials)) return refusedSettings(reply, credentials);
      const items = credentials.map(shown).sort((one, other) => (one.username < other.username ? -1 : 1));
      return { items, next: null };
    },
  );

  app.post(
    '/v1/clients/:client/credentials',
    {
      schema: {
        summary: 'Makes a credential; its password is shown this once',
        description:
          'Twice is once: 200 where it is there just so, without its password; 409 where it is there otherwise. A disabled one comes back with a new password.',
        tags,
        params: clientParams,
        body: Type.Object(
          {
            username,
            campaign: Type.Optional(fields.campaign),
            policy: Type.Optional(fields.policy),
            ips: Type.Optional(fields.ips),
            hasPassword: Type.Optional(fields.hasPassword),
          },
          { ...strict, examples: [{ username: 'acme-mailer', ips: ['192.0.2.0/24'] }] },
        ),
        response: { 200: issuedSchema, 201: issuedSchema },
      },
      config: write,
    },
    async (request, reply) => {
      const { username: name, campaign, policy, ips = [], hasPassword = true } = request.body;
      const { profile } = request;
      const input = {
        client: profile.id,
        username: name,
        campaign: campaign ?? undefined,
        policy: policy ?? undefined,
        ips,
        password: hasPassword,
      };
      const made = await clients.addCredential(input, whoOf(request.actor));
      if (!isRefusal(made)) {
        const location = `/v1/clients/${profile.id}/credentials/${encodeURIComponent(name)}`;
        return reply
          .code(201)
          .header('location', location)
          .send({ ...shown(made.credential), password: made.password ?? null });
      }
      const there = made.problem === 'exists' ? await own(profile.id, name) : undefined;
      const asked = { campaign, policy, hasPassword, ips };
      if (there !== undefined && saysAlready(shown(there), asked)) return reply.code(200).send({ ...shown(there), password: null });
      // What does not exist stands in the body here, not in the path.
      return refusedSettings(reply, made.problem === 'unknown' ? { ...made, problem: 'invalid' } : made);
    },
  );

  app.get(
    '/v1/clients/:client/credentials/:username',
    { schema: { summary: 'One credential, without its password', tags, params, response: { 200: credentialSchema } }, config: read },
    async ({ profile, params: { username: name } }, reply) => {
      const found = await versioned(profile.id, name);
      if (found === undefined) return problem(reply, 'not-found', 'there is no such credential');
      return reply.header('etag', `"${found.version}"`).send(shown(found.credential));
    },
  );

  app.patch(
    '/v1/clients/:client/credentials/:username',
    {
      schema: {
        summary: 'Changes whence a credential may be used, its campaign or its policy; its password stays',
        description:
          'Binds the next MAIL on every gate, of sessions that are logged in, too. What is left out stays, null takes it away; a credential without a password keeps one address at least.',
        tags,
        params,
        body: Type.Object(
          {
            campaign: Type.Optional(fields.campaign),
            policy: Type.Optional(fields.policy),
            ips: Type.Optional(Type.Union([fields.ips, Type.Null()], { description: 'Only from these; null or none: from anywhere' })),
          },
          { ...strict, examples: [{ ips: ['198.51.100.0/24'], campaign: null }] },
        ),
        response: { 200: credentialSchema },
      },
      config: write,
    },
    async ({ profile, params: { username: name }, body, actor, headers }, reply) => {
      const version = expectedVersion({ headers });
      if (version === 'unreadable') return problem(reply, 'precondition-failed', 'If-Match holds no ETag of this resource');
      if ((await own(profile.id, name)) === undefined) return problem(reply, 'not-found', 'there is no such credential');
      const changed = await clients.updateCredential(name, body, whoOf(actor), version);
      // What does not exist stands in the body here, not in the path.
      if (isRefusal(changed)) return refusedSettings(reply, changed.problem === 'unknown' ? { ...changed, problem: 'invalid' } : changed);
      return reply.headers(await etagOf(changed)).send(shown(changed));
    },
  );

  app.delete(
    '/v1/clients/:client/credentials/:username',
    {
      schema: { summary: 'Disables a credential: it is refused from the next MAIL on', tags, params, response: { 204: nothing } },
      config: write,
    },
    async ({ profile, params: { username: name }, actor }, reply) => {
      const credential = await own(profile.id, name);
      if (credential === undefined || credential.disabled) return reply.code(204).send(null);
      const disabled = await clients.disableCredential(name, whoOf(actor));
      return isRefusal(disabled) ? refusedSettings(reply, disabled) : reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/clients/:client/credentials/:username/rotation',
    {
      schema: {
        summary: 'Gives a credential a new password, shown this once; the old one is dead at once',
        tags,
        params,
        response: { 200: issuedSchema },
      },
      config: write,
    },
    async ({ profile, params: { username: name }, actor }, reply) => {
      if ((await own(profile.id, name)) === undefined) return problem(reply, 'not-found', 'there is no such credential');
      const rotated = await clients.rotateCredential(name, whoOf(actor));
      if (isRefusal(rotated)) return refusedSettings(reply, rotated.problem === 'invalid' ? { ...rotated, problem: 'disabled' } : rotated);
      return { ...shown(rotated.credential), password: rotated.password ?? null };
    },
  );
}

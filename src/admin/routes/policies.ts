/** Policies: which checks each one asks, in which mode and with which options; read, changed for the very next transaction, and as they were. */
import { type Static, type TSchema, Type } from 'typebox';
import { registry } from '../../checks/index.ts';
import { isRefusal } from '../../clients/clients.ts';
import type { PolicyState } from '../../policy/book.ts';
import { CREDENTIAL_ONLY } from '../../policy/settings.ts';
import type { PolicyVersion, RuleChange } from '../../policy/stored.ts';
import type { AdminParts, App } from '../app.ts';
import { expectedVersion } from '../etag.ts';
import { problem, refused } from '../problem.ts';
import { isoTimeSchema, PAGE_LIMIT, pageOf, pageQuery, strict } from '../schemas.ts';
import { whoOf } from '../who.ts';

const tags = ['policies'];
const read = { roles: ['admin', 'operator', 'officer'], scope: 'policies:read' } as const;
/** A check that only observes lets mail out of the house: who runs the platforms does not decide that alone. */
const write = { roles: ['admin', 'officer'], scope: 'policies:write' } as const;

/** Octets of JSON: thousands of domains. */
const BODY_LIMIT = 128 * 1024;
/** Of what is wrong with a policy, so much is told. */
const MOST_PROBLEMS = 50;
const MOST_TEXT = 500;

const params = Type.Object({ policy: Type.String({ examples: ['basic'] }) });
const orNull = <T extends TSchema>(schema: T, description: string) => Type.Union([schema, Type.Null()], { description });
const modeSchema = Type.Enum(['enforce', 'observe', 'off']);
const rule = { mode: modeSchema, options: Type.Record(Type.String(), Type.Unknown()) };
const ruleSchema = Type.Object(rule, strict);
const amendmentsSchema = Type.Record(Type.String(), Type.Unknown(), {
  description: 'What was laid over the configuration: check → {mode, …options}',
  examples: [{ 'personal-address': { mode: 'observe' } }],
});

const policySchema = Type.Object(
  {
    name: Type.String({ examples: ['basic'] }),
    credentialOnly: Type.Boolean({ description: 'Only a credential may have it, given by a person; never a client' }),
    version: Type.Integer({ minimum: 0, description: 'Its ETag; 0 where no gate has started yet that put it on record' }),
    changedAt: orNull(isoTimeSchema, 'When this version was made'),
    changedBy: orNull(Type.String(), 'By whom; `postern` where the configuration changed'),
    amendments: amendmentsSchema,
    problems: Type.Array(Type.String(), {
      description: 'Why it cannot be used: amendments that do not fit this software. Nothing passes under it (451) until they are replaced',
    }),
    checks: Type.Array(
      Type.Object({ check: Type.String({ examples: ['personal-address'] }), ...rule, amended: Type.Boolean(), doc: Type.String() }, strict),
      { description: 'In the order in which objections are told; empty where there are problems' },
    ),
  },
  strict,
);

const versionSchema = Type.Object(
  {
    version: Type.Integer({ minimum: 1 }),
    at: isoTimeSchema,
    by: Type.String({ description: 'Account, or the operating system’s user; `postern` where nobody asked for it' }),
    from: Type.String({
      description: 'IP address, `cli`, or `configuration`: a gate started whose configuration or software makes it otherwise',
    }),
    why: Type.Optional(Type.String()),
    changes: Type.Array(Type.Object({ check: Type.String(), from: Type.Optional(ruleSchema), to: ruleSchema }, strict), {
      description: 'Against the version before; without `from` where there was none that could be used',
    }),
    amendments: amendmentsSchema,
    checks: orNull(
      Type.Array(Type.Object({ check: Type.String(), ...rule }, strict)),
      'All checks that were asked from then on; null: there was no such policy, or it could not be used, so that nothing passed under it',
    ),
  },
  strict,
);

const checkSchema = Type.Object(
  {
    check: Type.String({ examples: ['personal-address'] }),
    doc: Type.String(),
    alwaysEnforced: Type.Boolean({ description: 'Neither mode nor options of it may be changed' }),
    options: Type.Unknown({ description: 'JSON schema of its options' }),
    tokens: Type.Array(Type.Object({ token: Type.String(), meaning: Type.String() }, strict)),
  },
  strict,
);

const changeSchema = Type.Object(
  {
    checks: Type.Record(
      Type.String({ minLength: 1, maxLength: 64 }),
      Type.Union([Type.String({ maxLength: 64 }), Type.Record(Type.String({ maxLength: 64 }), Type.Unknown())]),
      { description: 'Check → mode, or {mode, …options}; in place of all amendments there were. Empty: as the configuration has it' },
    ),
    reason: Type.String({ minLength: 1, maxLength: 500, pattern: '\\S', description: 'Why, for the history and the audit trail' }),
  },
  { ...strict, examples: [{ checks: { 'personal-address': 'observe' }, reason: 'Trying the new list of providers for a week' }] },
);

export function policyRoutes(app: App, { policyBook: book }: AdminParts): void {
  app.get(
    '/v1/checks',
    {
      schema: { summary: 'The checks that policies ask, with the schema of their options', tags, response: { 200: pageOf(checkSchema) } },
      config: read,
    },
    async () => ({
      items: registry.map(({ name, doc, alwaysEnforced = false, options, tokens }) => ({
        check: name,
        doc,
        alwaysEnforced,
        options,
        tokens: tokens.map(({ token, meaning }) => ({ token, meaning })),
      })),
      next: null,
    }),
  );

  app.get(
    '/v1/policies',
    {
      schema: { summary: 'The policies there are, with the settings that hold', tags, response: { 200: pageOf(policySchema) } },
      config: read,
    },
    async () => ({ items: [...(await book.now()).policies.values()].map(shown), next: null }),
  );

  app.get(
    '/v1/policies/:policy',
    { schema: { summary: 'One policy', tags, params, response: { 200: policySchema } }, config: read },
    async ({ params: { policy } }, reply) => {
      const state = (await book.now()).policies.get(policy);
      if (state === undefined) return problem(reply, 'not-found', 'there is no such policy');
      return reply.header('etag', etag(state)).send(shown(state));
    },
  );

  app.put(
    '/v1/policies/:policy',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        summary: 'Changes a policy, or makes one: the next transaction of every gate is held to it',
        description:
          'What is named is laid over the configuration; what is not is as the configuration has it, in a new policy as in basic. ' +
          'exclusion and suppression always bind in full. If-Match guards against somebody else changing it, too. Twice is once.',
        tags,
        params,
        body: changeSchema,
        response: { 200: policySchema, 201: policySchema },
      },
      config: write,
    },
    async (request, reply) => {
      const version = expectedVersion(request);
      if (version === 'unreadable') return problem(reply, 'precondition-failed', 'If-Match holds no ETag of this resource');
      const { checks, reason } = request.body;
      const amended = await book.amend(request.params.policy, checks, { ...whoOf(request.actor), why: reason.trim() }, version);
      if (isRefusal(amended)) {
        const texts = amended.texts.slice(0, MOST_PROBLEMS).map(text => text.slice(0, MOST_TEXT));
        return refused(reply, { ...amended, texts });
      }
      const { state, outcome } = amended;
      if (outcome === 'made') reply.header('location', `/v1/policies/${state.name}`);
      return reply
        .code(outcome === 'made' ? 201 : 200)
        .header('etag', etag(state))
        .send(shown(state));
    },
  );

  app.get(
    '/v1/policies/:policy/history',
    {
      schema: {
        summary: 'The versions of a policy, newest first: who changed what and why, and what held from then on',
        tags,
        params,
        querystring: Type.Object(pageQuery, strict),
        response: { 200: pageOf(versionSchema) },
      },
      config: read,
    },
    async ({ params: { policy }, query: { limit = PAGE_LIMIT, cursor } }, reply) => {
      if (cursor !== undefined && !/^[1-9]\d{0,11}$/.test(cursor))
        return problem(reply, 'invalid', 'cursor: is none', [{ field: 'cursor', message: 'is none', fix: 'send the `next` of a page' }]);
      const versions = await book.history(policy, { before: cursor === undefined ? undefined : Number(cursor), limit: limit + 1 });
      if (versions.length === 0 && cursor === undefined && !(await book.now()).policies.has(policy))
        return problem(reply, 'not-found', 'there is no such policy');
      const items = versions.slice(0, limit);
      return { items: items.map(shownVersion), next: versions.length > limit ? String(items.at(-1)?.version) : null };
    },
  );
}

const etag = ({ last }: PolicyState): string => `"${last?.version ?? 0}"`;

function shown({ name, settings, problems, amendments, last }: PolicyState): Static<typeof policySchema> {
  return {
    name,
    credentialOnly: CREDENTIAL_ONLY.includes(name),
    version: last?.version ?? 0,
    changedAt: last === undefined ? null : new Date(last.at).toISOString(),
    changedBy: last?.by ?? null,
    amendments: { ...amendments },
    problems: [...problems],
    checks:
      settings === undefined
        ? []
        : registry.map(({ name: check, doc }) => {
            const { mode, options } = settings.find(one => one.check === check) ?? { mode: 'off' as const, options: {} };
            return { check, mode, options: { ...options }, amended: Object.hasOwn(amendments, check), doc };
          }),
  };
}

function shownVersion({ at, why, changes, amendments = {}, settings, ...version }: PolicyVersion): Static<typeof versionSchema> {
  const plain = ({ mode, options }: RuleChange['to']): Static<typeof ruleSchema> => ({ mode, options: { ...options } });
  return {
    ...version,
    at: new Date(at).toISOString(),
    ...(why === undefined ? {} : { why }),
    changes: changes.map(({ check, from, to }) => ({ check, ...(from === undefined ? {} : { from: plain(from) }), to: plain(to) })),
    amendments: { ...amendments },
    checks: settings === null ? null : settings.map(setting => ({ check: setting.check, ...plain(setting) })),
  };
}

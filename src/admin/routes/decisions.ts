/** Decisions: who was refused, when and why; by what they have in common, newest first, and one by the `ref=` of its reply. */
import { type Static, Type } from 'typebox';
import type { Actor } from '../../accounts/account.ts';
import { unknownWords } from '../../checks/grounds.ts';
import { describeAnew } from '../../checks/standing.ts';
import type { Profile } from '../../clients/profile.ts';
import { type CampaignId, clientId } from '../../ids.ts';
import type { Decision } from '../../journal/decision.ts';
import { parseDecisionId } from '../../journal/ref.ts';
import { OUTCOMES } from '../../journal/stats.ts';
import type { AdminParts, App } from '../app.ts';
import { addressSchema, isWrong, readAskedPerson, toldActs } from '../entries.ts';
import { type FieldError, problem } from '../problem.ts';
import { campaignIdSchema, clientIdSchema, clientParams, isoTimeSchema, PAGE_LIMIT, pageOf, pageQuery, strict } from '../schemas.ts';
import { readSpan, spanQuery } from '../span.ts';

const tags = ['decisions'];
const outcomeSchema = Type.Enum(
  OUTCOMES.filter(outcome => outcome !== 'relayed'),
  { description: 'observed: a check that only looks would have refused; unknown: nobody knows whether the upstream took it' },
);

const decisionSchema = Type.Object(
  {
    id: Type.String({ description: 'The ref= of the reply', examples: ['01kag3v8x5q0r7tw'] }),
    at: isoTimeSchema,
    client: clientIdSchema,
    campaign: Type.Optional(campaignIdSchema),
    credential: Type.Optional(Type.String()),
    transaction: Type.String({ description: 'From MAIL to the final dot' }),
    stage: Type.Enum(['rcpt', 'data', 'upstream']),
    outcome: outcomeSchema,
    check: Type.String({ examples: ['exclusion'] }),
    token: Type.String({ description: 'As in the reply', examples: ['excluded'] }),
    reason: Type.Optional(Type.String({ description: 'For the operator: a client’s own account is not told whose list it was' })),
    reply: Type.String({ examples: ['550 5.7.1 Recipient may not be mailed (excluded)'] }),
    policy: Type.String(),
    recipient: Type.Optional(Type.String({ description: 'Absent where the person was erased' })),
    pseudonym: Type.Optional(Type.String({ description: 'Stands for the recipient in the journal' })),
  },
  strict,
);

const query = {
  ...pageQuery,
  ...spanQuery,
  campaign: Type.Optional(campaignIdSchema),
  check: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: 'Name of a check, `gate` or `upstream`', examples: ['exclusion'] }),
  ),
  token: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'As in the reply’s brackets', examples: ['excluded'] })),
  outcome: Type.Optional(outcomeSchema),
  transaction: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  recipient: Type.Optional(addressSchema),
  id: Type.Optional(Type.String({ maxLength: 64, description: 'One decision, as by its own path' })),
};
const ofClient = Type.Object(query, strict);
const ofAll = Type.Object({ ...query, client: Type.Optional(clientIdSchema) }, strict);
const description = 'A page may be short, even empty, and still have a next one: go on while `next` is no null.';

type Page = { items: Static<typeof decisionSchema>[]; next: string | null };
type Wrong = { readonly errors: readonly FieldError[] };

export function decisionRoutes(app: App, { decisions, clients }: AdminParts): void {
  async function page(profiles: readonly Profile[], asked: Static<typeof ofClient>, actor: Actor): Promise<Page | Wrong> {
    const owners = profiles.map(({ id }) => id);
    const span = readSpan(asked);
    if ('errors' in span) return span;
    const errors = await unknownWords(asked, profiles, decisions);
    if (errors.length > 0) return { errors };
    const after = asked.cursor === undefined ? undefined : parseDecisionId(asked.cursor);
    if (asked.cursor !== undefined && after === undefined) return wrong('cursor', 'is none', 'send the `next` of a page');
    const recipient = asked.recipient === undefined ? undefined : readAskedPerson('recipient', asked.recipient);
    if (recipient !== undefined && isWrong(recipient)) return recipient;
    if (asked.id !== undefined) {
      const id = parseDecisionId(asked.id);
      if (id === undefined) return wrong('id', 'is no id of a decision', 'send the 16 characters after ref= in the reply');
      const one = await decisions.show(id, owners);
      return { items: one === undefined ? [] : [shown(one, actor)], next: null };
    }
    const { campaign, check, token, outcome, transaction, limit = PAGE_LIMIT } = asked;
    const filters = { campaign: campaign as CampaignId | undefined, check, token, outcome, transaction, recipient };
    const { items, next } = await decisions.list({ clients: owners, ...filters, ...span, after, limit });
    return { items: items.map(one => shown(one, actor)), next: next ?? null };
  }

  app.get(
    '/v1/clients/:client/decisions',
    {
      schema: {
        summary: 'Decisions about a client’s mail, newest first',
        description,
        tags,
        params: clientParams,
        querystring: ofClient,
        response: { 200: pageOf(decisionSchema) },
      },
      config: { roles: ['admin', 'operator', 'officer', 'client'], scope: 'decisions:read' },
    },
    async ({ profile, query: asked, actor }, reply) => {
      const found = await page([profile], asked, actor);
      return 'errors' in found ? problem(reply, 'invalid', 'see errors', found.errors) : found;
    },
  );

  app.get(
    '/v1/clients/:client/decisions/:id',
    {
      schema: {
        summary: 'One decision, by the ref= of its reply',
        tags,
        params: Type.Object({ client: clientIdSchema, id: Type.String({ examples: ['01kag3v8x5q0r7tw'] }) }),
        response: { 200: decisionSchema },
      },
      config: { roles: ['admin', 'operator', 'officer', 'client'], scope: 'decisions:read' },
    },
    async ({ profile, params, actor }, reply) => {
      const id = parseDecisionId(params.id);
      const decision = id === undefined ? undefined : await decisions.show(id, [profile.id]);
      if (decision !== undefined) return shown(decision, actor);
      return problem(reply, 'not-found', 'there is no such decision; what was decided within the last second may not be written yet');
    },
  );

  app.get(
    '/v1/decisions',
    {
      schema: {
        summary: 'Decisions about all clients’ mail, or one’s, newest first',
        description,
        tags,
        querystring: ofAll,
        response: { 200: pageOf(decisionSchema) },
      },
      config: { roles: ['admin', 'operator', 'officer'], scope: 'decisions:read' },
    },
    async ({ query: { client, ...asked }, actor }, reply) => {
      const all = await clients.list();
      const owners = client === undefined ? all : all.filter(({ id }) => id === clientId(client));
      if (owners.length === 0 && client !== undefined) return problem(reply, 'not-found', 'there is no such client');
      const found = await page(owners, asked, actor);
      return 'errors' in found ? problem(reply, 'invalid', 'see errors', found.errors) : found;
    },
  );
}

/** The reason names the list that objected, which may not be the client's own: its accounts are told the token, no more. */
function shown(decision: Decision, actor: Actor): Static<typeof decisionSchema> {
  // Written out: a thousand of them are made at a stretch.
  const { id, at, client, campaign, credential, transaction, stage, check, token, reply, policy, recipient, pseudonym } = decision;
  const outcome = decision.outcome as Static<typeof outcomeSchema>;
  const told: Static<typeof decisionSchema> = {
    id,
    at: new Date(at).toISOString(),
    client,
    transaction,
    stage,
    outcome,
    check,
    token,
    reply,
    policy,
  };
  if (actor.role !== 'client') told.reason = describeAnew(decision.reason, acts => toldActs(acts, actor));
  if (campaign !== undefined) told.campaign = campaign;
  if (credential !== undefined) told.credential = credential;
  if (recipient !== undefined) told.recipient = recipient;
  if (pseudonym !== undefined) told.pseudonym = pseudonym;
  return told;
}

function wrong(field: string, message: string, fix: string): Wrong {
  return { errors: [{ field, message, fix }] };
}

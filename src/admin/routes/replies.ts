/** What came back: the log, and the queue of what a person must look at; each for a client, and for what is no known client's. */
import { type Static, Type } from 'typebox';
import type { Actor } from '../../accounts/account.ts';
import { unknownWords } from '../../checks/grounds.ts';
import { GLOBAL } from '../../ids.ts';
import { decide } from '../../inbound/deciding.ts';
import { KINDS } from '../../inbound/finding.ts';
import type { Owner } from '../../journal/pseudonyms.ts';
import { parseDecisionId } from '../../journal/ref.ts';
import type { LoggedReply } from '../../journal/reply.ts';
import type { AdminParts, App } from '../app.ts';
import { addressSchema, isWrong, readPerson } from '../entries.ts';
import { problem } from '../problem.ts';
import { campaignIdSchema, clientIdSchema, isoTimeSchema, PAGE_LIMIT, pageOf, pageQuery, strict } from '../schemas.ts';
import { readSpan, spanOrSinceQuery } from '../span.ts';
import { whoOf } from '../who.ts';

const tags = ['replies'];
const asSchema = Type.Enum(['opt-out', 'reply', 'nothing'], { description: 'What it is' });

const replySchema = Type.Object(
  {
    id: Type.String({ examples: ['01kag3v8x5q0r7tw'] }),
    owner: Type.String({ description: 'The client, or global' }),
    campaign: Type.Optional(Type.String({ description: 'Where it is certain' })),
    kind: Type.String({ description: 'What it was taken for', examples: ['opt-out'] }),
    rule: Type.Optional(Type.String({ description: 'By which rule' })),
    span: Type.Optional(Type.String({ description: 'The words that the rule saw' })),
    language: Type.Optional(Type.String()),
    matchedBy: Type.String({ description: 'How it was told to be about the client’s mail' }),
    via: Type.String({ description: 'smtp, or mailbox:<name>' }),
    receivedAt: isoTimeSchema,
    processedAt: isoTimeSchema,
    enforcedAt: isoTimeSchema,
    actions: Type.Array(Type.String(), { description: 'What followed', examples: [['suppression acme opt-out']] }),
    request: Type.Optional(
      Type.Object(
        { kind: Type.Enum(['access', 'erasure', 'objection']), dueAt: isoTimeSchema },
        { ...strict, description: 'What the person asks for by law, and until when that is due' },
      ),
    ),
    state: Type.Enum(['done', 'open', 'decided'], { description: 'open: waits for a decision; until then its writer is not mailed' }),
    decision: Type.Optional(Type.Object({ as: asSchema, by: Type.String(), why: Type.String(), at: isoTimeSchema }, strict)),
    people: Type.Array(Type.String(), { description: 'Whom it is about; empty where they were erased' }),
    text: Type.Optional(Type.String({ description: 'The person’s own words' })),
    forwarded: Type.Optional(Type.Enum(['done', 'refused'], { description: 'What became of the copy for the client’s mailbox' })),
  },
  strict,
);
const query = {
  ...pageQuery,
  ...spanOrSinceQuery,
  state: Type.Optional(Type.Enum(['open'], { description: 'Only what waits for a decision' })),
  kind: Type.Optional(Type.Enum([...KINDS], { description: 'Only what was taken for this' })),
  address: Type.Optional(addressSchema),
};
const ofCampaign = { campaign: Type.Optional({ ...campaignIdSchema, description: 'Only what is certainly of this campaign' }) };

/** Where a log is, and what may be done there by whom. */
const PLACES = [
  {
    path: '/v1/clients/:client/replies',
    whose: 'of a client',
    params: { client: clientIdSchema },
    query: Type.Object({ ...query, ...ofCampaign }, strict),
    read: { roles: ['admin', 'operator', 'officer', 'client'], scope: 'replies:read' },
    write: { roles: ['admin', 'operator', 'officer'], scope: 'replies:write' },
  },
  {
    path: '/v1/global/replies',
    whose: 'that are no known client’s',
    params: {},
    query: Type.Object(query, strict),
    read: { roles: ['admin', 'operator', 'officer'], scope: 'global:read' },
    write: { roles: ['admin', 'operator', 'officer'], scope: 'global:write' },
  },
] as const;

export function replyRoutes(app: App, parts: AdminParts): void {
  const { replies, decisions } = parts;
  const ownerOf = (request: { readonly profile: { readonly id: Owner } | undefined }): Owner => request.profile?.id ?? GLOBAL;
  const known = async (owner: Owner, text: string): Promise<LoggedReply | undefined> => {
    const id = parseDecisionId(text);
    return id === undefined ? undefined : replies.show(id, [owner]);
  };
  for (const { path, whose, params, query: asks, read, write } of PLACES) {
    const oneOf = Type.Object({ ...params, id: Type.String({ examples: ['01kag3v8x5q0r7tw'] }) });

    app.get(
      path,
      {
        schema: {
          summary: `Messages that came back, ${whose}, newest first`,
          description: 'A page may be short, even empty, and still have a next one: go on while `next` is no null.',
          tags,
          params: Type.Object(params),
          querystring: asks,
          response: { 200: pageOf(replySchema) },
        },
        config: { ...read, roles: [...read.roles] },
      },
      async (request, reply) => {
        const { limit = PAGE_LIMIT, cursor, state, kind, address } = request.query;
        const campaign = 'campaign' in request.query ? request.query.campaign : undefined;
        const before = cursor === undefined ? undefined : parseDecisionId(cursor);
        if (cursor !== undefined && before === undefined)
          return problem(reply, 'invalid', 'see errors', [{ field: 'cursor', message: 'is none', fix: 'send the `next` of a page' }]);
        const span = readSpan(request.query);
        if ('errors' in span) return problem(reply, 'invalid', 'see errors', span.errors);
        const unknown = campaign === undefined ? [] : await unknownWords({ campaign }, [request.profile], decisions);
        if (unknown.length > 0) return problem(reply, 'invalid', 'see errors', unknown);
        const person = address === undefined ? undefined : readPerson('address', address);
        if (person !== undefined && isWrong(person)) return problem(reply, 'invalid', 'see errors', person.errors);
        const { items, next } = await replies.page(ownerOf(request), { ...span, before, limit, state, kind, campaign, person });
        return { items: items.map(line => shown(line, request.actor)), next: next ?? null };
      },
    );

    app.get(
      `${path}/:id`,
      {
        schema: { summary: `One message that came back, ${whose}`, tags, params: oneOf, response: { 200: replySchema } },
        config: { ...read, roles: [...read.roles] },
      },
      async (request, reply) => {
        const line = await known(ownerOf(request), request.params.id);
        return line === undefined ? problem(reply, 'not-found', 'there is no such reply') : shown(line, request.actor);
      },
    );

    app.post(
      `${path}/:id/decision`,
      {
        schema: {
          summary: `Says what a message in doubt is, ${whose}; the very next RCPT heeds it`,
          description: 'Twice is once; what was decided otherwise before stays so (409).',
          tags,
          params: oneOf,
          body: Type.Object(
            { as: asSchema, reason: Type.String({ minLength: 1, maxLength: 1000, pattern: '\\S', description: 'Why; kept on record' }) },
            { ...strict, examples: [{ as: 'opt-out', reason: 'asks in Frisian not to be mailed again' }] },
          ),
          response: { 200: replySchema },
        },
        config: { ...write, roles: [...write.roles] },
      },
      async (request, reply) => {
        const owner = ownerOf(request);
        const { as, reason } = request.body;
        const id = parseDecisionId(request.params.id);
        const choice = { as, ...whoOf(request.actor), why: reason.trim() };
        const outcome = id === undefined ? 'missing' : await decide(parts, { owner, id }, choice);
        const line = outcome === 'missing' ? undefined : await known(owner, request.params.id);
        if (line === undefined) return problem(reply, 'not-found', 'there is no such reply');
        if (outcome === 'closed') return problem(reply, 'conflict', 'it waits for no decision: it never did, or was decided otherwise');
        return shown(line, request.actor);
      },
    );
  }
}

type Shown = Static<typeof replySchema>;

/** Whoever decided is of the house, and goes by no name to a client. */
function shown(reply: LoggedReply, { role }: Pick<Actor, 'role'>): Shown {
  const { receivedAt, processedAt, enforcedAt, decision, actions, people, request, ...line } = reply;
  const { campaign, rule, span, language, text, forwarded, ...rest } = line;
  return {
    ...rest,
    ...(campaign === undefined ? {} : { campaign }),
    ...(rule === undefined ? {} : { rule }),
    ...(span === undefined ? {} : { span }),
    ...(language === undefined ? {} : { language }),
    ...(text === undefined ? {} : { text }),
    ...(forwarded === undefined ? {} : { forwarded }),
    receivedAt: new Date(receivedAt).toISOString(),
    processedAt: new Date(processedAt).toISOString(),
    enforcedAt: new Date(enforcedAt).toISOString(),
    actions: [...actions],
    people: [...people],
    ...(request === undefined ? {} : { request: { kind: request.kind, dueAt: new Date(request.dueAt).toISOString() } }),
    ...(decision === undefined
      ? {}
      : {
          decision: {
            as: decision.as,
            by: role === 'client' ? 'operator' : decision.by,
            why: decision.why,
            at: new Date(decision.at).toISOString(),
          },
        }),
  };
}

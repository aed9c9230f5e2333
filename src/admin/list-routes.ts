/** What exclusions and suppressions have in common: their pages, one entry, and taking one back. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Actor, Role } from '../accounts/account.ts';
import type { EntryName, ListEntry } from '../lists/lists.ts';
import type { Reason, Scope } from '../lists/standing.ts';
import type { AdminParts, App } from './app.ts';
import {
  addressSchema,
  campaignQuery,
  checkSchema,
  domainSchema,
  entryPageSchema,
  entryQuery,
  entrySchema,
  idParam,
  isWrong,
  readAskedPerson,
  readWhom,
  shownEntry,
  shownStanding,
  toldActs,
  type Wrong,
  whySchema,
} from './entries.ts';
import { type Place, paramsOf } from './places.ts';
import { problem } from './problem.ts';
import { nothing, PAGE_LIMIT, strict } from './schemas.ts';
import { whoOf } from './who.ts';

/** One of the two lists, in one of the two places. */
export interface ListOf {
  readonly place: Place;
  readonly list: 'exclusion' | 'suppression';
  readonly resource: 'exclusions' | 'suppressions';
}

const STAFF: readonly Role[] = ['admin', 'operator', 'officer'];
/** Who may end what a recipient caused (law 6). */
const LIFTERS: readonly Role[] = ['admin', 'officer'];

const TAKING_BACK = {
  exclusion: 'What a recipient caused is lifted by officers and admins only, and needs a reason. Nothing there: 204 as well.',
  suppression:
    "What a recipient caused is lifted by officers and admins only, and needs a reason. A client's own account takes back what accounts of the client listed for `manual` or `import`, where nothing else stands there. Nothing there: 204 as well.",
} as const;

const NOBODY: Wrong = { errors: [{ field: 'address', message: 'is missing', fix: 'name whom it lists, or take it back by its id' }] };

interface TakingBack {
  readonly campaign?: string;
  readonly reason?: string;
}

export function addListRoutes(app: App, { lists, accounts }: AdminParts, { place, list, resource }: ListOf): void {
  const path = `${place.path}/${resource}`;
  const tags = [resource];
  const read = { roles: [...STAFF, ...place.also], scope: place.needs(resource, 'read') };
  const write = { roles: [...STAFF, ...place.also], scope: place.needs(resource, 'write') };
  const named =
    list === 'exclusion'
      ? { address: Type.Optional(addressSchema), domain: Type.Optional(domainSchema) }
      : { address: Type.Optional(addressSchema) };

  app.get(
    path,
    {
      schema: {
        summary: `The ${resource} ${place.whose}; address${list === 'exclusion' ? ' or domain' : ''} asks for that very entry`,
        description: 'A page may be short, even empty, and still have a next one: go on while `next` is no null.',
        tags,
        params: paramsOf(place),
        querystring: Type.Object(
          {
            ...campaignQuery,
            ...entryQuery,
            ...(list === 'exclusion'
              ? {
                  domain: Type.Optional(domainSchema),
                  contains: Type.Optional(Type.String({ minLength: 1, maxLength: 254, description: 'Part of an address or domain' })),
                }
              : {}),
          },
          strict,
        ),
        response: { 200: entryPageSchema },
      },
      config: read,
    },
    async (request, reply) => {
      const { campaign, cursor, limit = PAGE_LIMIT, reason, address } = request.query;
      const { domain, contains } = request.query as { readonly domain?: string; readonly contains?: string };
      const scope = place.scope(request, campaign);
      if (scope === undefined) return noCampaign(reply);
      const { actor } = request;
      const told = (entry: ListEntry): boolean =>
        reason === undefined || toldActs(entry.acts, actor).some(act => act.reason === (reason as Reason));
      if (address !== undefined || domain !== undefined) {
        const named = { ...(address === undefined ? {} : { address }), ...(domain === undefined ? {} : { domain }) };
        const whom = readWhom(named, readAskedPerson);
        if (isWrong(whom)) return problem(reply, 'invalid', 'see errors', whom.errors);
        const entry = await lists.entry(scope, list, whom);
        return { items: entry !== undefined && told(entry) ? [shownEntry(entry, scope, actor)] : [], next: null };
      }
      const part = contains?.toLowerCase();
      const pick = (entry: ListEntry) =>
        (part === undefined || entry.target?.includes(part) === true) && told(entry) ? shownEntry(entry, scope, actor) : undefined;
      const { entries, next } = await lists.page(scope, list, { after: cursor, limit, pick });
      return { items: [...entries], next: next ?? null };
    },
  );

  app.get(
    `${path}/check`,
    {
      schema: {
        summary:
          list === 'exclusion'
            ? `Whether an exclusion, of the address or its domain, ${place.path === '/v1/global' ? 'of all clients' : 'of the client, its campaigns or all clients'} binds it`
            : 'Whether an address may not be mailed because any list holds it: suppressions and exclusions',
        description: 'Without a campaign all campaigns of the client count, as for mail that names none.',
        tags,
        params: paramsOf(place),
        querystring: Type.Object({ ...campaignQuery, address: addressSchema }, strict),
        response: { 200: checkSchema },
      },
      config: read,
    },
    async (request, reply) => {
      const { address, campaign } = request.query;
      if (place.scope(request, campaign) === undefined) return noCampaign(reply);
      const person = readAskedPerson('address', address);
      if (isWrong(person)) return problem(reply, 'invalid', 'see errors', person.errors);
      const standing = await place.standing(lists, request, person, campaign);
      return shownStanding(list === 'exclusion' ? standing.filter(hit => hit.list === list) : standing, request.actor);
    },
  );

  app.get(
    `${path}/:entry`,
    {
      schema: {
        summary: `One of the ${resource} ${place.whose}`,
        tags,
        params: paramsOf(place, { entry: idParam }),
        querystring: Type.Object(campaignQuery, strict),
        response: { 200: entrySchema },
      },
      config: read,
    },
    async (request, reply) => {
      const scope = place.scope(request, request.query.campaign);
      if (scope === undefined) return noCampaign(reply);
      const entry = await lists.entry(scope, list, { id: entryOf(request) });
      return entry === undefined ? problem(reply, 'not-found', 'there is no such entry') : shownEntry(entry, scope, request.actor);
    },
  );

  const takeBack = async (request: FastifyRequest, reply: FastifyReply, name: EntryName, { campaign, reason }: TakingBack) => {
    const scope = place.scope(request, campaign);
    if (scope === undefined) return noCampaign(reply);
    const { actor } = request;
    const lifter = LIFTERS.includes(actor.role);
    // What no client's account may give, none takes back.
    if (actor.role === 'client' && (await lists.entry(scope, list, name))?.acts.some(({ reason: why }) => why === 'policy') === true)
      return problem(reply, 'forbidden', 'an operator put this entry there for policy: ask for it to be taken back');
    const act = { ...whoOf(actor), why: reason ?? 'taken back' };
    const own = actor.role === 'client' && list === 'suppression' ? (by: string | undefined) => isOfClient(by, actor) : undefined;
    const outcome = await lists.takeBack(scope, list, name, act, { objections: lifter && reason !== undefined, own });
    if (outcome === 'foreign')
      return problem(reply, 'forbidden', 'no account of this client made this entry, or nobody knows who did: ask for it to be taken back');
    if (outcome !== 'objection') return reply.code(204).send(null);
    if (!lifter) return problem(reply, 'forbidden', 'a recipient caused this entry: only an officer or an admin lifts it');
    const fix = 'say why the person may be mailed again';
    return problem(reply, 'invalid', 'see errors', [{ field: 'reason', message: 'is needed: a recipient caused this entry', fix }]);
  };
  /** Whether this account is one of the actor's client. */
  const isOfClient = async (by: string | undefined, { client }: Actor): Promise<boolean> =>
    by !== undefined && client !== undefined && (await accounts.directory.show(by))?.client === client;

  app.delete(
    path,
    {
      schema: {
        summary: `Takes one of the ${resource} ${place.whose} back, by whom it lists`,
        description: TAKING_BACK[list],
        tags,
        params: paramsOf(place),
        querystring: Type.Object({ ...campaignQuery, ...named, reason: Type.Optional(whySchema) }, strict),
        response: { 204: nothing },
      },
      config: write,
    },
    async (request, reply) => {
      const asked = request.query as { address?: string; domain?: string };
      const whom = list === 'suppression' && asked.address === undefined ? NOBODY : readWhom(asked, readAskedPerson);
      if (isWrong(whom)) return problem(reply, 'invalid', 'see errors', whom.errors);
      return takeBack(request, reply as unknown as FastifyReply, whom, request.query as TakingBack) as never;
    },
  );

  app.delete(
    `${path}/:entry`,
    {
      schema: {
        summary: `Takes one of the ${resource} ${place.whose} back, by its id`,
        description: TAKING_BACK[list],
        tags,
        params: paramsOf(place, { entry: idParam }),
        querystring: Type.Object({ ...campaignQuery, reason: Type.Optional(whySchema) }, strict),
        response: { 204: nothing },
      },
      config: write,
    },
    async (request, reply) =>
      takeBack(request, reply as unknown as FastifyReply, { id: entryOf(request) }, request.query as TakingBack) as never,
  );
}

/** Answers that the campaign named in a query or body is none of the client's. */
export function noCampaign<R extends { code(status: number): unknown }>(reply: R): R {
  const fix = 'name one of those that GET …/campaigns lists, or register it first';
  return problem(reply, 'invalid', 'see errors', [{ field: 'campaign', message: 'is not registered', fix }]);
}

function entryOf({ params }: { readonly params: unknown }): string {
  return (params as { readonly entry: string }).entry;
}

/** Answers with the entry as it is now: 201 where it is new, 200 where it was there. */
export async function answerEntry(
  { lists }: AdminParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { scope, list, name, added }: { readonly scope: Scope; readonly list: ListOf['list']; readonly name: EntryName; readonly added: boolean },
): Promise<FastifyReply> {
  const entry = await lists.entry(scope, list, name);
  // Taken back again at this very moment.
  if (entry === undefined) return problem(reply, 'conflict', 'somebody else just took this entry back; try again');
  if (!added) return reply.code(200).send(shownEntry(entry, scope, request.actor));
  const campaign = scope.campaign === undefined ? '' : `?campaign=${scope.campaign}`;
  const location = `${request.url.replace(/\?.*$/s, '')}/${entry.id}${campaign}`;
  return reply
    .code(201)
    .header('location', location)
    .send(shownEntry(entry, scope, request.actor));
}

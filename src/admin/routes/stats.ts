/** Statistics: recipients by what became of them, from counters that are kept; as JSON or CSV, the same rows as `postern stats`. */
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { unknownWords } from '../../checks/grounds.ts';
import type { Profile } from '../../clients/profile.ts';
import { type CampaignId, clientId, GLOBAL } from '../../ids.ts';
import { readLatency } from '../../journal/inbound-latency.ts';
import { countOpen, MOST_COUNTED } from '../../journal/open-reviews.ts';
import type { Owner } from '../../journal/pseudonyms.ts';
import { FEWEST_PEOPLE, readRefusedDomains } from '../../journal/refused-domains.ts';
import { GROUPS, inTurns, readStats, USUAL_GROUPS } from '../../journal/stats.ts';
import { csvLines, parseGroups, shownRows, statsCsv } from '../../journal/stats-shown.ts';
import type { AdminParts, App } from '../app.ts';
import { problem } from '../problem.ts';
import { campaignIdSchema, clientIdSchema, clientParams, isoTimeSchema, strict } from '../schemas.ts';
import { type AskedSpan, readSpan, spanQuery } from '../span.ts';

const TOP_DOMAINS = 20;
/** Of one answer, which is made and sent in some ten ms: mail waits that long. A month by hour and campaign, with a dozen campaigns, is less. */
const MAX_ROWS = 10_000;
const count = Type.Integer({ minimum: 0 });
const counts = { relayed: count, rejected: count, deferred: count, observed: count, unknown: count };

const statsSchema = Type.Object(
  {
    totals: Type.Object(counts, { ...strict, description: 'Recipients; an observed one was relayed or refused as well' }),
    rows: Type.Array(
      Type.Object(
        {
          client: Type.Optional(Type.String()),
          campaign: Type.Optional(Type.String({ description: 'Absent where the mail named none' })),
          outcome: Type.Optional(Type.String()),
          check: Type.Optional(Type.String({ description: 'Empty of what was relayed' })),
          token: Type.Optional(Type.String()),
          hour: Type.Optional(isoTimeSchema),
          day: Type.Optional(isoTimeSchema),
          count: Type.Optional(count),
          ...Object.fromEntries(Object.keys(counts).map(outcome => [outcome, Type.Optional(count)])),
        },
        { ...strict, description: 'What it is grouped by; `count` where that names the outcome, else a count of each outcome' },
      ),
    ),
    topRefusedDomains: Type.Optional(
      Type.Array(Type.Object({ domain: Type.String(), recipients: count }, strict), {
        description: `The ${TOP_DOMAINS} domains refused most within these days, at least so often; only where ${FEWEST_PEOPLE} people or more were. Up to ten seconds late. Not kept by campaign: absent where one is asked for`,
      }),
    ),
    inbound: Type.Object(
      {
        kinds: Type.Record(Type.String(), count, {
          description: 'Messages that came back, by what they were taken for; of a campaign, those that are certainly its own',
        }),
        open: Type.Optional(
          Type.Integer({
            description: `How many wait for a person’s decision now, whenever they came; counted up to ${MOST_COUNTED}. Absent where a campaign is asked for`,
          }),
        ),
        openMore: Type.Optional(Type.Boolean({ description: 'Whether more than `open` wait; absent with it' })),
        latency: Type.Optional(
          Type.Object(
            { count, p50Ms: Type.Optional(count), p99Ms: Type.Optional(count) },
            {
              ...strict,
              description:
                'From receipt to enforced: upper limits, the next power of two, of messages as they were enforced. Absent where a campaign is asked for',
            },
          ),
        ),
      },
      strict,
    ),
  },
  strict,
);
type Shown = Static<typeof statsSchema>;

const query = {
  ...spanQuery,
  campaign: Type.Optional(campaignIdSchema),
  groupBy: Type.Optional(
    Type.String({
      maxLength: 100,
      default: USUAL_GROUPS.join(','),
      description: `Some of ${GROUPS.join(', ')}, with commas between them; hours and days begin in UTC`,
      examples: ['campaign,day'],
    }),
  ),
  format: Type.Optional(Type.Enum(['json', 'csv'], { description: 'csv: the rows alone; Accept: text/csv asks for the same' })),
};
const ofClient = Type.Object(query, strict);
const ofAll = Type.Object({ ...query, client: Type.Optional(clientIdSchema) }, strict);
const description = `Whole hours count: from the one that holds \`from\`, to the last that begins before \`to\`. At most ${MAX_ROWS} rows.`;
const response = {
  200: {
    description: 'The counts',
    content: { 'application/json': { schema: statsSchema }, 'text/csv': { schema: Type.String() } },
  },
};

export function statsRoutes(app: App, parts: AdminParts): void {
  const { store, clients, decisions } = parts;

  /** `beside`: whose counts are asked for though they are no client's. */
  async function answer(
    profiles: readonly Profile[],
    asked: Static<typeof ofClient>,
    request: FastifyRequest,
    reply: FastifyReply,
    ...beside: readonly Owner[]
  ) {
    const owners: readonly Owner[] = [...profiles.map(({ id }) => id), ...beside];
    const span = readSpan(asked);
    if ('errors' in span) return problem(reply, 'invalid', 'see errors', span.errors);
    const unknown = await unknownWords(asked, profiles, decisions);
    if (unknown.length > 0) return problem(reply, 'invalid', 'see errors', unknown);
    const groupBy = asked.groupBy === undefined ? USUAL_GROUPS : parseGroups(asked.groupBy);
    if (groupBy === undefined)
      return problem(reply, 'invalid', 'see errors', [
        { field: 'groupBy', message: 'names something else', fix: `use ${GROUPS.join(', ')}` },
      ]);
    const stats = await readStats(store, { owners, campaign: asked.campaign as CampaignId | undefined, groupBy, most: MAX_ROWS, ...span });
    if (stats.cut)
      return problem(reply, 'invalid', 'see errors', [
        { field: 'groupBy', message: `more than ${MAX_ROWS} rows`, fix: 'ask for fewer groups, one campaign or a shorter time' },
      ]);
    await turn();
    const accepts = /^\s*text\/csv\b/i.test(request.headers.accept ?? '');
    if (asked.format === 'csv' || (asked.format === undefined && accepts)) {
      return reply
        .type('text/csv; charset=utf-8; header=present')
        .send([statsCsv(groupBy, { rows: [] }), ...(await inTurns(stats.rows, some => csvLines(groupBy, some)))].join(''));
    }
    const shown: Shown = {
      totals: stats.totals,
      rows: [...(await inTurns(stats.rows, shownRows))] as Shown['rows'],
      inbound: { kinds: { ...stats.received } },
    };
    return reply.send(asked.campaign === undefined ? await withWhole(shown, owners, span) : shown);
  }

  /** With what is kept of whole owners only. */
  async function withWhole({ inbound, ...shown }: Shown, owners: readonly Owner[], span: AskedSpan): Promise<Shown> {
    const [{ count: enforced, p50, p99 }, { open, more }, domains] = await Promise.all([
      readLatency(store, owners, span),
      countOpen(store, owners),
      readRefusedDomains(parts, owners, span, TOP_DOMAINS),
    ]);
    const latency = { count: enforced, ...(p50 === undefined ? {} : { p50Ms: p50 }), ...(p99 === undefined ? {} : { p99Ms: p99 }) };
    const topRefusedDomains = domains.map(domain => ({ ...domain }));
    return { ...shown, topRefusedDomains, inbound: { ...inbound, open, openMore: more, latency } };
  }

  app.get(
    '/v1/clients/:client/stats',
    {
      schema: {
        summary: 'What became of a client’s recipients, counted',
        description,
        tags: ['stats'],
        params: clientParams,
        querystring: ofClient,
        response,
      },
      config: { roles: ['admin', 'operator', 'officer', 'client'], scope: 'stats:read' },
    },
    async (request, reply) => answer([request.profile], request.query, request, reply as unknown as FastifyReply) as never,
  );

  app.get(
    '/v1/stats',
    {
      schema: {
        summary: 'What became of all clients’ recipients, or one’s, counted',
        description,
        tags: ['stats'],
        querystring: ofAll,
        response,
      },
      config: { roles: ['admin', 'operator', 'officer'], scope: 'stats:read' },
    },
    async (request, reply) => {
      const { client, ...asked } = request.query;
      const all = await clients.list();
      const profiles = client === undefined ? all : all.filter(({ id }) => id === clientId(client));
      const plain = reply as unknown as FastifyReply;
      if (profiles.length === 0 && client !== undefined) return problem(plain, 'not-found', 'there is no such client') as never;
      return answer(profiles, asked, request, plain, ...(client === undefined ? ([GLOBAL] as const) : [])) as never;
    },
  );
}

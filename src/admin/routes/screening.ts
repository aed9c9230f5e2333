/** Screening: a list held against a client's lists and rules before a campaign; counts, and nobody is named (A24). */
import { type Static, Type } from 'typebox';
import type { CampaignId } from '../../ids.ts';
import { type PersonRow, readPeople, readPerson } from '../../lists/people.ts';
import { screen } from '../../submission/screening.ts';
import type { AdminParts, App } from '../app.ts';
import { Body } from '../body.ts';
import { campaignQuery, toldReasons } from '../entries.ts';
import { noCampaign } from '../list-routes.ts';
import { problem } from '../problem.ts';
import { clientParams, strict } from '../schemas.ts';
import { whoOf } from '../who.ts';

const MEDIA_TYPES = ['text/csv', 'text/plain', 'application/x-ndjson'];
/** Rows of one list: every person is remembered until its end, so that further rows of them are told. */
const MOST = 500_000;
/** Rows of one list whose verdicts are told one by one. */
const MOST_TOLD = 100_000;
/** Octets of JSON, which is held in memory whole; texts are streamed. */
const BODY_LIMIT = 16 * 1_048_576;
/** Octets of a text: rows may have many columns. */
const TEXT_LIMIT = 256 * 1_048_576;
/** At once, over all clients, and one for each: every person of a list is held in the memory of the process that passes mail. */
const MAX_RUNNING = 2;

const count = (description: string) => Type.Integer({ minimum: 0, description });
const counts = (description: string) => Type.Record(Type.String(), Type.Integer(), { description });
const reportSchema = Type.Object(
  {
    rows: count('Rows with something in them'),
    ok: count('May be mailed as things stand'),
    tokens: counts('May not be mailed, by the token that a reply would name; one each'),
    checks: counts('Objections of each check; a person may be refused by several'),
    observed: counts('Objections of checks that only observe'),
    reasons: counts('Why people are listed, as far as this account may know; one may be listed for several reasons'),
    invalid: count('No address in the row'),
    duplicates: count('Further rows of somebody who stood in a row before'),
    errors: Type.Array(Type.Object({ line: Type.Integer(), problem: Type.String({ description: 'Never repeats the row' }) }, strict), {
      description: 'The first 1,000 of the invalid rows',
    }),
    verdicts: Type.Optional(
      Type.Array(
        Type.Object(
          { line: Type.Integer(), verdict: Type.String({ description: 'ok, invalid, duplicate, or the token that a reply would name' }) },
          strict,
        ),
      ),
    ),
  },
  strict,
);
const listSchema = Type.Object(
  { addresses: Type.Array(Type.String({ maxLength: 998 }), { maxItems: MOST_TOLD }) },
  { ...strict, examples: [{ addresses: ['jane@customer.example', 'joe@customer.example'] }] },
);
const texts = Object.fromEntries(
  MEDIA_TYPES.map(type => [type, { schema: Type.Any({ description: 'One address a line, CSV, or NDJSON (docs/import.md)' }) }]),
);

/** In a context of its own: only here a text is handed on as it comes. */
export function screeningRoutes(app: App, { policies, lists, audit }: AdminParts): void {
  const running = new Map<string, Screening>();
  app.register(async scoped => {
    scoped.addContentTypeParser(MEDIA_TYPES, (_request, payload, done) => done(null, payload));
    (scoped as unknown as App).post(
      '/v1/clients/:client/screening',
      {
        bodyLimit: BODY_LIMIT,
        schema: {
          summary: 'Counts who of a list may be mailed, and why the others may not; adds nobody to any list',
          description: `The same checks as at RCPT. Up to ${MOST} rows, as CSV, one a line, NDJSON or JSON. Whoever was erased counts as one who objected.`,
          tags: ['screening'],
          params: clientParams,
          querystring: Type.Object(
            {
              ...campaignQuery,
              rows: Type.Optional(Type.Boolean({ description: `Each row's verdict as well, of up to ${MOST_TOLD} rows` })),
            },
            strict,
          ),
          body: { content: { 'application/json': { schema: listSchema }, ...texts } },
          response: { 200: reportSchema },
        },
        config: { roles: ['admin', 'operator', 'officer', 'client'], scope: 'screening:read', streamLimit: TEXT_LIMIT },
      },
      async (request, reply) => {
        const { profile, actor, query } = request;
        const { campaign, rows = false } = query;
        if (campaign !== undefined && !profile.campaigns.has(campaign as CampaignId)) return noCampaign(reply);
        const policy = (await policies.at(profile.globalVersion)).get(profile.policy);
        if (profile.disabled || policy === undefined)
          return problem(reply, 'conflict', 'the client was removed, or its policy is none that can be used');
        // Asked once more after the wait, in which others may have come.
        if (running.has(profile.id) || !(await makePlace(running)) || running.has(profile.id) || running.size >= MAX_RUNNING)
          return problem(reply.header('retry-after', '30'), 'too-many-requests', 'too many lists are being screened; try again');
        const verdicts: { line: number; verdict: string }[] = [];
        const screening = screen({
          profile,
          policy,
          campaign: campaign as CampaignId | undefined,
          people: peopleOf(request.body as Body | Static<typeof listSchema>),
          reasons: async (address, campaigns) => toldReasons(await lists.standing(address, profile.id, campaigns), actor),
          most: rows ? MOST_TOLD : MOST,
          ...(rows ? { row: (line: number, verdict: string) => void verdicts.push({ line, verdict }) } : {}),
        }).finally(() => running.delete(profile.id));
        running.set(profile.id, { body: request.body, over: screening });
        const report = await screening;
        if (report === 'too-many')
          return problem(reply, 'too-large', `more than ${rows ? MOST_TOLD : MOST} rows; screen the list in parts`);
        await audit.record(profile.id, { ...whoOf(actor), what: 'screening', about: { campaign, rows: report.rows, ok: report.ok } });
        verdicts.sort((one, other) => one.line - other.line);
        return { ...report, errors: [...report.errors], ...(rows ? { verdicts } : {}) };
      },
    );
  });
}

interface Screening {
  readonly body: unknown;
  readonly over: Promise<unknown>;
}

/** Whether there is a place; where there is none, a text that comes slowly gives its own. */
async function makePlace(running: ReadonlyMap<string, Screening>): Promise<boolean> {
  while (running.size >= MAX_RUNNING) {
    const slow = [...running.values()].find(({ body }) => body instanceof Body && body.isSlow);
    if (slow === undefined) return false;
    (slow.body as Body).refuse('too-slow', 'others wait, and so slow a list gives its place to them; send it faster');
    await slow.over.catch(() => undefined);
  }
  return true;
}

function peopleOf(body: Body | Static<typeof listSchema>): AsyncIterable<readonly PersonRow[]> {
  if (!('addresses' in body)) return readPeople(body);
  return (async function* () {
    yield body.addresses.map((text, index) => ({ line: index + 1, person: readPerson(text) }));
  })();
}

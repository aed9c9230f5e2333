/** Exports: a scope's list as a stream of CSV or NDJSON, with a disclosure record before the first octet and its count after the last (B8). */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Role } from '../../accounts/account.ts';
import { exportHeader, exportLines, FORMATS, type Format } from '../../lists/export.ts';
import type { Scope } from '../../lists/standing.ts';
import { needOf } from '../access.ts';
import type { AdminParts, App } from '../app.ts';
import { toldActs } from '../entries.ts';
import { noCampaign } from '../list-routes.ts';
import { OF_ALL, OF_CLIENT, paramsOf } from '../places.ts';
import { problem } from '../problem.ts';
import { strict } from '../schemas.ts';
import { Seats } from '../seats.ts';
import { whoOf } from '../who.ts';

const MEDIA_TYPES: Readonly<Record<Format, string>> = { csv: 'text/csv', ndjson: 'application/x-ndjson' };
/** Characters handed on at once. */
const PIECE = 64 * 1024;
/** At once, of one account and in all: each keeps the store busy. */
const RUNNING = { each: 2, all: 8 };
/** How often it is asked whether the reader may still read. */
const ADMIT_MS = 30_000;
const STAFF: readonly Role[] = ['admin', 'operator', 'officer'];

const RESOURCES = [
  ['exclusion', 'exclusions', 'imports take it back as it is.'],
  ['suppression', 'suppressions', 'as digests: nobody can read back whom they mean, and no import takes them.'],
] as const;

export function exportRoutes(app: App, parts: AdminParts): void {
  const running = new Seats(RUNNING);
  for (const place of [OF_CLIENT, OF_ALL]) {
    for (const [list, resource, use] of RESOURCES) {
      app.get(
        `${place.path}/${resource}/export`,
        {
          schema: {
            summary: `All ${resource} ${place.whose}, one row for each reason; ${use}`,
            description:
              'Streamed. A reader who takes next to nothing, or may no longer read, is cut off: the answer then ends without its last chunk. Who exports what, from where, goes into the audit trail before the first octet.',
            tags: ['exports'],
            params: paramsOf(place),
            querystring: Type.Object({ ...place.query, format: Type.Optional(Type.Enum([...FORMATS], { default: 'csv' })) }, strict),
            response: {
              200: {
                description: 'The list',
                content: Object.fromEntries(Object.values(MEDIA_TYPES).map(type => [type, { schema: Type.String() }])),
              },
            },
          },
          config: { roles: [...STAFF, ...place.also], scope: place.path === '/v1/global' ? 'global:read' : 'exports:read' },
        },
        async (request, reply) => {
          const { campaign, format = 'csv' } = request.query as { readonly campaign?: string; readonly format?: Format };
          const scope = place.scope(request, campaign);
          if (scope === undefined) return noCampaign(reply);
          const end = running.take(request.actor.account);
          if (end === undefined)
            return problem(reply.header('retry-after', '30'), 'too-many-requests', 'too many exports are running; try again');
          const answer = reply as unknown as FastifyReply;
          // Who left while the login was looked at is gone already, and gives no sign of it any more.
          if (answer.raw.destroyed) end();
          else answer.raw.once('close', end);
          return (await sendList(parts, request, answer, { scope, list, format })) as never;
        },
      );
    }
  }
}

interface What {
  readonly scope: Scope;
  readonly list: 'exclusion' | 'suppression';
  readonly format: Format;
}

async function sendList(
  { lists, audit, alerts, log, options }: AdminParts,
  request: FastifyRequest,
  reply: FastifyReply,
  { scope, list, format }: What,
): Promise<FastifyReply> {
  const { actor, id } = request;
  const need = needOf(request);
  const name = [scope.owner, scope.campaign, `${list}s`].filter(part => part !== undefined).join('-');
  reply.type(`${MEDIA_TYPES[format]}; charset=utf-8`).header('content-disposition', `attachment; filename="${name}.${format}"`);
  // Tells nobody anything, so nothing is read and nothing is on record.
  if (request.method === 'HEAD') return reply.send(Readable.from([]));
  const about = { export: id, list, format, ...(scope.campaign === undefined ? {} : { campaign: scope.campaign }) };
  await audit.record(scope.owner, { ...whoOf(actor), what: 'export.start', about });
  let [begun, written, unreadable, complete] = [false, 0, 0, false];
  const over = async (): Promise<void> => {
    alerts.exported(actor.account, written);
    const counted = { ...about, rows: written, unreadable, complete };
    await audit
      .record(scope.owner, { ...whoOf(actor), what: 'export.end', about: counted })
      .catch(error => log.error({ err: error, ...counted }, 'the end of an export could not be recorded'));
  };
  const rows = async function* () {
    begun = true;
    let admittedAt = performance.now();
    try {
      let piece = exportHeader(list, format);
      for await (const entry of lists.read(scope, list)) {
        const lines = exportLines({ ...entry, acts: toldActs(entry.acts, actor) }, format);
        if (lines.length === 0) unreadable += 1;
        written += lines.length;
        for (const line of lines) piece += line;
        if (piece.length < PIECE) continue;
        yield piece;
        piece = '';
        if (performance.now() - admittedAt < ADMIT_MS) continue;
        if (need === undefined || !(await request.server.guard.mayStay(request, need))) throw new Error('the reader may no longer read');
        admittedAt = performance.now();
      }
      if (piece !== '') yield piece;
      complete = true;
    } finally {
      await over();
    }
  };
  const stream = Readable.from(
    paced(rows(), options.patienceSeconds * 1_000, () => void reply.raw.destroy()),
    { objectMode: false },
  );
  // Nobody was there any more to read its first row.
  stream.once('close', () => void (begun || over()));
  return reply.send(stream);
}

/** The same pieces; `stop` where the next is not asked for in time. */
async function* paced(pieces: AsyncIterable<string>, patienceMs: number, stop: () => void): AsyncIterable<string> {
  for await (const piece of pieces) {
    const timer = setTimeout(stop, patienceMs);
    try {
      yield piece;
    } finally {
      clearTimeout(timer);
    }
  }
}

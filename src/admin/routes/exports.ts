/** Exports: a scope's list as a stream of CSV or NDJSON, with a disclosure record before the first octet and its count after the last (B8). */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Role } from '../../accounts/account.ts';
import { exportHeader, exportLines, FORMATS, type Format } from '../../lists/export.ts';
import type { Scope } from '../../lists/standing.ts';
import type { AdminParts, App } from '../app.ts';
import { toldActs } from '../entries.ts';
import { noCampaign } from '../list-routes.ts';
import { OF_ALL, OF_CLIENT, type Place, paramsOf } from '../places.ts';
import { strict } from '../schemas.ts';
import { whoOf } from '../who.ts';

const MEDIA_TYPES: Readonly<Record<Format, string>> = { csv: 'text/csv', ndjson: 'application/x-ndjson' };
/** Characters handed on at once. */
const PIECE = 64 * 1024;
const STAFF: readonly Role[] = ['admin', 'operator', 'officer'];

const RESOURCES = [
  ['exclusion', 'exclusions', 'imports take it back as it is.'],
  ['suppression', 'suppressions', 'as digests: nobody can read back whom they mean, and no import takes them.'],
] as const;

export function exportRoutes(app: App, parts: AdminParts): void {
  for (const place of [OF_CLIENT, OF_ALL]) {
    for (const [list, resource, use] of RESOURCES) {
      app.get(
        `${place.path}/${resource}/export`,
        {
          schema: {
            summary: `All ${resource} ${place.whose}, one row for each reason; ${use}`,
            description: 'Streamed. Who exports what, from where, goes into the audit trail before the first octet.',
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
          return (await sendList(parts, request, reply as unknown as FastifyReply, { place, scope, list, format })) as never;
        },
      );
    }
  }
}

interface What {
  readonly place: Place;
  readonly scope: Scope;
  readonly list: 'exclusion' | 'suppression';
  readonly format: Format;
}

async function sendList(
  { lists, audit, alerts, log }: AdminParts,
  { actor, id }: FastifyRequest,
  reply: FastifyReply,
  { scope, list, format }: What,
): Promise<FastifyReply> {
  const about = { export: id, list, format, ...(scope.campaign === undefined ? {} : { campaign: scope.campaign }) };
  await audit.record(scope.owner, { ...whoOf(actor), what: 'export.start', about });
  const rows = async function* () {
    let [written, unreadable, complete] = [0, 0, false];
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
      }
      if (piece !== '') yield piece;
      complete = true;
    } finally {
      alerts.exported(actor.account, written);
      const counted = { ...about, rows: written, unreadable, complete };
      await audit
        .record(scope.owner, { ...whoOf(actor), what: 'export.end', about: counted })
        .catch(error => log.error({ err: error, ...counted }, 'the end of an export could not be recorded'));
    }
  };
  const name = [scope.owner, scope.campaign, `${list}s`].filter(part => part !== undefined).join('-');
  return reply
    .type(`${MEDIA_TYPES[format]}; charset=utf-8`)
    .header('content-disposition', `attachment; filename="${name}.${format}"`)
    .send(Readable.from(rows(), { objectMode: false }));
}

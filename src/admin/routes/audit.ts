/** Audit trails: who changed what, when, from where and why; and whether that record is whole. */
import { type Static, Type } from 'typebox';
import type { AuditLine } from '../../audit/act.ts';
import type { Verification } from '../../audit/verify.ts';
import { GLOBAL } from '../../ids.ts';
import type { AdminParts, App } from '../app.ts';
import { addressSchema, domainSchema, isWrong, readAskedPerson, readWhom } from '../entries.ts';
import { problem } from '../problem.ts';
import { clientParams, isoTimeSchema, PAGE_LIMIT, pageOf, pageQuery } from '../schemas.ts';
import { readSpan, spanOrSinceQuery } from '../span.ts';

const lineSchema = Type.Object({
  n: Type.Integer({ description: 'Counts from 1 without a gap' }),
  at: isoTimeSchema,
  by: Type.String({ description: 'Account, or the operating system’s user; `postern` where nobody asked for it' }),
  from: Type.String({ description: 'IP address, `cli` or `postern`' }),
  what: Type.String({ examples: ['client.update'] }),
  about: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'Which one, and how; of a person the keyed digest' })),
  why: Type.Optional(Type.String()),
});

const verificationSchema = Type.Object({
  owner: Type.String(),
  records: Type.Integer(),
  anchored: Type.Integer({ description: 'The last record that is anchored outside the store' }),
  findings: Type.Array(
    Type.Object({
      what: Type.String({ description: 'altered, missing, foreign, unlinked, head, cut or replaced' }),
      from: Type.Optional(Type.Integer({ description: 'Number of the first record that it concerns' })),
      to: Type.Optional(Type.Integer()),
      text: Type.String(),
    }),
    { description: 'Empty where the trail is whole, but for what was accepted' },
  ),
  accepted: Type.Array(
    Type.Object({ from: Type.Integer(), to: Type.Integer(), n: Type.Integer(), at: isoTimeSchema, by: Type.String(), why: Type.String() }),
    { description: 'Lines that a restore lost, and who accepted that in line `n`: only `postern audit accept` at the command line does' },
  ),
});

const query = Type.Object(
  {
    ...pageQuery,
    ...spanOrSinceQuery,
    what: Type.Optional(
      Type.String({
        pattern: '^[a-z][a-z-]*(\\.[a-z-]*)*$',
        maxLength: 64,
        description: 'What was done, as `what` of the lines has it; everything of a kind where it ends in a dot',
        examples: ['client.update', 'suppression.'],
      }),
    ),
    by: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Who did it: an account, or the operating system’s user',
        examples: ['boss'],
      }),
    ),
    address: Type.Optional({ ...addressSchema, description: 'Whose entry was made or taken back: lines that name this person’s digest' }),
    domain: Type.Optional({ ...domainSchema, description: 'The same of a domain’s entry' }),
  },
  { additionalProperties: false },
);
const read = { roles: ['admin', 'officer'], scope: 'audit:read' } as const;
const tags = ['audit'];

export function auditRoutes(app: App, { audit, lists }: AdminParts): void {
  for (const [path, params] of [
    ['/v1/clients/:client/audit', clientParams],
    ['/v1/global/audit', Type.Object({})],
  ] as const) {
    const whose = params === clientParams ? 'A client’s audit trail' : 'The audit trail of what concerns all clients';
    const ownerOf = (request: { readonly params: object }) => ('client' in request.params ? String(request.params.client) : GLOBAL);

    app.get(
      path,
      {
        schema: {
          tags,
          summary: `${whose}, newest first`,
          description:
            'A page may be short, even empty, and still have a next one: go on while `next` is no null. Lines of many entries at once (a batch, ' +
            'an import) count them and name nobody: of those the entries themselves say by whom and when.',
          params,
          querystring: query,
          response: { 200: pageOf(lineSchema) },
        },
        config: read,
      },
      async (request, reply) => {
        const { limit = PAGE_LIMIT, cursor, what, by, address, domain }: Static<typeof query> = request.query;
        const before = cursor === undefined ? undefined : numberIn(cursor);
        if (cursor !== undefined && before === undefined)
          return problem(reply, 'invalid', 'see errors', [{ field: 'cursor', message: 'is none', fix: 'send the `next` of a page' }]);
        const span = readSpan(request.query);
        if ('errors' in span) return problem(reply, 'invalid', 'see errors', span.errors);
        const target = address === undefined && domain === undefined ? undefined : readWhom(request.query, readAskedPerson);
        if (target !== undefined && isWrong(target)) return problem(reply, 'invalid', 'see errors', target.errors);
        const whom = target && lists.digestsOf(target);
        const { items, next } = await audit.page(ownerOf(request), { ...span, before, what, by, whom }, limit);
        return { items: items.map(shown), next: next === undefined ? null : String(next) };
      },
    );

    app.post(
      `${path}/verify`,
      {
        schema: {
          tags,
          summary: `${whose}: finds every edit, cut, insertion and reordering`,
          params,
          response: { 200: verificationSchema },
        },
        config: read,
      },
      async request => copied(await audit.verify(ownerOf(request))),
    );
  }
}

function numberIn(cursor: string): number | undefined {
  return /^[1-9]\d{0,11}$/.test(cursor) ? Number(cursor) : undefined;
}

function shown({ at, about, why, ...line }: AuditLine) {
  return {
    ...line,
    at: new Date(at).toISOString(),
    ...(about === undefined ? {} : { about: { ...about } }),
    ...(why === undefined ? {} : { why }),
  };
}

function copied({ findings, accepted, ...verification }: Verification) {
  return {
    ...verification,
    findings: findings.map(finding => ({ ...finding })),
    accepted: accepted.map(({ at, ...loss }) => ({ ...loss, at: new Date(at).toISOString() })),
  };
}

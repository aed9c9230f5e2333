/** Imports: a list file uploaded as a stream becomes a job, with progress, cancel, and every bad row by its line (A18). */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Actor, Role } from '../../accounts/account.ts';
import { HASH_ALGORITHMS } from '../../keys/digest.ts';
import type { RowError } from '../../lists/import.ts';
import { REASONS, type Scope } from '../../lists/standing.ts';
import { needOf } from '../access.ts';
import type { AdminParts, App } from '../app.ts';
import { type Body, BodyRefused } from '../body.ts';
import { wrongReason } from '../entries.ts';
import { type Told, tellEvents } from '../event-stream.ts';
import { ImportJobs, NO_ROOM } from '../import-jobs.ts';
import type { ImportOrder } from '../import-process.ts';
import { type ImportJob, isOver, JOB_STATES } from '../import-records.ts';
import { noCampaign } from '../list-routes.ts';
import { OF_ALL, OF_CLIENT, type Place, paramsOf } from '../places.ts';
import { type FieldError, problem } from '../problem.ts';
import { isoTimeSchema, nothing, PAGE_LIMIT, pageOf, pageQuery, strict } from '../schemas.ts';
import { Seats } from '../seats.ts';
import { whoOf } from '../who.ts';

const MEDIA_TYPES = ['text/csv', 'text/plain', 'application/x-ndjson'];
/** Octets of a file: some hundred million rows. */
const FILE_LIMIT = 16 * 1024 ** 3;
/** Readers of events at once, of one account and in all. */
const READERS = { each: 4, all: 64 };

const count = (description: string) => Type.Integer({ minimum: 0, description });
const orNull = <T extends ReturnType<typeof Type.String>>(schema: T) => Type.Union([schema, Type.Null()]);

const jobSchema = Type.Object(
  {
    id: Type.String({ examples: ['0199d2a4b1c83f9e21d7'] }),
    state: Type.Enum([...JOB_STATES], {
      description:
        'receiving, importing, then finished; refused (strict, and a row is bad: nothing went in); cancelled or failed (what is counted went in and stays); interrupted (import the file again: what went in already changes nothing)',
    }),
    list: Type.Enum(['exclusion', 'suppression']),
    campaign: orNull(Type.String()),
    hash: orNull(Type.String()),
    reason: orNull(Type.String()),
    dryRun: Type.Boolean(),
    strict: Type.Boolean(),
    by: Type.String({ description: 'Account; `operator` to a client, where it is none of its own' }),
    createdAt: isoTimeSchema,
    endedAt: orNull(isoTimeSchema),
    octets: count('Of the file, received so far'),
    read: count('Rows with something in them; known at the end'),
    added: count('Listed anew; in a dry run: would be'),
    existing: count('Listed before, or further up in the file'),
    invalid: count('Bad rows: see errors'),
    merged: Type.Object({ done: count('Rows that are in'), total: count('Rows to be put in') }, strict),
    problem: orNull(Type.String()),
  },
  strict,
);

const errorSchema = Type.Object(
  { line: Type.Integer({ minimum: 0 }), problem: Type.String({ description: 'Never repeats the row' }) },
  { ...strict, examples: [{ line: 17, problem: 'neither an address nor a domain' }] },
);

/** Id of the last event. */
const LAST = 'end';
const tags = ['imports'];
const jobParam = { job: Type.String({ pattern: '^[0-9a-f]{20}$', description: 'Id of an import' }) };

function may({ also, needs }: Place, verb: 'read' | 'write') {
  return { roles: ['admin', 'operator', 'officer', ...also] as readonly Role[], scope: needs('imports', verb) };
}

export function importRoutes(app: App, parts: AdminParts): void {
  const jobs = new ImportJobs(parts);
  const readers = new Seats(READERS);
  const closing = new AbortController();
  const patienceMs = parts.options.patienceSeconds * 1_000;
  app.addHook('preClose', async () => {
    closing.abort();
    await jobs.close();
  });
  addUpload(app, jobs);
  for (const place of [OF_CLIENT, OF_ALL]) addJobRoutes(app, place, { jobs, readers, closing: closing.signal, patienceMs });
}

interface Following {
  readonly jobs: ImportJobs;
  readonly readers: Seats;
  readonly closing: AbortSignal;
  readonly patienceMs: number;
}

function addJobRoutes(app: App, place: Place, { jobs, readers, closing, patienceMs }: Following): void {
  const path = `${place.path}/imports`;
  const params = paramsOf(place, jobParam);
  const jobOf = (request: FastifyRequest): string => (request.params as { readonly job: string }).job;

  app.get(
    path,
    {
      schema: {
        summary: `The imports into lists ${place.whose}, newest first`,
        tags,
        params: paramsOf(place),
        querystring: Type.Object({ ...pageQuery, cursor: Type.Optional(Type.String({ pattern: '^[0-9a-f]{20}$' })) }, strict),
        response: { 200: pageOf(jobSchema) },
      },
      config: may(place, 'read'),
    },
    async request => {
      const { limit = PAGE_LIMIT, cursor } = request.query;
      const found = await jobs.list(place.owner(request), limit, cursor);
      return { items: found.map(job => shownJob(job, request.actor)), next: found.length < limit ? null : (found.at(-1)?.id ?? null) };
    },
  );

  app.get(
    `${path}/:job`,
    { schema: { summary: 'One import, as it is now', tags, params, response: { 200: jobSchema } }, config: may(place, 'read') },
    async (request, reply) => {
      const job = await jobs.find(place.owner(request), jobOf(request));
      return job === undefined ? noJob(reply) : shownJob(job, request.actor);
    },
  );

  app.get(
    `${path}/:job/events`,
    {
      schema: {
        summary: 'How an import goes on, as server-sent events: `progress` with the import in its data, at last `end`',
        description:
          'Each connection begins with the import as it is, so there is nothing to catch up with. Last-Event-ID `end` of one that is over: 204.',
        tags,
        params,
        response: { 200: { description: 'Events', content: { 'text/event-stream': { schema: Type.String() } } }, 204: nothing },
      },
      config: may(place, 'read'),
    },
    async (request, reply) => {
      const { actor, headers } = request;
      const [owner, id] = [place.owner(request), jobOf(request)];
      const now = await jobs.find(owner, id);
      if (now === undefined) return noJob(reply);
      // 204 keeps a browser from asking again and again (WHATWG HTML §9.2.3).
      if (isOver(now) && headers['last-event-id'] === LAST) return reply.code(204).send(null);
      const leave = readers.take(actor.account);
      if (leave === undefined)
        return problem(reply.header('retry-after', '10'), 'too-many-requests', 'too many read events at once; read one import a time');
      const look = async (): Promise<Told | undefined> => {
        const job = await jobs.find(owner, id);
        if (job === undefined) return undefined;
        const data = JSON.stringify(shownJob(job, actor));
        return isOver(job) ? { event: 'end', id: LAST, data, over: true } : { event: 'progress', data, over: false };
      };
      const need = needOf(request);
      const mayStay = async () => need !== undefined && app.guard.mayStay(request, need);
      const telling = { look, mayStay, closing, patienceMs };
      await tellEvents(request, reply as unknown as FastifyReply, telling).finally(leave);
      return reply;
    },
  );

  app.get(
    `${path}/:job/errors`,
    {
      schema: {
        summary: 'The bad rows of an import: line and problem, in the order of the file; the first 100,000',
        tags,
        params,
        querystring: Type.Object({ ...pageQuery, cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,6}$' })) }, strict),
        response: { 200: pageOf(errorSchema) },
      },
      config: may(place, 'read'),
    },
    async (request, reply) => {
      const { limit = PAGE_LIMIT, cursor } = request.query;
      const owner = place.owner(request);
      const job = await jobs.find(owner, jobOf(request));
      if (job === undefined) return noJob(reply);
      const from = Number(cursor ?? 0);
      const errors = await jobs.errors(owner, job.id, from, limit);
      const next = from + errors.length;
      return { items: errors.map(shownError), next: next < job.errors && errors.length > 0 ? String(next) : null };
    },
  );

  app.delete(
    `${path}/:job`,
    {
      schema: {
        summary: 'Cancels an import; what went in already stays, and the answer counts it',
        description:
          'One that is over is answered as it is. A strict import that has its file cannot be cancelled: all of it goes in or nothing.',
        tags,
        params,
        response: { 200: jobSchema },
      },
      config: may(place, 'write'),
    },
    async (request, reply) => {
      const outcome = await jobs.cancel(place.owner(request), jobOf(request));
      if (outcome === 'absent') return noJob(reply);
      if (outcome === 'writing')
        return problem(reply, 'conflict', 'a strict import that has its file goes in as a whole; wait for its end');
      if (outcome === 'elsewhere') return problem(reply, 'conflict', 'another gate runs this import; ask that one');
      return shownJob(outcome, request.actor);
    },
  );
}

const uploadQuery = {
  list: Type.Optional(Type.Enum(['exclusion', 'suppression'], { description: 'suppression: a file of hashes, which needs `hash`' })),
  hash: Type.Optional(
    Type.Enum([...HASH_ALGORITHMS], { description: 'The rows are digests by this algorithm; they go to the suppressions' }),
  ),
  reason: Type.Optional(Type.Enum([...REASONS], { description: 'Of every row, whatever the file says' })),
  dryRun: Type.Optional(Type.Boolean({ default: false, description: 'Only say what would happen; no webhook tells of it' })),
  strict: Type.Optional(Type.Boolean({ default: false, description: 'Nothing goes in if a row is bad' })),
};
const uploadSchema = Type.Object(uploadQuery, strict);
type Upload = Static<typeof uploadSchema> & { readonly campaign?: string };

/** In a context of its own: only here a text is handed on as it comes. */
function addUpload(app: App, jobs: ImportJobs): void {
  app.register(async scoped => {
    scoped.removeAllContentTypeParsers();
    scoped.addContentTypeParser(MEDIA_TYPES, (_request, payload, done) => done(null, payload));
    for (const place of [OF_CLIENT, OF_ALL]) addUploadRoute(scoped as unknown as App, place, jobs);
  });
}

function addUploadRoute(app: App, place: Place, jobs: ImportJobs): void {
  app.post(
    `${place.path}/imports`,
    {
      schema: {
        summary: `Imports a list file into lists ${place.whose}: addresses, domains or hashes; CSV, one a line, or NDJSON (docs/import.md)`,
        description:
          'Answers when the file is received and goes in; ask its Location for what comes of it. Nothing goes in of an upload that was cut off. One at a time for each client, and one for the lists of all.',
        tags,
        consumes: MEDIA_TYPES,
        body: Type.Unsafe<Body>({ description: 'The file, streamed', examples: ['email\njo@widgets.example\n'] }),
        params: paramsOf(place),
        querystring: Type.Object({ ...place.query, ...uploadQuery }, strict),
        response: { 202: jobSchema },
      },
      config: { ...may(place, 'write'), streamLimit: FILE_LIMIT },
    },
    async (request, reply) => {
      if (request.body === undefined) return problem(reply, 'bad-request', 'send the file as the body');
      const { actor } = request;
      const query = request.query as Upload;
      const scope = place.scope(request, query.campaign);
      if (scope === undefined) return noCampaign(reply);
      const order = orderOf(scope, query, actor);
      if ('field' in order) return problem(reply, 'invalid', 'see errors', [order]);
      const begun = await jobs.begin(scope.owner, order, { who: whoOf(actor), own: actor.client === scope.owner });
      if (begun === 'busy') return problem(reply, 'conflict', 'an import into these lists is running; wait for it or cancel it');
      if (begun === 'full')
        return problem(reply.header('retry-after', '30'), 'too-many-requests', 'too many imports are running; try again');
      if (begun === 'no-room') return problem(reply, 'no-room', NO_ROOM);
      const location = `${place.path.replace(':client', scope.owner)}/imports/${begun.job.id}`;
      const job = await begun.receive(request.body);
      if (job.state === 'cancelled') return problem(reply, 'conflict', 'this import was cancelled before its file was whole');
      if (request.body.errored instanceof BodyRefused) throw request.body.errored;
      // Who reads the file may be done with it before its end: where it is no list, one row tells.
      const isTold = job.state === 'finished' || job.state === 'refused';
      if (isOver(job) && !isTold) return problem(reply, job.problem === NO_ROOM ? 'no-room' : 'unavailable', job.problem);
      return reply.code(202).header('location', location).send(shownJob(job, actor));
    },
  );
}

function orderOf(
  scope: Scope,
  { list, hash, reason, dryRun = false, strict: whole = false }: Upload,
  actor: Actor,
): ImportOrder | FieldError {
  const wrong = reason === undefined ? undefined : wrongReason(reason, REASONS, actor);
  if (wrong !== undefined) return wrong;
  if (list === 'suppression' && hash === undefined) {
    const fix = 'say by which algorithm, or import addresses as exclusions: they bind the same';
    return { field: 'hash', message: 'is needed: a file of suppressions holds hashes', fix };
  }
  if (list === 'exclusion' && hash !== undefined) return { field: 'list', message: 'hashes go to the suppressions', fix: 'leave list out' };
  return {
    scope,
    ...(hash === undefined ? {} : { hash }),
    ...(reason === undefined ? {} : { reason }),
    platform: actor.role === 'client',
    dryRun,
    strict: whole,
  };
}

function noJob<R extends { code(status: number): unknown }>(reply: R): R {
  return problem(reply, 'not-found', 'there is no such import');
}

function shownError({ line, error }: RowError): Static<typeof errorSchema> {
  return { line, problem: error };
}

/** To a client, people of the house go by no name. */
function shownJob(job: ImportJob, { role }: Pick<Actor, 'role'>): Static<typeof jobSchema> {
  const { seenAt: _, errors: __, own = false, by, createdAt, endedAt, campaign, hash, reason, problem: why, ...plain } = job;
  return {
    ...plain,
    by: role === 'client' && !own ? 'operator' : by,
    campaign: campaign ?? null,
    hash: hash ?? null,
    reason: reason ?? null,
    createdAt: new Date(createdAt).toISOString(),
    endedAt: endedAt === undefined ? null : new Date(endedAt).toISOString(),
    problem: why ?? null,
  };
}

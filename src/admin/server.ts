/** The admin API's server: what holds for every route, and the listener (TLS, or loopback only). */
import { randomBytes } from 'node:crypto';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { AuthenticationBusy } from '../clients/password.ts';
import { VaultUnavailable } from '../keys/vault-shelf.ts';
import type { KeyPair } from '../smtp/certificate.ts';
import { Certificates } from '../smtp/tls.ts';
import { StoreUnavailable } from '../store/store.ts';
import { Guard, guardRoutes } from './access.ts';
import type { AdminParts, App } from './app.ts';
import { BodyRefused, bodyOf, hasBody } from './body.ts';
import { boundConnections, endable, isAddressed, proxyTest } from './connections.ts';
import { linger } from './lingering.ts';
import { Methods } from './methods.ts';
import { describeRoutes, openapiRoute } from './openapi.ts';
import { adminListen } from './options.ts';
import { warnOfProxies } from './passed-on.ts';
import { type ProblemKind, problem } from './problem.ts';
import { addRoutes } from './routes/index.ts';
import { problemResponses } from './schemas.ts';
import { Invalid, validatorCompiler } from './validation.ts';

/** Octets of a body; routes that stream say otherwise. */
const BODY_LIMIT = 1_048_576;
/** Nobody is busy for so long without a word in either direction. */
const SILENT_MS = 60 * 60_000;
/** Longest time that a part of the server may take to get ready, on a machine that is busy with other things. */
const START_MS = 60_000;
/** RFC 9325 §3.1.1. */
const MIN_TLS = 'TLSv1.2';
/** Longest time between two looks for connections whose headers are late. */
const LOOK_MS = 5_000;

export interface AdminAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface RunningAdmin {
  /** Undefined where admin.listen is `off`. */
  readonly address: AdminAddress | undefined;
  /** Reads the certificate again; one that does not work is logged, and the old one stays. */
  reloadCertificates(): Promise<void>;
  /** Takes nothing new and lets running requests end, for so many milliseconds at most. */
  stop(limitMs: number): Promise<void>;
}

/** The server with every route, listening nowhere yet. */
export async function buildAdmin(parts: AdminParts, pair?: KeyPair): Promise<App> {
  const { trustedProxies, patienceSeconds } = parts.options;
  const patienceMs = patienceSeconds * 1_000;
  const isProxy = proxyTest(trustedProxies);
  // How often Node looks is no less important than the limit itself: it is what a slow sender of headers gets on top.
  const http = { headersTimeout: patienceMs, connectionsCheckingInterval: Math.min(patienceMs, LOOK_MS) };
  const app = Fastify({
    ...(pair === undefined ? { http } : { https: { ...http, ...pair, minVersion: MIN_TLS, handshakeTimeout: patienceMs } }),
    ...(trustedProxies.length === 0 ? {} : { trustProxy: isProxy }),
    loggerInstance: parts.log.child({ part: 'admin' }),
    // Ours name the route's pattern: a URL may hold an address.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    // An upload takes as long as it takes; its pace is watched (body.ts).
    requestTimeout: 0,
    connectionTimeout: SILENT_MS,
    genReqId: () => randomBytes(8).toString('hex'),
    requestIdHeader: false,
    pluginTimeout: START_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512, ignoreTrailingSlash: false },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => explain(error, request, reply),
  } as Parameters<typeof Fastify>[0]) as unknown as App;
  // A body is JSON, unless a route says otherwise for itself.
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(validatorCompiler as Parameters<App['setValidatorCompiler']>[0]);
  app.setErrorHandler((error: FastifyError, request, reply) => explain(error, request, reply));
  const methods = new Methods();
  app.addHook('onRoute', route => {
    methods.add(route);
    // The first fault of a route must be one more than none (metrics.ts).
    for (const method of [route.method].flat()) parts.metrics.adminRequests.inc({ method, route: route.url, status: 500 }, 0);
    route.schema = { ...route.schema, response: { ...problemResponses, ...(route.schema?.response as object | undefined) } };
  });
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.of(request.url);
    if (allowed.length === 0) return problem(reply, 'not-found', 'there is no such path; GET /openapi.json lists them');
    return problem(reply.header('allow', allowed.join(', ')), 'method-not-allowed', `this path takes ${allowed.join(', ')}`);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('cache-control', 'no-store');
    if (!isAddressed(request.ip)) return problem(reply, 'bad-request', 'X-Forwarded-For: the proxy tells no address of its client there');
  });
  warnOfProxies(app, isProxy, parts.log);
  app.addHook('preParsing', async ({ raw, routeOptions: { bodyLimit = BODY_LIMIT, config } }) =>
    bodyOf(raw, { limit: config.streamLimit ?? bodyLimit, patienceMs }),
  );
  // Whoever has an answer before the body is here might send the rest at any pace.
  app.addHook('onSend', async ({ raw }, reply) => {
    if (!hasBody(raw) || raw.complete) return;
    reply.header('connection', 'close');
    linger(raw);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    const ms = Math.round(reply.elapsedTime);
    request.log.debug({ method, route: routeOptions.url ?? 'none', status: reply.statusCode, ms }, 'answered');
  });
  await app.register(helmet, {
    contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // Hosts below this one are not ours to speak for (RFC 6797 6.1.2).
    hsts: { includeSubDomains: false },
  });
  await app.register(rateLimit, { global: false });
  await app.register(cookie);
  await describeRoutes(app);
  app.decorate('guard', new Guard(parts));
  guardRoutes(app, app.guard);
  openapiRoute(app);
  addRoutes(app, parts);
  await app.ready();
  boundConnections(app.server, isProxy);
  return app;
}

/** Faults become problems: nothing of ours that is not meant for the reader leaves (no message, no stack). */
function explain(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof Invalid) return problem(reply, 'invalid', 'see errors', error.errors);
  if (error instanceof StoreUnavailable || error instanceof VaultUnavailable) {
    request.log.error({ route: request.routeOptions?.url, reason: error.message }, 'no answer from the store');
    return problem(reply, 'unavailable');
  }
  if (error instanceof BodyRefused) return problem(reply, error.kind, error.message);
  if (error instanceof AuthenticationBusy)
    return problem(reply.header('retry-after', '5'), 'too-many-requests', 'too many log-ins at once; try again');
  const kind = KINDS[error.statusCode ?? 500];
  if (kind === 'unsupported-media-type') return problem(reply, kind, `send Content-Type: ${mediaTypesOf(request).join(', or ')}`);
  // Fastify's own words for a body it cannot read name no value; others' words are not ours to repeat.
  if (kind !== undefined) return problem(reply, kind, error.code?.startsWith('FST_') ? DETAILS[error.code] : undefined);
  request.log.error({ route: request.routeOptions?.url, err: error }, 'a request ended in a fault');
  return problem(reply, 'fault', `request ${request.id} is in the log`);
}

/** What the body of this route may be, as it describes itself. */
function mediaTypesOf({ routeOptions: { schema } }: FastifyRequest): readonly string[] {
  const { content } = (schema?.body ?? {}) as { readonly content?: object };
  return schema?.consumes ?? Object.keys(content ?? { 'application/json': {} });
}

const KINDS: Readonly<Record<number, ProblemKind>> = {
  400: 'bad-request',
  404: 'not-found',
  413: 'too-large',
  414: 'bad-request',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
};

const DETAILS: Readonly<Record<string, string>> = {
  FST_ERR_CTP_EMPTY_JSON_BODY: 'the body is empty, but Content-Type says JSON; send an object or leave Content-Type out',
  FST_ERR_CTP_INVALID_JSON_BODY: 'the body is no JSON',
  FST_ERR_CTP_BODY_TOO_LARGE: 'the body is too large; send it in parts',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'the body is not as long as Content-Length says',
  FST_ERR_BAD_URL: 'the URL is not well encoded',
};

/** A store that is away at the start of a gate has said so in the log, and the gate stays up (law 1). */
async function hintAtFirstAccount({ accounts, log }: AdminParts): Promise<void> {
  const isEmpty = await accounts.directory.isEmpty().catch(() => false);
  if (isEmpty) log.warn('nobody has a login yet: postern account add <name> --role admin');
}

/**
 * Opens the admin API. `watchMs`: how often the certificate's files are looked at.
 * @throws Error naming the configuration key of an address or certificate that is not usable
 */
export async function startAdmin(parts: AdminParts, watchMs?: number): Promise<RunningAdmin> {
  const { options } = parts;
  const endpoint = adminListen(options.listen);
  if (endpoint === undefined) return { address: undefined, reloadCertificates: async () => undefined, stop: async () => undefined };
  const certificates = await certificatesOf(parts);
  const app = await buildAdmin(parts, certificates?.current);
  const end = endable(app.server);
  try {
    await app.listen({ host: endpoint.host, port: endpoint.port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    await app.close();
    throw new Error(`admin.listen: cannot listen on ${endpoint.host}:${endpoint.port} (${code}); name a free port`);
  }
  certificates?.watch(pair => (app.server as unknown as HttpsServer).setSecureContext({ ...pair, minVersion: MIN_TLS }), watchMs);
  const { port } = app.server.address() as AddressInfo;
  void hintAtFirstAccount(parts);
  return {
    address: { host: endpoint.host, port, tls: certificates !== undefined },
    reloadCertificates: async () => certificates?.reload(),
    async stop(limitMs) {
      certificates?.close();
      end(limitMs);
      await app.close();
    },
  };
}

async function certificatesOf({ options: { tls }, baseDir, clock, log }: AdminParts): Promise<Certificates | undefined> {
  if (tls.cert === undefined || tls.key === undefined) return undefined;
  const files = { cert: resolve(baseDir, tls.cert), key: resolve(baseDir, tls.key), option: 'admin.tls' };
  return Certificates.of(files, clock, log);
}

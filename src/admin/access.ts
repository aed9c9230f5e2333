/** Who may: every request is authenticated, held to its client, its role and its token's scope before anything of it is read. */
import { timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Accounts, Admitted } from '../accounts/accounts.ts';
import { grants } from '../accounts/scopes.ts';
import type { Clients } from '../clients/clients.ts';
import type { Alerts } from '../watch/alerts.ts';
import type { App } from './app.ts';
import type { AdminOptions } from './options.ts';
import { problem } from './problem.ts';
import { sessionCookie } from './session-cookie.ts';

export interface AccessParts {
  readonly accounts: Accounts;
  readonly clients: Clients;
  readonly options: Pick<AdminOptions, 'policyVersion'>;
  readonly alerts: Pick<Alerts, 'failedLogin'>;
}

const CLIENT_ROUTE = /^\/v1\/clients\/:client(\/|$)/;

/** Says no at start to a route that does not say who may use it, or that would let a client-scoped account out of its own client. */
export function assertGuarded({ url, method, config }: Pick<RouteOptions, 'url' | 'method' | 'config'>): void {
  const route = `${String(method)} ${url}`;
  const roles = config?.roles;
  if (roles === undefined) throw new Error(`${route}: a route needs config.roles: who may use it, or 'anyone'`);
  if (roles === 'anyone') return;
  if (config?.scope === undefined) throw new Error(`${route}: a route needs config.scope: what an API token needs for it`);
  if (/^\/v1\/clients\/[^/]/.test(url) && !CLIENT_ROUTE.test(url))
    throw new Error(`${route}: what belongs to a client lives under /v1/clients/:client`);
  if (roles.includes('client') && !CLIENT_ROUTE.test(url) && !config.scope.startsWith('session:')) {
    throw new Error(`${route}: the role client reaches its own client and its own session, nothing else`);
  }
}

/** Lays the guard in front of every route. */
export function guard(app: App, { accounts, clients, options, alerts }: AccessParts): void {
  app.decorateRequest('actor');
  app.decorateRequest('admitted');
  app.decorateRequest('profile');
  app.addHook('onRoute', assertGuarded);
  app.addHook('onRequest', async (request, reply) => {
    const { roles, scope, evenBeforeAcceptance } = request.routeOptions.config;
    if (request.is404 || roles === 'anyone') return;
    const admitted = await admit(accounts, request);
    if (admitted === undefined) {
      // A session ends by itself; a token that is none was guessed, stolen or revoked.
      if (request.headers.authorization !== undefined) alerts.failedLogin('admin', request.ip);
      return problem(reply, 'unauthenticated', 'show an API token: Authorization: Bearer postern_…');
    }
    request.admitted = admitted;
    request.actor = admitted.actor;
    if (admitted.csrf !== undefined && !isSafe(request) && !isSame(admitted.csrf, request.headers['x-csrf-token'])) {
      return problem(reply, 'csrf-token-missing', 'send X-CSRF-Token as GET /v1/session gives it');
    }
    if (
      options.policyVersion !== undefined &&
      admitted.holder.accepted?.version !== options.policyVersion &&
      evenBeforeAcceptance !== true
    ) {
      return problem(reply, 'policy-acceptance-required', 'read GET /v1/session/policy and agree with POST /v1/session/policy');
    }
    if (CLIENT_ROUTE.test(request.routeOptions.url ?? '') && !(await takeClient(clients, request, reply))) return reply;
    if (roles === undefined || scope === undefined || !roles.includes(admitted.actor.role)) {
      return problem(reply, 'forbidden', 'the role of this account does not allow it');
    }
    if (!grants(admitted.scopes, scope)) return problem(reply, 'forbidden', `this API token lacks the scope ${scope}`);
  });
}

/** An API token is looked at alone: a browser that sends one means it. */
async function admit(accounts: Accounts, request: FastifyRequest): Promise<Admitted | undefined> {
  const { headers, ip, cookies } = request;
  if (headers.authorization !== undefined) {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization)?.[1];
    return token === undefined ? undefined : accounts.byToken(token, ip);
  }
  const secret = cookies[sessionCookie(request).name];
  return secret === undefined ? undefined : accounts.bySession(secret, ip);
}

function isSafe({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

function isSame(known: string, shown: string | readonly string[] | undefined): boolean {
  const [a, b] = [Buffer.from(known), Buffer.from(typeof shown === 'string' ? shown : '')];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Another's client and one that does not exist are told alike. */
async function takeClient(clients: Clients, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const { client: id } = request.params as { client: string };
  const own = request.actor.client;
  const profile = own === undefined || own === id ? await clients.show(id) : undefined;
  // A removed client has nobody to act for it.
  if (profile === undefined || (own !== undefined && profile.disabled)) {
    problem(reply, 'not-found', 'there is no such client');
    return false;
  }
  request.profile = profile;
  return true;
}

/** Who may: every request is authenticated, held to its client, its role and its token's scope before anything of it is read. */
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { Accounts, Admitted } from '../accounts/accounts.ts';
import { grants } from '../accounts/scopes.ts';
import type { Clients } from '../clients/clients.ts';
import type { App } from './app.ts';
import { problem } from './problem.ts';

export interface AccessParts {
  readonly accounts: Accounts;
  readonly clients: Clients;
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
export function guard(app: App, { accounts, clients }: AccessParts): void {
  app.decorateRequest('actor');
  app.decorateRequest('admitted');
  app.decorateRequest('profile');
  app.addHook('onRoute', assertGuarded);
  app.addHook('onRequest', async (request, reply) => {
    const { roles, scope } = request.routeOptions.config;
    if (request.is404 || roles === 'anyone') return;
    const admitted = await admit(accounts, request);
    if (admitted === undefined) return problem(reply, 'unauthenticated', 'show an API token: Authorization: Bearer postern_…');
    request.admitted = admitted;
    request.actor = admitted.actor;
    if (CLIENT_ROUTE.test(request.routeOptions.url ?? '') && !(await takeClient(clients, request, reply))) return reply;
    if (roles === undefined || scope === undefined || !roles.includes(admitted.actor.role)) {
      return problem(reply, 'forbidden', 'the role of this account does not allow it');
    }
    if (!grants(admitted.scopes, scope)) return problem(reply, 'forbidden', `this API token lacks the scope ${scope}`);
  });
}

async function admit(accounts: Accounts, { headers, ip }: FastifyRequest): Promise<Admitted | undefined> {
  const token = /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '')?.[1];
  return token === undefined ? undefined : accounts.byToken(token, ip);
}

/** Another's client and one that does not exist are told alike. */
async function takeClient(clients: Clients, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const { client: id } = request.params as { client: string };
  const own = request.actor.client;
  const profile = own === undefined || own === id ? await clients.show(id) : undefined;
  if (profile === undefined) {
    problem(reply, 'not-found', 'there is no such client');
    return false;
  }
  request.profile = profile;
  return true;
}

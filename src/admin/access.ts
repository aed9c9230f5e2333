/** Who may: every request is authenticated, held to its client, its role and its token's scope before anything of it is read. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest, RouteOptions } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { Actor, Role } from '../accounts/account.ts';
import type { Accounts, Admitted } from '../accounts/accounts.ts';
import { grants, type Scope } from '../accounts/scopes.ts';
import { networkOf, normalizeAddress } from '../clients/addresses.ts';
import type { Clients } from '../clients/clients.ts';
import type { Profile } from '../clients/profile.ts';
import type { Clock } from '../ops/clock.ts';
import type { Alerts } from '../watch/alerts.ts';
import { Allowance } from './allowance.ts';
import type { App } from './app.ts';
import type { AdminOptions } from './options.ts';
import { type ProblemKind, problem } from './problem.ts';
import { sessionCookie } from './session-cookie.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Who may: the one door of all routes. */
    guard: Guard;
  }
}

export interface AccessParts {
  readonly accounts: Accounts;
  readonly clients: Clients;
  readonly clock: Clock;
  readonly options: Pick<AdminOptions, 'policyVersion' | 'requestsPerMinute'>;
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

/** Requests a minute from one network that show no login that counts. */
export const STRANGERS_A_MINUTE = 600;
/** Who was let in so lately is no stranger, whatever others of the same network do. */
const KNOWN_MS = 15 * 60_000;
const KNOWN_KEPT = 10_000;

/** What a route asks of whoever wants it. */
export interface Need {
  readonly roles: readonly Role[];
  readonly scope: Scope;
  readonly evenBeforeAcceptance?: true | undefined;
}

/** Why somebody may not. */
export interface Denial {
  readonly problem: ProblemKind;
  readonly detail: string;
  /** Seconds. */
  readonly wait?: number;
}

export interface Entry {
  readonly admitted: Admitted;
  /** The client named in the path. */
  readonly profile: Profile | undefined;
}

/** The one door: every route that asks for a login asks here. */
export class Guard {
  readonly #parts: AccessParts;
  readonly #requests: Allowance;
  readonly #strangers: Allowance;
  readonly #known = new LRUCache<string, number>({ max: KNOWN_KEPT });
  // Of this process only: no token or cookie stands in its memory.
  readonly #key = randomBytes(32);

  constructor(parts: AccessParts) {
    this.#parts = parts;
    this.#requests = new Allowance(parts.clock, parts.options.requestsPerMinute);
    this.#strangers = new Allowance(parts.clock, STRANGERS_A_MINUTE);
  }

  /** Lets a request in or not; counts it, and a wrong token as a failed log-in. */
  async enter(request: FastifyRequest, need: Need): Promise<Entry | Denial> {
    const network = networkOf(normalizeAddress(request.ip));
    const login = this.#loginOf(request);
    const now = this.#parts.clock.now();
    const isKnown = login !== undefined && Math.abs(now - (this.#known.get(login) ?? -Infinity)) < KNOWN_MS;
    const wait = isKnown ? 0 : this.#strangers.wait(network);
    if (wait > 0) return tooMany(wait);
    const entry = await this.#judge(request, need);
    if ('admitted' in entry) {
      if (login !== undefined) this.#known.set(login, now);
      const { account } = entry.admitted.actor;
      const pause = this.#requests.wait(account);
      if (pause > 0) return tooMany(pause);
      this.#requests.count(account);
    } else if (entry.problem === 'unauthenticated') {
      if (login !== undefined) this.#known.delete(login);
      this.#strangers.count(network);
      // A session ends by itself; a token that is none was guessed, stolen or revoked.
      if (request.headers.authorization !== undefined) this.#parts.alerts.failedLogin('admin', request.ip);
    }
    return entry;
  }

  /** Whether somebody who was let in would be again; counts nothing. */
  async mayStay(request: FastifyRequest, need: Need): Promise<boolean> {
    const again = await this.#judge(request, need);
    return 'admitted' in again && again.admitted.actor.account === request.actor.account;
  }

  /** What the request shows and where it comes from, to know it again by. */
  #loginOf(request: FastifyRequest): string | undefined {
    const shown = request.headers.authorization ?? request.cookies[sessionCookie(request).name];
    return shown && createHmac('sha256', this.#key).update(`${request.ip} ${shown}`).digest('base64');
  }

  async #judge(request: FastifyRequest, { roles, scope, evenBeforeAcceptance }: Need): Promise<Entry | Denial> {
    const { accounts, options } = this.#parts;
    const admitted = await admit(accounts, request);
    if (admitted === undefined) return { problem: 'unauthenticated', detail: 'show an API token: Authorization: Bearer postern_…' };
    if (admitted.csrf !== undefined && !isSafe(request) && !isSame(admitted.csrf, request.headers['x-csrf-token'])) {
      return { problem: 'csrf-token-missing', detail: 'send X-CSRF-Token as GET /v1/session gives it' };
    }
    const { policyVersion } = options;
    if (policyVersion !== undefined && admitted.holder.accepted?.version !== policyVersion && evenBeforeAcceptance !== true) {
      return { problem: 'policy-acceptance-required', detail: 'read GET /v1/session/policy and agree with POST /v1/session/policy' };
    }
    const ofClient = CLIENT_ROUTE.test(request.routeOptions.url ?? '');
    const profile = ofClient ? await this.#client(request, admitted.actor) : undefined;
    // Another's client and one that does not exist are told alike.
    if (ofClient && profile === undefined) return { problem: 'not-found', detail: 'there is no such client' };
    if (!roles.includes(admitted.actor.role)) return { problem: 'forbidden', detail: 'the role of this account does not allow it' };
    if (!grants(admitted.scopes, scope)) return { problem: 'forbidden', detail: `this API token lacks the scope ${scope}` };
    return { admitted, profile };
  }

  async #client({ params }: FastifyRequest, { client: own }: Actor): Promise<Profile | undefined> {
    const { client: id } = params as { client: string };
    const profile = own === undefined || own === id ? await this.#parts.clients.show(id) : undefined;
    // A removed client has nobody to act for it.
    return own !== undefined && profile?.disabled === true ? undefined : profile;
  }
}

function tooMany(wait: number): Denial {
  return { problem: 'too-many-requests', detail: `too many requests; try again in ${wait} seconds`, wait };
}

/** Answers that somebody may not. */
export function deny<R extends { code(status: number): unknown; header(name: string, value: string): unknown }>(
  reply: R,
  { problem: kind, detail, wait }: Denial,
): R {
  if (wait !== undefined) reply.header('retry-after', String(wait));
  return problem(reply, kind, detail);
}

/** Lays the guard in front of every route. */
export function guardRoutes(app: App, guard: Guard): void {
  app.decorateRequest('actor');
  app.decorateRequest('admitted');
  app.decorateRequest('profile');
  app.addHook('onRoute', assertGuarded);
  app.addHook('onRequest', async (request, reply) => {
    const need = needOf(request);
    if (need === undefined) return;
    const entry = await guard.enter(request, need);
    if ('problem' in entry) return deny(reply, entry);
    request.admitted = entry.admitted;
    request.actor = entry.admitted.actor;
    if (entry.profile !== undefined) request.profile = entry.profile;
  });
}

/** What the route of a request asks for; undefined where anybody may, or there is none. */
export function needOf({ is404, routeOptions: { config } }: FastifyRequest): Need | undefined {
  const { roles = [], scope, evenBeforeAcceptance } = config;
  return is404 || roles === 'anyone' ? undefined : { roles, scope: scope as Scope, evenBeforeAcceptance };
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

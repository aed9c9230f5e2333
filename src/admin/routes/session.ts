/** One's own session and account: log in and out, password, second factor, security policy, API tokens of one's own. */
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ROLES } from '../../accounts/account.ts';
import type { Accounts } from '../../accounts/accounts.ts';
import { strip } from '../../accounts/records.ts';
import { networkOf, normalizeAddress } from '../../clients/addresses.ts';
import { isRefusal } from '../../clients/refusal.ts';
import type { AdminParts, App } from '../app.ts';
import { problem, refused } from '../problem.ts';
import { isoTimeSchema, nothing, strict } from '../schemas.ts';
import { sessionCookie } from '../session-cookie.ts';
import { whoOf } from '../who.ts';
import { accountSchema, currentPasswordSchema, passwordSchema, revokeTokensSchema, shownAccount } from './account-schemas.ts';

const read = { roles: ROLES, scope: 'session:read' } as const;
const write = { roles: ROLES, scope: 'session:write' } as const;
/** Log-ins a minute from one network, right or wrong: each costs a password hash. */
const LOGINS = { max: 30, timeWindow: 60_000, keyGenerator: ({ ip }: FastifyRequest) => networkOf(normalizeAddress(ip)) };

/** Octets of a log-in: strangers send it. */
const LOGIN_LIMIT = 16 * 1_024;

const sessionSchema = Type.Object(
  {
    account: accountSchema,
    csrfToken: Type.Union([Type.String(), Type.Null()], {
      description: 'What unsafe requests of a session show as X-CSRF-Token; null with an API token',
    }),
    policyAccepted: Type.Boolean({ description: 'False: nothing else works before POST /v1/session/policy' }),
  },
  strict,
);

/** @throws Error naming admin.policyFile, where it cannot be read */
export function sessionRoutes(app: App, parts: AdminParts): void {
  const { accounts, alerts, options } = parts;
  const policyFile = options.policyFile === undefined ? undefined : resolve(parts.baseDir, options.policyFile);
  if (policyFile !== undefined) assertReadable(policyFile);
  const shown = ({ admitted: { holder, csrf } }: Pick<FastifyRequest, 'admitted'>) => ({
    account: shownAccount(strip(holder)),
    csrfToken: csrf ?? null,
    policyAccepted: options.policyVersion === undefined || holder.accepted?.version === options.policyVersion,
  });

  app.post(
    '/v1/session',
    {
      bodyLimit: LOGIN_LIMIT,
      schema: {
        summary: 'Log in: sets the session cookie of a browser; programs show an API token instead',
        tags: ['session'],
        security: [],
        body: Type.Object(
          {
            account: Type.String({ minLength: 1, maxLength: 64 }),
            password: currentPasswordSchema,
            code: Type.Optional(Type.String({ pattern: '^[0-9]{6}$', description: 'six digits of the second factor' })),
          },
          { ...strict, examples: [{ account: 'jo', password: 'correct horse battery' }] },
        ),
        response: { 200: sessionSchema },
      },
      config: { roles: 'anyone', rateLimit: LOGINS },
    },
    async (request, reply) => {
      const { account: name, password, code } = request.body;
      const login = await accounts.login({ name, password, code }, request.ip);
      if (login === 'bad' || (login !== 'code' && 'wait' in login)) alerts.failedLogin('admin', request.ip);
      if (login === 'bad') return problem(reply, 'unauthenticated', 'account, password, code or address are not right');
      if (login === 'code') return problem(reply, 'totp-required', 'log in with the code of your authenticator, too');
      if ('wait' in login) return tooOften(reply, login.wait);
      const { secret, session, holder } = login;
      const cookie = sessionCookie(request);
      reply.setCookie(cookie.name, secret, cookie.options);
      return shown({ admitted: { holder, csrf: session.csrf } as FastifyRequest['admitted'] });
    },
  );

  app.get(
    '/v1/session',
    {
      schema: { summary: 'Who one is', tags: ['session'], response: { 200: sessionSchema } },
      config: { ...read, evenBeforeAcceptance: true },
    },
    async request => shown(request),
  );

  app.delete(
    '/v1/session',
    { schema: { summary: 'Log out', tags: ['session'], response: { 204: nothing } }, config: { ...write, evenBeforeAcceptance: true } },
    async (request, reply) => {
      const { name, options } = sessionCookie(request);
      const secret = request.cookies[name];
      if (secret !== undefined) await accounts.logout(secret);
      return reply.clearCookie(name, options).code(204).send(null);
    },
  );

  app.post(
    '/v1/session/password',
    {
      schema: {
        summary: 'Change one’s own password; ends every session of the account, and its API tokens where that is asked for',
        tags: ['session'],
        body: Type.Object(
          { current: currentPasswordSchema, password: passwordSchema, revokeTokens: Type.Optional(revokeTokensSchema) },
          { ...strict, examples: [{ current: 'correct horse battery', password: 'another long sentence' }] },
        ),
        response: { 204: nothing },
      },
      config: write,
    },
    async (request, reply) => {
      if (!(await isRight(accounts, request, reply, request.body.current))) return reply;
      const { password, revokeTokens } = request.body;
      const changed = await accounts.directory.setPassword(request.actor.account, password, whoOf(request.actor), revokeTokens);
      if (isRefusal(changed)) return refused(reply, changed);
      const { name, options } = sessionCookie(request);
      return reply.clearCookie(name, options).code(204).send(null);
    },
  );

  app.post(
    '/v1/session/totp',
    {
      schema: {
        summary: 'Begin with a second factor: a secret for an authenticator, which counts once it is confirmed',
        tags: ['session'],
        body: Type.Object({ password: currentPasswordSchema }, { ...strict, examples: [{ password: 'correct horse battery' }] }),
        response: { 200: Type.Object({ secret: Type.String(), uri: Type.String({ description: 'For a QR code' }) }, strict) },
      },
      config: write,
    },
    async (request, reply) => {
      if (!(await isRight(accounts, request, reply, request.body.password))) return reply;
      const enrolled = await accounts.enrolTotp(request.admitted.holder, whoOf(request.actor));
      return isRefusal(enrolled) ? refused(reply, enrolled) : enrolled;
    },
  );

  app.post(
    '/v1/session/totp/confirmation',
    {
      schema: {
        summary: 'Show that the authenticator works; from now on its code is asked for',
        tags: ['session'],
        body: Type.Object(
          { code: Type.String({ pattern: '^[0-9]{6}$', description: 'six digits' }) },
          { ...strict, examples: [{ code: '123456' }] },
        ),
        response: { 204: nothing },
      },
      config: write,
    },
    async (request, reply) => {
      const changed = await accounts.confirmTotp(request.admitted.holder, request.body.code, whoOf(request.actor));
      return isRefusal(changed) ? refused(reply, changed) : reply.code(204).send(null);
    },
  );

  app.get(
    '/v1/session/policy',
    {
      schema: {
        summary: 'The security policy that one must agree to',
        tags: ['session'],
        response: {
          200: Type.Object(
            {
              version: Type.Union([Type.String(), Type.Null()], { description: 'Null: there is none to agree to' }),
              text: Type.Union([Type.String(), Type.Null()]),
              acceptedAt: Type.Union([isoTimeSchema, Type.Null()]),
            },
            strict,
          ),
        },
      },
      config: { ...read, evenBeforeAcceptance: true },
    },
    async request => {
      const { policyVersion } = options;
      const { accepted } = request.admitted.holder;
      return {
        version: policyVersion ?? null,
        text: policyFile === undefined ? null : await readFile(policyFile, 'utf8'),
        acceptedAt: accepted === undefined || accepted.version !== policyVersion ? null : new Date(accepted.at).toISOString(),
      };
    },
  );

  app.post(
    '/v1/session/policy',
    {
      schema: {
        summary: 'Agree to the security policy, in the version that is in force',
        tags: ['session'],
        body: Type.Object({ version: Type.String({ minLength: 1, maxLength: 64 }) }, { ...strict, examples: [{ version: '2026-01' }] }),
        response: { 204: nothing },
      },
      config: { ...write, evenBeforeAcceptance: true },
    },
    async (request, reply) => {
      const { version } = request.body;
      if (version !== options.policyVersion) {
        return problem(reply, 'conflict', 'this version is not in force; GET /v1/session/policy says which one is');
      }
      await accounts.acceptPolicy(request.admitted.holder, version, whoOf(request.actor));
      return reply.code(204).send(null);
    },
  );
}

async function isRight(accounts: Accounts, request: FastifyRequest, reply: FastifyReply, password: string): Promise<boolean> {
  const answer = await accounts.reauthenticate(request.admitted.holder, password, request.actor.ip);
  if (answer === 'right') return true;
  if (answer === 'bad') problem(reply, 'forbidden', 'that is not the password of this account');
  else tooOften(reply, answer.wait);
  return false;
}

function tooOften<R extends { code(status: number): unknown; header(name: string, value: string): unknown }>(reply: R, seconds: number): R {
  reply.header('retry-after', String(seconds));
  return problem(reply, 'too-many-requests', `too many failed log-ins; try again in ${Math.ceil(seconds / 60)} minutes`);
}

/** Told when the gate starts: everybody would be asked to agree to a text that nobody can read. */
function assertReadable(file: string): void {
  try {
    closeSync(openSync(file, 'r'));
  } catch (error) {
    throw new Error(`admin.policyFile: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

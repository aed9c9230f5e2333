/** API tokens: one's own, and an admin's view of everybody's. */
import { Type } from 'typebox';
import { ROLES } from '../../accounts/account.ts';
import { type Grant, grants, isGrant, type Scope } from '../../accounts/scopes.ts';
import { MAX_DAYS } from '../../accounts/tokens.ts';
import { isRefusal } from '../../clients/refusal.ts';
import type { AdminParts, App } from '../app.ts';
import { problem, refused } from '../problem.ts';
import { nothing, pageOf, strict } from '../schemas.ts';
import { whoOf } from '../who.ts';
import { accountNameSchema, issuedTokenSchema, ownedTokenSchema, shownToken, tokenBody, tokenSchema } from './account-schemas.ts';

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;
const own = { tags: ['session'] };
const everybodys = { tags: ['tokens'] };
const tokenParams = Type.Object({ token: Type.String() });
const accountParams = Type.Object({ account: accountNameSchema });

export function tokenRoutes(app: App, { accounts, clock }: AdminParts): void {
  const { tokens, directory } = accounts;

  app.get(
    '/v1/session/tokens',
    {
      schema: { ...own, summary: 'One’s own API tokens', response: { 200: pageOf(tokenSchema) } },
      config: { roles: ROLES, scope: 'session:read' },
    },
    async request => ({ items: (await tokens.list(request.admitted.holder.id)).map(shownToken), next: null }),
  );

  app.post(
    '/v1/session/tokens',
    {
      schema: { ...own, summary: 'Make an API token of one’s own; shown this once', body: tokenBody, response: { 201: issuedTokenSchema } },
      config: { roles: ROLES, scope: 'session:write' },
    },
    async (request, reply) => {
      const { actor, admitted } = request;
      const { name, scopes = admitted.scopes, expiresDays } = request.body;
      const { until } = admitted;
      // A token makes no token that may more, or lives longer, than itself.
      const beyond = scopes.find(scope => isGrant(scope) && !covers(admitted.scopes, scope));
      if (beyond !== undefined) return problem(reply, 'forbidden', `this API token lacks the scope ${beyond}`);
      if (until !== undefined && expiresDays !== undefined && clock.now() + expiresDays * DAY_MS > until) {
        return problem(reply, 'forbidden', 'this API token ends sooner; ask for fewer days, or leave expiresDays out, or log in');
      }
      const issued = await tokens.issue(actor.account, { name, scopes, days: expiresDays ?? DEFAULT_DAYS, until }, whoOf(actor));
      if (isRefusal(issued)) return refused(reply, issued);
      return reply.code(201).send({ ...shownToken({ ...issued.token, usedAt: undefined }), token: issued.secret });
    },
  );

  app.delete(
    '/v1/session/tokens/:token',
    {
      schema: { ...own, summary: 'Revoke an API token of one’s own, at once', params: tokenParams, response: { 204: nothing } },
      config: { roles: ROLES, scope: 'session:write' },
    },
    async (request, reply) => {
      const { actor, admitted } = request;
      await tokens.revoke(request.params.token, whoOf(actor), admitted.holder.id);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/v1/tokens',
    {
      schema: {
        ...everybodys,
        summary: 'The API tokens of all accounts, those first that end soonest; which ones nobody uses, which ones end soon',
        querystring: Type.Object(
          {
            endsWithinDays: Type.Optional(
              Type.Integer({ minimum: 0, maximum: MAX_DAYS, description: 'only those that end so soon, or have ended' }),
            ),
          },
          strict,
        ),
        response: { 200: pageOf(ownedTokenSchema) },
      },
      config: { roles: ['admin', 'officer'], scope: 'tokens:read' },
    },
    async request => {
      const { endsWithinDays = MAX_DAYS } = request.query;
      const names = new Map((await directory.list()).map(({ id, name }) => [id, name]));
      const ending = (await tokens.list()).filter(({ expiresAt }) => expiresAt <= clock.now() + endsWithinDays * DAY_MS);
      const items = ending
        .sort((a, b) => a.expiresAt - b.expiresAt)
        .map(token => ({ account: names.get(token.account) ?? '', ...shownToken(token) }));
      return { items, next: null };
    },
  );

  app.get(
    '/v1/accounts/:account/tokens',
    {
      schema: { ...everybodys, summary: 'The API tokens of an account', params: accountParams, response: { 200: pageOf(tokenSchema) } },
      config: { roles: ['admin', 'officer'], scope: 'tokens:read' },
    },
    async (request, reply) => {
      const account = await directory.show(request.params.account);
      if (account === undefined) return problem(reply, 'not-found', 'there is no such account');
      return { items: (await tokens.list(account.id)).map(shownToken), next: null };
    },
  );

  app.delete(
    '/v1/accounts/:account/tokens/:token',
    {
      schema: {
        ...everybodys,
        summary: 'Revoke an API token, at once',
        params: Type.Object({ ...accountParams.properties, ...tokenParams.properties }),
        response: { 204: nothing },
      },
      config: { roles: ['admin'], scope: 'tokens:write' },
    },
    async (request, reply) => {
      const account = await directory.show(request.params.account);
      if (account === undefined) return problem(reply, 'not-found', 'there is no such account');
      await tokens.revoke(request.params.token, whoOf(request.actor), account.id);
      return reply.code(204).send(null);
    },
  );
}

function covers(granted: readonly Grant[], asked: Grant): boolean {
  return granted.includes(asked) || (!asked.startsWith('*') && grants(granted, asked as Scope));
}

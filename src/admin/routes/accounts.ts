/** Accounts: individual logins with a role, made and changed by admins (A30, A31). */
import { Type } from 'typebox';
import { accountName } from '../../accounts/account.ts';
import { isFrom, toBlocks } from '../../clients/addresses.ts';
import { isRefusal } from '../../clients/refusal.ts';
import type { AdminParts, App } from '../app.ts';
import { expectedVersion } from '../etag.ts';
import { problem, refused } from '../problem.ts';
import { nothing, pageOf, strict } from '../schemas.ts';
import { whoOf } from '../who.ts';
import {
  accountNameSchema,
  accountSchema,
  ipsSchema,
  passwordSchema,
  revokeTokensSchema,
  roleSchema,
  shownAccount,
} from './account-schemas.ts';

const tags = ['accounts'];
const read = { roles: ['admin', 'officer'], scope: 'accounts:read' } as const;
const write = { roles: ['admin'], scope: 'accounts:write' } as const;
const params = Type.Object({ account: accountNameSchema });
const issued = Type.Object(
  {
    account: accountSchema,
    password: Type.Union([Type.String(), Type.Null()], { description: 'Where it was made here; shown this once' }),
  },
  strict,
);

const reset = Type.Object(
  { ...issued.properties, tokens: Type.Integer({ description: 'API tokens that still open the account' }) },
  strict,
);

export function accountRoutes(app: App, { accounts: { directory, tokens }, clock }: AdminParts): void {
  app.get(
    '/v1/accounts',
    { schema: { tags, summary: 'All accounts by name, disabled ones too', response: { 200: pageOf(accountSchema) } }, config: read },
    async () => ({ items: (await directory.list()).map(shownAccount), next: null }),
  );

  app.post(
    '/v1/accounts',
    {
      schema: {
        tags,
        summary: 'Make an account; without a password one is made and shown this once',
        body: Type.Object(
          {
            name: accountNameSchema,
            role: roleSchema,
            client: Type.Optional(Type.String({ description: 'for the role client, and no other' })),
            ips: Type.Optional(ipsSchema),
            password: Type.Optional(passwordSchema),
          },
          { ...strict, examples: [{ name: 'jo', role: 'operator', ips: ['192.0.2.0/24'] }] },
        ),
        response: { 201: issued },
      },
      config: write,
    },
    async (request, reply) => {
      const made = await directory.add(request.body, whoOf(request.actor));
      if (isRefusal(made)) return made.problem === 'unknown' ? refused(reply, { ...made, problem: 'invalid' }) : refused(reply, made);
      return reply.code(201).send({ account: shownAccount(made.account), password: made.password ?? null });
    },
  );

  app.get(
    '/v1/accounts/:account',
    { schema: { tags, summary: 'One account', params, response: { 200: accountSchema } }, config: read },
    async (request, reply) => {
      const account = await directory.show(request.params.account);
      if (account === undefined) return problem(reply, 'not-found', 'there is no such account');
      return reply.header('etag', `"${account.version}"`).send(shownAccount(account));
    },
  );

  app.patch(
    '/v1/accounts/:account',
    {
      schema: {
        tags,
        summary: 'Change role, client or addresses, or disable an account; ends its sessions. If-Match guards against another’s change',
        description:
          'Another role or client ends its API tokens, too. While an account is disabled nothing opens it; `disabled: false` brings its ' +
          'tokens back, and lets in again whom failed log-ins keep out. Nobody shuts out the own account: `ips` of one’s own must hold the ' +
          'address that one asks from.',
        params,
        body: Type.Object(
          {
            role: Type.Optional(roleSchema),
            client: Type.Optional(Type.Union([Type.String(), Type.Null()])),
            ips: Type.Optional(ipsSchema),
            disabled: Type.Optional(Type.Boolean()),
          },
          { ...strict, minProperties: 1, examples: [{ disabled: true }] },
        ),
        response: { 200: accountSchema },
      },
      config: write,
    },
    async (request, reply) => {
      const version = expectedVersion(request);
      if (version === 'unreadable') return problem(reply, 'precondition-failed', 'If-Match holds no ETag of this resource');
      const { params, body, actor } = request;
      if (accountName(params.account) === actor.account && shutsOut(body.ips, actor.ip)) {
        const fix = 'add it, or let another admin change this account';
        return problem(reply, 'invalid', 'see errors', [{ field: 'ips', message: 'the address that you ask from is not among them', fix }]);
      }
      const changed = await directory.update(params.account, body, whoOf(actor), version);
      if (isRefusal(changed)) return refused(reply, changed);
      return reply.header('etag', `"${changed.version}"`).send(shownAccount(changed));
    },
  );

  app.post(
    '/v1/accounts/:account/password',
    {
      schema: {
        tags,
        summary: 'Give an account a new password, made here unless one is named; ends its sessions',
        params,
        body: Type.Object(
          { password: Type.Optional(passwordSchema), revokeTokens: Type.Optional(revokeTokensSchema) },
          { ...strict, examples: [{ revokeTokens: true }] },
        ),
        response: { 200: reset },
      },
      config: write,
    },
    async (request, reply) => {
      const { password, revokeTokens } = request.body;
      const made = await directory.setPassword(request.params.account, password, whoOf(request.actor), revokeTokens);
      if (isRefusal(made)) return refused(reply, made);
      const alive = (await tokens.list(made.account.id)).filter(({ expiresAt }) => expiresAt > clock.now());
      return { account: shownAccount(made.account), password: made.password ?? null, tokens: alive.length };
    },
  );

  app.delete(
    '/v1/accounts/:account/totp',
    {
      schema: {
        tags,
        summary: 'Take the second factor away from an account whose authenticator is lost',
        params,
        response: { 204: nothing },
      },
      config: write,
    },
    async (request, reply) => {
      const changed = await directory.dropTotp(request.params.account, whoOf(request.actor));
      return isRefusal(changed) ? refused(reply, changed) : reply.code(204).send(null);
    },
  );
}

/** Whether these blocks leave out whoever asks from there. Of what is no block the directory says so. */
function shutsOut(ips: readonly string[] = [], from: string): boolean {
  const blocks = toBlocks(ips);
  return blocks.length === ips.length && !isFrom(blocks, from);
}

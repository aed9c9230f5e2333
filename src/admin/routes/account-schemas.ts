/** Accounts and API tokens as the API shows them. */
import { Type } from 'typebox';
import { type Account, ROLES } from '../../accounts/account.ts';
import { GRANTS } from '../../accounts/scopes.ts';
import { type ListedToken, MAX_DAYS } from '../../accounts/tokens.ts';
import { isoTimeSchema, strict } from '../schemas.ts';

const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);

export const roleSchema = Type.Enum([...ROLES], { description: `one of ${ROLES.join(', ')}` });
export const accountNameSchema = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', description: '1 to 64 of a-z 0-9 . _ -' });
/** NIST SP 800-63B §5.1.1.2: long, not one of those that are guessed first, and nothing else. */
export const passwordSchema = Type.String({
  minLength: 1,
  maxLength: 256,
  description: '12 characters at least, none of those that are guessed first',
});
/** One that the account has already, whatever the rules were when it was chosen. */
export const currentPasswordSchema = Type.String({ minLength: 1, maxLength: 256, description: 'The password that the account has now' });
export const revokeTokensSchema = Type.Boolean({ description: 'Whether its API tokens end, too; by default they live on' });
export const ipsSchema = Type.Array(Type.String({ minLength: 2, maxLength: 64 }), {
  maxItems: 100,
  description: 'addresses or CIDR blocks; empty: from anywhere',
});

const ACCOUNT = {
  name: 'jo',
  role: 'operator',
  client: null,
  ips: ['192.0.2.0/24'],
  disabled: false,
  totp: false,
  acceptedPolicy: null,
  lastLogin: { at: '2026-03-02T08:00:00.000Z', from: '192.0.2.7' },
  createdAt: '2026-03-01T12:00:00.000Z',
  version: 1,
};

export const accountSchema = Type.Object(
  {
    name: Type.String(),
    role: roleSchema,
    client: nullable(Type.String()),
    ips: Type.Array(Type.String()),
    disabled: Type.Boolean(),
    totp: Type.Boolean({ description: 'Whether a code is asked for beside the password' }),
    acceptedPolicy: nullable(Type.Object({ version: Type.String(), at: isoTimeSchema })),
    lastLogin: nullable(Type.Object({ at: isoTimeSchema, from: Type.String() }, { description: 'With the password; null: never' })),
    createdAt: isoTimeSchema,
    version: Type.Integer(),
  },
  { ...strict, examples: [ACCOUNT] },
);

export function shownAccount({ id: _, client, accepted, lastLogin, createdAt, ...account }: Account) {
  return {
    ...account,
    ips: [...account.ips],
    client: client ?? null,
    acceptedPolicy: accepted === undefined ? null : { version: accepted.version, at: new Date(accepted.at).toISOString() },
    lastLogin: lastLogin === undefined ? null : { at: new Date(lastLogin.at).toISOString(), from: lastLogin.from },
    createdAt: new Date(createdAt).toISOString(),
  };
}

const scopesSchema = Type.Array(Type.Enum([...GRANTS]), {
  minItems: 1,
  maxItems: GRANTS.length,
  description: 'default: all that the account, or the token that asks, may',
});
const expiresSchema = Type.Integer({
  minimum: 1,
  maximum: MAX_DAYS,
  description: `days, 1 to ${MAX_DAYS}; default: 90, or as long as the token that asks where that ends sooner`,
});
const tokenNameSchema = Type.String({
  minLength: 1,
  maxLength: 64,
  description: '1 to 64 printable characters to know it by; it is listed, so no secret',
});

export const tokenBody = Type.Object(
  { name: Type.Optional(tokenNameSchema), scopes: Type.Optional(scopesSchema), expiresDays: Type.Optional(expiresSchema) },
  { ...strict, examples: [{ name: 'nightly report', scopes: ['decisions:read', 'stats:read'], expiresDays: 30 }] },
);

const TOKEN = {
  id: '0f3a5c7e9b1d',
  name: 'nightly report',
  scopes: ['decisions:read', 'stats:read'],
  createdAt: '2026-03-01T12:00:00.000Z',
  expiresAt: '2026-05-30T12:00:00.000Z',
  usedAt: null,
};

const tokenFields = {
  id: Type.String(),
  name: nullable(Type.String()),
  scopes: Type.Array(Type.String()),
  createdAt: isoTimeSchema,
  expiresAt: isoTimeSchema,
  usedAt: nullable(isoTimeSchema),
};
export const tokenSchema = Type.Object(tokenFields, { ...strict, examples: [TOKEN] });
export const issuedTokenSchema = Type.Object(
  { ...tokenFields, token: Type.String({ description: 'Shown this once' }) },
  { ...strict, examples: [{ ...TOKEN, token: 'postern_…' }] },
);

/** Of somebody's: with whose it is. */
export const ownedTokenSchema = Type.Object(
  { account: Type.String(), ...tokenFields },
  { ...strict, examples: [{ account: 'jo', ...TOKEN }] },
);

export function shownToken({ id, name, scopes, createdAt, expiresAt, usedAt }: ListedToken) {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    id,
    name: name ?? null,
    scopes: [...scopes],
    createdAt: iso(createdAt),
    expiresAt: iso(expiresAt),
    usedAt: usedAt === undefined ? null : iso(usedAt),
  };
}

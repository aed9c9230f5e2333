/** Problem details (RFC 9457): the one shape in which the admin API says no, with the field and the fix. */
import type { FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Refusal } from '../clients/refusal.ts';

export const problemSchema = Type.Object(
  {
    type: Type.String({ description: 'A word for the kind of problem; it does not change between versions' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.String({ description: 'Of the body, the query or the path; empty where it is the whole' }),
          message: Type.String(),
          fix: Type.Optional(Type.String()),
        }),
      ),
    ),
  },
  { description: 'What is wrong, and how to put it right (RFC 9457)' },
);

export type ProblemDetails = Static<typeof problemSchema>;
export type FieldError = NonNullable<ProblemDetails['errors']>[number];

/** Every kind there is, with its status and title. */
const KINDS = {
  'bad-request': [400, 'The request cannot be read'],
  unauthenticated: [401, 'Not logged in'],
  'totp-required': [401, 'A code is needed beside the password'],
  forbidden: [403, 'Not allowed'],
  'csrf-token-missing': [403, 'The CSRF token is missing or wrong'],
  'policy-acceptance-required': [403, 'The security policy must be accepted first'],
  'not-found': [404, 'There is no such thing'],
  'method-not-allowed': [405, 'Not with this method'],
  'too-slow': [408, 'Too slow'],
  conflict: [409, 'In conflict with what is there'],
  'precondition-failed': [412, 'Somebody else changed it meanwhile'],
  'too-large': [413, 'Too large'],
  'unsupported-media-type': [415, 'Not in this media type'],
  invalid: [422, 'The request is not valid'],
  'too-many-requests': [429, 'Too many requests'],
  fault: [500, 'Something is broken here'],
  unavailable: [503, 'No answer from the store; try again'],
  'no-room': [507, 'Too little room on the disk'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemKind = keyof typeof KINDS;

/** The problem as a value. */
export function problemOf(kind: ProblemKind, detail?: string, errors?: readonly FieldError[]): ProblemDetails {
  const [status, title] = KINDS[kind];
  return {
    type: kind,
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined || errors.length === 0 ? {} : { errors: [...errors] }),
  };
}

/** Answers with a problem: `return problem(reply, 'not-found', 'there is no such import')`. */
export function problem<R extends { code(status: number): unknown }>(
  reply: R,
  kind: ProblemKind,
  detail?: string,
  errors?: readonly FieldError[],
): R {
  const details = problemOf(kind, detail, errors);
  // A route's reply is typed for the answers of its own schema; problems are laid beside them for all routes alike (schemas.ts).
  const plain = reply as unknown as FastifyReply;
  if (details.status === 401) plain.header('www-authenticate', 'Bearer');
  if (details.status === 503) plain.header('retry-after', '5');
  plain.code(details.status).type('application/problem+json').send(details);
  return reply;
}

/** Answers with what the house refused; its texts name field and fix. */
export function refused<R extends { code(status: number): unknown }>(reply: R, { problem: kind, texts }: Refusal): R {
  const errors = texts.map(fieldError);
  const kinds = {
    exists: 'conflict',
    taken: 'conflict',
    disabled: 'conflict',
    unknown: 'not-found',
    invalid: 'invalid',
    outdated: 'precondition-failed',
  } as const;
  return problem(reply, kinds[kind], texts.join('; '), errors);
}

/** `ip: 10.0.0.0/8 overlaps with …; narrow one of them` in its parts. */
export function fieldError(text: string): FieldError {
  const [, field = '', rest = text] = /^([A-Za-z][\w.-]*): (.*)$/s.exec(text) ?? [];
  const [message = rest, ...fix] = rest.split('; ');
  return { field, message, ...(fix.length === 0 ? {} : { fix: fix.join('; ') }) };
}

/** Schemas that many routes use: pages, ids, times, and the problems that any route may answer with. */
import { type TSchema, Type } from 'typebox';
import { problemSchema } from './problem.ts';

/** Refuses fields that nobody knows: a slip of the pen must not pass as a setting. */
export const strict = { additionalProperties: false } as const;

export const isoTimeSchema = Type.String({ format: 'date-time', description: 'ISO 8601, UTC', examples: ['2026-03-01T12:00:00.000Z'] });

const idPattern = '^[a-z0-9][a-z0-9._-]{0,63}$';
export const clientIdSchema = Type.String({ description: 'Id of a client', examples: ['acme'] });
export const campaignIdSchema = Type.String({
  pattern: idPattern,
  description: 'Id of a campaign: 1 to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit',
  examples: ['spring'],
});

/** Params of what lives under `/v1/clients/:client`. */
export const clientParams = Type.Object({ client: clientIdSchema });

/** What asks for one page of a list; `cursor` is the `next` of the page before. */
export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Items of a page: 1 to 1000' })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'The `next` of the page before' })),
};
export const PAGE_LIMIT = 100;

export function pageOf<T extends TSchema>(items: T) {
  return Type.Object({
    items: Type.Array(items),
    next: Type.Union([Type.String(), Type.Null()], { description: 'The cursor of the next page; null on the last' }),
  });
}

/** The answer 204. */
export const nothing = Type.Null({ description: 'Done; there is nothing to say' });

const problemResponse = {
  description: 'What is wrong, and how to put it right (RFC 9457)',
  content: { 'application/problem+json': { schema: problemSchema } },
};

/** Laid under every route's own responses. */
export const problemResponses = { '4xx': problemResponse, '5xx': problemResponse } as const;

/** What many questions about the past have in common: from when to when. */
import { Type } from 'typebox';
import type { FieldError } from './problem.ts';
import { isoTimeSchema } from './schemas.ts';

const momentSchema = (description: string) =>
  Type.String({
    pattern: '^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?(Z|[+-]\\d{2}:\\d{2}))?$',
    maxLength: 40,
    description,
    examples: ['2026-03-01', '2026-03-01T12:00:00Z'],
  });

export const spanQuery = {
  from: Type.Optional(momentSchema('From this moment on: a date (its first moment, UTC) or a time in ISO 8601')),
  to: Type.Optional(momentSchema('Before this moment')),
};

/** The same, for routes that knew another word before. */
export const spanOrSinceQuery = { ...spanQuery, since: Type.Optional({ ...isoTimeSchema, description: 'An older word for `from`' }) };

/** Moments in ms since 1970 UTC. */
export interface AskedSpan {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** The span that a query names, or what is wrong with it: dates have the right shape by then, and may yet not be in any calendar. */
export function readSpan(query: {
  readonly from?: string;
  readonly to?: string;
  readonly since?: string;
}): AskedSpan | { readonly errors: readonly FieldError[] } {
  const read = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text));
  const span = { from: read(query.from ?? query.since), to: read(query.to) };
  const errors = (['from', 'to'] as const).flatMap((field): readonly FieldError[] =>
    Number.isNaN(span[field]) ? [{ field, message: 'is in no calendar', fix: 'send a date like 2026-03-01' }] : [],
  );
  if (query.from !== undefined && query.since !== undefined)
    errors.push({ field: 'since', message: 'is another word for `from`', fix: 'send `from` alone' });
  // What no moment can fit is a slip, and its empty answer would read as an all-clear.
  if (span.from !== undefined && span.to !== undefined && span.from >= span.to)
    errors.push({
      field: 'to',
      message: 'is not after `from`',
      fix: 'send a later time: `to` itself does not count, so for one day the next',
    });
  return errors.length > 0 ? { errors } : span;
}

/** Versions as ETags: whoever edits what they read shows in If-Match what they read (RFC 9110 §13.1.1). */
import type { FastifyRequest } from 'fastify';

/** The version that If-Match names; undefined where the header is absent or `*`. */
export function expectedVersion({ headers }: Pick<FastifyRequest, 'headers'>): number | undefined | 'unreadable' {
  const text = headers['if-match']?.trim();
  if (text === undefined || text === '*') return undefined;
  const digits = /^(?:W\/)?"(\d{1,15})"$/.exec(text)?.[1];
  return digits === undefined ? 'unreadable' : Number(digits);
}

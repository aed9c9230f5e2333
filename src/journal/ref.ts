/** Decision ids: 16 characters that sort by time and can be read out over a telephone (Crockford's base 32 has no i, l, o, u). */
import { randomBytes } from 'node:crypto';
import type { DecisionId } from '../ids.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARS = 9;
const RANDOM_CHARS = 7;

/** A new id for the moment `at` (ms since 1970 UTC): 9 characters of time, 7 of chance (35 bits within one millisecond). */
export function newDecisionId(at: number): DecisionId {
  const chance = randomBytes(RANDOM_CHARS);
  let random = '';
  for (const octet of chance) random += ALPHABET[octet & 31];
  return (timePrefix(at) + random) as DecisionId;
}

/** The id's first characters for a moment: ids of that moment and later sort at or after it. */
export function timePrefix(at: number): string {
  let rest = Math.max(0, Math.floor(at));
  let text = '';
  for (let i = 0; i < TIME_CHARS; i++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** The id in what a person typed or pasted (`ref=…`, upper case, spaces around), or undefined. */
export function parseDecisionId(text: string): DecisionId | undefined {
  const id = text.trim().replace(/^ref=/i, '').toLowerCase();
  return /^[0-9a-hjkmnp-tv-z]{16}$/.test(id) ? (id as DecisionId) : undefined;
}

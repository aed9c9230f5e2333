/** Decision ids: 16 characters that sort by time and can be read out over a telephone (Crockford's base 32 has no i, l, o, u). */
import { randomBytes } from 'node:crypto';
import type { DecisionId } from '../ids.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_CHARS = 9;
const RANDOM_CHARS = 7;

/** Ids that this process gave for the moment it gave the last one for: an id given twice would overwrite a decision. */
const given = { at: Number.NaN, ids: new Set<string>() };

/**
 * A new id for the moment `at` (ms since 1970 UTC): 9 characters of time, 7 of chance (35 bits within one millisecond), drawn again
 * where this process gave it already.
 */
export function newDecisionId(at: number): DecisionId {
  if (at !== given.at) {
    given.at = at;
    given.ids.clear();
  }
  for (;;) {
    const id = timePrefix(at) + chance();
    if (given.ids.has(id)) continue;
    given.ids.add(id);
    return id as DecisionId;
  }
}

function chance(): string {
  let text = '';
  for (const octet of randomBytes(RANDOM_CHARS)) text += ALPHABET[octet & 31];
  return text;
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

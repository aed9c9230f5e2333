/** Scopes as they are written: `global`, `<client>`, `<client>/<campaign>`. */
import { campaignId, clientId, GLOBAL } from '../ids.ts';
import type { Scope } from './standing.ts';

/** The scope in `text`, or undefined where it is none. Whether client and campaign exist is not asked. */
export function parseScope(text: string): Scope | undefined {
  if (text === GLOBAL) return { owner: GLOBAL };
  const [first = '', second, ...more] = text.split('/');
  const owner = clientId(first);
  if (owner === undefined || more.length > 0) return undefined;
  if (second === undefined) return { owner };
  const campaign = campaignId(second);
  return campaign === undefined ? undefined : { owner, campaign };
}

/** The scope as parseScope reads it. */
export function scopeName({ owner, campaign }: Scope): string {
  return campaign === undefined ? owner : `${owner}/${campaign}`;
}

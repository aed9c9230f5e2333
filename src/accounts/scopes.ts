/** Scopes: what an API token may be used for, beside what its account's role allows. */

/** What routes are about; each has a `:read` and a `:write` scope. */
export const RESOURCES = [
  'accounts',
  'audit',
  'campaigns',
  'clients',
  'credentials',
  'decisions',
  'exclusions',
  'explain',
  'exports',
  'global',
  'imports',
  'metrics',
  'policies',
  'replies',
  'screening',
  'session',
  'stats',
  'suppressions',
  'tokens',
  'webhooks',
] as const;

export type Resource = (typeof RESOURCES)[number];
export type Scope = `${Resource}:${'read' | 'write'}`;
/** `*:read` and `*:write` stand for all resources. */
export type Grant = Scope | '*:read' | '*:write';

const VERBS = ['read', 'write'] as const;

export const GRANTS: readonly Grant[] = ['*' as const, ...RESOURCES].flatMap(resource => VERBS.map(verb => `${resource}:${verb}` as Grant));

/** What a token may do whose maker named no scope: all that its account may. */
export const EVERYTHING: readonly Grant[] = ['*:read', '*:write'];

export function isGrant(text: string): text is Grant {
  return (GRANTS as readonly string[]).includes(text);
}

export function grants(granted: readonly Grant[], scope: Scope): boolean {
  return granted.includes(scope) || granted.includes(scope.endsWith(':read') ? '*:read' : '*:write');
}

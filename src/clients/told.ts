/** Settings and their changes as the audit trail tells them. */

/** What is not repeated there: a password may stand in a URL, and addresses are people. */
const UNTOLD: ReadonlySet<string> = new Set(['id', 'upstream', 'forwardTo']);

export function settingsOf(settings: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(settings).filter(([name, value]) => !UNTOLD.has(name) && value !== undefined));
}

/** Which settings changed, with their old and new values where these may be told; `null` where there was or is none. */
export function differences(before: object, after: object): Readonly<Record<string, unknown>> {
  const old: Readonly<Record<string, unknown>> = { ...before };
  const changed = Object.entries(after).filter(([name, value]) => JSON.stringify(old[name]) !== JSON.stringify(value));
  return Object.fromEntries(
    changed.map(([name, to]) => [name, UNTOLD.has(name) ? 'changed' : { from: old[name] ?? null, to: to ?? null }]),
  );
}

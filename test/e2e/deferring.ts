/** What outages are judged by: a gate that defers everybody and says why, and one that works as ever. */
import type { Test } from 'tap';
import { ACME, type Acme, acmeSite, person } from '../support/acme.ts';
import { sendOne } from '../support/platform.ts';
import type { RunningGate } from '../support/site.ts';
import { until } from '../support/until.ts';

const CLEAN = 'clean@there.example';
export const LISTED = 'listed@there.example';

/** A site on whose suppression list one person is. */
export async function withListed(t: Test, settings: Readonly<Record<string, unknown>> = {}): Promise<Acme> {
  const all = await acmeSite(t, settings);
  await all.house(async ({ lists }) => {
    await lists.suppress({ owner: ACME }, person(LISTED), { reason: 'objection', source: 'recipient' });
  });
  return all;
}

export async function defers(t: Test, gate: RunningGate, why: RegExp): Promise<void> {
  for (const to of [CLEAN, LISTED]) t.match(await sendOne(gate.port, to), { stage: 'mail', reply: /^451 4\.3\.0 / }, `${to}: deferred`);
  t.match(gate.log(), why, 'and its log says why');
  t.equal(gate.child.exitCode, null, 'the gate stays');
}

export async function works(t: Test, gate: RunningGate): Promise<void> {
  await until('a clean message passes', async () => (await sendOne(gate.port, CLEAN)).reply.startsWith('250'));
  t.match(await sendOne(gate.port, LISTED), { stage: 'rcpt', reply: /^550 5\.7\.1 / }, 'and a listed person is refused');
}

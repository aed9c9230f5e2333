/** What a doctor says of policies: those that cannot be used, and clients whose policy is none. */
import type { House } from '../app.ts';
import type { Profile } from '../clients/profile.ts';
import type { Finding } from './diagnosis.ts';

export async function policyFindings({ policyBook }: House, clients: readonly Profile[]): Promise<readonly Finding[]> {
  const { policies } = await policyBook.now();
  const states = [...policies.values()];
  const unusable = states.flatMap(({ name, problems }) => problems.map(problem => fail(`nothing passes under ${name}: ${problem}`)));
  const lost = clients
    .filter(({ disabled, policy }) => !disabled && !policies.has(policy))
    .map(({ id, policy }) => fail(`client ${id} can send nothing: its policy ${policy} is none (any more)`));
  if (unusable.length + lost.length > 0) return [...unusable, ...lost];
  const set = states.filter(({ amendments }) => Object.keys(amendments).length > 0).map(({ name }) => name);
  const where = set.length === 0 ? 'all as configured' : `changed since: ${set.join(', ')}`;
  return [{ level: 'ok', about: 'policies', text: `${states.length} policies, ${where}` }];
}

function fail(text: string): Finding {
  return { level: 'fail', about: 'policies', text };
}

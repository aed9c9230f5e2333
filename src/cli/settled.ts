/** What commands were given, as the house knows it; and the house's refusals as command failures. */
import type { House } from '../app.ts';
import { isRefusal, type Refusal } from '../clients/clients.ts';
import type { Profile } from '../clients/profile.ts';
import { clientId } from '../ids.ts';
import { parseScope } from '../lists/scope.ts';
import { REASONS, type Reason, type Scope } from '../lists/standing.ts';
import { type Address, isAddress, parsePerson } from '../mail/address.ts';
import { parseDomain } from '../mail/domain.ts';
import { CommandFailure, usage } from './exit.ts';

/** The value, unless the house says what is wrong with the request. */
export function settled<T extends object>(answer: T | Refusal): T {
  if (!isRefusal(answer)) return answer;
  const text = answer.texts.join('; ');
  throw answer.problem === 'invalid' ? usage(text) : new CommandFailure(text);
}

export async function knownClient(house: House, text: string): Promise<Profile> {
  const id = clientId(text);
  const profile = id === undefined ? undefined : await house.clients.profile(id);
  if (profile === undefined) throw new CommandFailure(`no client '${text}'; postern client list names them`);
  return profile;
}

/** The scope in `text`, whose client and campaign must exist. */
export async function knownScope(house: House, text: string): Promise<Scope> {
  const scope = parseScope(text);
  if (scope === undefined) throw usage(`'${text}' is no scope: use global, <client> or <client>/<campaign>`);
  if (scope.owner === 'global') return scope;
  const profile = await knownClient(house, scope.owner);
  if (scope.campaign !== undefined && !profile.campaigns.has(scope.campaign)) {
    throw new CommandFailure(`client ${scope.owner} has no campaign '${scope.campaign}'; postern campaign list ${scope.owner} names them`);
  }
  return scope;
}

/** @throws CommandFailure (usage) that does not repeat the address */
export function personOf(text: string): Address {
  const address = parsePerson(text);
  if (!isAddress(address)) throw usage(`not an address: ${address.detail}`);
  return address;
}

/** An address, or a domain (also written `@domain` or `*.domain`). */
export function targetOf(text: string): Address | { readonly domain: string } {
  const bare = text.trim().replace(/^(\*\.|\*?@)/, '');
  if (bare.includes('@')) return personOf(text);
  const domain = parseDomain(bare);
  if (domain === undefined) throw usage('neither an address nor a domain name');
  return { domain };
}

export function reasonOf(text: string): Reason {
  const reason = REASONS.find(name => name === text);
  if (reason === undefined) throw usage(`--reason '${text}' is none; use one of ${REASONS.join(', ')}`);
  return reason;
}

/** Sets of people: two spellings of an address are one person. */
import { type Address, basePerson, isAddress, parsePerson } from '../mail/address.ts';
import type { NamedRecipient } from './finding.ts';

export function includes(persons: readonly Address[], person: Address): boolean {
  return persons.some(one => basePerson(one) === basePerson(person));
}

/** Each person once, as first spelled. */
export function unique(persons: readonly Address[]): readonly Address[] {
  const found = new Map<string, Address>();
  for (const person of persons) if (!found.has(basePerson(person))) found.set(basePerson(person), person);
  return [...found.values()];
}

/** Whom a report names, as far as these are addresses. */
export function named(recipients: readonly NamedRecipient[]): readonly Address[] {
  return unique(recipients.map(({ address }) => parsePerson(address)).filter(isAddress));
}

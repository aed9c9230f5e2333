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

/** Whom a report names, as far as these are addresses: who could not be reached, and who was mailed where that is another (RFC 3464 §2.3.1). */
export function named(recipients: readonly NamedRecipient[]): readonly Address[] {
  const texts = recipients.flatMap(({ address, mailed }) => (mailed === undefined ? [address] : [address, mailed]));
  return unique(texts.map(text => parsePerson(text)).filter(isAddress));
}

/** Which domains are refused most: a bounded tally a client, day and run, sealed under the client's key, for a domain may be one person's own. */
import { randomBytes } from 'node:crypto';
import type { ClientId } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Vault } from '../keys/vault.ts';
import type { Address } from '../mail/address.ts';
import type { RecordKey, Store } from '../store/store.ts';
import { hourId, type Span } from './hours.ts';
import type { Owner } from './pseudonyms.ts';

const LOG = 'refused-domains';
/** Domains of a client and day that one run keeps count of. */
const KEPT = 500;
/** A domain is told of only where so many different people of it were refused. */
export const FEWEST_PEOPLE = 5;
/** Between two writes of one tally: it is a hint, and rewritten as a whole. */
const WRITE_MS = 10_000;
const DAY_CHARS = 8;

interface Tally {
  count: number;
  /** How much of the count may have been another domain's, whose place it took. */
  error: number;
  /** Marks of the people refused, until there are enough: two octets of a digest, which tell nobody's name. */
  readonly people: Set<string>;
}

/** As it is sealed. */
type Kept = [domain: string, count: number, error: number, people: string[]][];

interface Day {
  readonly client: ClientId;
  readonly day: string;
  readonly key: RecordKey;
  readonly domains: Map<string, Tally>;
  dirty: boolean;
  writtenAt: number | undefined;
}

export interface RefusedDomain {
  readonly domain: string;
  /** At least so many recipients, each time that one was refused. */
  readonly recipients: number;
}

/** This run's tallies. Space-saving (Metwally et al. 2005): a new domain takes the place and the count of the least, so that frequent ones are never missed. */
export class RefusedDomains {
  readonly #digests: Digests;
  readonly #days = new Map<string, Day>();

  constructor(digests: Digests) {
    this.#digests = digests;
  }

  /** Counts one more refusal at `at` (ms since 1970 UTC). */
  add(client: ClientId, person: Address, at: number): void {
    const day = hourId(at).slice(0, DAY_CHARS);
    const name = `${client} ${day}`;
    let known = this.#days.get(name);
    if (known === undefined) {
      const key = { owner: client, log: LOG, id: `${day}.${randomBytes(6).toString('hex')}` };
      known = { client, day, key, domains: new Map(), dirty: true, writtenAt: undefined };
      this.#days.set(name, known);
    }
    const tally = known.domains.get(person.domain) ?? takePlace(known.domains, person.domain);
    tally.count += 1;
    if (tally.people.size < FEWEST_PEOPLE) tally.people.add(this.#digests.person(person)[0]?.toString('hex', 0, 2) ?? '');
    known.dirty = true;
  }

  /** Writes what changed and was not written lately; with `all` at any rate. A client without a key here leaves none. @throws StoreUnavailable, VaultUnavailable */
  async flush({ store, vault }: { readonly store: Store; readonly vault: Vault }, now: number, all = false): Promise<void> {
    for (const [name, day] of this.#days) {
      const due = all || day.writtenAt === undefined || now < day.writtenAt || now - day.writtenAt >= WRITE_MS;
      if (day.dirty && due) {
        const sealer = await vault.sealer(day.client);
        day.dirty = false;
        day.writtenAt = now;
        const kept: Kept = [...day.domains].map(([domain, { count, error, people }]) => [domain, count, error, [...people]]);
        try {
          if (sealer !== undefined) await store.apply([{ key: day.key, value: sealer.seal(JSON.stringify(kept), aad(day.key)) }]);
        } catch (error) {
          day.dirty = true;
          throw error;
        }
      }
      if (!day.dirty && day.day < hourId(now).slice(0, DAY_CHARS)) this.#days.delete(name);
    }
  }
}

/** The domains of these owners that were refused most within the days of the span, most first. @throws StoreUnavailable, VaultUnavailable */
export async function readRefusedDomains(
  { store, vault }: { readonly store: Store; readonly vault: Vault },
  owners: readonly Owner[],
  { from = 0, to }: Span,
  most: number,
): Promise<readonly RefusedDomain[]> {
  const sums = new Map<string, { recipients: number; people: Set<string> }>();
  const end = to === undefined ? {} : { to: `${hourId(Math.max(0, to - 1)).slice(0, DAY_CHARS)}~` };
  for (const owner of owners) {
    const sealer = await vault.sealer(owner);
    if (sealer === undefined) continue;
    for await (const [key, value] of store.scan({ owner, log: LOG, from: hourId(from).slice(0, DAY_CHARS), ...end })) {
      const plain = sealer.open(value, aad(key as RecordKey));
      if (plain === undefined) continue;
      for (const [domain, count, error, people] of JSON.parse(plain.toString()) as Kept) {
        const sum = sums.get(domain) ?? { recipients: 0, people: new Set<string>() };
        sums.set(domain, sum);
        sum.recipients += count - error;
        for (const one of people) sum.people.add(one);
      }
    }
  }
  return [...sums]
    .filter(([, { people, recipients }]) => Math.min(people.size, recipients) >= FEWEST_PEOPLE)
    .map(([domain, { recipients }]) => ({ domain, recipients }))
    .sort((a, b) => b.recipients - a.recipients || (a.domain < b.domain ? -1 : 1))
    .slice(0, most);
}

function takePlace(domains: Map<string, Tally>, domain: string): Tally {
  const tally: Tally = { count: 0, error: 0, people: new Set() };
  if (domains.size >= KEPT) {
    let least: [string, Tally] | undefined;
    for (const one of domains) if (least === undefined || one[1].count < least[1].count) least = one;
    if (least !== undefined) {
      domains.delete(least[0]);
      tally.count = least[1].count;
      tally.error = least[1].count;
    }
  }
  domains.set(domain, tally);
  return tally;
}

function aad({ owner, log, id }: RecordKey): string {
  return `${owner}/${log}/${id}`;
}

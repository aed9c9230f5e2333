/** Which domains are refused most: a bounded tally a client and day, sealed under the client's key, for a domain may be one person's own. */
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { ClientId } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Sealer } from '../keys/seal.ts';
import type { Vault } from '../keys/vault.ts';
import type { Address } from '../mail/address.ts';
import type { RecordKey, Store, Value } from '../store/store.ts';
import { hourId, readMoving, type Span } from './hours.ts';
import type { Owner } from './pseudonyms.ts';

/** A run's own tallies, as long as it may write them. */
const LOG = 'refused-domains';
/** `<day>`: what was a run's. */
const DAYS = 'refused-domains-days';
/** Domains of a client and day that one run, and all of them together, keep count of. */
const KEPT = 500;
/** A domain is told of only where so many different people of it were refused. */
export const FEWEST_PEOPLE = 5;
/** Between two writes of one tally: it is a hint, and rewritten as a whole. */
const WRITE_MS = 10_000;
const DAY_CHARS = 8;
const DAY_MS = 86_400_000;
/** Each that fails means that another run has just moved its tally into the same day. */
const ATTEMPTS = 5;

interface Tally {
  count: number;
  /** How much of the count may have been another domain's, whose place it took. */
  error: number;
  /** Marks of the people refused, until there are enough: two octets of a digest, which tell nobody's name. */
  readonly people: Set<string>;
}

type Tallies = Map<string, Tally>;

/** As it is sealed; `true`: people enough. */
type Kept = [domain: string, count: number, error: number, people: string[] | true][];

interface Day {
  readonly client: ClientId;
  readonly day: string;
  readonly key: RecordKey;
  readonly domains: Tallies;
  dirty: boolean;
  writtenAt: number | undefined;
}

export interface RefusedDomain {
  readonly domain: string;
  /** At least so many recipients, each time that one was refused. */
  readonly recipients: number;
}

interface Parts {
  readonly store: Store;
  readonly vault: Vault;
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
    const day = dayId(at);
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

  /**
   * Writes what changed and was not written lately, and moves what is over into its day; with `all` everything at once, for nothing more
   * will be counted. A client without a key here leaves none. @throws StoreUnavailable, VaultUnavailable
   */
  async flush(parts: Parts, now: number, all = false): Promise<void> {
    for (const [name, day] of this.#days) {
      const due = all || day.writtenAt === undefined || now < day.writtenAt || now - day.writtenAt >= WRITE_MS;
      // A day later whoever tidies up may have moved what is there: a hint had better be lost than counted twice.
      if (day.day < dayId(now - DAY_MS)) this.#days.delete(name);
      else if (day.dirty && due) await write(parts, day, now);
      if (day.dirty || !(all || day.day < dayId(now))) continue;
      if (await moveTallies(parts, [day.key])) this.#days.delete(name);
    }
  }
}

/** Moves tallies of runs that were ended before they did it themselves, a day after they would have given up. @throws StoreUnavailable, VaultUnavailable */
export async function moveOldTallies(parts: Parts, owner: Owner, now: number): Promise<void> {
  const days = new Map<string, RecordKey[]>();
  for await (const [key] of parts.store.scan({ owner, log: LOG, to: dayId(now - 2 * DAY_MS) })) {
    const record = key as RecordKey;
    const day = record.id.slice(0, DAY_CHARS);
    days.set(day, [...(days.get(day) ?? []), record]);
  }
  for (const keys of days.values()) await moveTallies(parts, keys);
}

/** The domains of these owners that were refused most within the days of the span, most first. @throws StoreUnavailable, VaultUnavailable */
export async function readRefusedDomains(
  { store, vault }: Parts,
  owners: readonly Owner[],
  { from = 0, to }: Span,
  most: number,
): Promise<readonly RefusedDomain[]> {
  const sums: Tallies = new Map();
  const days = { from: dayId(from), ...(to === undefined ? {} : { to: `${dayId(Math.max(0, to - 1))}~` }) };
  for (const owner of owners) {
    const sealer = await vault.sealer(owner);
    if (sealer === undefined) continue;
    const { running, finished } = await readMoving(store, { owner, log: LOG, ...days }, { owner, log: DAYS, ...days });
    for (const [key, value] of [...finished, ...running]) {
      addTo(sums, opened(sealer, key, value));
      // Some hundred domains each, a millisecond: mail has its turn between them.
      await turn();
    }
  }
  return [...sums]
    .map(([domain, { count, error, people }]) => ({ domain, recipients: count - error, people: people.size }))
    .filter(({ recipients, people }) => Math.min(people, recipients) >= FEWEST_PEOPLE)
    .sort((a, b) => b.recipients - a.recipients || (a.domain < b.domain ? -1 : 1))
    .slice(0, most)
    .map(({ domain, recipients }) => ({ domain, recipients }));
}

async function write({ store, vault }: Parts, day: Day, now: number): Promise<void> {
  const sealer = await vault.sealer(day.client);
  day.dirty = false;
  day.writtenAt = now;
  if (sealer === undefined) return;
  try {
    await store.apply([{ key: day.key, value: sealed(sealer, day.key, day.domains) }]);
  } catch (error) {
    day.dirty = true;
    throw error;
  }
}

/** Moves tallies of one day, which nobody writes any more, into the day's, all or none. False: others keep changing it; try later. */
async function moveTallies({ store, vault }: Parts, keys: readonly RecordKey[]): Promise<boolean> {
  const [first] = keys;
  const sealer = first === undefined ? undefined : await vault.sealer(first.owner);
  if (first === undefined || sealer === undefined) return true;
  const day: RecordKey = { owner: first.owner, log: DAYS, id: first.id.slice(0, DAY_CHARS) };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [held, ...values] = await store.find([day, ...keys]);
    const there = keys.flatMap((key, i) => (values[i] === undefined ? [] : [{ key, value: values[i] as Value }]));
    if (there.length === 0) return true;
    const sums: Tallies = new Map();
    if (held !== undefined) addTo(sums, opened(sealer, day, held));
    for (const { key, value } of there) addTo(sums, opened(sealer, key, value));
    const changes = [{ key: day, value: sealed(sealer, day, sums) }, ...there.map(({ key }) => ({ key, value: undefined }))];
    if (await store.apply(changes, [{ key: day, value: held }, ...there])) return true;
  }
  return false;
}

function addTo(sums: Tallies, kept: Kept): void {
  for (const [domain, count, error, people] of kept) {
    const sum = sums.get(domain) ?? { count: 0, error: 0, people: new Set() };
    sums.set(domain, sum);
    sum.count += count;
    sum.error += error;
    if (sum.people.size >= FEWEST_PEOPLE) continue;
    // Whose marks are not kept any more are as many as it takes.
    if (people === true) for (let n = 0; n < FEWEST_PEOPLE; n++) sum.people.add(String(n));
    else for (const one of people) sum.people.add(one);
  }
}

/** Those with most refusals for sure. */
function sealed(sealer: Sealer, key: RecordKey, tallies: Tallies): Value {
  const kept: Kept = [...tallies]
    .sort(([, a], [, b]) => b.count - b.error - (a.count - a.error))
    .slice(0, KEPT)
    .map(([domain, { count, error, people }]) => [domain, count, error, people.size >= FEWEST_PEOPLE ? true : [...people]]);
  return sealer.seal(JSON.stringify(kept), aad(key));
}

function opened(sealer: Sealer, key: RecordKey, value: Value): Kept {
  const plain = sealer.open(value, aad(key));
  return plain === undefined ? [] : (JSON.parse(plain.toString()) as Kept);
}

function takePlace(domains: Tallies, domain: string): Tally {
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

function dayId(at: number): string {
  return hourId(Math.max(0, at)).slice(0, DAY_CHARS);
}

function aad({ owner, log, id }: RecordKey): string {
  return `${owner}/${log}/${id}`;
}

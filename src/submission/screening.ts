/** Screening: a list of people held against the same checks as their mail would be, before a campaign; nothing is recorded or counted. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Profile } from '../clients/profile.ts';
import type { CampaignId } from '../ids.ts';
import type { PersonRow } from '../lists/people.ts';
import { type Address, basePerson } from '../mail/address.ts';
import type { Submission } from '../policy/check.ts';
import { type Policy, UNAVAILABLE } from '../policy/policy.ts';
import { StoreUnavailable } from '../store/store.ts';

export interface Screening {
  readonly profile: Profile;
  readonly policy: Policy;
  /** Undefined: as mail that names no campaign, held to all of the client's. */
  readonly campaign: CampaignId | undefined;
  readonly people: AsyncIterable<readonly PersonRow[]>;
  /** Why the lists hold somebody, as whoever asked may know it. */
  readonly reasons: (address: Address, campaigns: readonly CampaignId[]) => Promise<readonly string[]>;
  /** More rows than these are not screened in one go. */
  readonly most: number;
  /** Told each row's verdict: `ok`, `invalid`, `duplicate`, or the token that a reply would name. */
  readonly row?: (line: number, verdict: string) => void;
}

export interface ScreeningReport {
  /** Rows with something in them. */
  readonly rows: number;
  readonly ok: number;
  /** Those whose first objection has this token. */
  readonly tokens: Readonly<Record<string, number>>;
  /** Objections of each check; a person may be refused by several. */
  readonly checks: Readonly<Record<string, number>>;
  /** Objections of checks that only observe. */
  readonly observed: Readonly<Record<string, number>>;
  /** Why those are listed who are on an exclusion or suppression list; one may be listed for several reasons. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly invalid: number;
  /** Further rows of somebody who stood in a row before. */
  readonly duplicates: number;
  /** The first MAX_ERRORS of the invalid ones. */
  readonly errors: readonly { readonly line: number; readonly problem: string }[];
}

export const MAX_ERRORS = 1_000;
/** People asked about at once. */
const AT_ONCE = 64;
const LISTS: ReadonlySet<string> = new Set(['exclusion', 'suppression']);

/** `too-many`: the list has more rows than allowed. @throws StoreUnavailable where a check gives no answer: a list half screened clears nobody */
export async function screen(screening: Screening): Promise<ScreeningReport | 'too-many'> {
  const { people, most, row } = screening;
  const tokens = new Tally();
  const checks = new Tally();
  const observed = new Tally();
  const reasons = new Tally();
  const counts = { rows: 0, ok: 0, invalid: 0, duplicates: 0 };
  const errors: { line: number; problem: string }[] = [];
  const seen = new Set<string>();
  const submission = submissionOf(screening);
  const judge = async (line: number, person: Address): Promise<void> => {
    const ruling = await screening.policy.askRcpt(person, submission);
    if (ruling.all.some(({ token }) => token === UNAVAILABLE))
      throw new StoreUnavailable('A check gave no answer while a list was screened');
    for (const { check, mode } of ruling.all) (mode === 'enforce' ? checks : observed).add(check);
    if (ruling.all.some(({ check }) => LISTS.has(check)))
      for (const reason of await screening.reasons(person, submission.campaigns)) reasons.add(reason);
    if (ruling.objection === undefined) counts.ok += 1;
    else tokens.add(ruling.objection.token);
    row?.(line, ruling.objection?.token ?? 'ok');
  };
  for await (const batch of people) {
    let asked: Promise<void>[] = [];
    for (const { line, person } of batch) {
      counts.rows += 1;
      if (counts.rows > most) {
        await Promise.all(asked);
        return 'too-many';
      }
      if ('problem' in person) {
        counts.invalid += 1;
        if (errors.length < MAX_ERRORS) errors.push({ line, problem: person.problem });
        row?.(line, 'invalid');
        continue;
      }
      const known = seen.size;
      if (seen.add(basePerson(person)).size === known) {
        counts.duplicates += 1;
        row?.(line, 'duplicate');
        continue;
      }
      asked.push(judge(line, person));
      if (asked.length < AT_ONCE) continue;
      await Promise.all(asked);
      asked = [];
      // The embedded store answers at once: without a turn for others, mail would wait for the whole chunk.
      await turn();
    }
    await Promise.all(asked);
  }
  return { ...counts, tokens: tokens.counted, checks: checks.counted, observed: observed.counted, reasons: reasons.counted, errors };
}

function submissionOf({ profile, policy, campaign }: Screening): Submission {
  return {
    id: 'screening',
    envelope: { reversePath: null, recipients: [], utf8: true, body: '8bitmime' },
    client: profile.id,
    credential: undefined,
    profile,
    campaigns: campaign === undefined ? [...profile.campaigns.keys()] : [campaign],
    campaignNamed: campaign !== undefined,
    policy: policy.name,
  };
}

class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  get counted(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}

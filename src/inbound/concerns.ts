/** Whom a message concerns: for each client whose mail it is about, what it amounts to there and who is to be listed. */
import { type CampaignId, type ClientId, GLOBAL } from '../ids.ts';
import type { Owner } from '../journal/pseudonyms.ts';
import type { Address } from '../mail/address.ts';
import { certainCampaign, type Match, mailedBeside, onlyRecipient, sentTo } from './correlate.ts';
import type { Finding, Role } from './finding.ts';
import { type Case, isUnrelated, OUTCOMES, type Outcome, outcomeOf } from './outcome.ts';
import { includes, named, unique } from './persons.ts';

/** What follows for one owner of lists. */
export interface Concern {
  readonly owner: Owner;
  /** Where it is certain. */
  readonly campaign: CampaignId | undefined;
  readonly outcome: Outcome;
  /** Who is to be listed. */
  readonly listed: readonly Address[];
  /** Who is counted, and listed once it is too often. */
  readonly failing: readonly Address[];
  /** Whom it is about, beside those who wrote it. */
  readonly others: readonly Address[];
}

/** At least one: what concerns nobody whom we know is global's. */
export function concernsOf(finding: Finding, match: Match, writers: readonly Address[], role: Role | undefined): readonly Concern[] {
  if (isUnrelated(finding.kind, match.by, role)) return logged(match, 'unrelated', []);
  if (finding.kind === 'complaint' || (finding.kind === 'bounce' && finding.ours !== true)) return ofReport(finding, match);
  if (finding.left === true) return ofLeft(match, writers);
  const kind = finding.kind === 'bounce' ? 'unknown' : finding.kind;
  const outcome = outcomeOf(kind, role, match.clients.length > 0);
  if (match.clients.length === 0) {
    return [concern(GLOBAL, match, writers.length === 0 && outcome.listing !== undefined ? OUTCOMES.unproven : outcome, writers, [])];
  }
  return match.clients.map(client => {
    const mailed = mailedBeside(match, client, writers);
    const people = [...writers, ...mailed];
    // Somebody objected, and nothing says who: a person has to find out.
    return concern(client, match, people.length === 0 && outcome.listing !== undefined ? OUTCOMES.unproven : outcome, people, mailed);
  });
}

/** Only whom the client mailed; what proves nothing of anybody is for a person to look at. */
function ofReport(finding: Finding, match: Match): readonly Concern[] {
  const persons = named(finding.recipients);
  // A delay names nobody; a complaint may have had everybody's name removed.
  if (finding.kind === 'bounce' && persons.length === 0) return logged(match, 'delayed', []);
  const proven = match.clients.flatMap(client => provenOf(finding, persons, match, client));
  return proven.length > 0 ? proven : logged(match, 'unproven', persons);
}

function provenOf(finding: Finding, persons: readonly Address[], match: Match, client: ClientId): readonly Concern[] {
  const mailed = sentTo(match, client, persons);
  // The mailbox that it was forwarded to, or nobody: our token still says to whom we sent it.
  const only = mailed.length === 0 ? onlyRecipient(match, client) : undefined;
  const proven = only === undefined ? mailed : [only];
  if (proven.length === 0) return [];
  if (finding.kind === 'complaint') return [concern(client, match, OUTCOMES.complaint, proven, proven)];
  const dead = named(finding.recipients.filter(({ permanent }) => permanent));
  const allDead = finding.recipients.every(({ permanent }) => permanent);
  const failed = proven.filter(person => (only === undefined ? includes(dead, person) : allDead));
  const failing = proven.filter(person => !includes(failed, person));
  return [{ ...concern(client, match, OUTCOMES.failed, failed, proven), failing }];
}

/** Whoever left is the one whom we mailed, who may not be the one who says so. */
function ofLeft(match: Match, writers: readonly Address[]): readonly Concern[] {
  const found = match.clients.flatMap(client => {
    const wrote = sentTo(match, client, writers);
    const mailed = unique(match.sends.flatMap(send => (send.client === client ? send.recipients : [])));
    const left = wrote.length > 0 || mailed.length > 1 ? wrote : mailed;
    return left.length === 0 ? [] : [concern(client, match, OUTCOMES.failed, left, left)];
  });
  return found.length > 0 ? found : logged(match, 'unproven', []);
}

function logged(match: Match, kind: Case, others: readonly Address[]): readonly Concern[] {
  const owners: readonly Owner[] = match.clients.length === 0 ? [GLOBAL] : match.clients;
  return owners.map(owner => concern(owner, match, OUTCOMES[kind], [], others));
}

function concern(owner: Owner, match: Match, outcome: Outcome, people: readonly Address[], others: readonly Address[]): Concern {
  const listed = outcome.listing === undefined ? [] : unique(people);
  return { owner, campaign: certainCampaign(match), outcome, listed, failing: [], others };
}

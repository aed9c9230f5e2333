/** Statistics: recipients counted, summed by whatever is asked for, from counters that are kept and not from records (A16). */
import { setImmediate as turn } from 'node:timers/promises';
import type { CampaignId } from '../ids.ts';
import type { Store } from '../store/store.ts';
import { COUNTERS } from './counters.ts';
import type { Outcome } from './decision.ts';
import { type Labels, labelsOf } from './decision-index.ts';
import { readHours, type Span } from './hours.ts';
import type { Owner } from './pseudonyms.ts';

/** What counts are told apart by. Hours and days begin in UTC. */
export const GROUPS = ['client', 'campaign', 'outcome', 'check', 'token', 'hour', 'day'] as const;
export type Group = (typeof GROUPS)[number];
/** Where nobody says: everything but time. */
export const USUAL_GROUPS: readonly Group[] = ['client', 'campaign', 'outcome', 'check', 'token'];

export interface CountQuery extends Span {
  /** `global`: what came back and is no client's. */
  readonly owners: readonly Owner[];
  readonly campaign?: CampaignId | undefined;
  /** What is not named here is summed up, and is not in the rows. */
  readonly groupBy: readonly Group[];
  /** Most rows. */
  readonly most?: number | undefined;
}

/** How many recipients have these in common. */
export interface CountRow {
  readonly client?: Owner;
  readonly campaign?: CampaignId | undefined;
  readonly outcome?: Outcome;
  readonly check?: string;
  readonly token?: string;
  /** Start of the hour or day, ms since 1970 UTC. */
  readonly hour?: number;
  readonly day?: number;
  readonly count: number;
}

/** What became of recipients. An `observed` one was relayed or refused as well. */
export const OUTCOMES = ['relayed', 'rejected', 'deferred', 'observed', 'unknown'] as const satisfies readonly Outcome[];
export type OutcomeCounts = Readonly<Record<(typeof OUTCOMES)[number], number>>;

/** A row grouped by outcome has a count, any other one a count of each outcome. */
export type StatsRow = Omit<CountRow, 'count'> & (Pick<CountRow, 'count'> | OutcomeCounts);

export interface Stats {
  readonly totals: OutcomeCounts;
  /** By time, then by client, most first. */
  readonly rows: readonly StatsRow[];
  /** There would be more rows than the most; of those that are there none is complete. */
  readonly cut: boolean;
  /** Messages that came back, by what they were taken for. */
  readonly received: Readonly<Record<string, number>>;
}

/** What counts of one group have in common, and what they add up to by hour or day. */
interface Sums {
  readonly fields: Omit<CountRow, 'count'>;
  readonly name: string;
  readonly times: Map<number, Sum>;
}

interface Sum {
  readonly time: number;
  readonly sums: Sums;
  total: number;
  /** In the order of OUTCOMES. */
  readonly outcomes: number[];
}

/** A label of one owner's counters. */
interface Known {
  readonly labels: Labels;
  /** Undefined: it is in no row. */
  readonly sums: Sums | undefined;
  readonly outcome: number;
  total: number;
}

const DAY_MS = 86_400_000;
/** Rows made at a stretch. */
const STRETCH = 500;

/** The statistics of these owners. @throws StoreUnavailable */
export async function readStats(store: Store, { owners, campaign, groupBy, most = Infinity, ...span }: CountQuery): Promise<Stats> {
  const by = new Set(groupBy);
  const timeOf = by.has('hour') ? (hour: number) => hour : by.has('day') ? dayOf : () => 0;
  const groups = new Map<string, Sums>();
  const rows: Sum[] = [];
  let cut = false;
  const totals = { ...NONE };
  const received: Record<string, number> = {};
  for (const owner of owners) {
    /** What an hour of a label adds must cost next to nothing: a month has a hundred thousand. */
    const labels = new Map<string, Known | undefined>();
    await readHours(store, owner, COUNTERS, span, (hour, label, n) => {
      let known = labels.get(label);
      if (known === undefined) {
        if (labels.has(label)) return;
        known = knownOf(label, owner, campaign, by, groups);
        labels.set(label, known);
        if (known === undefined) return;
      }
      known.total += n;
      if (known.sums === undefined) return;
      const time = timeOf(hour);
      let sum = known.sums.times.get(time);
      if (sum === undefined) {
        cut ||= rows.length >= most;
        if (cut) return;
        sum = { time, sums: known.sums, total: 0, outcomes: OUTCOMES.map(() => 0) };
        known.sums.times.set(time, sum);
        rows.push(sum);
      }
      sum.total += n;
      sum.outcomes[known.outcome] = (sum.outcomes[known.outcome] as number) + n;
    });
    for (const known of labels.values()) {
      if (known === undefined) continue;
      const { outcome, token } = known.labels;
      if (isOutcome(outcome)) totals[outcome] += known.total;
      if (outcome === 'received') received[token] = (received[token] ?? 0) + known.total;
    }
  }
  rows.sort(
    (a, b) =>
      a.time - b.time ||
      inOrder(a.sums.fields.client ?? '', b.sums.fields.client ?? '') ||
      b.total - a.total ||
      inOrder(a.sums.name, b.sums.name),
  );
  return { totals, received, cut, rows: await inTurns(rows, some => some.map(sum => rowOf(sum, by))) };
}

/** What `make` makes of all, a few ms' worth at a stretch: mail has its turn between them. */
export async function inTurns<A, B>(all: readonly A[], make: (some: readonly A[]) => readonly B[]): Promise<readonly B[]> {
  const made: B[] = [];
  for (let at = 0; at < all.length; at += STRETCH) {
    if (at > 0) await turn();
    for (const one of make(all.slice(at, at + STRETCH))) made.push(one);
  }
  return made;
}

function rowOf({ sums, time, total, outcomes }: Sum, by: ReadonlySet<Group>): StatsRow {
  const row: { -readonly [Key in keyof CountRow]?: CountRow[Key] } & { -readonly [Key in keyof OutcomeCounts]?: number } = {
    ...sums.fields,
  };
  if (by.has('hour')) row.hour = time;
  if (by.has('day')) row.day = dayOf(time);
  // The sum over outcomes means nothing: who is observed is counted a second time.
  if (by.has('outcome')) row.count = total;
  else for (const [i, outcome] of OUTCOMES.entries()) row[outcome] = outcomes[i] as number;
  return row as StatsRow;
}

const NONE: Record<(typeof OUTCOMES)[number], number> = { relayed: 0, rejected: 0, deferred: 0, observed: 0, unknown: 0 };

/** Undefined where the label is of another campaign than the one that is asked for. */
function knownOf(
  label: string,
  client: Owner,
  campaign: CampaignId | undefined,
  by: ReadonlySet<Group>,
  groups: Map<string, Sums>,
): Known | undefined {
  const labels = labelsOf(label);
  if (campaign !== undefined && labels.campaign !== campaign) return undefined;
  if (!isOutcome(labels.outcome)) return { labels, sums: undefined, outcome: 0, total: 0 };
  const all: Omit<CountRow, 'count'> = { client, ...labels };
  const fields = Object.fromEntries(GROUPS.filter(group => by.has(group) && group in all).map(group => [group, all[group]]));
  const name = JSON.stringify(Object.values(fields));
  const sums = groups.get(name) ?? { fields, name, times: new Map() };
  groups.set(name, sums);
  return { labels, sums, outcome: OUTCOMES.indexOf(labels.outcome), total: 0 };
}

function isOutcome(outcome: Outcome): outcome is (typeof OUTCOMES)[number] {
  return OUTCOMES.some(known => known === outcome);
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function dayOf(at: number): number {
  return at - (at % DAY_MS);
}

/** Statistics: recipients counted, summed by whatever is asked for, from counters that are kept and not from records (A16). */
import type { CampaignId } from '../ids.ts';
import type { Store } from '../store/store.ts';
import { COUNTERS } from './counters.ts';
import type { Outcome } from './decision.ts';
import { labelsOf } from './decision-index.ts';
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
}

/** How many recipients (of outcome `received`: messages) have these in common. */
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
  readonly rows: readonly StatsRow[];
  /** Messages that came back, by what they were taken for. */
  readonly received: Readonly<Record<string, number>>;
}

type Row = { -readonly [Key in keyof CountRow]: CountRow[Key] };

const DAY_MS = 86_400_000;

/** The counts of these owners, by time, then by client, most first. @throws StoreUnavailable */
export async function readCounts(store: Store, query: CountQuery): Promise<readonly CountRow[]> {
  const by = new Set(query.groupBy);
  return count(store, query, () => by);
}

/** `groupsOf`: what labels of an outcome are told apart by; of time all by the same. */
async function count(
  store: Store,
  { owners, campaign, groupBy, ...span }: CountQuery,
  groupsOf: (outcome: Outcome) => ReadonlySet<Group>,
): Promise<readonly CountRow[]> {
  const by = new Set(groupBy);
  const rows = new Map<string, Row>();
  const timeOf = (hour: number): number => (by.has('hour') ? hour : by.has('day') ? dayOf(hour) : 0);
  for (const owner of owners) {
    /** What an hour of a label adds must cost next to nothing: a month has a hundred thousand. */
    const known = new Map<string, Known | undefined>();
    await readHours(store, owner, COUNTERS, span, (hour, label, n) => {
      if (!known.has(label)) known.set(label, knownOf(label, owner, campaign, groupsOf));
      const of = known.get(label);
      if (of === undefined) return;
      const time = timeOf(hour);
      let row = of.rows.get(time);
      if (row === undefined) {
        const name = `${time} ${of.name}`;
        row = rows.get(name) ?? {
          ...of.fields,
          ...(by.has('hour') ? { hour } : {}),
          ...(by.has('day') ? { day: dayOf(hour) } : {}),
          count: 0,
        };
        rows.set(name, row);
        of.rows.set(time, row);
      }
      row.count += n;
    });
  }
  return [...rows.values()].sort(
    (a, b) => timeIn(a) - timeIn(b) || inOrder(a.client ?? '', b.client ?? '') || b.count - a.count || inOrder(nameOf(a), nameOf(b)),
  );
}

interface Known {
  /** All of its rows have these. */
  readonly fields: Omit<Row, 'count'>;
  readonly name: string;
  /** By time. */
  readonly rows: Map<number, Row>;
}

/** Undefined where the label is of another campaign than the one that is asked for. */
function knownOf(
  label: string,
  client: Owner,
  campaign: CampaignId | undefined,
  groupsOf: (outcome: Outcome) => ReadonlySet<Group>,
): Known | undefined {
  const labels = labelsOf(label);
  if (campaign !== undefined && labels.campaign !== campaign) return undefined;
  const fields = fieldsOf({ client, ...labels }, groupsOf(labels.outcome));
  return { fields, name: JSON.stringify(Object.values(fields)), rows: new Map() };
}

/** The statistics of these owners. @throws StoreUnavailable */
export async function readStats(store: Store, query: CountQuery): Promise<Stats> {
  const by = new Set(query.groupBy);
  const outcomes = new Set<Group>([...by, 'outcome']);
  const kinds = new Set<Group>([...outcomes, 'token']);
  const counts = await count(store, query, outcome => (outcome === 'received' ? kinds : outcomes));
  const totals = { ...NONE };
  const received: Record<string, number> = {};
  const rows = new Map<string, Row & Partial<Record<Outcome, number>>>();
  for (const counted of counts) {
    const { outcome, token = '', count: n } = counted;
    if (outcome === 'received') received[token] = (received[token] ?? 0) + n;
    if (!isOutcome(outcome)) continue;
    totals[outcome] += n;
    const fields = fieldsOf(counted, by);
    const name = JSON.stringify(Object.values(fields));
    const row = rows.get(name) ?? { ...fields, ...(by.has('outcome') ? {} : NONE), count: 0 };
    rows.set(name, row);
    row.count += n;
    if (!by.has('outcome')) row[outcome] = (row[outcome] ?? 0) + n;
  }
  // The sum over outcomes means nothing: who is observed is counted a second time.
  const ofAll = ({ count: _, ...row }: Row): StatsRow => row as StatsRow;
  return { totals, received, rows: by.has('outcome') ? [...rows.values()] : [...rows.values()].map(ofAll) };
}

const NONE: Record<(typeof OUTCOMES)[number], number> = { relayed: 0, rejected: 0, deferred: 0, observed: 0, unknown: 0 };

function isOutcome(outcome: Outcome | undefined): outcome is (typeof OUTCOMES)[number] {
  return OUTCOMES.some(known => known === outcome);
}

/** The groups asked for that the row has. */
function fieldsOf(row: Omit<CountRow, 'count'>, by: ReadonlySet<Group>): Omit<Row, 'count'> {
  return Object.fromEntries(GROUPS.filter(group => by.has(group) && group in row).map(group => [group, row[group]]));
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function timeIn({ hour, day }: CountRow): number {
  return hour ?? day ?? 0;
}

function nameOf({ campaign, outcome, check, token }: CountRow): string {
  return JSON.stringify([campaign, outcome, check, token]);
}

function dayOf(at: number): number {
  return at - (at % DAY_MS);
}

/** `postern stats`: recipients relayed, rejected, deferred, by client, campaign, check and token; what came back, and how fast it is enforced. */
import type { Command } from 'commander';
import type { House } from '../app.ts';
import { clientId, GLOBAL } from '../ids.ts';
import { type Count, readCounts } from '../journal/counters.ts';
import type { Owner } from '../journal/pseudonyms.ts';
import { asJson, asLines, whatCameBack } from './came-back.ts';
import { type Common, command, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { isoTime, printJson, printLine, printTable } from './output.ts';
import { knownScope } from './settled.ts';
import { SINCE, sinceOf } from './since.ts';

interface StatsOptions extends Common {
  readonly client?: string;
  readonly campaign?: string;
  readonly since?: string;
}

export interface StatsRow extends Omit<Count, 'hour'> {}

export function addStatsCommand(program: Command): void {
  command(program, 'stats', 'count recipients by outcome, check and token, and what came back by kind')
    .option('--client <id>', 'of this client only')
    .option('--campaign <id>', 'of this campaign only (with --client)')
    .option('--since <time>', `from the hour of this time on: ${SINCE}`)
    .action(stats);
}

async function stats(options: StatsOptions): Promise<void> {
  if (options.campaign !== undefined && options.client === undefined) throw usage('--campaign needs --client');
  await withHouse(options, async house => {
    if (options.client !== undefined && options.campaign !== undefined) await knownScope(house, `${options.client}/${options.campaign}`);
    const since = options.since === undefined ? 0 : sinceOf(options.since, house.clock.now());
    const owners = await ownersOf(house, options.client);
    const counted = (await sumCounts(house, owners, since)).filter(
      ({ campaign }) => options.campaign === undefined || campaign === options.campaign,
    );
    const rows = counted.filter(({ outcome }) => outcome !== 'received');
    const kinds = kindsOf(counted.filter(({ outcome }) => outcome === 'received'));
    const totals = totalsOf(rows);
    const back = await whatCameBack(house, owners, since);
    if (options.json === true)
      return printJson({ ...(since > 0 ? { since: isoTime(since) } : {}), totals, rows, inbound: { kinds, ...asJson(back) } });
    if (rows.length === 0) printLine('nothing counted yet');
    else {
      printStats(rows);
      printLine(sumOf(totals));
    }
    if (Object.keys(kinds).length > 0) printLine(`\ncame back: ${sumOf(kinds)}`);
    for (const line of asLines(back, house.clock.now())) printLine(line);
  });
}

/** Whose counts are asked for; what is no known client's is global's. */
async function ownersOf(house: Pick<House, 'clients'>, client: string | undefined): Promise<readonly Owner[]> {
  const known = (await house.clients.list()).map(({ id }) => id);
  const wanted: readonly Owner[] = client === undefined ? [...known, GLOBAL] : known.filter(id => id === clientId(client));
  if (wanted.length === 0) throw new CommandFailure(`no client '${client}'; postern client list names them`);
  return wanted;
}

/** The counts of these owners, summed over the hours from `since` on; most first within an owner. */
export async function sumCounts(house: Pick<House, 'store'>, owners: readonly Owner[], since: number): Promise<StatsRow[]> {
  const sums = new Map<string, StatsRow>();
  for (const id of owners) {
    for await (const { hour: _, ...row } of readCounts(house.store, id, since)) {
      const name = JSON.stringify([row.client, row.campaign, row.outcome, row.check, row.token]);
      sums.set(name, { ...row, count: row.count + (sums.get(name)?.count ?? 0) });
    }
  }
  return [...sums.values()].sort((a, b) => a.client.localeCompare(b.client) || b.count - a.count);
}

export function printStats(rows: readonly StatsRow[]): void {
  printTable(
    ['client', 'campaign', 'outcome', 'check', 'token', 'recipients'],
    rows.map(row => [row.client, row.campaign ?? '', row.outcome, row.check, row.token, row.count]),
  );
}

/** How many messages came back, by what they were taken for. */
function kindsOf(rows: readonly StatsRow[]): Readonly<Record<string, number>> {
  const kinds: Record<string, number> = {};
  for (const { token, count } of rows) kinds[token] = (kinds[token] ?? 0) + count;
  return kinds;
}

function sumOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

function totalsOf(rows: readonly StatsRow[]): Readonly<Record<string, number>> {
  const totals: Record<string, number> = { relayed: 0, rejected: 0, deferred: 0, observed: 0, unknown: 0 };
  for (const { outcome, count } of rows) totals[outcome] = (totals[outcome] ?? 0) + count;
  return totals;
}

/** `postern stats`: recipients relayed, rejected, deferred, by client, campaign, check and token. */
import type { Command } from 'commander';
import type { House } from '../app.ts';
import { clientId } from '../ids.ts';
import { type Count, readCounts } from '../journal/counters.ts';
import { type Common, command, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { isoTime, printJson, printLine, printTable } from './output.ts';
import { knownScope } from './settled.ts';

interface StatsOptions extends Common {
  readonly client?: string;
  readonly campaign?: string;
  readonly since?: string;
}

export interface StatsRow extends Omit<Count, 'hour'> {}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

export function addStatsCommand(program: Command): void {
  command(program, 'stats', 'count recipients by outcome, check and token')
    .option('--client <id>', 'of this client only')
    .option('--campaign <id>', 'of this campaign only (with --client)')
    .option('--since <time>', 'from the hour of this time on: 2026-11-21, 2026-11-21T14:00Z, or 90m, 24h, 7d, 4w ago')
    .action(stats);
}

async function stats(options: StatsOptions): Promise<void> {
  if (options.campaign !== undefined && options.client === undefined) throw usage('--campaign needs --client');
  await withHouse(options, async house => {
    if (options.client !== undefined && options.campaign !== undefined) await knownScope(house, `${options.client}/${options.campaign}`);
    const since = options.since === undefined ? 0 : sinceOf(options.since, house.clock.now());
    const rows = (await sumCounts(house, options.client, since)).filter(
      ({ campaign }) => options.campaign === undefined || campaign === options.campaign,
    );
    const totals = totalsOf(rows);
    if (options.json === true) return printJson({ ...(since > 0 ? { since: isoTime(since) } : {}), totals, rows });
    if (rows.length === 0) return printLine('nothing counted yet');
    printStats(rows);
    printLine(
      Object.entries(totals)
        .map(([outcome, count]) => `${count} ${outcome}`)
        .join(', '),
    );
  });
}

/** The counts of one client or all, summed over the hours from `since` on; most first within a client. */
export async function sumCounts(house: Pick<House, 'clients' | 'store'>, client: string | undefined, since: number): Promise<StatsRow[]> {
  const known = (await house.clients.list()).map(({ id }) => id);
  const wanted = client === undefined ? known : known.filter(id => id === clientId(client));
  if (client !== undefined && wanted.length === 0) throw new CommandFailure(`no client '${client}'; postern client list names them`);
  const sums = new Map<string, StatsRow>();
  for (const id of wanted) {
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

function totalsOf(rows: readonly StatsRow[]): Readonly<Record<string, number>> {
  const totals: Record<string, number> = { relayed: 0, rejected: 0, deferred: 0, observed: 0, unknown: 0 };
  for (const { outcome, count } of rows) totals[outcome] = (totals[outcome] ?? 0) + count;
  return totals;
}

function sinceOf(text: string, now: number): number {
  const ago = /^(\d{1,6})([mhdw])$/.exec(text);
  if (ago !== null) return now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0);
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw usage(`--since '${text}' is no time: use 2026-11-21, 2026-11-21T14:00Z, or 90m, 24h, 7d, 4w`);
  return at;
}

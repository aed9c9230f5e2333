/** `postern stats`: recipients relayed, rejected, deferred, by client, campaign, check and token; what came back, and how fast it is enforced. */
import type { Command } from 'commander';
import type { House } from '../app.ts';
import { clientId, GLOBAL } from '../ids.ts';
import type { Span } from '../journal/hours.ts';
import type { Owner } from '../journal/pseudonyms.ts';
import { readRefusedDomains } from '../journal/refused-domains.ts';
import { GROUPS, type Group, readStats, type Stats, USUAL_GROUPS } from '../journal/stats.ts';
import { parseGroups, shownRows, statsColumns, statsCsv } from '../journal/stats-shown.ts';
import { asJson, asLines, whatCameBack } from './came-back.ts';
import { type Common, command, withHouse } from './command.ts';
import { CommandFailure, usage } from './exit.ts';
import { isoTime, printJson, printLine, printTable, write } from './output.ts';
import { knownScope } from './settled.ts';
import { SINCE, spanOf } from './since.ts';

interface StatsOptions extends Common {
  readonly client?: string;
  readonly campaign?: string;
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly groupBy?: string;
  readonly csv?: boolean;
}

const TOP_DOMAINS = 20;

export function addStatsCommand(program: Command): void {
  command(program, 'stats', 'count recipients by outcome, check and token, and what came back by kind')
    .option('--client <id>', 'of this client only')
    .option('--campaign <id>', 'of this campaign only (with --client)')
    .option('--from <time>', `from the hour of this time on: ${SINCE}`)
    .option('--since <time>', 'the same as --from')
    .option('--to <time>', 'and before this time, its hour included where it has begun')
    .option('--group-by <names>', `told apart by ${GROUPS.join(', ')}; several with commas between them (UTC)`)
    .option('--csv', 'the rows as CSV')
    .action(stats);
}

async function stats(options: StatsOptions): Promise<void> {
  if (options.campaign !== undefined && options.client === undefined) throw usage('--campaign needs --client');
  const groupBy = options.groupBy === undefined ? USUAL_GROUPS : parseGroups(options.groupBy);
  if (groupBy === undefined) throw usage(`--group-by '${options.groupBy}': name some of ${GROUPS.join(', ')}`);
  await withHouse(options, async house => {
    const scope = options.campaign === undefined ? undefined : await knownScope(house, `${options.client}/${options.campaign}`);
    const now = house.clock.now();
    const span: Span = spanOf(options, now);
    const owners = await ownersOf(house, options.client);
    const counted = await readStats(house.store, { owners, campaign: scope?.campaign, groupBy, ...span });
    if (options.csv === true) return write(statsCsv(groupBy, counted));
    // What is not kept by campaign must not read as a campaign's.
    const back = scope === undefined ? await whatCameBack(house, owners, span) : undefined;
    const { totals, received } = counted;
    if (options.json === true) {
      const domains = () => readRefusedDomains({ store: house.store, vault: house.journalParts.vault }, owners, span, TOP_DOMAINS);
      return printJson({
        ...(span.from === undefined ? {} : { since: isoTime(span.from) }),
        ...(span.to === undefined ? {} : { to: isoTime(span.to) }),
        totals,
        rows: shownRows(counted.rows),
        ...(back === undefined ? {} : { topRefusedDomains: await domains() }),
        inbound: { kinds: received, ...(back === undefined ? {} : asJson(back)) },
      });
    }
    if (counted.rows.length === 0) printLine('nothing counted yet');
    else {
      printStats(groupBy, counted);
      printLine(sumOf(totals));
    }
    if (Object.keys(received).length > 0) printLine(`\ncame back: ${sumOf(received)}`);
    if (back !== undefined) for (const line of asLines(back, now)) printLine(line);
  });
}

/** Whose counts are asked for; what is no known client's is global's. */
async function ownersOf(house: Pick<House, 'clients'>, client: string | undefined): Promise<readonly Owner[]> {
  const known = (await house.clients.list()).map(({ id }) => id);
  const wanted: readonly Owner[] = client === undefined ? [...known, GLOBAL] : known.filter(id => id === clientId(client));
  if (wanted.length === 0) throw new CommandFailure(`no client '${client}'; postern client list names them`);
  return wanted;
}

export function printStats(groupBy: readonly Group[], stats: Stats): void {
  const columns = statsColumns(groupBy);
  printTable(
    columns.map(column => (column === 'count' ? 'recipients' : column)),
    shownRows(stats.rows).map(row => columns.map(column => (row as Readonly<Record<string, string | number>>)[column] ?? '')),
  );
}

function sumOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}

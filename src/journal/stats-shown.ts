/** Statistics as programs read them, the same from the command line and the admin API: rows with ISO times, and CSV. */
import { GROUPS, type Group, OUTCOMES, type Stats, type StatsRow } from './stats.ts';

/** A row with its hour and day in ISO 8601 (UTC); the campaign is left out where there is none. */
export type ShownStatsRow = Omit<StatsRow, 'hour' | 'day'> & { readonly hour?: string; readonly day?: string };

/** What the rows of statistics grouped so hold, in order. */
export function statsColumns(groupBy: readonly Group[]): readonly string[] {
  const groups = GROUPS.filter(group => groupBy.includes(group));
  return [...groups, ...(groupBy.includes('outcome') ? ['count'] : OUTCOMES)];
}

export function shownRows(rows: readonly StatsRow[]): readonly ShownStatsRow[] {
  return rows.map(row => {
    const shown: Record<string, unknown> = { ...row };
    if (row.hour !== undefined) shown.hour = new Date(row.hour).toISOString();
    if (row.day !== undefined) shown.day = new Date(row.day).toISOString();
    return shown as ShownStatsRow;
  });
}

/** RFC 4180, with a head line. Times as in the rows. */
export function statsCsv(groupBy: readonly Group[], { rows }: Pick<Stats, 'rows'>): string {
  return [csvLine(statsColumns(groupBy)), ...csvLines(groupBy, rows)].join('');
}

/** The lines of these rows, with their ends. */
export function csvLines(groupBy: readonly Group[], rows: readonly StatsRow[]): readonly string[] {
  const columns = statsColumns(groupBy);
  return shownRows(rows).map(row => csvLine(columns.map(column => (row as Readonly<Record<string, unknown>>)[column])));
}

function csvLine(cells: readonly unknown[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: unknown): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The groups in `text`, names with commas between them; undefined where one is none. */
export function parseGroups(text: string): readonly Group[] | undefined {
  const names = text.split(',').map(name => name.trim());
  const groups = names.flatMap(name => GROUPS.find(group => group === name) ?? []);
  return groups.length === names.length ? [...new Set(groups)] : undefined;
}

/** Exports at the command line: on record before the first octet and counted after the last (B8), and an alarm where they are many (A34). */
import { randomUUID } from 'node:crypto';
import type { House } from '../app.ts';
import type { Who } from '../audit/act.ts';
import { GLOBAL } from '../ids.ts';

/** A listing longer than this, the longest page of the API, is an export. */
export const LONGEST_PAGE = 1_000;

export interface ExportRecord {
  readonly owner: string;
  readonly who: Who;
  /** What is exported. */
  readonly about: Readonly<Record<string, unknown>>;
}

/** Counted while it is written. */
export interface Tally {
  rows: number;
  /** Entries that are there and cannot be exported. */
  unreadable: number;
}

/** Runs an export. One whose record has no end was cut short by whoever read it. */
export async function exporting(house: House, { owner, who, about }: ExportRecord, run: (tally: Tally) => Promise<void>): Promise<void> {
  const told = { export: randomUUID(), ...about };
  await house.audit.record(owner, { ...who, what: 'export.start', about: told });
  const tally: Tally = { rows: 0, unreadable: 0 };
  let complete = false;
  try {
    await run(tally);
    complete = true;
  } finally {
    await house.audit.record(owner, { ...who, what: 'export.end', about: { ...told, ...tally, complete } });
    await warnOfMany(house, who);
  }
}

/** Runs a listing of at most `limit` rows, which is an export where it may be longer than a page. */
export async function listing(house: House, record: ExportRecord, limit: number, run: (tally: Tally) => Promise<void>): Promise<void> {
  if (limit > LONGEST_PAGE) await exporting(house, record, run);
  else await run({ rows: 0, unreadable: 0 });
}

/** Counts each value as a row. */
export async function* tallied<T>(values: AsyncIterable<T>, tally: Tally): AsyncIterable<T> {
  for await (const value of values) {
    tally.rows += 1;
    yield value;
  }
}

/** A command is a process of its own, so it counts what the trails say. Whoever is at the machine may say any name: all are one. */
async function warnOfMany({ audit, clients, clock, config, log }: House, { by }: Who): Promise<void> {
  const { minutes, count, entries } = config.alerts.exports;
  const from = clock.now() - minutes * 60_000;
  let [exports, rows] = [0, 0];
  for (const owner of [GLOBAL, ...(await clients.ids())]) {
    for await (const { from: where, about } of audit.list(owner, { from, what: 'export.end' })) {
      if (where !== 'cli') continue;
      exports += 1;
      rows += Number(about?.rows ?? 0);
    }
  }
  const many = (count > 0 && exports >= count) || (entries > 0 && rows >= entries);
  if (many) log.error({ alarm: 'mass-export', account: by, exports, entries: rows, minutes }, 'much was exported at the command line');
}

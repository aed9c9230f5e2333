/** Totals by hour: while an hour lasts, each writer has records of its own; when it is over they move into one record a day, exactly once. */
import { setImmediate as turn } from 'node:timers/promises';
import { type Change, isEntryKey, type RecordKey, type Store, type Value } from '../store/store.ts';
import type { Owner } from './pseudonyms.ts';

/** `[label, n]`: so many within the hour. */
type HourTotals = [string, number][];
/** `[label, [hour, n, hour, n, …]]`, hours of the day from 0 on: a month of them is read at once, so they are short. */
type DayTotals = [string, number[]][];

const HOUR_MS = 3_600_000;
/** `20261121` */
const DAY_CHARS = 8;
/** Hour records moved in one apply. */
const MOVED = 2_000;
/** Each that fails means that another one has just moved something of the same day. */
const ATTEMPTS = 5;
/** Octets of records read at a stretch, a few ms' worth: mail has its turn between them. */
const STRETCH = 131_072;
/** The same where they are not looked into. */
const COLLECTED = 4_194_304;

/** Moments in ms since 1970 UTC. Hours count as a whole: from the one that holds `from`, to the last that begins before `to`. */
export interface Span {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** `2026112114`: sorts by time and reads as a date. */
export function hourId(at: number): string {
  return new Date(at).toISOString().slice(0, 13).replace(/\D/g, '');
}

export function encodeHour(totals: Iterable<readonly [string, number]>): Value {
  return Buffer.from(JSON.stringify([...totals]));
}

export function decodeHour(value: Value | undefined): Map<string, number> {
  return new Map(value === undefined ? [] : (JSON.parse(value.toString()) as HourTotals));
}

/**
 * Moves hour records of one day into the record of that day, all or none. Nobody may write them any more but by an apply that expects them
 * as they were, or their owner could write again what was moved. False: others keep changing them or the day; nothing was moved, try later.
 * @throws StoreUnavailable where the outcome is unknown; to do it again is safe
 */
export async function moveToDay(store: Store, hours: readonly RecordKey[]): Promise<boolean> {
  const [first] = hours;
  if (first === undefined) return true;
  const day: RecordKey = { owner: first.owner, log: daysOf(first.log), id: dayOf(first) };
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [held, ...values] = await store.find([day, ...hours]);
    // What is not there was moved before, by an attempt whose answer was lost.
    const there = hours.flatMap((key, i) => (values[i] === undefined ? [] : [{ key, value: values[i] as Value }]));
    if (there.length === 0) return true;
    const changes: Change[] = [{ key: day, value: withHours(held, there) }, ...there.map(({ key }) => ({ key, value: undefined }))];
    if (await store.apply(changes, [{ key: day, value: held }, ...there])) return true;
  }
  return false;
}

/** Moves the hour records of `log` whose ids fit and whose hour was over by `now` (ms since 1970 UTC). @throws StoreUnavailable */
export async function moveFinished(store: Store, owner: Owner, log: string, now: number, fits: (id: string) => boolean): Promise<void> {
  const days = new Map<string, RecordKey[]>();
  for await (const [key] of store.scan({ owner, log, to: hourId(now) })) {
    if (isEntryKey(key) || !fits(key.id)) continue;
    const day = dayOf(key);
    const keys = days.get(day) ?? [];
    days.set(day, keys);
    keys.push(key);
  }
  for (const keys of days.values()) {
    for (let at = 0; at < keys.length; at += MOVED) await moveToDay(store, keys.slice(at, at + MOVED));
  }
}

/**
 * Gives every total of the span to `take`: the start of its hour (ms since 1970 UTC), its label, how many. An hour and label may come
 * several times: they add up. Neither twice nor left out what is moved meanwhile.
 * @throws StoreUnavailable
 */
export async function readHours(
  store: Store,
  owner: Owner,
  log: string,
  { from = 0, to }: Span,
  take: (hour: number, label: string, count: number) => void,
): Promise<void> {
  // An hour that has begun counts: the last millisecond before `to` names it.
  const end = to === undefined ? undefined : to - 1;
  const hours = { owner, log, from: hourId(from), ...(end === undefined ? {} : { to: `${hourId(Math.max(0, end))}~` }) };
  const days = { owner, log: daysOf(log), from: dayId(from), ...(end === undefined ? {} : { to: `${dayId(Math.max(0, end))}~` }) };
  const { running, finished } = await readMoving(store, hours, days);
  await inStretches(finished, (id, value) => takeDay(id, value, from, end, take));
  await inStretches(running, (id, value) => {
    const hour = hourStart(id);
    for (const [label, count] of JSON.parse(value.toString()) as HourTotals) take(hour, label, count);
  });
}

type Read = readonly (readonly [RecordKey, Value])[];
type LogRange = Extract<Parameters<Store['scan']>[0], { readonly log: string }>;

/** What runs, and what was moved from there to where it is finished, by day: nothing of it twice. @throws StoreUnavailable */
export async function readMoving(store: Store, from: LogRange, to: LogRange): Promise<{ readonly running: Read; readonly finished: Read }> {
  const running = await collect(store, from);
  const finished = await collect(store, to);
  const held = running.length === 0 ? [] : await store.find(running.map(([key]) => key));
  // Whatever was there before and still is was not moved into what was read after it.
  const moved = new Set(running.flatMap(([key], i) => (held[i] === undefined ? [dayOf(key)] : [])));
  if (moved.size === 0) return { running, finished };
  // Of a day that something was moved into meanwhile, all at one moment: where each then is, it counts.
  const days = [...moved].map((id): RecordKey => ({ owner: to.owner, log: to.log, id }));
  const keys = [...running.map(([key]) => key).filter(key => moved.has(dayOf(key))), ...days];
  const values = await store.find(keys);
  const now = keys.flatMap((key, i): Read => (values[i] === undefined ? [] : [[key, values[i] as Value]]));
  const asNow = (read: Read, { log }: LogRange): Read => [
    ...read.filter(([key]) => !moved.has(dayOf(key))),
    ...now.filter(([key]) => key.log === log),
  ];
  return { running: asNow(running, from), finished: asNow(finished, to) };
}

async function inStretches(records: Read, take: (id: string, value: Value) => void): Promise<void> {
  let read = 0;
  for (const [{ id }, value] of records) {
    take(id, value);
    read += value.length;
    if (read < STRETCH) continue;
    read = 0;
    await turn();
  }
}

function takeDay(id: string, value: Value, from: number, end: number | undefined, take: Parameters<typeof readHours>[4]): void {
  const start = hourStart(`${id}00`);
  for (const [label, pairs] of JSON.parse(value.toString()) as DayTotals) {
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const hour = start + (pairs[i] as number) * HOUR_MS;
      if (hour + HOUR_MS > from && (end === undefined || hour <= end)) take(hour, label, pairs[i + 1] as number);
    }
  }
}

async function collect(store: Store, range: LogRange): Promise<Read> {
  const records: (readonly [RecordKey, Value])[] = [];
  let read = 0;
  for await (const [key, value] of store.scan(range)) {
    if (!isEntryKey(key)) records.push([key, value]);
    read += value.length;
    if (read < COLLECTED) continue;
    read = 0;
    await turn();
  }
  return records;
}

function withHours(day: Value | undefined, hours: readonly { readonly key: RecordKey; readonly value: Value }[]): Value {
  const totals = new Map(day === undefined ? [] : (JSON.parse(day.toString()) as DayTotals));
  for (const { key, value } of hours) {
    const hour = Number(key.id.slice(DAY_CHARS, DAY_CHARS + 2));
    for (const [label, count] of decodeHour(value)) {
      const pairs = totals.get(label) ?? [];
      totals.set(label, pairs);
      const at = pairs.findLastIndex((known, i) => i % 2 === 0 && known === hour);
      if (at < 0) pairs.push(hour, count);
      else pairs[at + 1] = (pairs[at + 1] as number) + count;
    }
  }
  return Buffer.from(JSON.stringify([...totals]));
}

function daysOf(log: string): string {
  return `${log}-days`;
}

/** The day of an hour's record, or of a day's own. */
function dayOf({ id }: RecordKey): string {
  return id.slice(0, DAY_CHARS);
}

function dayId(at: number): string {
  return hourId(at).slice(0, DAY_CHARS);
}

function hourStart(id: string): number {
  return Date.UTC(Number(id.slice(0, 4)), Number(id.slice(4, 6)) - 1, Number(id.slice(6, 8)), Number(id.slice(8, 10)));
}

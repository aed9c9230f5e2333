/** Counters: absolute totals per gate run and hour, overwritten on every write, so that a repeated write cannot count twice. */
import { randomBytes, randomInt } from 'node:crypto';
import type { CampaignId } from '../ids.ts';
import type { Change, RecordKey, Store, Value } from '../store/store.ts';
import type { CounterLabels, Outcome } from './decision.ts';

const LOG = 'counters';
/** Hours of clients written at once. */
const BATCH = 1_000;
/** Records an hour that all gates add to in turn: so many that two seldom want the same one. */
const SHARED = 64;

/** One row of statistics: recipients counted under these labels within one hour (or, summed, within the time asked for). */
export interface Count extends CounterLabels {
  /** Start of the hour, ms since 1970 UTC. */
  readonly hour: number;
  readonly count: number;
}

/** `2026112114`: sorts by time and reads as a date. */
function hourId(at: number): string {
  return new Date(at).toISOString().slice(0, 13).replace(/\D/g, '');
}

function hourStart(id: string): number {
  return Date.UTC(Number(id.slice(0, 4)), Number(id.slice(4, 6)) - 1, Number(id.slice(6, 8)), Number(id.slice(8, 10)));
}

interface Slot {
  readonly client: CounterLabels['client'];
  readonly hour: string;
  /** Random, of this slot alone: an hour that a clock set back begins again must not overwrite what it had. */
  readonly run: string;
  readonly totals: Map<string, number>;
  dirty: boolean;
}

/** This run's totals. Everything counted stays here until its hour is over and written. */
export class Counters {
  readonly #slots = new Map<string, Slot>();

  /** Whether something was counted that is not written yet. */
  get dirty(): boolean {
    return [...this.#slots.values()].some(({ dirty }) => dirty);
  }

  add(at: number, labels: CounterLabels, n = 1): void {
    const hour = hourId(at);
    const name = `${labels.client} ${hour}`;
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      slot = { client: labels.client, hour, run: randomBytes(6).toString('hex'), totals: new Map(), dirty: true };
      this.#slots.set(name, slot);
    }
    const label = labelOf(labels);
    slot.totals.set(label, (slot.totals.get(label) ?? 0) + n);
    slot.dirty = true;
  }

  /** Writes what changed. A failed write leaves its hours dirty, so that nothing is lost while the process lives. @throws StoreUnavailable */
  async flush(store: Store, now: number): Promise<void> {
    const dirty = [...this.#slots.entries()].filter(([, slot]) => slot.dirty);
    for (let start = 0; start < dirty.length; start += BATCH) {
      const batch = dirty.slice(start, start + BATCH);
      const changes = batch.map(([, slot]): Change => {
        slot.dirty = false;
        return {
          key: { owner: slot.client, log: LOG, id: `${slot.hour}.${slot.run}` },
          value: Buffer.from(JSON.stringify([...slot.totals])),
        };
      });
      try {
        await store.apply(changes);
      } catch (error) {
        for (const [, slot] of batch) slot.dirty = true;
        throw error;
      }
      for (const [name, slot] of batch) if (!slot.dirty && slot.hour < hourId(now)) this.#slots.delete(name);
    }
  }
}

function labelOf({ campaign, outcome, check, token }: CounterLabels): string {
  return JSON.stringify([campaign ?? '', outcome, check, token]);
}

/**
 * A record that counts what is written in the same apply, by whichever gate: it is read first, and must still hold the same when it is
 * written. One of several of the hour of `at` (ms since 1970 UTC).
 */
export function sharedRecord(owner: CounterLabels['client'], log: string, at: number, share: number): RecordKey {
  return { owner, log, id: `${hourId(at)}.all-${share}` };
}

export function sharedCounter(owner: CounterLabels['client'], at: number, share: number): RecordKey {
  return sharedRecord(owner, LOG, at, share);
}

/** Which of the shared records to add to this time: of all that one apply writes the same, so that they collide seldom and together. */
export function anyShare(): number {
  return randomInt(SHARED);
}

/** What the record holds when one more is counted under `label`. */
export function oneMore(value: Value | undefined, label: string): Value {
  const totals = new Map(value === undefined ? [] : (JSON.parse(value.toString()) as [string, number][]));
  totals.set(label, (totals.get(label) ?? 0) + 1);
  return Buffer.from(JSON.stringify([...totals]));
}

/** A shared counter with one more under these labels. */
export function countedOnce(value: Value | undefined, labels: CounterLabels): Value {
  return oneMore(value, labelOf(labels));
}

/** The id from which on a log's hours are read; `since` in ms since 1970 UTC. */
export function fromHour(since: number): string {
  return hourId(since);
}

/** A client's counts from the hour that holds `since` (ms since 1970 UTC) on, one row per hour and label. */
export async function* readCounts(store: Store, client: CounterLabels['client'], since = 0): AsyncIterable<Count> {
  for await (const [key, value] of store.scan({ owner: client, log: LOG, from: hourId(since) })) {
    const hour = hourStart(String(key.id));
    for (const [label, count] of JSON.parse(value.toString()) as [string, number][]) {
      const [campaign, outcome, check, token] = JSON.parse(label) as [string, Outcome, string, string];
      yield { client, campaign: campaign === '' ? undefined : (campaign as CampaignId), outcome, check, token, hour, count };
    }
  }
}

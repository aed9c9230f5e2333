/** Counters: absolute totals per gate run and hour, overwritten on every write, so that a repeated write cannot count twice. */
import { randomBytes, randomInt } from 'node:crypto';
import type { Change, RecordKey, Store, Value } from '../store/store.ts';
import type { CounterLabels } from './decision.ts';
import { labelText } from './decision-index.ts';
import { decodeHour, encodeHour, hourId, moveFinished, moveToDay } from './hours.ts';
import type { Owner } from './pseudonyms.ts';

export const COUNTERS = 'counters';
/** Hours of clients written at once. */
const BATCH = 1_000;
/** Hours of clients moved into their days at once. */
const ABREAST = 16;
/** Records an hour that all gates add to in turn: so many that two seldom want the same one. */
const SHARED = 64;
const SHARED_ID = '.all-';
/** How long after its hour a run may write its own record; a day later anybody may move it. */
const OWN_MS = 24 * 3_600_000;
const ANYBODYS_MS = 2 * OWN_MS;

interface Slot {
  key: RecordKey;
  readonly hour: string;
  totals: Map<string, number>;
  dirty: boolean;
  /** What the store took last. */
  held: Value | undefined;
}

/** This run's totals. Everything counted stays here until its hour is over, written, and moved into its day. */
export class Counters {
  readonly #slots = new Map<string, Slot>();
  /** Hours that are over and written: nothing is added to them any more. */
  #leaving: readonly Slot[] = [];

  /** Whether something was counted that is not written yet. */
  get dirty(): boolean {
    return [...this.#slots.values()].some(({ dirty }) => dirty);
  }

  add(at: number, labels: CounterLabels, n = 1): void {
    const hour = hourId(at);
    const name = `${labels.client} ${hour}`;
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      slot = { key: newKey(labels.client, hour), hour, totals: new Map(), dirty: true, held: undefined };
      this.#slots.set(name, slot);
    }
    const label = labelText(labels);
    slot.totals.set(label, (slot.totals.get(label) ?? 0) + n);
    slot.dirty = true;
  }

  /** Writes what changed. A failed write leaves its hours dirty, so that nothing is lost while the process lives. @throws StoreUnavailable */
  async flush(store: Store, now: number): Promise<void> {
    const dirty = [...this.#slots.values()].filter(slot => slot.dirty);
    const late = hourId(now - OWN_MS);
    for (const slot of dirty) if (slot.hour < late && slot.held !== undefined) beginAnew(slot, slot.held);
    for (let start = 0; start < dirty.length; start += BATCH) {
      const batch = dirty.slice(start, start + BATCH);
      const changes = batch.map((slot): Change & { value: Value } => {
        slot.dirty = false;
        return { key: slot.key, value: encodeHour(slot.totals) };
      });
      try {
        await store.apply(changes);
        for (const [i, slot] of batch.entries()) slot.held = changes[i]?.value;
      } catch (error) {
        for (const slot of batch) slot.dirty = true;
        throw error;
      }
    }
    await this.#leave(store, hour => hour < hourId(now));
  }

  /** Moves everything that is written into its day: nothing more will be counted. @throws StoreUnavailable */
  async settle(store: Store): Promise<void> {
    await this.#leave(store, () => true);
  }

  async #leave(store: Store, over: (hour: string) => boolean): Promise<void> {
    const leaving = [...this.#leaving];
    for (const [name, slot] of this.#slots) {
      if (slot.dirty || !over(slot.hour)) continue;
      this.#slots.delete(name);
      leaving.push(slot);
    }
    this.#leaving = leaving;
    const moved = new Set<Slot>();
    try {
      for (let at = 0; at < leaving.length; at += ABREAST) {
        await Promise.all(
          leaving.slice(at, at + ABREAST).map(async slot => {
            if (await moveToDay(store, [slot.key])) moved.add(slot);
          }),
        );
      }
    } finally {
      this.#leaving = leaving.filter(slot => !moved.has(slot));
    }
  }
}

/** Random, of this slot alone: an hour that a clock set back begins again must not overwrite what it had. */
function newKey(owner: Owner, hour: string): RecordKey {
  return { owner, log: COUNTERS, id: `${hour}.${randomBytes(6).toString('hex')}` };
}

/** What the store has of a slot may have been moved by now: the rest goes into a record of its own. */
function beginAnew(slot: Slot, held: Value): void {
  const written = decodeHour(held);
  slot.totals = new Map([...slot.totals].map(([label, n]) => [label, n - (written.get(label) ?? 0)] as const).filter(([, n]) => n > 0));
  slot.key = newKey(slot.key.owner as Owner, slot.hour);
  slot.held = undefined;
}

/**
 * A record that counts what is written in the same apply, by whichever gate: it is read first, and must still hold the same when it is
 * written. One of several of the hour of `at` (ms since 1970 UTC).
 */
export function sharedRecord(owner: Owner, log: string, at: number, share: number): RecordKey {
  return { owner, log, id: `${hourId(at)}${SHARED_ID}${share}` };
}

export function sharedCounter(owner: Owner, at: number, share: number): RecordKey {
  return sharedRecord(owner, COUNTERS, at, share);
}

/** Which of the shared records to add to this time: of all that one apply writes the same, so that they collide seldom and together. */
export function anyShare(): number {
  return randomInt(SHARED);
}

/**
 * Moves a log's shared records of hours that are over into their days, and after two days those of runs that were ended before they did so.
 * `now`: ms since 1970 UTC. @throws StoreUnavailable
 */
export async function moveShared(store: Store, owner: Owner, log: string, now: number): Promise<void> {
  const old = hourId(now - ANYBODYS_MS);
  await moveFinished(store, owner, log, now, id => id.includes(SHARED_ID) || id < old);
}

/** What the record holds when one more is counted under `label`. */
export function oneMore(value: Value | undefined, label: string): Value {
  const totals = decodeHour(value);
  totals.set(label, (totals.get(label) ?? 0) + 1);
  return encodeHour(totals);
}

/** A shared counter with one more under these labels. */
export function countedOnce(value: Value | undefined, labels: CounterLabels): Value {
  return oneMore(value, labelText(labels));
}

/**
 * Alarms for misuse (A34): bursts of refusals, failed logins, mass export, and a client that probes the lists. One log line at level error
 * with `alarm` for each incident, which is what the counter of alarms counts; one at level info when it is over.
 */
import { LRUCache } from 'lru-cache';
import { defer, type Reply } from '../mail/reply.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { AlertsOptions } from './options.ts';
import { Window } from './window.ts';

/** Whoever was quiet longest is forgotten first. */
const WATCHED = 10_000;
const MINUTE_MS = 60_000;
/** An incident is over when no more than this part of its threshold is left in the window: not raised anew at every turn. */
const CALM = 0.5;
const EVERYBODY = 'everybody';

const SLOW = defer(450, '4.7.0', 'Too many refused recipients, try again later');
const HANG_UP = defer(421, '4.7.0', 'Too many refused recipients, closing');

/** What is counted, and from when on that is an incident. */
interface Rule {
  readonly alarm: string;
  readonly text: string;
  readonly minutes: number;
  /** Names of the counts, in the log line. */
  readonly counts: readonly string[];
  /** Whether so much is too much, `part` of the thresholds being allowed. */
  readonly isTooMuch: (sums: readonly number[], part: number) => boolean;
}

interface Watched {
  readonly window: Window;
  raised: boolean;
}

/** Somebody may be many: what is watched of each, and whose incident is on. */
class Alarm {
  readonly #rule: Rule;
  readonly #parts: AlertsParts;
  readonly #watched = new LRUCache<string, Watched>({ max: WATCHED });
  /** Incidents that are on: few, and not forgotten with whoever was quiet. */
  readonly #raised = new Map<string, { readonly watched: Watched; readonly who: object }>();

  constructor(rule: Rule, parts: AlertsParts) {
    this.#rule = rule;
    this.#parts = parts;
  }

  /** `who` names it in the log line. */
  count(key: string, amounts: readonly number[], who: object): void {
    const now = this.#parts.clock.now();
    const { alarm, text, minutes, counts, isTooMuch } = this.#rule;
    let watched = this.#raised.get(key)?.watched ?? this.#watched.get(key);
    if (watched === undefined) {
      watched = { window: new Window(minutes * MINUTE_MS, counts.length), raised: false };
      this.#watched.set(key, watched);
    }
    watched.window.add(now, amounts);
    if (watched.raised) return;
    const sums = watched.window.sums(now);
    if (!isTooMuch(sums, 1)) return;
    watched.raised = true;
    this.#raised.set(key, { watched, who });
    const found = Object.fromEntries(counts.map((name, i) => [name, sums[i]]));
    this.#parts.log.error({ alarm, ...who, ...found, minutes }, text);
  }

  isOn(key: string): boolean {
    const incident = this.#raised.get(key);
    return incident !== undefined && !this.#end(key);
  }

  sweep(): void {
    for (const key of this.#raised.keys()) this.#end(key);
  }

  /** Whether the incident is over; says so once. */
  #end(key: string): boolean {
    const incident = this.#raised.get(key);
    if (incident === undefined) return true;
    if (this.#rule.isTooMuch(incident.watched.window.sums(this.#parts.clock.now()), CALM)) return false;
    incident.watched.raised = false;
    this.#raised.delete(key);
    this.#parts.log.info({ over: this.#rule.alarm, ...incident.who }, 'the alarm is over');
    return true;
  }
}

export interface AlertsParts {
  readonly options: AlertsOptions;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Each process counts for itself. Nothing here waits or throws. */
export class Alerts {
  readonly #answer: AlertsOptions['listProbing']['answer'];
  readonly #refusals: Alarm;
  readonly #probing: Alarm;
  readonly #logins: Alarm;
  readonly #allLogins: Alarm;
  readonly #exports: Alarm;

  constructor(parts: AlertsParts) {
    const { refusals, listProbing, failedLogins, exports } = parts.options;
    this.#answer = listProbing.answer;
    const reaches = (sum: number | undefined, limit: number, part: number) => limit > 0 && (sum ?? 0) >= limit * part;
    const alarm = (rule: Rule) => new Alarm(rule, parts);
    this.#refusals = alarm({
      alarm: 'refusals',
      text: 'a client has many recipients refused',
      minutes: refusals.minutes,
      counts: ['refused'],
      isTooMuch: ([refused], part) => reaches(refused, refusals.count, part),
    });
    this.#probing = alarm({
      alarm: 'list-probing',
      text: 'most of the recipients that a client asks for are listed: a stale list, or somebody who reads ours',
      minutes: listProbing.minutes,
      counts: ['asked', 'listed'],
      isTooMuch: ([asked = 0, listed = 0], part) => reaches(listed, listProbing.listed, part) && listed >= asked * listProbing.share * part,
    });
    this.#logins = alarm({
      alarm: 'failed-logins',
      text: 'many log-ins from one address failed',
      minutes: failedLogins.minutes,
      counts: ['failed'],
      isTooMuch: ([failed], part) => reaches(failed, failedLogins.perAddress, part),
    });
    this.#allLogins = alarm({
      alarm: 'failed-logins-everywhere',
      text: 'many log-ins failed',
      minutes: failedLogins.minutes,
      counts: ['failed'],
      isTooMuch: ([failed], part) => reaches(failed, failedLogins.total, part),
    });
    this.#exports = alarm({
      alarm: 'mass-export',
      text: 'much was exported by one account',
      minutes: exports.minutes,
      counts: ['exports', 'entries'],
      isTooMuch: ([count, entries], part) => reaches(count, exports.count, part) || reaches(entries, exports.entries, part),
    });
  }

  /** A recipient was refused for good, at RCPT or at the dot. */
  refused(client: string): void {
    this.#refusals.count(client, [1], { client });
  }

  /** A recipient was answered at RCPT; `listed`: refused because a list holds them. */
  asked(client: string, listed: boolean): void {
    this.#probing.count(client, [1, listed ? 1 : 0], { client });
  }

  /** What a client is told at MAIL that probes the lists at this moment, where the options say so. */
  hold(client: string): Reply | undefined {
    if (this.#answer === 'none' || !this.#probing.isOn(client)) return undefined;
    return this.#answer === 'slow' ? SLOW : HANG_UP;
  }

  /** A log-in by SMTP or to the admin API failed, or was not even looked at after too many. */
  failedLogin(door: 'smtp' | 'admin', address: string): void {
    this.#logins.count(`${door} ${address}`, [1], { door, from: address });
    this.#allLogins.count(EVERYBODY, [1], {});
  }

  /** Entries, decisions or replies left the house in one piece. `account` is a name, no address. */
  exported(account: string, entries: number): void {
    this.#exports.count(account, [1, entries], { account });
  }

  /** Says of every incident that is over that it is; to be called now and then. */
  sweep(): void {
    for (const alarm of [this.#refusals, this.#probing, this.#logins, this.#allLogins, this.#exports]) alarm.sweep();
  }
}

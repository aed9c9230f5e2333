/** Opaque click-tracking links: whether a campaign's lead to the client's policy page, sampled off the mail path. */
import { createHash } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { CampaignId, ClientId } from '../ids.ts';
import { parsePages } from '../mail/links.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { RecordKey, Store, Value } from '../store/store.ts';
import { type Destination, follow } from './follow.ts';

/** A tracking link of a message, and where it should lead. */
export interface TrackedLink {
  readonly client: ClientId;
  /** The message's campaigns; where it is not exactly one, the links of all are judged together. */
  readonly campaigns: readonly CampaignId[];
  readonly url: URL;
  /** The link's visible words, folded: a campaign's links of other words lead elsewhere. */
  readonly label: string;
  readonly privacyUrls: readonly string[];
  readonly trackingHosts: readonly string[];
}

/** `unknown`: not seen yet (or not for too long); a sample is being taken, so a later retry gets an answer. */
export type Resolution = 'resolves' | 'elsewhere' | 'unknown';

/** Told when a campaign's links lead, or begin to lead, elsewhere. `detail` names client, campaign and hosts, never an address. */
export type Alarm = (name: 'tracked-link-elsewhere', detail: Readonly<Record<string, string>>) => void;

/** Times in milliseconds. */
export interface SamplingSettings {
  /** A sample that resolved is repeated after this. */
  readonly repeatMs: number;
  /** A sample that did not is repeated after this: a corrected campaign need not wait long. */
  readonly repeatElsewhereMs: number;
  /** A sample older than this says nothing any more (the tracking host did not answer for so long). */
  readonly staleMs: number;
  /** Between two attempts for the same links. */
  readonly attemptMs: number;
  /** Limit for each request. */
  readonly timeoutMs: number;
  /** One link in so many is sampled whatever is known. */
  readonly oneIn: number;
}

export const SAMPLING: SamplingSettings = {
  repeatMs: 6 * 3_600_000,
  repeatElsewhereMs: 10 * 60_000,
  staleMs: 24 * 3_600_000,
  attemptMs: 15_000,
  timeoutMs: 5_000,
  oneIn: 500,
};

export interface TrackedLinksParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarm?: Alarm;
  readonly settings?: Partial<SamplingSettings>;
  /** Certificate authorities beside the usual ones. */
  readonly tls?: Pick<SecureContextOptions, 'ca'>;
}

interface Sample {
  readonly state: 'resolves' | 'elsewhere';
  /** When it was taken. */
  readonly at: number;
}

const LOG = 'tracked-links';
/** Links followed at once; waiting for that; attempts remembered. */
const MAX_RUNNING = 4;
const MAX_WAITING = 100;
const MAX_ATTEMPTS = 10_000;

/**
 * Samples are kept in the store by client, campaign, tracking host, policy addresses and the link's words; links themselves are not kept, they name
 * a person. So it is the next message's link that a repeated sample follows.
 */
export class TrackedLinks {
  readonly #parts: TrackedLinksParts;
  readonly #settings: SamplingSettings;
  readonly #stop = new AbortController();
  /** When a sample was last begun, by key. */
  readonly #attempts = new LRUCache<string, number>({ max: MAX_ATTEMPTS });
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: (() => Promise<void>)[] = [];

  constructor(parts: TrackedLinksParts) {
    this.#parts = parts;
    this.#settings = { ...SAMPLING, ...parts.settings };
  }

  /**
   * What is known of such links. Asks the store only; a sample that is due is taken in the background.
   * @throws StoreUnavailable
   */
  async judge(link: TrackedLink): Promise<Resolution> {
    const key = keyOf(link);
    const [value] = await this.#parts.store.find([key]);
    const known = parseSample(value);
    const age = known === undefined ? Number.POSITIVE_INFINITY : this.#parts.clock.now() - known.at;
    if (known === undefined || age > this.#settings.staleMs) {
      this.#sample(link, key, known);
      return 'unknown';
    }
    const due = age >= (known.state === 'resolves' ? this.#settings.repeatMs : this.#settings.repeatElsewhereMs);
    if (due || isChosen(link.url, this.#settings.oneIn)) this.#sample(link, key, known);
    return known.state;
  }

  /** Resolves when no sample is being taken. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Breaks off what is being sampled; nothing is sampled afterwards. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#waiting.length = 0;
    await this.settled();
  }

  #sample(link: TrackedLink, key: RecordKey, known: Sample | undefined): void {
    const now = this.#parts.clock.now();
    const attempt = `${key.owner}/${key.id}`;
    const last = this.#attempts.get(attempt);
    if (this.#stop.signal.aborted || (last !== undefined && now - last < this.#settings.attemptMs)) return;
    // Too much to do: the next message asks again.
    if (this.#waiting.length >= MAX_WAITING) return;
    this.#attempts.set(attempt, now);
    this.#waiting.push(() => this.#take(link, key, known));
    this.#next();
  }

  #next(): void {
    while (this.#running.size < MAX_RUNNING) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      const running = job().finally(() => {
        this.#running.delete(running);
        this.#next();
      });
      this.#running.add(running);
    }
  }

  /** Never rejects: nobody waits for it. */
  async #take(link: TrackedLink, key: RecordKey, known: Sample | undefined): Promise<void> {
    const { store, clock, log } = this.#parts;
    const named = { client: link.client, campaign: campaignOf(link), host: link.url.host };
    try {
      const destination = await follow(link.url, {
        hosts: link.trackingHosts,
        pages: parsePages(link.privacyUrls),
        timeoutMs: this.#settings.timeoutMs,
        tls: this.#parts.tls ?? {},
        signal: this.#stop.signal,
      });
      if (this.#stop.signal.aborted) return;
      if (destination.kind === 'no answer') {
        log.warn({ ...named, why: destination.why }, 'a tracked privacy link could not be followed');
        return;
      }
      const sample: Sample = { state: destination.kind, at: clock.now() };
      await store.apply([{ key, value: Buffer.from(JSON.stringify(sample)) }]);
      this.#tell(named, known, destination);
    } catch (error) {
      log.error({ ...named, err: error }, 'a sample of tracked privacy links could not be kept');
    }
  }

  /** Tells of what is new. Of the link only its host is told, the rest names a person. */
  #tell(named: Readonly<Record<'client' | 'campaign' | 'host', string>>, known: Sample | undefined, destination: Destination): void {
    const { log, alarm } = this.#parts;
    if (known?.state === destination.kind) return;
    if (destination.kind === 'elsewhere') {
      const detail = { ...named, leadsTo: destination.host };
      log.error(detail, 'tracked privacy links do not lead to the privacy policy');
      alarm?.('tracked-link-elsewhere', detail);
    } else {
      log.info(named, 'tracked privacy links lead to the privacy policy');
    }
  }
}

function campaignOf({ campaigns }: TrackedLink): string {
  const [only, ...others] = campaigns;
  return only !== undefined && others.length === 0 ? only : '';
}

function keyOf(link: TrackedLink): RecordKey {
  const means = JSON.stringify([campaignOf(link), link.url.host, [...link.privacyUrls].sort(), link.label]);
  return { owner: link.client, log: LOG, id: createHash('sha256').update(means).digest('base64url') };
}

function parseSample(value: Value | undefined): Sample | undefined {
  if (value === undefined) return undefined;
  const { state, at } = JSON.parse(value.toString('utf8')) as Partial<Sample>;
  return (state === 'resolves' || state === 'elsewhere') && typeof at === 'number' ? { state, at } : undefined;
}

/** The same link is always chosen or never, so that retries do not sample more. */
function isChosen(url: URL, oneIn: number): boolean {
  return createHash('sha256').update(url.href).digest().readUInt32BE(0) % oneIn === 0;
}

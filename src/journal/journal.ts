/** The journal: decisions and counters, written behind the mail path within a second, bounded, with losses counted (DESIGN §4). */
import type { NewEvent } from '../hooks/event.ts';
import type { Outbox } from '../hooks/outbox.ts';
import type { ClientId, DecisionId } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Sealer } from '../keys/seal.ts';
import type { Vault } from '../keys/vault.ts';
import type { VaultUnavailable } from '../keys/vault-shelf.ts';
import { basePerson } from '../mail/address.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Change, RecordKey, Store } from '../store/store.ts';
import { Counters } from './counters.ts';
import type { CounterLabels, DecisionInput } from './decision.ts';
import { DecisionIndex, decisionKey } from './decision-index.ts';
import { Pseudonyms, type PseudonymsFound } from './pseudonyms.ts';
import { newDecisionId } from './ref.ts';
import { RefusedDomains } from './refused-domains.ts';

/** Decisions that may wait for the store: some 50 MB. Beyond it the oldest are dropped and counted. */
const MAX_WAITING = 50_000;
const BATCH = 500;
const FLUSH_MS = 50;
const RETRY_MS = 500;

export interface JournalParts {
  readonly store: Store;
  readonly digests: Digests;
  readonly vault: Vault;
  /** Seals decision lines, which name a credential but no person; people's data are sealed under their client's own key. */
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Logger;
  /** Tells clients' platforms of refusals; absent: nobody is told. */
  readonly outbox?: Pick<Outbox, 'changes'> | undefined;
}

interface Waiting {
  readonly id: DecisionId;
  readonly at: number;
  readonly input: DecisionInput;
}

/** Writes decisions and counters. One per process that passes mail. */
export class Journal {
  readonly #parts: JournalParts;
  readonly #metrics: Pick<Metrics, 'decided'> | undefined;
  readonly #counters = new Counters();
  readonly #pseudonyms: Pseudonyms;
  readonly #index: DecisionIndex;
  readonly #domains: RefusedDomains;
  #waiting: Waiting[] = [];
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #failing = false;
  #closed = false;

  constructor(parts: JournalParts, metrics?: Pick<Metrics, 'decided'>) {
    this.#parts = parts;
    this.#metrics = metrics;
    this.#pseudonyms = new Pseudonyms(parts.store, parts.digests, parts.vault);
    this.#index = new DecisionIndex(parts.digests);
    this.#domains = new RefusedDomains(parts.digests);
  }

  /** Decisions that are not written yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Decisions dropped so far because the store stayed away too long. */
  get lost(): number {
    return this.#lost;
  }

  /** An id for a decision that is still open, for whoever must be told of it before it is made. */
  reserve(): DecisionId {
    return newDecisionId(this.#parts.clock.now());
  }

  /** Takes a decision down, counts it, and gives the id that the reply names. Never waits. */
  decided(input: DecisionInput, id: DecisionId = this.reserve()): DecisionId {
    this.#waiting.push({ id, at: this.#parts.clock.now(), input });
    this.#drop();
    if (input.outcome === 'rejected' && input.keepRecipient) this.#domains.add(input.client, input.recipient, this.#parts.clock.now());
    this.count(input);
    return id;
  }

  /** Counts `n` recipients under the labels. Never waits. */
  count(labels: CounterLabels, n = 1): void {
    const { client, campaign, outcome, check, token } = labels;
    this.#metrics?.decided(labels, n);
    this.#counters.add(this.#parts.clock.now(), { client, campaign, outcome, check, token }, n);
    this.#schedule(FLUSH_MS);
  }

  /** Writes everything that waits. @throws StoreUnavailable, VaultUnavailable; what was not written goes on waiting, and is tried again. */
  async flush(): Promise<void> {
    this.#unschedule();
    while (this.#writing !== undefined) await this.#writing.catch(() => undefined);
    this.#writing = this.#write();
    let next = RETRY_MS;
    try {
      await this.#writing;
      next = FLUSH_MS;
    } finally {
      this.#writing = undefined;
      // What came in while the last of it was being written must not wait for the next event.
      if (this.#waiting.length > 0 || this.#counters.dirty) this.#schedule(next);
    }
  }

  /** Writes what waits as far as the store lets it, and stops: what is decided after it stays unwritten. */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.flush();
      await this.#counters.settle(this.#parts.store);
      await this.#domains.flush(this.#parts, this.#parts.clock.now(), true);
    } catch (error) {
      this.#parts.log.error({ err: error, decisions: this.#waiting.length }, 'journal: decisions lost at stop');
    }
    this.#unschedule();
  }

  #schedule(ms: number): void {
    if (this.#closed || this.#timer !== undefined || this.#writing !== undefined) return;
    this.#timer = setTimeout(() => void this.#flushQuietly(), ms);
  }

  #unschedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Says once that the store takes nothing, and once that it does again. */
  async #flushQuietly(): Promise<void> {
    const { log } = this.#parts;
    try {
      await this.flush();
      if (this.#failing) log.info({ lost: this.#lost }, 'journal: decisions are written again');
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn({ err: error, waiting: this.#waiting.length }, 'journal: the store does not take decisions');
      this.#failing = true;
    }
  }

  async #write(): Promise<void> {
    const stuck: Waiting[] = [];
    let fault: VaultUnavailable | undefined;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting.splice(0, BATCH);
        try {
          const pseudonyms = await this.#pseudonymsFor(batch);
          // One client's damaged data key must not keep everybody else's decisions from being written.
          const able = batch.filter(({ input }) => !pseudonyms.failed.has(input.client));
          for (const error of pseudonyms.failed.values()) fault ??= error;
          const told = await this.#told(able);
          await this.#parts.store.apply([...able.flatMap(waiting => this.#changes(waiting, pseudonyms)), ...told]);
          stuck.push(...batch.filter(({ input }) => pseudonyms.failed.has(input.client)));
        } catch (error) {
          this.#index.forget();
          stuck.push(...batch);
          throw error;
        }
      }
    } finally {
      this.#waiting.unshift(...stuck);
      this.#drop();
    }
    await this.#counters.flush(this.#parts.store, this.#parts.clock.now());
    if (fault === undefined) await this.#domains.flush(this.#parts, this.#parts.clock.now());
    if (fault !== undefined) throw fault;
  }

  /** What tells clients' platforms of refusals, written with them. */
  async #told(batch: readonly Waiting[]): Promise<readonly Change[]> {
    const { outbox } = this.#parts;
    if (outbox === undefined) return [];
    const events = new Map<ClientId, NewEvent[]>();
    for (const { id, input } of batch) {
      if (input.outcome !== 'rejected') continue;
      const { client, campaign, check, token, keepRecipient, recipient } = input;
      const data = { campaign, check, token, ref: id, recipient: keepRecipient ? basePerson(recipient) : undefined };
      events.set(client, [...(events.get(client) ?? []), { type: 'email.refused', data }]);
    }
    return (await Promise.all([...events].map(([client, its]) => outbox.changes(client, its)))).flat();
  }

  /** Keeps the bound: the oldest go first. */
  #drop(): void {
    const excess = this.#waiting.length - MAX_WAITING;
    if (excess <= 0) return;
    this.#waiting.splice(0, excess);
    this.#lost += excess;
  }

  #pseudonymsFor(batch: readonly Waiting[]): Promise<PseudonymsFound> {
    return this.#pseudonyms.of(
      batch.filter(({ input }) => input.keepRecipient).map(({ input }) => ({ client: input.client, person: input.recipient })),
    );
  }

  #changes({ id, at, input }: Waiting, pseudonyms: PseudonymsFound): readonly Change[] {
    const { recipient, keepRecipient, ...rest } = input;
    const pseudonym = keepRecipient ? pseudonyms.get(input.client, recipient) : undefined;
    const key = decisionKey(input.client, id);
    const value = this.#parts.sealer.seal(JSON.stringify({ ...rest, at, pseudonym }), aad(key));
    return [{ key, value }, ...this.#index.changes(id, { ...rest, pseudonym }, this.#parts.clock.now())];
  }
}

function aad(key: RecordKey): string {
  return `${key.owner}/${key.log}/${key.id}`;
}

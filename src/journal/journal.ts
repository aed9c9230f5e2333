/** The journal: decisions and counters, written behind the mail path within a second, bounded, with losses counted (DESIGN §4). */
import type { ClientId, DecisionId } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Sealer } from '../keys/seal.ts';
import type { Vault } from '../keys/vault.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { Change, RecordKey, Store } from '../store/store.ts';
import { Counters } from './counters.ts';
import type { CounterLabels, Decision, DecisionInput } from './decision.ts';
import { Pseudonyms } from './pseudonyms.ts';
import { newDecisionId } from './ref.ts';

const LOG = 'decisions';
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
}

interface Waiting {
  readonly id: DecisionId;
  readonly at: number;
  readonly input: DecisionInput;
}

/** Writes decisions and counters. One per process that passes mail. */
export class Journal {
  readonly #parts: JournalParts;
  readonly #counters = new Counters();
  readonly #pseudonyms: Pseudonyms;
  #waiting: Waiting[] = [];
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#pseudonyms = new Pseudonyms(parts.store, parts.digests, parts.vault);
  }

  /** Decisions dropped so far because the store stayed away too long. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes a decision down, counts it, and gives the id that the reply names. Never waits. */
  decided(input: DecisionInput): DecisionId {
    const at = this.#parts.clock.now();
    const id = newDecisionId(at);
    this.#waiting.push({ id, at, input });
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#lost += 1;
    }
    this.count(input);
    return id;
  }

  /** Counts `n` recipients under the labels. Never waits. */
  count(labels: CounterLabels, n = 1): void {
    const { client, campaign, outcome, check, token } = labels;
    this.#counters.add(this.#parts.clock.now(), { client, campaign, outcome, check, token }, n);
    this.#schedule(FLUSH_MS);
  }

  /** Writes everything that waits. @throws StoreUnavailable; what was not written goes on waiting. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#writing !== undefined) await this.#writing;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
    await this.#writing;
  }

  /** Writes what waits as far as the store lets it, and stops. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } catch (error) {
      this.#parts.log.error({ err: error, decisions: this.#waiting.length }, 'journal: decisions lost at stop');
    }
    clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    if (this.#timer !== undefined || this.#writing !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush().catch((error: unknown) => {
        this.#parts.log.warn({ err: error, waiting: this.#waiting.length, lost: this.#lost }, 'journal: the store does not take decisions');
        this.#schedule(RETRY_MS);
      });
    }, ms);
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      const changes = await this.#changes(batch);
      await this.#parts.store.apply(changes);
      const written = new Set(batch);
      this.#waiting = this.#waiting.filter(waiting => !written.has(waiting));
    }
    await this.#counters.flush(this.#parts.store, this.#parts.clock.now());
  }

  async #changes(batch: readonly Waiting[]): Promise<Change[]> {
    const pseudonyms = await this.#pseudonyms.of(
      batch.filter(({ input }) => input.keepRecipient).map(({ input }) => ({ client: input.client, person: input.recipient })),
    );
    return batch.map(({ id, at, input }) => {
      const { recipient, keepRecipient, ...rest } = input;
      const pseudonym = keepRecipient ? pseudonyms.get(input.client, recipient) : undefined;
      const key = decisionKey(input.client, id);
      return { key, value: this.#parts.sealer.seal(JSON.stringify({ ...rest, at, pseudonym }), aad(key)) };
    });
  }
}

/** Reads decisions. `clients` are the owners to look under: an id says when, not whose. */
export class Decisions {
  readonly #parts: Pick<JournalParts, 'store' | 'digests' | 'vault' | 'sealer'>;
  readonly #pseudonyms: Pseudonyms;

  constructor(parts: Pick<JournalParts, 'store' | 'digests' | 'vault' | 'sealer'>) {
    this.#parts = parts;
    this.#pseudonyms = new Pseudonyms(parts.store, parts.digests, parts.vault);
  }

  /** The decision with that id, with its recipient where the person's mapping still lives. */
  async show(id: DecisionId, clients: readonly ClientId[]): Promise<Decision | undefined> {
    const keys = clients.map(client => decisionKey(client, id));
    const values = await this.#parts.store.find(keys);
    for (const [i, value] of values.entries()) {
      const key = keys[i];
      const client = clients[i];
      if (value === undefined || key === undefined || client === undefined) continue;
      const opened = this.#parts.sealer.open(value, aad(key));
      if (opened === undefined) throw new Error(`decision ${id} is there but cannot be opened with this key`);
      const line = JSON.parse(opened.toString()) as Omit<Decision, 'id' | 'recipient'>;
      const recipient = line.pseudonym === undefined ? undefined : await this.#pseudonyms.person(client, line.pseudonym);
      return { ...line, id, recipient };
    }
    return undefined;
  }
}

function decisionKey(client: ClientId, id: DecisionId): RecordKey {
  return { owner: client, log: LOG, id };
}

function aad(key: RecordKey): string {
  return `${key.owner}/${key.log}/${key.id}`;
}

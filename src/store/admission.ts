/** The gate before a store: nothing is answered until the engine is fit and the store has been admitted, after every reconnect anew. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../ops/log.ts';
import { storeIsNew } from './head.ts';
import { type Store, StoreMissing, StoreRefused, StoreUnavailable } from './store.ts';

/** The connection of an engine, as the gate sees it. */
export interface Link {
  /** The store's address without credentials, for messages. */
  readonly label: string;
  /**
   * Resolves when the engine answers and is fit to be relied on.
   * @throws StoreUnavailable (not now) or StoreRefused (not as it is set up).
   */
  guard(): Promise<void>;
  /** `listener` is told, in the same tick, that the connection is gone or may lead elsewhere: what comes next must be admitted. */
  onLost(listener: () => void): void;
}

export interface Admission {
  readonly create: boolean;
  /** True (a server): resolve although the store is down, and go on trying. False (a command): reject. */
  readonly patient: boolean;
  readonly log: Logger;
  /** Makes the store fit for use: checks the head, replays the ledger. Gets the store without the gate. */
  readonly admit: (store: Store) => Promise<void>;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 500;

/**
 * The store behind its gate, after the first attempt to admit it.
 * @throws StoreMissing and StoreRefused at once; anything else only where the admission is not patient.
 */
export async function admitted(raw: Store, link: Link, admission: Admission): Promise<Store> {
  const gate = new Gate(raw, link, admission);
  link.onLost(() => gate.lose());
  try {
    await gate.attempt();
  } catch (error) {
    if (!admission.patient || error instanceof StoreRefused || error instanceof StoreMissing) {
      await gate.close();
      throw error;
    }
    gate.recover(error);
  }
  return gate;
}

class Gate implements Store {
  readonly #raw: Store;
  readonly #link: Link;
  readonly #admission: Admission;
  readonly #closing = new AbortController();
  /** Counts connections: an answer is good only if it began and ended within one admitted connection. */
  #session = 0;
  #open = false;
  #recovering = false;

  constructor(raw: Store, link: Link, admission: Admission) {
    this.#raw = raw;
    this.#link = link;
    this.#admission = admission;
  }

  find: Store['find'] = keys => this.#pass(() => this.#raw.find(keys));
  apply: Store['apply'] = (changes, expect) => this.#pass(() => this.#raw.apply(changes, expect));
  isEmpty: Store['isEmpty'] = () => this.#pass(() => this.#raw.isEmpty());
  inspect: Store['inspect'] = () => this.#pass(() => this.#raw.inspect());
  ping: Store['ping'] = () => this.#pass(() => this.#raw.ping());

  async *scan(...[range]: Parameters<Store['scan']>): ReturnType<Store['scan']> {
    const session = this.#enter();
    for await (const pair of this.#raw.scan(range)) {
      this.#leave(session);
      yield pair;
    }
    this.#leave(session);
  }

  async close(): Promise<void> {
    this.#open = false;
    this.#closing.abort();
    await this.#raw.close();
  }

  async attempt(): Promise<void> {
    const { create, admit } = this.#admission;
    const session = this.#session;
    await this.#link.guard();
    if (!create && (await storeIsNew(this.#raw))) {
      throw new StoreMissing(`There is no store at ${this.#link.label}; \`postern serve\` or \`postern client add\` creates one`);
    }
    await admit(this.#raw);
    if (session !== this.#session) throw new StoreUnavailable('The store was lost while it was being admitted');
    this.#open = !this.#closing.signal.aborted;
  }

  lose(): void {
    this.#session++;
    if (this.#closing.signal.aborted) return;
    const wasOpen = this.#open;
    this.#open = false;
    if (wasOpen) this.recover(new StoreUnavailable('The connection was lost'));
  }

  /** Attempts until one succeeds; says why not whenever the reason changes. */
  recover(cause: unknown): void {
    if (this.#recovering) return;
    this.#recovering = true;
    void this.#retry(cause).finally(() => {
      this.#recovering = false;
      if (!this.#open && !this.#closing.signal.aborted) this.recover(new StoreUnavailable('The connection was lost'));
    });
  }

  async #retry(cause: unknown): Promise<void> {
    const { log } = this.#admission;
    const { signal } = this.#closing;
    let told: string | undefined;
    for (let wait = FIRST_RETRY_MS, error: unknown = cause; !signal.aborted; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== told) log.error({ store: this.#link.label, why }, 'the store is unavailable: mail is deferred');
      told = why;
      await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.attempt();
        log.info({ store: this.#link.label }, 'the store is available');
        return;
      } catch (failure) {
        error = failure;
      }
    }
  }

  async #pass<T>(ask: () => Promise<T>): Promise<T> {
    const session = this.#enter();
    const answer = await ask();
    this.#leave(session);
    return answer;
  }

  #enter(): number {
    if (this.#closing.signal.aborted) throw new StoreUnavailable('The store is closed');
    if (!this.#open) throw new StoreUnavailable('The store is not available');
    return this.#session;
  }

  #leave(session: number): void {
    if (session !== this.#session) throw new StoreUnavailable('The connection to the store was lost meanwhile');
  }
}

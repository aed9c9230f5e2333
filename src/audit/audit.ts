/** The audit trail of each owner (a client, or global): what was changed, by whom, from where, when and why; it only ever grows. */
import { GLOBAL } from '../ids.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Vault } from '../keys/vault.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { OneByOne } from '../ops/one-by-one.ts';
import { type Change, type Expectation, isEntryKey, type Store, StoreUnavailable } from '../store/store.ts';
import { type Acceptability, lossesIn } from './acceptance.ts';
import type { AuditAct, AuditLine, Who } from './act.ts';
import { ACCEPT, acceptanceLine, anchorLine } from './anchor.ts';
import { Chain, EMPTY, headKey, LOG, numberOf, recordKey, type Tail } from './chain.ts';
import { type AuditPage, type AuditQuery, readPage } from './reading.ts';
import { type Verification, verifyTrail } from './verify.ts';

/** A line that is ready to be written in the same apply as the change it records. */
export interface Draft {
  readonly changes: readonly Change[];
  /** Where one of them does not hold, somebody else's line was first: draft anew. */
  readonly expect: readonly Expectation[];
  readonly line: AuditLine;
  /** To be awaited once the apply has happened: anchors the trail outside the store. Never throws, and does nothing twice. */
  settle(): Promise<void>;
}

export interface AuditParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly vault: Pick<Vault, 'note' | 'notes' | 'noted'>;
  readonly clock: Clock;
  readonly log: Logger;
}

const ATTEMPTS = 100;
/** Lines of a listing of any length, read at once. */
const PAGE = 1_000;

/** Every method but `settle` throws StoreUnavailable where no answer came, `verify`, `owners` and `accept` VaultUnavailable, too. */
export class Audit {
  readonly #parts: AuditParts;
  readonly #chain: Chain;
  readonly #turns = new OneByOne();
  /** By owner: what is still to be anchored; an anchor of a later line covers the earlier ones. */
  readonly #unanchored = new Map<string, Tail>();
  readonly #anchoring = new Map<string, Promise<void>>();
  /** By owner: what this process anchored last. */
  readonly #anchored = new Map<string, Tail>();

  constructor(parts: AuditParts) {
    this.#parts = parts;
    this.#chain = new Chain(parts.keyring);
  }

  /**
   * Drafts the next line of the owner's trail. Apply its changes and expectations together with the change that it records; false from
   * `apply` may mean that somebody else's line was first: then draft anew and try again (`together` is that loop).
   */
  async append(owner: string, act: AuditAct): Promise<Draft> {
    const { store, clock } = this.#parts;
    const key = headKey(owner);
    const [head] = await store.find([key]);
    const tail = await this.#tail(owner, head && this.#chain.readHead(owner, head));
    const { by, from, what, about, why } = act;
    const told = { ...(about === undefined ? {} : { about }), ...(why === undefined ? {} : { why }) };
    const line: AuditLine = { n: tail.count + 1, at: Math.max(clock.now(), tail.at), by, from, what, ...told };
    const changes = this.#chain.extend(owner, tail, line);
    const expect = [
      { key, value: head },
      { key: recordKey(owner, line.n), value: undefined },
    ];
    return { changes, expect, line, settle: () => this.#settle(owner) };
  }

  /** Writes one line alone. */
  record(owner: string, act: AuditAct): Promise<AuditLine> {
    const { store } = this.#parts;
    return this.together(owner, act, async ({ changes, expect, line }) => ((await store.apply(changes, expect)) ? line : undefined));
  }

  /** Calls `attempt` with a draft until it says what came of it, in the owner's turn; undefined means that its apply came to nothing. */
  async together<T extends string | object>(owner: string, act: AuditAct, attempt: (draft: Draft) => Promise<T | undefined>): Promise<T> {
    const outcome = await this.inTurn(owner, async () => {
      for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
        const outcome = await attempt(await this.append(owner, act));
        if (outcome !== undefined) return outcome;
      }
      throw new StoreUnavailable('The audit trail keeps changing under us');
    });
    // Out of turn: one anchor does for all that are written while the one before it is being noted.
    await this.#settle(owner);
    return outcome;
  }

  /**
   * Does one work after the other for an owner within this process, so that many who draft at once do not outrun each other again and
   * again. Work must not ask for the same owner's turn: so none within it calls `record` or `together`.
   */
  inTurn<T>(owner: string, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(owner, work);
  }

  /** At most `limit` of the owner's lines, newest first; a page may be short, even empty, and still have a `next`. */
  page(owner: string, query: AuditQuery, limit: number): Promise<AuditPage> {
    return readPage({ store: this.#parts.store, chain: this.#chain, owner }, query, limit);
  }

  /** The owner's lines, newest first, in constant memory. A line that cannot be read is left out: `verify` names it. */
  async *list(
    owner: string,
    { limit = Number.POSITIVE_INFINITY, before, ...query }: AuditQuery & { readonly limit?: number | undefined } = {},
  ): AsyncIterable<AuditLine> {
    let [next, left]: [number | undefined, number] = [before, limit];
    do {
      const page = await this.page(owner, { ...query, before: next }, Math.min(PAGE, left));
      yield* page.items;
      next = page.next;
      left -= page.items.length;
    } while (next !== undefined && left > 0);
  }

  /** Whether the owner's trail is whole, or its `last` lines are; says where it is not. */
  verify(owner: string, last?: number): Promise<Verification> {
    return verifyTrail({ ...this.#parts, chain: this.#chain }, owner, last);
  }

  /** These owners, global, and those of whom anything is anchored, whatever the store says of them. */
  async owners(known: readonly string[]): Promise<readonly string[]> {
    return [...new Set([GLOBAL, ...known, ...(await this.#parts.vault.noted())])].sort();
  }

  /**
   * Accepts on record that a restore of the store lost lines: a line of the trail says which, who and why, the trail is anchored anew, and
   * `verify` tells of the loss for ever, as accepted. Whoever has the store alone can do none of this. Anything but such a loss is
   * not accepted.
   */
  async accept(owner: string, who: Who): Promise<Acceptability> {
    const { store, vault } = this.#parts;
    const [head] = await store.find([headKey(owner)]);
    const { count } = await this.#tail(owner, head && this.#chain.readHead(owner, head));
    const lost = lossesIn(await this.verify(owner), count);
    if ('problem' in lost) return lost;
    for (const { from, to } of lost) {
      const { n } = await this.record(owner, { ...who, what: ACCEPT, about: { from, to } });
      const [value] = await store.find([recordKey(owner, n)]);
      const link = value && this.#chain.read(recordKey(owner, n), value)?.link;
      if (link === undefined) throw new StoreUnavailable('The line just written is not there');
      await vault.note(owner, acceptanceLine({ from, to, n, link }));
      // What others wrote and anchored meanwhile may be among the numbers that were just given up.
      const [now] = await store.find([headKey(owner)]);
      const tail = now && this.#chain.readHead(owner, now);
      if (tail !== undefined) await vault.note(owner, anchorLine(tail));
    }
    return lost;
  }

  /** Where the trail goes on. Where its head was tampered with, after the last record that is there: nothing is written over. */
  async #tail(owner: string, head: Tail | undefined): Promise<Tail> {
    const { store } = this.#parts;
    const tail = head ?? EMPTY;
    const [next] = await store.find([recordKey(owner, tail.count + 1)]);
    if (next === undefined && head !== undefined) return head;
    for await (const [key, value] of store.scan({ owner, log: LOG, reverse: true })) {
      const n = isEntryKey(key) ? undefined : numberOf(key.id);
      if (isEntryKey(key) || n === undefined) continue;
      const last = this.#chain.read(key, value);
      if (n > tail.count) return { count: n, link: last?.link ?? '', at: last?.line.at ?? 0 };
      break;
    }
    return tail;
  }

  /** Anchors the trail as it is now, unless that was done. */
  async #settle(owner: string): Promise<void> {
    try {
      const [head] = await this.#parts.store.find([headKey(owner)]);
      const tail = head && this.#chain.readHead(owner, head);
      if (tail !== undefined) await this.#anchor(owner, tail);
    } catch (error) {
      this.#parts.log.error({ err: error, owner }, 'the audit trail could not be anchored; its next line will be');
    }
  }

  /** Resolves when this tail or a later one is noted. */
  async #anchor(owner: string, tail: Tail): Promise<void> {
    if ((this.#unanchored.get(owner)?.count ?? 0) < tail.count) this.#unanchored.set(owner, tail);
    while (!this.#isAnchored(owner, tail)) {
      const running = this.#anchoring.get(owner);
      if (running === undefined && !this.#unanchored.has(owner)) this.#unanchored.set(owner, tail);
      await (running ?? this.#begin(owner));
    }
  }

  #isAnchored(owner: string, { count, link }: Tail): boolean {
    const anchored = this.#anchored.get(owner);
    return anchored !== undefined && (anchored.count > count || anchored.link === link);
  }

  #begin(owner: string): Promise<void> {
    const tail = this.#unanchored.get(owner) as Tail;
    this.#unanchored.delete(owner);
    const running = this.#parts.vault
      .note(owner, anchorLine(tail))
      .then(() => void this.#anchored.set(owner, tail))
      .finally(() => this.#anchoring.delete(owner));
    this.#anchoring.set(owner, running);
    return running;
  }
}

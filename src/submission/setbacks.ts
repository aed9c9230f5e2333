/**
 * Remembers whom the upstream refused within a message of several recipients, so that the sender's retry is told at RCPT and
 * carries the rest (DESIGN §4). Kept in memory only: it repeats an answer, it decides nothing.
 */
import { LRUCache } from 'lru-cache';
import type { ClientId } from '../ids.ts';
import type { Address } from '../mail/address.ts';
import type { Reply } from '../mail/reply.ts';
import type { Clock } from '../ops/clock.ts';

const MINUTE = 60_000;
/** A sender that retries more slowly than this does not exist in practice; beyond it the recipient is asked about anew. */
const LONGEST = 4 * 60 * MINUTE;

interface Setback {
  readonly reply: Reply;
  readonly until: number;
  readonly lasts: number;
}

export class Setbacks {
  readonly #cache = new LRUCache<string, Setback>({ max: 100_000 });
  readonly #clock: Clock;
  readonly #first: number;

  /** @param minutes how long a first setback is repeated; each further one for the same recipient lasts twice as long. */
  constructor(clock: Clock, minutes: number) {
    this.#clock = clock;
    this.#first = minutes * MINUTE;
  }

  /**
   * The doubling keeps a mixed message from starving: with a memory shorter than the sender's retry interval, one mailbox
   * that stays full would hold back everybody else in the message for days. It begins anew where the last is long over.
   */
  note(client: ClientId, rcpt: Address, reply: Reply): void {
    const now = this.#clock.now();
    const known = this.#cache.get(name(client, rcpt));
    const again = known !== undefined && now - known.until < LONGEST;
    const lasts = again ? Math.min(known.lasts * 2, LONGEST) : this.#first;
    this.#cache.set(name(client, rcpt), { reply, until: now + lasts, lasts });
  }

  /** The reply to repeat at RCPT, or undefined. */
  of(client: ClientId, rcpt: Address): Reply | undefined {
    const known = this.#cache.get(name(client, rcpt));
    return known !== undefined && known.until > this.#clock.now() ? known.reply : undefined;
  }

  /** The recipient was taken: forget. */
  clear(client: ClientId, rcpt: Address): void {
    this.#cache.delete(name(client, rcpt));
  }
}

function name(client: ClientId, rcpt: Address): string {
  return `${client} ${rcpt.relayed}`;
}

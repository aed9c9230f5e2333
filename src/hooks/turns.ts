/**
 * Whose turn it is: endpoints that answer are served at once, however many others hang. A turn that waits for an answer soon takes no room
 * from others, an endpoint that fails is asked more and more rarely, and those that fail never have all the room.
 */

/** A turn without an answer for so long is slow. */
const SLOW_MS = 1_000;
/** Turns at once that are not slow, and how many of them may be of endpoints that failed last. */
const MAX_QUICK = 64;
const MAX_QUICK_FAILING = 32;
/** Slow ones: each holds a few sockets. */
const MAX_SLOW = 512;
const MAX_SLOW_FAILING = 256;
/** An endpoint of which nothing was taken is left alone for so long, twice as long each time, whatever is due. */
const REST_MS = 2_000;
const MAX_REST_MS = 60_000;

interface Past {
  readonly endedAt: number;
  /** Turns in a row in which nothing was taken. */
  readonly failures: number;
}

/** One turn of one endpoint. */
export interface Turn {
  answeredAt: number;
}

/** All times are readings of performance.now(), passed in. */
export class Turns {
  readonly #running = new Map<string, Turn>();
  readonly #past = new Map<string, Past>();

  /** Those that may be asked now: the one whose last turn is longest ago first. What is not among `ids` is forgotten. */
  order<T extends { readonly id: string }>(all: readonly T[], now: number): readonly T[] {
    const ids = new Set(all.map(({ id }) => id));
    for (const id of this.#past.keys()) if (!ids.has(id)) this.#past.delete(id);
    const endedAt = ({ id }: T): number => this.#past.get(id)?.endedAt ?? 0;
    return all
      .filter(({ id }) => !this.#running.has(id) && this.#restsUntil(id) <= now)
      .sort((one, other) => endedAt(one) - endedAt(other));
  }

  /** Whether nothing was taken in its last turn. */
  isFailing(id: string): boolean {
    return (this.#past.get(id)?.failures ?? 0) > 0;
  }

  /** Whether there is room for a turn of this endpoint. */
  hasRoom(id: string, now: number): boolean {
    const slow = [...this.#running.values()].filter(turn => isSlow(turn, now)).length;
    const quick = this.#running.size - slow;
    return this.isFailing(id) ? quick < MAX_QUICK_FAILING && slow < MAX_SLOW_FAILING : quick < MAX_QUICK && slow < MAX_SLOW;
  }

  begin(id: string, now: number): Turn {
    const turn = { answeredAt: now };
    this.#running.set(id, turn);
    return turn;
  }

  end(id: string, well: boolean, now: number): void {
    this.#running.delete(id);
    this.#past.set(id, { endedAt: now, failures: well ? 0 : (this.#past.get(id)?.failures ?? 0) + 1 });
  }

  #restsUntil(id: string): number {
    const { endedAt, failures } = this.#past.get(id) ?? { endedAt: 0, failures: 0 };
    return failures === 0 ? 0 : endedAt + Math.min(MAX_REST_MS, REST_MS * 2 ** (failures - 1));
  }
}

/** Whether its endpoint has not answered for long. */
export function isSlow({ answeredAt }: Turn, now: number): boolean {
  return now - answeredAt > SLOW_MS;
}

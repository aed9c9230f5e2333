/** What one client may use of this gate: transactions a minute (450) and sessions at once (421). Per gate, not per fleet. */
import type { ClientId } from '../ids.ts';
import { defer, type Reply } from '../mail/reply.ts';
import type { Clock } from '../ops/clock.ts';

const MINUTE = 60_000;

interface Use {
  /** Transactions still allowed now; refills evenly over a minute. */
  tokens: number;
  refilledAt: number;
  readonly sessions: Set<string>;
}

export class Limits {
  readonly #clock: Clock;
  readonly #use = new Map<ClientId, Use>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a session for its client, once. 0 = no limit. A Reply (421 4.7.0) when there are too many. */
  enter(client: ClientId, session: string, maxSessions: number): Reply | undefined {
    const use = this.#of(client);
    if (use.sessions.has(session)) return undefined;
    if (maxSessions > 0 && use.sessions.size >= maxSessions) {
      return defer(421, '4.7.0', `Too many sessions at once, at most ${maxSessions} for this client`);
    }
    use.sessions.add(session);
    return undefined;
  }

  leave(client: ClientId, session: string): void {
    const use = this.#use.get(client);
    use?.sessions.delete(session);
    if (use?.sessions.size === 0 && this.#clock.now() - use.refilledAt > MINUTE) this.#use.delete(client);
  }

  /** Takes one transaction of this minute's. 0 = no limit. A Reply (450 4.7.0) when they are used up. */
  take(client: ClientId, perMinute: number): Reply | undefined {
    if (perMinute === 0) return undefined;
    const use = this.#of(client);
    const now = this.#clock.now();
    // A clock that was set back must not take back what was granted.
    const passed = Math.max(0, now - use.refilledAt);
    use.tokens = Math.min(perMinute, use.tokens + (passed / MINUTE) * perMinute);
    use.refilledAt = now;
    if (use.tokens < 1) return defer(450, '4.7.0', `Too many messages, at most ${perMinute} a minute for this client`);
    use.tokens -= 1;
    return undefined;
  }

  #of(client: ClientId): Use {
    let use = this.#use.get(client);
    if (use === undefined) {
      use = { tokens: Number.POSITIVE_INFINITY, refilledAt: this.#clock.now(), sessions: new Set() };
      this.#use.set(client, use);
    }
    return use;
  }
}

/** A smarthost as an Upstream: transactions over a bounded number of kept connections. */
import type { Socket } from 'node:net';
import type { Envelope } from '../mail/envelope.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { Connection } from './connection.ts';
import { openConnection } from './opening.ts';
import type { Timeouts } from './options.ts';
import { Places } from './places.ts';
import { type Consent, type Outcome, transact } from './transaction.ts';
import { type RelayResult, type Upstream, UpstreamUnavailable } from './upstream.ts';
import { describe, type UpstreamTarget } from './url.ts';

export interface SmarthostParts {
  /** Connections at most; DSNs that a consent waits for may double it. */
  readonly connections: number;
  readonly messagesPerConnection: number;
  /** Milliseconds. */
  readonly timeouts: Timeouts;
  /** What we call ourselves in EHLO. */
  readonly hostname: string;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Idle {
  readonly connection: Connection;
  readonly since: number;
  readonly timer: NodeJS.Timeout;
}

/** How long `close` lets running transactions go on. */
const GRACE_MS = 5000;
/** Servers slow down or cut off a client after so many errors in a row (Postfix: smtpd_soft_error_limit 10), so such a connection is renewed before. */
const REFUSALS_LIMIT = 5;

export function createSmarthost(target: UpstreamTarget, parts: SmarthostParts): Upstream {
  return new Smarthost(target, parts);
}

class Smarthost implements Upstream {
  readonly #target: UpstreamTarget;
  readonly #parts: SmarthostParts;
  readonly #name: string;
  readonly #places: Places;
  /** The newest last: it is the likeliest to be still open, and the others get a chance to grow old. */
  readonly #idle: Idle[] = [];
  readonly #sockets = new Set<Socket>();
  #closing = false;
  #onEmpty: (() => void) | undefined;

  constructor(target: UpstreamTarget, parts: SmarthostParts) {
    this.#target = target;
    this.#parts = parts;
    this.#name = describe(target);
    this.#places = new Places(parts.connections, parts.timeouts.wait);
  }

  async relay(envelope: Envelope, octets: readonly Buffer[], consent?: Consent): Promise<RelayResult> {
    if (!(await this.#places.take(envelope.reversePath === null))) {
      throw this.#unavailable(this.#closing ? 'closing' : `no connection came free within ${this.#parts.timeouts.wait / 1000} s`);
    }
    const ask: Consent | undefined = consent && (answers => this.#places.lend(() => consent(answers)));
    let connection = this.#reuse();
    let outcome: Outcome | undefined;
    try {
      if (connection !== undefined) outcome = await this.#tryKept(connection, envelope, octets, ask);
      if (connection === undefined || outcome === undefined) {
        connection = await this.#open();
        outcome = await transact(connection, envelope, octets, ask, this.#parts.timeouts);
      }
    } catch (error) {
      connection?.destroy();
      this.#leave();
      throw error;
    }
    void this.#settle(connection, outcome.clean);
    return outcome.result;
  }

  async verify(): Promise<void> {
    if (this.#closing) throw this.#unavailable('closing');
    const connection = await this.#open();
    try {
      const reply = await connection.command('NOOP\r\n', 'NOOP', this.#parts.timeouts.mail);
      if (reply.code >= 300) throw this.#unavailable(`the upstream answered NOOP with ${reply.code}`);
    } finally {
      await connection.quit();
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#places.close();
    const idle = this.#idle.splice(0);
    for (const { timer } of idle) clearTimeout(timer);
    await Promise.all([...idle.map(({ connection }) => connection.quit()), this.#emptied()]);
    await Promise.all([...this.#sockets].map(cut));
  }

  /**
   * On a kept connection; undefined where the server had meanwhile given it up (closed, or says 421 first thing), so that a fresh one may be
   * tried: nobody was asked for consent and no octet of the message was sent.
   */
  async #tryKept(
    connection: Connection,
    envelope: Envelope,
    octets: readonly Buffer[],
    consent: Consent | undefined,
  ): Promise<Outcome | undefined> {
    try {
      const outcome = await transact(connection, envelope, octets, consent, this.#parts.timeouts);
      if (outcome.result.stage !== 'mail' || outcome.result.reply.code !== 421) return outcome;
    } catch (error) {
      if (connection.ended !== 'lost' || connection.committed) throw error;
    }
    this.#parts.log.debug({ upstream: this.#name }, 'a kept connection was gone');
    return undefined;
  }

  #open(): Promise<Connection> {
    return openConnection({
      target: this.#target,
      hostname: this.#parts.hostname,
      timeouts: this.#parts.timeouts,
      track: socket => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      },
    });
  }

  #reuse(): Connection | undefined {
    for (let entry = this.#idle.pop(); entry !== undefined; entry = this.#idle.pop()) {
      const { connection, since, timer } = entry;
      clearTimeout(timer);
      connection.onIdleEnd = undefined;
      // Timers stand still while a machine sleeps; the clock does not.
      if (this.#parts.clock.now() - since < this.#parts.timeouts.idle) return connection;
      void connection.quit();
    }
    return undefined;
  }

  /** After an answer: the transaction is cleared away, the connection kept or closed, the place given back. The sender need not wait for it. */
  async #settle(connection: Connection, clean: boolean): Promise<void> {
    if (!clean && connection.ended === undefined) await this.#reset(connection);
    if (this.#worthKeeping(connection)) this.#keep(connection);
    else void connection.quit();
    this.#leave();
  }

  async #reset(connection: Connection): Promise<void> {
    try {
      const reply = await connection.command('RSET\r\n', 'RSET', this.#parts.timeouts.mail);
      if (reply.code !== 250) connection.destroy();
    } catch (error) {
      if (!(error instanceof UpstreamUnavailable)) throw error;
      this.#parts.log.debug({ upstream: this.#name, err: error }, 'a connection was lost after its transaction');
    }
  }

  #worthKeeping(connection: Connection): boolean {
    const { connections, messagesPerConnection } = this.#parts;
    return (
      !this.#closing &&
      connection.ended === undefined &&
      connection.transactions < messagesPerConnection &&
      connection.refusals < REFUSALS_LIMIT &&
      this.#places.used + this.#idle.length <= connections
    );
  }

  #keep(connection: Connection): void {
    const drop = (): void => {
      clearTimeout(entry.timer);
      connection.onIdleEnd = undefined;
      const index = this.#idle.indexOf(entry);
      if (index >= 0) this.#idle.splice(index, 1);
      void connection.quit();
    };
    const entry: Idle = { connection, since: this.#parts.clock.now(), timer: setTimeout(drop, this.#parts.timeouts.idle) };
    connection.onIdleEnd = drop;
    this.#idle.push(entry);
  }

  #leave(): void {
    this.#places.free();
    if (this.#places.used === 0) this.#onEmpty?.();
  }

  /** Resolves when no transaction runs, after five seconds at most. */
  #emptied(): Promise<void> {
    if (this.#places.used === 0) return Promise.resolve();
    return new Promise(resolve => {
      const timer = setTimeout(resolve, GRACE_MS);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #unavailable(what: string): UpstreamUnavailable {
    return new UpstreamUnavailable(`${this.#name}: ${what}`, false);
  }
}

function cut(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    socket.once('close', () => resolve());
    socket.destroy();
  });
}

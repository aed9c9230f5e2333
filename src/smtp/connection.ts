/** One socket under a session: smtp-server's connection for TLS and teardown, our own reading, replying and waiting. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { CipherNameAndProtocol, TLSSocket } from 'node:tls';
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js';
import type { SMTPServer } from 'smtp-server/lib/smtp-server.js';
import type { Reply } from '../mail/reply.ts';
import type { MessageReader } from './message-reader.ts';
import { SessionPeer } from './peer.ts';
import { EARLY, TIMED_OUT } from './replies.ts';
import { type Channel, Session, type SessionNeeds } from './session.ts';
import { type Line, Wire } from './wire.ts';

/** What a connection needs beside what its session needs. */
export interface ConnectionNeeds<Login> extends SessionNeeds<Login> {
  /** How long a client may keep the listener waiting: for a command, or for its share of a message. */
  readonly idleMs: number;
  mayXclient(address: string): boolean;
  /** The socket is closed. */
  gone(connection: Connection<Login>): void;
}

/** A reply waits for those of the commands that were pipelined behind it, but no longer than this. */
const HOLD_MS = 20;
const HOLD_CHARACTERS = 16_384;
/** Octets a second that a message must make on average, so that nobody can hold a session by dripping. */
const SLOWEST = 1024;
/** Who does not wait for the greeting has mostly spoken by then (all of 100, over loopback); smtp-server waits 100 ms for the same. */
const GREETING_MS = 5;

export class Connection<Login> extends SMTPConnection {
  readonly #needs: ConnectionNeeds<Login>;
  readonly #session: Session<Login>;
  readonly #idle: NodeJS.Timeout;
  #greeted = false;
  #early = false;
  #working = false;
  #held = '';
  #hold: NodeJS.Timeout | undefined;
  #reader: MessageReader | undefined;
  #progress = 0;
  /** The socket to destroy: the TLS one as soon as a handshake has begun, as pulling the lower one from under it is not safe. */
  #top: Socket;

  constructor(
    server: SMTPServer,
    socket: Socket | TLSSocket,
    options: SMTPConnectionOptions | null | undefined,
    needs: ConnectionNeeds<Login>,
  ) {
    super(server, socket, options);
    this.#needs = needs;
    this.#top = socket;
    const peer = new SessionPeer(this.id, this.remoteAddress, describeTls(socket));
    this.#session = new Session(needs, this.#channel(), peer, needs.mayXclient(this.remoteAddress));
    this.#idle = setTimeout(() => this.#waitedLong(), needs.idleMs).unref();
  }

  /** As Passage.judging. */
  get judging(): boolean {
    return this.#session.judging;
  }

  /** Begins the conversation. */
  override init(): void {
    this._setListeners(() => setTimeout(() => this.#greet(), GREETING_MS));
  }

  /** The listener stops taking mail: leaves at once where nothing is under way. */
  stop(): void {
    this.#session.stop();
  }

  /** Sends `reply` and leaves, whatever is under way. */
  part(reply: Reply): void {
    if (!this._closing) this.#session.part(reply);
  }

  destroy(): void {
    this.#top.destroy();
  }

  override close(): void {
    const wire = this._parser;
    super.close();
    if (wire instanceof Wire) wire.stop();
    this.#session.closed();
  }

  /** Called while the base class is under construction: nothing private of this one exists yet. */
  override _createParser(): Wire {
    const wire = new Wire(line => this.#take(line));
    wire.on('error', error => this._onError(error));
    return wire;
  }

  /** The base class's timer starts again with every octet; ours is in #waitedLong. */
  override _armTimeout(socket: Socket = this._socket): void {
    this.#top = socket;
  }

  override _onError(error: Error & { code?: string | undefined }): void {
    this.#needs.log.debug({ session: this.id, code: error.code }, 'connection failed');
    this.#top.destroy();
  }

  override _onClose(): void {
    if (this._parser instanceof Wire) this._parser.stop();
    super._onClose();
    clearTimeout(this.#idle);
    clearTimeout(this.#hold);
    this.#session.closed();
    this.#needs.gone(this);
  }

  #channel(): Channel {
    const wire = () => (this._parser instanceof Wire ? this._parser : undefined);
    return {
      send: text => this.#send(text, wire()?.lineWaiting === true),
      pending: () => wire()?.pending === true,
      read: reader => this.#read(wire(), reader),
      startTls: () => {
        this.#flush();
        this.upgrade(
          () => undefined,
          () => this.#session.secured(describeTls(this._socket) ?? 'TLS'),
        );
      },
      close: () => {
        this.#flush();
        this.close();
      },
    };
  }

  #greet(): void {
    if (this._closing || this._closed) return;
    this.#greeted = true;
    if (this.#early || (this._parser instanceof Wire && this._parser.pending)) this.#session.part(EARLY);
    else this.#session.greet();
  }

  async #take(line: Line): Promise<void> {
    if (!this.#greeted) {
      this.#early = true;
      return;
    }
    this.#working = true;
    await this.#session.line(line);
    // A client that never reads would have us keep its replies in memory.
    if (this._socket.writableNeedDrain && !this._socket.destroyed) await settled(this._socket);
    this.#working = false;
    this.#idle.refresh();
  }

  async #read(wire: Wire | undefined, reader: MessageReader): Promise<boolean> {
    if (wire === undefined || this._closing) return false;
    this.#reader = reader;
    this.#progress = 0;
    this.#idle.refresh();
    const whole = await wire.read(reader);
    this.#reader = undefined;
    return whole;
  }

  #send(text: string, moreToCome: boolean): void {
    if (this._upgrading || this._closing) return;
    this.#held += text;
    if (!moreToCome || this.#held.length >= HOLD_CHARACTERS) this.#flush();
    else this.#hold ??= setTimeout(() => this.#flush(), HOLD_MS).unref();
  }

  #flush(): void {
    clearTimeout(this.#hold);
    this.#hold = undefined;
    const text = this.#held;
    this.#held = '';
    if (text !== '' && !this._upgrading && this._socket.writable) this._socket.write(text, 'latin1');
  }

  /**
   * RFC 5321 §4.5.3.2.7: a command may take five minutes. Counted from the last one answered, not from the last octet; a message
   * must bring its share in each such time, and one already known to be unfit gets no second.
   */
  #waitedLong(): void {
    const reader = this.#reader;
    if (this._upgrading) {
      this.#top.destroy();
    } else if (
      reader !== undefined &&
      reader.fault === undefined &&
      reader.received - this.#progress >= (SLOWEST * this.#needs.idleMs) / 1000
    ) {
      this.#progress = reader.received;
      this.#idle.refresh();
    } else if (this.#working && reader === undefined && !this._socket.writableNeedDrain) {
      this.#idle.refresh();
    } else {
      this.part(TIMED_OUT);
    }
  }
}

async function settled(socket: Socket): Promise<void> {
  const stop = new AbortController();
  const wait = (event: string) => once(socket, event, { signal: stop.signal }).catch(() => undefined);
  await Promise.race([wait('drain'), wait('close')]);
  stop.abort();
}

/** `TLSv1.3 TLS_AES_256_GCM_SHA384`; undefined for a socket without TLS, or one that is gone already. */
function describeTls(socket: Socket | TLSSocket): string | undefined {
  const cipher: CipherNameAndProtocol | null = 'getCipher' in socket ? socket.getCipher() : null;
  return cipher === null || !('getProtocol' in socket) ? undefined : `${socket.getProtocol()} ${cipher.standardName}`;
}

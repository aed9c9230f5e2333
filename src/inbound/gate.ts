/** The inbound gate: takes what comes back for addresses that it knows, and answers 250 once what follows from it is durable. */
import { createHash } from 'node:crypto';
import { basePerson, isAddress, parseAddress } from '../mail/address.ts';
import { type Message, parseMessage } from '../mail/message.ts';
import { accept, defer, type Reply, reject } from '../mail/reply.ts';
import { unwrapped } from '../mail/rewritten.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { Gate, MailParameters, Peer, Transaction } from '../smtp/gate.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Destinations } from './destinations.ts';
import type { Forwarding } from './forward.ts';
import type { Destination, Processor } from './processor.ts';
import { Rate } from './rate.ts';
import type { Waiting } from './waiting.ts';

export interface InboundParts {
  readonly destinations: Destinations;
  readonly processor: Processor;
  readonly forwarding: Forwarding;
  readonly waiting: Waiting;
  /** Messages a minute from one sender; 0 = no limit. */
  readonly perMinute: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const NO_LOGIN = reject(503, '5.5.1', 'No authentication here');
const OK = accept(250, '2.1.5', 'Recipient ok');
const TAKEN = accept(250, '2.0.0', 'Taken');
const NOBODY = reject(554, '5.5.1', 'No valid recipients');
const UNKNOWN = reject(550, '5.1.1', 'No such address here');
const SYNTAX = reject(501, '5.1.3', 'Bad recipient address syntax');
const TOO_MANY = defer(450, '4.7.0', 'Too many messages from this sender, try again later');
const LOOP = reject(554, '5.4.6', 'Mail loop: too many Received fields');
const CANNOT_DECIDE = defer(451, '4.3.0', 'Cannot decide now');
const NOT_FORWARDED = defer(451, '4.3.0', 'Cannot be passed on now, try again');

/** RFC 5321 §6.3, as on the way out. */
const MAX_RECEIVED = 30;

export class InboundGate implements Gate<never> {
  readonly #parts: InboundParts;
  readonly #rate: Rate;

  constructor(parts: InboundParts) {
    this.#parts = parts;
    this.#rate = new Rate(parts.perMinute, parts.clock);
  }

  connect(): undefined {
    return undefined;
  }

  /** The listener offers none. */
  async authenticate(): Promise<Reply> {
    return NO_LOGIN;
  }

  /** Whatever the reverse-path is: an objection does not fail for an odd one. */
  async mail(peer: Peer, _login: undefined, path: string, parameters: MailParameters): Promise<Transaction | Reply> {
    if (path !== '' && this.#tooMany(senderName(path), peer)) return TOO_MANY;
    return new InboundTransaction(
      this.#parts,
      { peer, path, parameters },
      message => path === '' && this.#tooMany(fromDomain(message), peer),
    );
  }

  closed(): void {}

  #tooMany(sender: string, peer: Peer): boolean {
    const taken = this.#rate.take(sender);
    if (taken === 'flood') {
      // The sender is a person's address, perhaps a forged one: who brings it must do.
      this.#parts.log.error(
        { alarm: 'inbound-rate', session: peer.id, remoteAddress: peer.remoteAddress },
        'one sender sends too much: deferred for a minute',
      );
    }
    return taken !== 'granted';
  }
}

interface Opening {
  readonly peer: Peer;
  readonly path: string;
  readonly parameters: MailParameters;
}

class InboundTransaction implements Transaction {
  readonly #parts: InboundParts;
  readonly #opening: Opening;
  readonly #tooMany: (message: Message) => boolean;
  /** By what they stand for: each is processed once, however many addresses name it. */
  readonly #destinations = new Map<string, Destination>();

  constructor(parts: InboundParts, opening: Opening, tooMany: (message: Message) => boolean) {
    this.#parts = parts;
    this.#opening = opening;
    this.#tooMany = tooMany;
  }

  async rcpt(path: string): Promise<Reply> {
    // A server on the way may have signed a return path of ours (BATV).
    const address = parseAddress(unwrapped(path) ?? path, { utf8: true });
    if (!isAddress(address)) return SYNTAX;
    const destination = await this.#parts.destinations.of(address).catch(unanswered);
    if (destination === undefined) return UNKNOWN;
    if ('status' in destination) return destination;
    this.#destinations.set(JSON.stringify([destination.role, destination.client, destination.token]), destination);
    return OK;
  }

  async data(): Promise<Reply | undefined> {
    return this.#destinations.size === 0 ? NOBODY : undefined;
  }

  /** Read tolerantly: an objection is not refused for its MIME. */
  async message(octets: Buffer): Promise<Reply> {
    const message = parseMessage(octets);
    if (message.all('received').length > MAX_RECEIVED) return LOOP;
    if (this.#tooMany(message)) return TOO_MANY;
    const { waiting } = this.#parts;
    const key = this.#keyOf(message);
    const at = waiting.since(key);
    try {
      const settled = await this.#apply(message, at);
      waiting.enforced(key);
      return settled === 'settled' ? TAKEN : NOT_FORWARDED;
    } catch (error) {
      waiting.deferred(key, at);
      return unanswered(error);
    }
  }

  end(): void {
    this.#destinations.clear();
  }

  async #apply(message: Message, at: number): Promise<'settled' | 'deferred'> {
    const { processor, forwarding } = this.#parts;
    const { peer, path: reversePath, parameters } = this.#opening;
    const applied = [];
    // All of them first: what binds must not wait for what is a courtesy.
    for (const destination of this.#destinations.values()) {
      applied.push(await processor.process({ octets: message.octets, at, via: 'smtp', reversePath, destination }));
    }
    let outcome: 'settled' | 'deferred' = 'settled';
    for (const processed of applied) {
      if ((await forwarding.handOn({ message, peer, parameters }, processed)) === 'deferred') outcome = 'deferred';
    }
    return outcome;
  }

  /** The same message when it comes again. */
  #keyOf(message: Message): string {
    const hash = createHash('sha256').update([...this.#destinations.keys()].join());
    return hash.update(message.all('message-id')[0] ?? message.octets).digest('base64');
  }
}

/** One person, however the address is spelled. */
function senderName(path: string): string {
  const parsed = parseAddress(path, { utf8: true });
  return isAddress(parsed) ? basePerson(parsed) : path;
}

/** Of mail without a reverse-path; one name for all whose From cannot be read. */
function fromDomain(message: Message): string {
  const [from = ''] = message.all('from');
  return /@([a-z0-9.-]+)>?\s*$/i.exec(from.slice(-300))?.[1]?.toLowerCase() ?? '';
}

/** A store that is down has said so in the log, once: no fault of every single message's. */
function unanswered(error: unknown): Reply {
  if (error instanceof StoreUnavailable) return CANNOT_DECIDE;
  throw error;
}

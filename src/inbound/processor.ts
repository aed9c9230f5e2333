/** One message that came back, from its octets to what binds at the next RCPT: read, told whose it is, understood, applied. */
import type { ClientId } from '../ids.ts';
import type { Address } from '../mail/address.ts';
import type { Role } from './finding.ts';

/** What the address that a message came to stands for. */
export interface Destination {
  /** Undefined: a mailbox, whose address says nothing. */
  readonly role: Role | undefined;
  /** Whose reply address or mailbox it is. */
  readonly client: ClientId | undefined;
  /** What stands behind the plus, whether it is one of our tokens or not. */
  readonly token: string | undefined;
}

export interface Arrival {
  /** CRLF line ends. */
  readonly octets: Buffer;
  /** When it was received, ms since 1970 UTC. */
  readonly at: number;
  /** `smtp`, or `mailbox:<name>`. */
  readonly via: string;
  /** MAIL FROM, or the Return-Path field; empty for the null one or where nobody knows. */
  readonly reversePath: string;
  readonly destination: Destination;
}

/** A place in the reply log. */
export interface LogPlace {
  readonly owner: ClientId | 'global';
  readonly id: string;
}

export interface Processed {
  /** `repeated`: this very message was applied before; nothing changed. */
  readonly outcome: 'applied' | 'repeated';
  /** Where it stands in the log: one line an owner whom it concerns. Empty: it has nothing to do with mail of ours. */
  readonly logged: readonly LogPlace[];
  /** A bounce that came by a return path of ours: the platform's own reverse-path, to which it is passed on. */
  readonly passOnTo: Address | undefined;
  /** A copy is owed to this client's mailbox (its forwardTo), and was not delivered before. */
  readonly forwardFor: ClientId | undefined;
}

export interface Processor {
  /** Durable and enforced when it resolves. @throws StoreUnavailable where anything gave no answer: nothing is acknowledged then */
  process(arrival: Arrival): Promise<Processed>;
}

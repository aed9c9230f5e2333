/** The contract of whatever takes relayed mail on: resolves for any answer, refusals too; throws only if none came. */
import type { Envelope } from '../mail/envelope.ts';
import type { Reply } from '../mail/reply.ts';

/** What the upstream said at RCPT, asked of the caller before any message byte is sent. */
export interface RcptAnswers {
  /** `relayed` → reply, for every recipient that was not accepted. */
  readonly refused: ReadonlyMap<string, Reply>;
  readonly accepted: readonly string[];
}

export interface RelayResult {
  /**
   * The upstream's last word: on MAIL, on DATA or on the final dot; at `rcpt`, where nobody was left, the first 4xx of `refused` or, where
   * all are 5xx, the first of them; at `held` the first of `refused`, or a 250 where that is empty.
   */
  readonly reply: Reply;
  /** `relayed` → reply at RCPT, for those not accepted. Empty at `mail`, but for what was answered before a 421. */
  readonly refused: ReadonlyMap<string, Reply>;
  /**
   * `mail`: the transaction as a whole was refused, at MAIL or by a 421 at RCPT (it speaks of the connection, not of a recipient).
   * `rcpt`: nobody was left. `held`: the consent was withheld, RSET was sent, no message byte left us.
   * `data`: refused at DATA, or while the message was sent and before its final dot. `done`: the reply to the final dot.
   */
  readonly stage: 'mail' | 'rcpt' | 'held' | 'data' | 'done';
}

/** No answer came. `dotSent`: the final dot was on its way, so the message may have been taken: never send it again by yourself. */
export class UpstreamUnavailable extends Error {
  override readonly name = 'UpstreamUnavailable';
  readonly dotSent: boolean;
  constructor(message: string, dotSent: boolean, options?: ErrorOptions) {
    super(message, options);
    this.dotSent = dotSent;
  }
}

export interface Upstream {
  /**
   * One transaction. `octets` are the message in pieces, CRLF line ends, not dot-stuffed; they are sent untouched, but that a message not
   * ending with CRLF gets one. `consent` is asked once, after RCPT and before DATA, whenever somebody was accepted, also where nobody was
   * refused; absent means yes. It may relay another transaction by this same upstream if that one has the null reverse-path, as a DSN has:
   * such a one takes the place of the waiting one. What it throws is thrown on, and no message byte is sent.
   * @throws UpstreamUnavailable
   */
  relay(envelope: Envelope, octets: readonly Buffer[], consent?: (answers: RcptAnswers) => Promise<boolean>): Promise<RelayResult>;
  /** Connects, greets, authenticates, and says NOOP. @throws UpstreamUnavailable */
  verify(): Promise<void>;
  /** Takes no new transactions, gives running ones a short time, then cuts them. */
  close(): Promise<void>;
}

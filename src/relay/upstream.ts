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
  /** The upstream's last word: on MAIL, on RCPT where nobody was left, on DATA or on the final dot. */
  readonly reply: Reply;
  /** `relayed` → reply at RCPT, for those not accepted. */
  readonly refused: ReadonlyMap<string, Reply>;
  /** `held`: the consent was withheld, RSET was sent, no message byte left us. */
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
   * One transaction. `octets` are the message in pieces, CRLF line ends, not dot-stuffed; they are sent untouched.
   * `consent` is asked once, after RCPT and before DATA, when somebody was refused and somebody accepted; absent means yes.
   * @throws UpstreamUnavailable
   */
  relay(envelope: Envelope, octets: readonly Buffer[], consent?: (answers: RcptAnswers) => Promise<boolean>): Promise<RelayResult>;
  /** Connects, greets, authenticates, and says NOOP. @throws UpstreamUnavailable */
  verify(): Promise<void>;
  close(): Promise<void>;
}

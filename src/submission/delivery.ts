/**
 * Hands a checked message to the upstream and makes one truthful reply of what becomes of each recipient (DESIGN §4): nobody lost,
 * nobody twice, no 250 that hides a refusal. Refusals beside acceptances are told by a DSN that the upstream must take first.
 */
import { randomUUID } from 'node:crypto';
import type { Address } from '../mail/address.ts';
import { composeDsn } from '../mail/dsn.ts';
import type { Envelope } from '../mail/envelope.ts';
import { defer, isAccepted, isDeferred, isRejected, type Reply } from '../mail/reply.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { type RcptAnswers, type RelayResult, type Upstream, UpstreamUnavailable } from '../relay/upstream.ts';
import type { Recorder, Subject } from './record.ts';
import type { Setbacks } from './setbacks.ts';

/** A recipient refused for good at the final dot, with the reply (and its ref) that tells why. */
export interface Failure {
  readonly recipient: Address;
  readonly reply: Reply;
}

export interface DeliveryParts {
  readonly upstream: Upstream;
  readonly recorder: Recorder;
  readonly setbacks: Setbacks;
  readonly hostname: string;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Consignment {
  readonly subject: Subject;
  /** Only the recipients who passed every check. */
  readonly envelope: Envelope;
  /** The fields added here. */
  readonly added: Buffer;
  /** The message as received. */
  readonly original: Buffer;
  readonly arrivedAt: number;
  /** Recipients of the same transaction that our own checks refused for good at the dot. */
  readonly failures: readonly Failure[];
}

const HELD = defer(451, '4.3.0', 'Not every recipient could be settled, try again');
const NO_ANSWER = defer(451, '4.3.0', 'Upstream gives no answer, try again');
const UNKNOWN = defer(451, '4.3.0', 'Upstream was lost after the final dot');

/** The reply to the final dot. */
export async function deliver(parts: DeliveryParts, consignment: Consignment): Promise<Reply> {
  const { envelope, added, original, failures } = consignment;
  const alone = envelope.recipients.length === 1 && failures.length === 0;
  let result: RelayResult;
  try {
    result = await parts.upstream.relay(envelope, [added, original], alone ? undefined : answers => settle(parts, consignment, answers));
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    parts.log.warn({ err: error, transaction: consignment.subject.transaction, dotSent: error.dotSent }, 'upstream gave no answer');
    return unanswered(parts, consignment, error.dotSent);
  }
  return alone ? answerOne(parts, consignment, result) : answerSeveral(parts, consignment, result);
}

/** After RCPT, before DATA: may the message go to those who were accepted? */
async function settle(parts: DeliveryParts, consignment: Consignment, answers: RcptAnswers): Promise<boolean> {
  const { envelope, failures } = consignment;
  const refused = envelope.recipients.flatMap(recipient => {
    const reply = answers.refused.get(recipient.relayed);
    return reply === undefined ? [] : [{ recipient, reply }];
  });
  if (refused.some(({ reply }) => isDeferred(reply))) return false;
  const all = [...failures, ...refused];
  if (all.length === 0) return true;
  return sendDsn(parts, consignment, all);
}

async function sendDsn(parts: DeliveryParts, consignment: Consignment, failures: readonly Failure[]): Promise<boolean> {
  const to = consignment.envelope.reversePath;
  // Null reverse-path: nobody may be told (RFC 5321 §4.5.5), so such a transaction has one recipient and never gets here.
  if (to === null) return false;
  const dsn = await composeDsn({
    reportingMta: parts.hostname,
    to,
    arrivedAt: consignment.arrivedAt,
    now: parts.clock.now(),
    failures,
    originalHeader: headerSection(consignment.original),
    id: randomUUID(),
  });
  try {
    const result = await parts.upstream.relay({ reversePath: null, recipients: [to], utf8: to.utf8, body: '8bitmime' }, [dsn]);
    if (result.stage === 'done' && isAccepted(result.reply)) return true;
    parts.log.warn(
      { transaction: consignment.subject.transaction, code: result.reply.code },
      'upstream refused the DSN: the message is not relayed',
    );
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    parts.log.warn({ err: error, transaction: consignment.subject.transaction }, 'no answer to the DSN: the message is not relayed');
  }
  return false;
}

function headerSection(octets: Buffer): Buffer {
  const end = octets.indexOf('\r\n\r\n');
  return end < 0 ? octets : octets.subarray(0, end + 2);
}

/** One recipient: exactly what the upstream said. */
function answerOne(parts: DeliveryParts, { subject, envelope }: Consignment, { reply, stage }: RelayResult): Reply {
  const [recipient] = envelope.recipients;
  if (recipient === undefined) throw new Error('a consignment without recipients');
  if (stage === 'done' && isAccepted(reply)) parts.recorder.relayed(subject, 1);
  else parts.recorder.refused(subject, recipient, 'upstream', upstreamGround(reply));
  return reply;
}

function answerSeveral(parts: DeliveryParts, consignment: Consignment, result: RelayResult): Reply {
  const { subject, envelope } = consignment;
  const done = result.stage === 'done' && isAccepted(result.reply);
  let waiting = 0;
  for (const recipient of envelope.recipients) {
    const refusal = result.refused.get(recipient.relayed);
    if (refusal !== undefined) {
      parts.recorder.refused(subject, recipient, 'upstream', upstreamGround(refusal));
      // Told here already where the message went out; otherwise the retry must be told at RCPT, or it fails the same way again.
      if (!done) parts.setbacks.note(subject.client, recipient, refusal);
    } else if (done) {
      parts.setbacks.clear(subject.client, recipient);
    } else if (result.stage === 'held') {
      waiting += 1;
    } else {
      parts.recorder.refused(subject, recipient, 'upstream', upstreamGround(result.reply));
    }
  }
  if (done) {
    parts.recorder.relayed(subject, envelope.recipients.length - result.refused.size);
    return result.reply;
  }
  parts.recorder.held(subject, waiting);
  if (result.stage === 'held') return HELD;
  if (result.stage !== 'rcpt') return result.reply;
  // Nobody was left: for good only if everybody was refused for good.
  const refusals = [...result.refused.values()];
  return refusals.every(isRejected) ? (refusals[0] ?? result.reply) : HELD;
}

function unanswered(parts: DeliveryParts, { subject, envelope }: Consignment, dotSent: boolean): Reply {
  const reply = dotSent ? UNKNOWN : NO_ANSWER;
  for (const recipient of envelope.recipients) {
    if (dotSent)
      parts.recorder.unknown(subject, recipient, {
        check: 'upstream',
        token: 'unknown',
        reason: 'connection lost after the final dot',
        reply,
      });
    else
      parts.recorder.refused(subject, recipient, 'upstream', {
        check: 'upstream',
        token: 'unavailable',
        reason: 'upstream gave no answer',
        reply,
      });
  }
  return reply;
}

function upstreamGround(reply: Reply) {
  return { check: 'upstream', token: 'upstream', reason: `upstream replied ${reply.code} ${reply.status}`, reply };
}

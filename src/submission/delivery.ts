/**
 * Hands a checked message to the upstream and makes one truthful reply of what becomes of each recipient (DESIGN §4): nobody lost,
 * nobody twice, no 250 that hides a refusal. Refusals beside acceptances are told by a DSN that the upstream must take first.
 */
import { randomUUID } from 'node:crypto';
import type { Address } from '../mail/address.ts';
import { composeDsn, type DsnFailure } from '../mail/dsn.ts';
import type { Envelope } from '../mail/envelope.ts';
import { defer, isAccepted, isDeferred, isRejected, type Reply } from '../mail/reply.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { type RcptAnswers, type RelayResult, type Upstream, UpstreamUnavailable } from '../relay/upstream.ts';
import { StoreUnavailable } from '../store/store.ts';
import { type Draft, type Ground, NO_STORE, type Recorder, type Subject } from './record.ts';
import type { Setbacks } from './setbacks.ts';

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
  /** The reverse-path that the upstream is told; what the sender must be told goes to the envelope's. */
  readonly relayedFrom: Address | null;
  /** Keeps what is about to be relayed, so that what comes back can be told whose it is. @throws StoreUnavailable */
  readonly remember: () => Promise<void>;
  /** The fields added here. */
  readonly added: Buffer;
  /** The message as received. */
  readonly original: Buffer;
  readonly arrivedAt: number;
  /** Recipients of the same transaction that our own checks refused for good at the dot. */
  readonly failures: readonly Draft[];
}

/**
 * How relaying ended. `lost`: no answer came, and the message was not sent whole; `unknown`: lost after the final dot; `forgotten`: it
 * could not be remembered, and no octet of it was sent.
 */
interface End {
  readonly stage: RelayResult['stage'] | 'lost' | 'unknown' | 'forgotten';
  readonly reply: Reply;
  /** `relayed` → what the upstream said at RCPT. */
  readonly refused: ReadonlyMap<string, Reply>;
}

const HELD = defer(451, '4.3.0', 'Not every recipient could be settled, try again');

/** Grounds for want of an answer. */
const LOST: Ground = {
  check: 'upstream',
  token: 'unavailable',
  reason: 'upstream gave no answer',
  reply: defer(451, '4.3.0', 'Upstream gives no answer, try again'),
};
const UNKNOWN: Ground = {
  check: 'upstream',
  token: 'unknown',
  reason: 'connection lost after the final dot',
  reply: defer(451, '4.3.0', 'Upstream was lost after the final dot'),
};

/** The reply to the final dot. */
export async function deliver(parts: DeliveryParts, consignment: Consignment): Promise<Reply> {
  const { envelope, failures } = consignment;
  const [only, ...others] = envelope.recipients;
  if (only === undefined) throw new Error('a consignment without recipients');
  return others.length === 0 && failures.length === 0 ? deliverToOne(parts, consignment, only) : deliverToSeveral(parts, consignment);
}

/** One recipient: exactly what the upstream said. */
async function deliverToOne(parts: DeliveryParts, consignment: Consignment, recipient: Address): Promise<Reply> {
  const { recorder, setbacks } = parts;
  const { subject } = consignment;
  const { stage, reply } = await relay(parts, consignment);
  if (stage === 'unknown') return recorder.unknown(subject, recipient, UNKNOWN);
  if (stage === 'lost') return recorder.refused(subject, recipient, 'upstream', LOST);
  if (stage === 'forgotten') return recorder.refused(subject, recipient, 'data', NO_STORE);
  if (stage === 'done' && isAccepted(reply)) {
    recorder.relayed(subject, 1);
    setbacks.clear(subject.client, recipient);
  } else {
    recorder.refused(subject, recipient, 'upstream', saidBy(reply));
  }
  return reply;
}

async function deliverToSeveral(parts: DeliveryParts, consignment: Consignment): Promise<Reply> {
  const { recorder, setbacks } = parts;
  const { subject, envelope, failures } = consignment;
  let refused: RelayResult['refused'] = new Map();
  let dsnSent = false;
  const end = await relay(parts, consignment, async answers => {
    refused = answers.refused;
    const told = await tellOthers(parts, consignment, answers);
    dsnSent = told === 'told';
    return told !== 'untold';
  });
  // Where the upstream was lost, what it said before still stands.
  if (end.refused.size > 0) refused = end.refused;
  const done = end.stage === 'done' && isAccepted(end.reply);
  const told = wordFor(end, refused);
  // Whoever was refused for good was told so, by DSN or by this reply; or else the whole message waits, and they with it.
  const instead = dsnSent || isRejected(told) ? undefined : told;

  const recorded: { readonly own: Reply; readonly reply: Reply }[] = failures.map(failure => ({
    own: failure.ground.reply,
    reply: recorder.record(subject, 'data', failure, instead),
  }));
  let relayed = 0;
  let waiting = 0;
  for (const recipient of envelope.recipients) {
    const refusal = refused.get(recipient.relayed);
    if (refusal !== undefined) {
      recorded.push({ own: refusal, reply: recorder.refused(subject, recipient, 'upstream', saidBy(refusal), instead) });
      // The retry must be told at RCPT, or it fails the same way again.
      if (isDeferred(told)) setbacks.note(subject.client, recipient, refusal);
    } else if (done) {
      relayed += 1;
      setbacks.clear(subject.client, recipient);
    } else if (end.stage === 'held') {
      waiting += 1;
    } else if (end.stage === 'unknown') {
      recorded.push({ own: told, reply: recorder.unknown(subject, recipient, UNKNOWN) });
    } else if (end.stage === 'forgotten') {
      recorded.push({ own: told, reply: recorder.refused(subject, recipient, 'data', NO_STORE) });
    } else {
      const ground = end.stage === 'lost' ? LOST : saidBy(end.reply);
      recorded.push({ own: told, reply: recorder.refused(subject, recipient, 'upstream', ground) });
    }
  }
  if (done) recorder.relayed(subject, relayed);
  recorder.held(subject, waiting);
  // The upstream's own words go on as they are; ours name the decision of somebody for whose sake all wait.
  const ours = told === HELD || ['lost', 'unknown', 'forgotten'].includes(end.stage);
  return ours ? ((recorded.find(({ own }) => isDeferred(own)) ?? recorded[0])?.reply ?? told) : told;
}

/** What the sender is told, for everybody who was not told by a DSN. */
function wordFor({ stage, reply }: End, refused: ReadonlyMap<string, Reply>): Reply {
  if (stage === 'held') return HELD;
  if (stage !== 'rcpt') return reply;
  // Nobody was left: for good only if everybody was refused for good.
  const refusals = [...refused.values()];
  return refusals.every(isRejected) ? (refusals[0] ?? reply) : HELD;
}

/** Remembering goes on beside MAIL and RCPT; the message waits for both, and for `consent`. */
async function relay(
  { upstream, log }: DeliveryParts,
  { envelope, relayedFrom, added, original, subject, remember }: Consignment,
  consent: (answers: RcptAnswers) => Promise<boolean> = async () => true,
): Promise<End> {
  const remembering = isRemembered(remember);
  try {
    const [result, remembered] = await Promise.all([
      upstream.relay(
        { ...envelope, reversePath: relayedFrom },
        [added, original],
        async answers => (await remembering) && consent(answers),
      ),
      remembering,
    ]);
    return remembered || result.stage !== 'held' ? result : { ...result, stage: 'forgotten', reply: NO_STORE.reply };
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    log.warn({ err: error, transaction: subject.transaction, dotSent: error.dotSent }, 'upstream gave no answer');
    return { stage: error.dotSent ? 'unknown' : 'lost', reply: (error.dotSent ? UNKNOWN : LOST).reply, refused: new Map() };
  }
}

async function isRemembered(remember: () => Promise<void>): Promise<boolean> {
  try {
    await remember();
    return true;
  } catch (error) {
    // A store that is down has said so in the log, once.
    if (error instanceof StoreUnavailable) return false;
    throw error;
  }
}

/** After RCPT, before DATA: may the message go to those who were accepted? Not while somebody refused would not hear of it. */
async function tellOthers(parts: DeliveryParts, consignment: Consignment, answers: RcptAnswers): Promise<'told' | 'untold' | 'nobody'> {
  const { envelope, failures } = consignment;
  const refused = envelope.recipients.flatMap(recipient => {
    const reply = answers.refused.get(recipient.relayed);
    return reply === undefined ? [] : [{ recipient, reply }];
  });
  if (refused.some(({ reply }) => isDeferred(reply))) return 'untold';
  const all = [...failures, ...refused];
  if (all.length === 0) return 'nobody';
  return (await sendDsn(parts, consignment, all)) ? 'told' : 'untold';
}

async function sendDsn(parts: DeliveryParts, consignment: Consignment, failures: readonly DsnFailure[]): Promise<boolean> {
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
  const { transaction } = consignment.subject;
  try {
    const result = await parts.upstream.relay({ reversePath: null, recipients: [to], utf8: to.utf8, body: '8bitmime' }, [dsn]);
    if (result.stage === 'done' && isAccepted(result.reply)) return true;
    parts.log.warn({ transaction, code: result.reply.code }, 'upstream refused the DSN: the message is not relayed');
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    parts.log.warn({ err: error, transaction }, 'no answer to the DSN: the message is not relayed');
  }
  return false;
}

function headerSection(octets: Buffer): Buffer {
  const end = octets.indexOf('\r\n\r\n');
  return end < 0 ? octets : octets.subarray(0, end + 2);
}

function saidBy(reply: Reply): Ground {
  return { check: 'upstream', token: 'upstream', reason: `upstream replied ${reply.code} ${reply.status}`, reply };
}

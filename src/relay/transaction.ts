/** One mail transaction on an open connection, from MAIL to the reply to the final dot. */
import type { Envelope } from '../mail/envelope.ts';
import { fromServer, isAccepted, isDeferred, type Reply } from '../mail/reply.ts';
import type { Connection } from './connection.ts';
import type { Timeouts } from './options.ts';
import { type Plan, planTransaction } from './plan.ts';
import type { ServerReply } from './replies.ts';
import type { RcptAnswers, RelayResult } from './upstream.ts';

export type Consent = (answers: RcptAnswers) => Promise<boolean>;

/** `clean`: whether the server has nothing of the transaction left, so that no RSET is needed before the next one. */
export interface Outcome {
  readonly result: RelayResult;
  readonly clean: boolean;
}

/** The replies to MAIL and, in order, to each RCPT; fewer after a 421, or where MAIL was refused. */
type EnvelopeReplies = readonly ServerReply[];

/**
 * Relays one message over `connection`. Where the upstream takes commands in groups (RFC 2920), MAIL and all RCPTs are one write; DATA waits for
 * their replies, because a message that nobody may get must not be begun.
 * @throws UpstreamUnavailable where no answer came; `connection` has ended then
 */
export async function transact(
  connection: Connection,
  envelope: Envelope,
  octets: readonly Buffer[],
  consent: Consent | undefined,
  timeouts: Timeouts,
): Promise<Outcome> {
  const plan = planTransaction(envelope, octets, connection.capabilities);
  if ('stage' in plan) return { result: plan, clean: true };
  connection.transactions += 1;
  connection.committed = false;
  connection.dotSent = false;

  const [mail, ...rcpts] = connection.capabilities.pipelining
    ? await together(connection, plan, timeouts)
    : await oneByOne(connection, plan, timeouts);
  const opened = answer(connection, mail);
  if (!isAccepted(opened)) {
    // Each RCPT sent with the MAIL was refused as well.
    connection.refusals += rcpts.length;
    return { result: { reply: opened, refused: new Map(), stage: 'mail' }, clean: false };
  }

  const refused = new Map(plan.refused);
  const accepted: string[] = [];
  for (const [i, { relayed }] of plan.recipients.entries()) {
    const reply = answer(connection, rcpts[i]);
    if (reply.code === 421) return { result: { reply, refused, stage: 'mail' }, clean: false };
    if (isAccepted(reply)) accepted.push(relayed);
    else refused.set(relayed, reply);
  }
  const replies = [...refused.values()];
  if (accepted.length === 0)
    return { result: { reply: replies.find(isDeferred) ?? replies[0] ?? opened, refused, stage: 'rcpt' }, clean: false };

  connection.committed = true;
  if (consent !== undefined && !(await consent({ refused, accepted }))) {
    return { result: { reply: replies[0] ?? opened, refused, stage: 'held' }, clean: false };
  }
  const go = await connection.command('DATA\r\n', 'DATA', timeouts.data);
  if (go.code !== 354) {
    // A 2xx here would be taken for the message's acceptance, though no octet of it was sent.
    if (go.code < 400) throw connection.misplaced(`upstream answered DATA with ${go.code}`);
    return { result: { reply: answer(connection, go), refused, stage: 'data' }, clean: false };
  }
  const reply = answer(connection, await connection.message(octets, timeouts.block, timeouts.dot));
  if (isAccepted(reply)) connection.refusals = 0;
  return { result: { reply, refused, stage: connection.dotSent ? 'done' : 'data' }, clean: true };
}

function together(connection: Connection, plan: Plan, timeouts: Timeouts): Promise<EnvelopeReplies> {
  let text = plan.mail;
  for (const { rcpt } of plan.recipients) text += rcpt;
  return connection.ask(text, 'MAIL and RCPT', 1 + plan.recipients.length, timeouts.mail, timeouts.rcpt);
}

async function oneByOne(connection: Connection, plan: Plan, timeouts: Timeouts): Promise<EnvelopeReplies> {
  const replies = [await connection.command(plan.mail, 'MAIL', timeouts.mail)];
  if (replies[0] !== undefined && replies[0].code >= 300) return replies;
  for (const { rcpt } of plan.recipients) {
    const reply = await connection.command(rcpt, 'RCPT', timeouts.rcpt);
    replies.push(reply);
    if (reply.code === 421) break;
  }
  return replies;
}

/** A reply that answers a command or the final dot; counts refusals. */
function answer(connection: Connection, given: ServerReply | undefined): Reply {
  if (given === undefined) throw new Error('a reply is missing that was not cut off by 421');
  if (given.code >= 300 && given.code < 400) throw connection.misplaced(`upstream answered ${given.code} where nothing was to follow`);
  const reply = fromServer(given.code, given.lines);
  if (!isAccepted(reply)) connection.refusals += 1;
  return reply;
}

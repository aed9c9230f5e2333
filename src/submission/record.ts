/** Writes down what was decided about a transaction's recipients, and puts the decision's id into the reply (law 8). */
import type { CampaignId, ClientId, CredentialId, DecisionId } from '../ids.ts';
import type { DecisionInput, Outcome } from '../journal/decision.ts';
import type { Journal } from '../journal/journal.ts';
import type { Address } from '../mail/address.ts';
import { defer, isDeferred, type Reply, replyLine } from '../mail/reply.ts';
import type { Logger } from '../ops/log.ts';
import { UNAVAILABLE } from '../policy/policy.ts';
import { withRef } from '../policy/ref.ts';
import type { Alerts } from '../watch/alerts.ts';

/** What all decisions of one transaction share. */
export interface Subject {
  readonly client: ClientId;
  readonly campaign: CampaignId | undefined;
  readonly credential: CredentialId;
  readonly transaction: string;
  readonly policy: string;
}

/** Who objected and why: a check, or the gate and the upstream under their own names. */
export interface Ground {
  readonly check: string;
  readonly token: string;
  readonly reason: string;
  readonly reply: Reply;
  /** The person was erased, or may have been: the record must not bring them back. */
  readonly erased?: boolean;
}

export const NO_STORE: Ground = {
  check: 'gate',
  token: UNAVAILABLE,
  reason: 'the store gave no answer',
  reply: defer(451, '4.3.0', 'Cannot decide now'),
  // Nobody can say now who was erased.
  erased: true,
};

/** A refusal whose id can be told already, while what becomes of the whole transaction is still open. */
export interface Draft {
  readonly recipient: Address;
  readonly ground: Ground;
  readonly id: DecisionId;
  /** The ground's reply with the ref. */
  readonly reply: Reply;
}

/** One recipient is counted once for each time that somebody was told about them: at RCPT, or by the reply to the final dot. */
export class Recorder {
  readonly #journal: Journal;
  readonly #log: Logger;
  readonly #alerts: Pick<Alerts, 'refused'>;

  constructor(journal: Journal, log: Logger, alerts: Pick<Alerts, 'refused'>) {
    this.#journal = journal;
    this.#log = log;
    this.#alerts = alerts;
  }

  draft(recipient: Address, ground: Ground): Draft {
    const id = this.#journal.reserve();
    return { recipient, ground, id, reply: withRef(ground.reply, id) };
  }

  /**
   * Records a draft. `told`: what the sender was told of this recipient, where that is another reply than the ground's, as of a
   * message that has to wait as a whole; the outcome is as told. The reply that comes back is that one with the ref.
   */
  record(subject: Subject, stage: DecisionInput['stage'], { recipient, ground, id }: Draft, told: Reply = ground.reply): Reply {
    const outcome: Outcome = isDeferred(told) ? 'deferred' : 'rejected';
    this.#decided(subject, recipient, stage, { ...ground, reply: told }, outcome, id);
    const { client, transaction } = subject;
    this.#log.info({ client, transaction, check: ground.check, token: ground.token, ref: id }, outcome);
    return withRef(told, id);
  }

  /** Records a refusal or deferral of one recipient; the reply that comes back names it. */
  refused(subject: Subject, recipient: Address, stage: DecisionInput['stage'], ground: Ground, told?: Reply): Reply {
    return this.record(subject, stage, this.draft(recipient, ground), told);
  }

  /** Records what a check in observe mode would have refused. */
  observed(subject: Subject, recipient: Address, ground: Ground): void {
    this.#decided(subject, recipient, 'data', ground, 'observed', this.#journal.reserve());
  }

  /** Records that nobody knows whether the upstream took the message; the reply that comes back names the decision. */
  unknown(subject: Subject, recipient: Address, ground: Ground): Reply {
    const id = this.#journal.reserve();
    this.#decided(subject, recipient, 'upstream', ground, 'unknown', id);
    return withRef(ground.reply, id);
  }

  relayed(subject: Subject, recipients: number): void {
    this.#journal.count({ client: subject.client, campaign: subject.campaign, outcome: 'relayed', check: '', token: '' }, recipients);
  }

  /** Counts recipients that wait only because the message they share waits. */
  held(subject: Subject, recipients: number): void {
    if (recipients === 0) return;
    this.#journal.count(
      { client: subject.client, campaign: subject.campaign, outcome: 'deferred', check: 'gate', token: 'held' },
      recipients,
    );
  }

  #decided(subject: Subject, recipient: Address, stage: DecisionInput['stage'], ground: Ground, outcome: Outcome, id: DecisionId): void {
    if (outcome === 'rejected') this.#alerts.refused(subject.client);
    this.#journal.decided(
      {
        ...subject,
        stage,
        outcome,
        check: ground.check,
        token: ground.token,
        reason: ground.reason,
        reply: replyLine(ground.reply),
        recipient,
        keepRecipient: ground.erased !== true,
      },
      id,
    );
  }
}

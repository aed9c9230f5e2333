/** Writes down what was decided about a transaction's recipients, and puts the decision's id into the reply (law 8). */
import type { CampaignId, ClientId, CredentialId } from '../ids.ts';
import type { DecisionInput, Outcome } from '../journal/decision.ts';
import type { Journal } from '../journal/journal.ts';
import type { Address } from '../mail/address.ts';
import { isDeferred, type Reply, replyLine } from '../mail/reply.ts';
import type { Logger } from '../ops/log.ts';
import { withRef } from '../policy/ref.ts';

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
  /** The person was erased: the record must not bring them back. */
  readonly erased?: boolean;
}

export class Recorder {
  readonly #journal: Journal;
  readonly #log: Logger;

  constructor(journal: Journal, log: Logger) {
    this.#journal = journal;
    this.#log = log;
  }

  /** Records a refusal or deferral of one recipient; the reply that comes back names it. */
  refused(subject: Subject, recipient: Address, stage: DecisionInput['stage'], ground: Ground): Reply {
    const outcome: Outcome = isDeferred(ground.reply) ? 'deferred' : 'rejected';
    const id = this.#decided(subject, recipient, stage, ground, outcome);
    this.#log.info(
      { client: subject.client, transaction: subject.transaction, check: ground.check, token: ground.token, ref: id },
      outcome,
    );
    return withRef(ground.reply, id);
  }

  /** Records what a check in observe mode would have refused. */
  observed(subject: Subject, recipient: Address, ground: Ground): void {
    this.#decided(subject, recipient, 'data', ground, 'observed');
  }

  /** Records that nobody knows whether the upstream took the message. */
  unknown(subject: Subject, recipient: Address, ground: Ground): void {
    this.#decided(subject, recipient, 'upstream', ground, 'unknown');
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

  #decided(subject: Subject, recipient: Address, stage: DecisionInput['stage'], ground: Ground, outcome: Outcome) {
    return this.#journal.decided({
      ...subject,
      stage,
      outcome,
      check: ground.check,
      token: ground.token,
      reason: ground.reason,
      reply: replyLine(ground.reply),
      recipient,
      keepRecipient: ground.erased !== true,
    });
  }
}

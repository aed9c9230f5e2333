/** One transaction, MAIL to final dot: every recipient asked at RCPT and again at the dot, then the message, then the relay. */
import { randomUUID } from 'node:crypto';
import type { Clients } from '../clients/clients.ts';
import type { Credential, Profile } from '../clients/profile.ts';
import type { Journal } from '../journal/journal.ts';
import type { SendInput, Sends } from '../journal/sends.ts';
import type { Tokens } from '../keys/token.ts';
import { type Address, isAddress, parseAddress } from '../mail/address.ts';
import type { Envelope } from '../mail/envelope.ts';
import { footerLines } from '../mail/footer.ts';
import { messageId } from '../mail/header.ts';
import { type Message, parseMessage } from '../mail/message.ts';
import { receivedField } from '../mail/received.ts';
import { accept, defer, isDeferred, type Reply, reject } from '../mail/reply.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { Submission } from '../policy/check.ts';
import type { CurrentPolicies } from '../policy/current.ts';
import { type Policy, type Ruling, UNAVAILABLE } from '../policy/policy.ts';
import type { Upstreams } from '../relay/upstreams.ts';
import type { MailParameters, Peer, Transaction } from '../smtp/gate.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { Alerts } from '../watch/alerts.ts';
import { type Bound, campaignsAtDot, campaignsAtRcpt } from './campaigns.ts';
import { deliver } from './delivery.ts';
import { findingOf } from './finding.ts';
import { fitness } from './fitness.ts';
import { marksOf } from './marks.ts';
import { type Draft, type Ground, NO_STORE, Recorder, type Subject } from './record.ts';
import type { Setbacks } from './setbacks.ts';

export interface TransactionParts {
  readonly clients: Clients;
  readonly policies: CurrentPolicies;
  readonly upstreams: Upstreams;
  readonly journal: Journal;
  readonly sends: Sends;
  readonly tokens: Tokens;
  readonly setbacks: Setbacks;
  readonly alerts: Alerts;
  readonly hostname: string;
  readonly options: { readonly campaignHeader: string };
  readonly clock: Clock;
  readonly log: Logger;
}

/** What MAIL settled. */
export interface Opening {
  readonly peer: Peer;
  readonly credential: Credential;
  readonly profile: Profile;
  readonly policy: Policy;
  readonly reversePath: Address | null;
  readonly parameters: MailParameters;
}

const OK = accept(250, '2.1.5', 'Recipient ok');
const NOBODY = reject(554, '5.5.1', 'No valid recipients');
const ONE_AT_A_TIME = defer(452, '4.5.3', 'Null reverse-path: one recipient per transaction');

/** What they answer tells who is listed. */
const LIST_CHECKS: ReadonlySet<string> = new Set(['exclusion', 'suppression']);
const REMOVED: Ground = {
  check: 'gate',
  token: 'disabled',
  reason: 'the client was removed after MAIL',
  reply: reject(525, '5.7.13', 'Credential disabled'),
};
const NO_POLICY: Ground = {
  check: 'gate',
  token: UNAVAILABLE,
  reason: 'the policy was lost after MAIL',
  reply: defer(451, '4.3.0', 'Cannot decide now'),
};
/** Asked and answered: a recipient, and what the checks ruled at the final dot. */
interface Ruled {
  readonly recipient: Address;
  readonly ruling: Ruling;
}

export class SubmissionTransaction implements Transaction {
  readonly #parts: TransactionParts;
  readonly #opening: Opening;
  readonly #recorder: Recorder;
  readonly #id = randomUUID();
  readonly #arrivedAt: number;
  /** As of MAIL; from the final dot on, as of then. */
  #policy: Policy;
  /** By relayed form: a recipient named twice is relayed once. */
  readonly #recipients = new Map<string, Address>();

  constructor(parts: TransactionParts, opening: Opening) {
    this.#parts = parts;
    this.#opening = opening;
    this.#recorder = new Recorder(parts.journal, parts.log, parts.alerts);
    this.#arrivedAt = parts.clock.now();
    this.#policy = opening.policy;
  }

  async rcpt(path: string): Promise<Reply> {
    const { profile, credential, reversePath, parameters } = this.#opening;
    const rcpt = parseAddress(path, { utf8: parameters.utf8 });
    if (!isAddress(rcpt)) {
      return rcpt.problem === 'utf8'
        ? reject(553, '5.6.7', 'Non-ASCII recipient needs SMTPUTF8')
        : reject(501, '5.1.3', 'Bad recipient address syntax');
    }
    if (this.#recipients.has(rcpt.relayed)) return OK;
    if (reversePath === null && this.#recipients.size > 0) return ONE_AT_A_TIME;
    const bound = campaignsAtRcpt(credential);
    const ruling = await this.#policy.askRcpt(rcpt, this.#submission(profile, bound, [...this.#recipients.values(), rcpt]));
    const listed = ruling.objection !== undefined && LIST_CHECKS.has(ruling.objection.check) && !isDeferred(ruling.objection.reply);
    this.#parts.alerts.asked(profile.id, listed);
    if (ruling.objection !== undefined) {
      return this.#recorder.refused(this.#subject(bound), rcpt, 'rcpt', { ...ruling.objection, erased: ruling.erased });
    }
    const setback = this.#parts.setbacks.of(profile.id, rcpt);
    if (setback !== undefined) return this.#recorder.refused(this.#subject(bound), rcpt, 'rcpt', repeated(setback));
    this.#recipients.set(rcpt.relayed, rcpt);
    return OK;
  }

  async data(): Promise<Reply | undefined> {
    return this.#recipients.size === 0 ? NOBODY : undefined;
  }

  async message(octets: Buffer): Promise<Reply> {
    const { credential } = this.#opening;
    const profile = await this.#profile();
    if ('check' in profile) return this.#refuseAll(campaignsAtRcpt(credential), profile);
    const message = parseMessage(octets);
    const bound = fitness(message, campaignsAtDot(credential, profile, message, this.#parts.options.campaignHeader));
    if ('unfit' in bound) return this.#refuseAll(campaignsAtRcpt(credential), bound.unfit);

    const recipients = [...this.#recipients.values()];
    const submission = { ...this.#submission(profile, bound, recipients), message };
    const policy = this.#policy;
    const [verdict, ...rulings] = await Promise.all([
      policy.askMessage(message, submission),
      ...recipients.map(async recipient => ({ recipient, ruling: await policy.askRcpt(recipient, submission) })),
    ]);
    this.#recordObserved(bound, verdict, rulings);
    const settled = this.#settle(bound, verdict, rulings);
    if (!Array.isArray(settled)) return settled;
    return this.#relay(profile, message, bound, settled);
  }

  end(): void {
    this.#recipients.clear();
  }

  /** The client's settings as they are now, with the policy that binds now, or why they do not let mail pass. */
  async #profile(): Promise<Profile | Ground> {
    const { clients, policies } = this.#parts;
    const { credential } = this.#opening;
    try {
      const profile = await clients.profile(credential.client);
      if (profile === undefined || profile.disabled) return REMOVED;
      const policy = (await policies.at(profile.globalVersion)).get(credential.policy ?? profile.policy);
      if (policy === undefined) return NO_POLICY;
      this.#policy = policy;
      return profile;
    } catch (error) {
      if (error instanceof StoreUnavailable) return NO_STORE;
      throw error;
    }
  }

  /** A Reply where the checks settle the whole message; else the refusals of those to whom it will not go, yet to be recorded. */
  #settle(bound: Bound, verdict: Ruling, rulings: readonly Ruled[]): Reply | Draft[] {
    const subject = this.#subject(bound);
    const drafts = rulings.flatMap(({ recipient, ruling }) => {
      const finding = findingOf(ruling, verdict);
      return finding === undefined ? [] : [this.#recorder.draft(recipient, { ...finding, erased: ruling.erased })];
    });
    // Undecided for one is undecided for all: the retry asks again.
    const undecided = drafts.find(({ ground }) => isDeferred(ground.reply));
    if (undecided !== undefined) {
      for (const draft of drafts) this.#recorder.record(subject, 'data', draft, undecided.ground.reply);
      this.#recorder.held(subject, rulings.length - drafts.length);
      return undecided.reply;
    }
    if (drafts.length < rulings.length) return drafts;
    for (const draft of drafts) this.#recorder.record(subject, 'data', draft);
    // What speaks against the message speaks for all of them.
    return (drafts.find(({ ground }) => ground.check === verdict.objection?.check) ?? drafts[0])?.reply ?? NOBODY;
  }

  async #relay(profile: Profile, message: Message, bound: Bound, failures: readonly Draft[]): Promise<Reply> {
    const { peer, parameters, reversePath } = this.#opening;
    const failed = new Set(failures.map(({ recipient }) => recipient));
    const recipients = [...this.#recipients.values()].filter(recipient => !failed.has(recipient));
    const envelope: Envelope = { reversePath, recipients, utf8: parameters.utf8, body: parameters.body };
    const received = receivedField({
      by: this.#parts.hostname,
      helo: peer.helo,
      remoteAddress: peer.remoteAddress,
      protocol: peer.protocol,
      id: this.#id,
      at: this.#parts.clock.now(),
    });
    const { clock, log, setbacks, hostname, sends, tokens } = this.#parts;
    const upstream = this.#parts.upstreams.for(profile.upstream);
    const send = sends.reserve();
    const marks = marksOf({ profile, reversePath, message, token: () => tokens.make(profile.id, send) });
    return deliver(
      { upstream, recorder: this.#recorder, setbacks, hostname, clock, log },
      {
        subject: this.#subject(bound),
        envelope,
        relayedFrom: marks.reversePath,
        remember: () => sends.remember(send, this.#sendInput(message, bound, recipients)),
        added: Buffer.concat([received, marks.replyTo]),
        original: message.octets,
        arrivedAt: this.#arrivedAt,
        failures,
      },
    );
  }

  #sendInput(message: Message, bound: Bound, recipients: readonly Address[]): SendInput {
    const { credential, reversePath } = this.#opening;
    return {
      client: credential.client,
      campaigns: bound.campaigns,
      campaignNamed: bound.named,
      credential: credential.id,
      transaction: this.#id,
      recipients,
      reversePath: reversePath?.relayed ?? '',
      messageId: messageId(message.all('message-id')[0] ?? ''),
      footer: footerLines(message.texts()),
    };
  }

  #refuseAll(bound: Bound, ground: Ground): Reply {
    let first: Reply | undefined;
    for (const recipient of this.#recipients.values()) {
      const reply = this.#recorder.refused(this.#subject(bound), recipient, 'data', ground);
      first ??= reply;
    }
    return first ?? NOBODY;
  }

  #recordObserved(bound: Bound, verdict: Ruling, rulings: readonly Ruled[]): void {
    const subject = this.#subject(bound);
    for (const { recipient, ruling } of rulings) {
      for (const finding of [...ruling.observed, ...verdict.observed]) {
        this.#recorder.observed(subject, recipient, { ...finding, erased: ruling.erased });
      }
    }
  }

  #subject(bound: Bound): Subject {
    const { credential } = this.#opening;
    const campaign = bound.named ? bound.campaigns[0] : undefined;
    return { client: credential.client, campaign, credential: credential.id, transaction: this.#id, policy: this.#policy.name };
  }

  #submission(profile: Profile, bound: Bound, recipients: readonly Address[]): Submission {
    const { credential, reversePath, parameters } = this.#opening;
    return {
      id: this.#id,
      envelope: { reversePath, recipients, utf8: parameters.utf8, body: parameters.body },
      client: credential.client,
      credential: credential.id,
      profile,
      campaigns: bound.campaigns,
      campaignNamed: bound.named,
      policy: this.#policy.name,
    };
  }
}

function repeated(reply: Reply): Ground {
  return { check: 'upstream', token: 'upstream', reason: `upstream replied ${reply.code} ${reply.status} a short while ago`, reply };
}

/** The submission gate: who may hand over mail at all; each accepted MAIL starts a SubmissionTransaction. */
import { AuthenticationBusy, type Clients } from '../clients/clients.ts';
import type { Credential, Profile } from '../clients/profile.ts';
import type { ClientId } from '../ids.ts';
import { isAddress, parseAddress } from '../mail/address.ts';
import { defer, type Reply, reject } from '../mail/reply.ts';
import type { Gate, MailParameters, Peer, Transaction } from '../smtp/gate.ts';
import { StoreUnavailable } from '../store/store.ts';
import { Limits } from './limits.ts';
import type { SubmissionOptions } from './options.ts';
import { Setbacks } from './setbacks.ts';
import { SubmissionTransaction, type TransactionParts } from './transaction.ts';

const NO_AUTH = reject(530, '5.7.0', 'Authentication required');
/** One text for a bad password, an unknown user and a wrong IP address: a stranger learns nothing from it (A30). */
const BAD = reject(535, '5.7.8', 'Authentication credentials invalid');
/** RFC 4954 §4.7.3. */
const BUSY = defer(454, '4.7.0', 'Too many authentications, try again');
const DISABLED = reject(525, '5.7.13', 'Credential disabled');
const CANNOT_DECIDE = defer(451, '4.3.0', 'Cannot decide now');

export interface GateParts extends Omit<TransactionParts, 'setbacks'> {
  readonly clients: Clients;
  readonly options: SubmissionOptions;
}

export class SubmissionGate implements Gate<Credential> {
  readonly #parts: GateParts;
  readonly #limits: Limits;
  readonly #setbacks: Setbacks;
  readonly #sessions = new Map<string, ClientId>();

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#limits = new Limits(parts.clock);
    this.#setbacks = new Setbacks(parts.clock, parts.options.retryMinutes);
  }

  connect(): undefined {
    return undefined;
  }

  async authenticate(peer: Peer, username: string, password: string): Promise<{ login: Credential } | Reply> {
    const answer = await this.#parts.clients.authenticate(username, password, peer.remoteAddress).catch((error: unknown) => {
      if (error instanceof AuthenticationBusy) return BUSY;
      return unanswered(error);
    });
    if (answer === 'bad' || answer === BUSY) this.#parts.alerts.failedLogin('smtp', peer.remoteAddress);
    if (answer === 'bad') return BAD;
    if (answer === 'disabled') return DISABLED;
    return 'credential' in answer ? { login: answer.credential } : answer;
  }

  async mail(peer: Peer, login: Credential | undefined, path: string, parameters: MailParameters): Promise<Transaction | Reply> {
    const { policies, options } = this.#parts;
    const sender = await this.#sender(peer, login).catch(unanswered);
    if ('status' in sender) return sender;
    const { credential, profile } = sender;
    const held = await policies.at(profile.globalVersion).catch(unanswered);
    if ('status' in held) return held;
    const policy = held.get(credential.policy ?? profile.policy);
    if (policy === undefined) {
      this.#parts.log.error(
        { client: profile.id, policy: credential.policy ?? profile.policy },
        'no such policy, or it cannot be used: postern policy list',
      );
      return CANNOT_DECIDE;
    }
    const crowded = this.#enter(peer, profile);
    if (crowded !== undefined) return crowded;
    const reversePath = path === '' ? null : parseAddress(path, { utf8: parameters.utf8 });
    if (reversePath !== null && !isAddress(reversePath)) {
      return reversePath.problem === 'utf8'
        ? reject(553, '5.6.7', 'Non-ASCII reverse-path needs SMTPUTF8')
        : reject(501, '5.1.7', 'Bad reverse-path syntax');
    }
    const slow = this.#limits.take(profile.id, this.#share(profile.maxRate ?? options.rate.perMinute));
    if (slow !== undefined) return slow;
    const slowed = this.#parts.alerts.hold(profile.id);
    if (slowed !== undefined) return slowed;
    return new SubmissionTransaction(
      { ...this.#parts, setbacks: this.#setbacks },
      { peer, credential, profile, policy, reversePath, parameters },
    );
  }

  /** Who it is, as things stand now: they may have changed since the session began. */
  async #sender(peer: Peer, login: Credential | undefined): Promise<{ credential: Credential; profile: Profile } | Reply> {
    const { clients } = this.#parts;
    const from = peer.remoteAddress;
    const credential = login === undefined ? await clients.byAddress(from) : await clients.currentFrom(login.id, from);
    // Its log-in would be refused there now.
    if (credential === 'elsewhere') return NO_AUTH;
    if (credential === undefined) return login === undefined ? NO_AUTH : DISABLED;
    // Made anew under the same name, perhaps for another client: this session knew the password of the one before.
    const replaced = login !== undefined && (credential.client !== login.client || credential.createdAt !== login.createdAt);
    if (credential.disabled || replaced) return DISABLED;
    const profile = await clients.profile(credential.client);
    return profile === undefined || profile.disabled ? DISABLED : { credential, profile };
  }

  /** Counts the session for its client; a session may change clients (log in after mail by IP address, or STARTTLS and log in anew). */
  #enter(peer: Peer, profile: Profile): Reply | undefined {
    const before = this.#sessions.get(peer.id);
    if (before !== undefined && before !== profile.id) this.closed(peer);
    const crowded = this.#limits.enter(profile.id, peer.id, this.#share(profile.maxSessions ?? this.#parts.options.rate.sessions));
    if (crowded === undefined) this.#sessions.set(peer.id, profile.id);
    return crowded;
  }

  /** This process's part of a limit that holds for all workers together. */
  #share(limit: number): number {
    return Math.ceil(limit / this.#parts.options.workers);
  }

  closed(peer: Peer): void {
    const client = this.#sessions.get(peer.id);
    if (client === undefined) return;
    this.#sessions.delete(peer.id);
    this.#limits.leave(client, peer.id);
  }
}

/** A store that is down has said so in the log, once: no fault of every single sender's. */
function unanswered(error: unknown): Reply {
  if (error instanceof StoreUnavailable) return CANNOT_DECIDE;
  throw error;
}

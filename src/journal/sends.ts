/** Sends: each relayed message is remembered before the upstream's dot, so that what comes back can be told whose it is. */
import type { CampaignId, ClientId, CredentialId } from '../ids.ts';
import type { Address } from '../mail/address.ts';

/** What is remembered of one relayed message. */
export interface SendInput {
  readonly client: ClientId;
  /** As it was checked; certain only where `campaignNamed` and there is one. */
  readonly campaigns: readonly CampaignId[];
  readonly campaignNamed: boolean;
  readonly credential: CredentialId | undefined;
  readonly transaction: string;
  /** Those who passed every check. */
  readonly recipients: readonly Address[];
  /** The platform's own, `relayed` form; empty for the null one. */
  readonly reversePath: string;
  /** With angle brackets; undefined where the message has none. */
  readonly messageId: string | undefined;
  /** Lines of ours that may come back unquoted; see footer.ts. */
  readonly footer: readonly string[];
}

export interface Send {
  readonly id: string;
  readonly client: ClientId;
  /** The message's campaign; undefined where it was not certain. */
  readonly campaign: CampaignId | undefined;
  readonly recipients: readonly Address[];
  readonly reversePath: string;
  readonly messageId: string | undefined;
  /** ms since 1970 UTC. */
  readonly at: number;
  /**
   * Whether this line, or paragraph filled anew, stood among the last of the message (mail/footer.ts); a short one, which a person may
   * write himself (`Unsubscribe`), counts only `beside` one that did. withoutOurs says what may be made of it.
   */
  sent(line: string, beside?: boolean): boolean;
}

/** Every method throws StoreUnavailable (VaultUnavailable included in it) where no answer came. */
export interface Sends {
  /** An id for a message that is about to be relayed. */
  reserve(): string;
  /** Durable when it resolves. The same id again changes nothing. */
  remember(id: string, input: SendInput): Promise<void>;
  /** The message that a token names; undefined where it is no longer kept. */
  find(client: ClientId, id: string): Promise<Send | undefined>;
  /** Messages of these clients by their Message-IDs (with angle brackets; the first 100 are asked for), newest first, at most 100 of each client. */
  byMessageId(clients: readonly ClientId[], messageIds: readonly string[]): Promise<readonly Send[]>;
  /** What these clients sent to a person lately, newest first, at most 100 of each client. */
  to(clients: readonly ClientId[], person: Address): Promise<readonly Send[]>;
  /** Forgets what was sent before `before` (ms). Resolves to how many. */
  purge(client: ClientId, before: number): Promise<number>;
}

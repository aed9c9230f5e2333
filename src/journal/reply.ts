/** Replies as they are kept: everything that came back, what it was taken for, and what followed (A16). */
import type { CampaignId, ClientId } from '../ids.ts';
import type { Address } from '../mail/address.ts';
import type { RequestKind } from './requests.ts';

/** How a message was told to be about a client's mail, the surest first. */
export type MatchedBy = 'token' | 'in-reply-to' | 'returned-message' | 'sender' | 'recipient' | 'address' | 'none';

/** `open`: waits for a person's decision; `decided`: has it. */
export type ReplyState = 'done' | 'open' | 'decided';

export interface ReplyDecision {
  /** What the person said it is. */
  readonly as: 'opt-out' | 'reply' | 'nothing';
  readonly by: string;
  /** IP address, or `cli`. */
  readonly from: string;
  readonly why: string;
  readonly at: number;
}

/** One line of the reply log. Its people are named by pseudonyms, and its text is sealed apart, so that an erasure can take both. */
export interface LoggedReply {
  /** As a DecisionId: sorts by time of receipt. */
  readonly id: string;
  readonly owner: ClientId | 'global';
  /** Where it is certain. */
  readonly campaign: CampaignId | undefined;
  /** A Kind of inbound/finding.ts. */
  readonly kind: string;
  readonly rule: string | undefined;
  readonly span: string | undefined;
  readonly language: string | undefined;
  readonly matchedBy: MatchedBy;
  /** `smtp`, or `mailbox:<name>`. */
  readonly via: string;
  /**
   * All in ms since 1970 UTC. Processed: it was understood. Enforced: the ledger had the objection, and the one write that put this line and
   * the list entry into the store began; whoever is told that it was taken is told after that write.
   */
  readonly receivedAt: number;
  readonly processedAt: number;
  readonly enforcedAt: number;
  /** What was done, in words without addresses: `exclusion acme/spring reply`, `suppression acme opt-out`, `none`. */
  readonly actions: readonly string[];
  /** The request that was registered with it: what is asked, and until when that is due. */
  readonly request?: { readonly kind: RequestKind; readonly dueAt: number } | undefined;
  readonly state: ReplyState;
  readonly decision: ReplyDecision | undefined;
  /** Base forms of whom it is about (the one who wrote, the one who was mailed), while their sealed mapping lives. */
  readonly people: readonly string[];
  /** The person's own words, cut to 4,096 characters, while they are kept. */
  readonly text: string | undefined;
  /** What became of the copy for the client's own mailbox. */
  readonly forwarded: 'done' | 'refused' | undefined;
}

export interface ReplyQuery {
  readonly state?: ReplyState | undefined;
  readonly kind?: string | undefined;
  readonly campaign?: string | undefined;
  /** Whom it is about, however the address is spelled. */
  readonly person?: Address | undefined;
  /** Received from this moment on, and before that one; ms since 1970 UTC. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Only what is older than the line with this id. */
  readonly before?: string | undefined;
  readonly limit?: number | undefined;
}

/** Newest first. A page may hold fewer than its limit, or none, and still have a `next`: where few fit, one page looks at so many only. */
export interface ReplyPage {
  readonly items: readonly LoggedReply[];
  /** The `before` of the next page; undefined where there is none. */
  readonly next: string | undefined;
}

/** Reading the reply log. Every method throws StoreUnavailable where no answer came. */
export interface ReplyLog {
  /** Newest first. */
  list(owner: ClientId | 'global', query?: ReplyQuery): AsyncIterable<LoggedReply>;
  /** The line with that id under one of these owners. */
  show(id: string, owners: readonly (ClientId | 'global')[]): Promise<LoggedReply | undefined>;
  /** Whether this person wrote the human reply with that Message-ID (with angle brackets) to this client, and it stands as one (kind `reply`, or decided so). */
  wroteReply(client: ClientId, messageId: string, person: Address): Promise<boolean>;
  /** The whole message, where it was kept because its forwarding was refused. */
  kept(owner: ClientId | 'global', id: string): Promise<Buffer | undefined>;
}

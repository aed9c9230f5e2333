/** Decisions as they are kept: every refusal has one; its id is the `ref=` of the reply. */
import type { CampaignId, ClientId, CredentialId, DecisionId, GLOBAL } from '../ids.ts';
import type { Address } from '../mail/address.ts';

/** `received`: not a recipient but a message that came back; its check is `inbound`, its token what it was taken for. */
export type Outcome = 'relayed' | 'rejected' | 'deferred' | 'observed' | 'unknown' | 'received';

/** What the writer says. */
export interface DecisionInput {
  readonly client: ClientId;
  readonly campaign: CampaignId | undefined;
  readonly credential: CredentialId | undefined;
  readonly transaction: string;
  readonly stage: 'rcpt' | 'data' | 'upstream';
  readonly outcome: Outcome;
  readonly check: string;
  readonly token: string;
  /** For the operator; never an address. */
  readonly reason: string;
  /** `550 5.7.1 …` as told, without the ref. */
  readonly reply: string;
  readonly policy: string;
  readonly recipient: Address;
  /** False where nothing may be kept of the person, because an erasure is why they were refused: the line then has no pseudonym. */
  readonly keepRecipient: boolean;
}

export interface Decision extends Omit<DecisionInput, 'recipient' | 'keepRecipient'> {
  readonly id: DecisionId;
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
  readonly pseudonym: string | undefined;
  /** Base form `local@domain` while its sealed mapping lives; undefined after an erasure. */
  readonly recipient: string | undefined;
}

/** One counter: everything an outcome is counted under. */
export interface CounterLabels {
  /** `global`: of what came back and is no client's. */
  readonly client: ClientId | typeof GLOBAL;
  readonly campaign: CampaignId | undefined;
  readonly outcome: Outcome;
  /** Empty for `relayed`. */
  readonly check: string;
  readonly token: string;
}

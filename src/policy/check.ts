/** What a check is: it asks one thing of a recipient or a message and may object; it can never grant. */
import type { Profile } from '../clients/profile.ts';
import type { CampaignId, ClientId, CredentialId } from '../ids.ts';
import type { Address } from '../mail/address.ts';
import type { Envelope } from '../mail/envelope.ts';
import type { Message } from '../mail/message.ts';
import type { Reply } from '../mail/reply.ts';

/** One transaction as the checks see it: made anew for every asking, so what a check remembers by it lasts for one asking only. */
export interface Submission {
  readonly id: string;
  readonly envelope: Envelope;
  readonly client: ClientId;
  readonly credential: CredentialId | undefined;
  /** The client's settings, read for this asking. */
  readonly profile: Profile;
  /** The campaigns whose rules bind: the credential's, those a header names; at the dot, all of the client's where neither names one. */
  readonly campaigns: readonly CampaignId[];
  /** False where `campaigns` are all of the client's because none was named. */
  readonly campaignNamed: boolean;
  /** Name of the policy that binds this credential. */
  readonly policy: string;
  /** At the final dot only. */
  readonly message?: Message;
}

export interface Objection {
  readonly reply: Reply;
  /** From the short documented list; it is what the reply's text tells the sender. */
  readonly token: string;
  /** For the operator: names list, scope and time, never an address. */
  readonly reason: string;
  /** True where the recipient was erased, so that no record of this objection may name them. */
  readonly erased?: true;
}

/** undefined: no objection. */
export type Verdict = Objection | undefined;

export interface Check {
  /** At RCPT, and again at the final dot. */
  rcpt?(rcpt: Address, submission: Submission): Verdict | Promise<Verdict>;
  endOfData?(message: Message, submission: Submission): Verdict | Promise<Verdict>;
}

export type Mode = 'enforce' | 'observe' | 'off';

/** One token a check may answer with, for the table of tokens in README. */
export interface TokenDoc {
  readonly token: string;
  readonly meaning: string;
}

/** `O`: the check's own options (a TypeBox object schema with defaults); `N`: what it needs, handed to it and nothing more. */
export interface CheckDefinition<O extends object = object, N extends object = object> {
  /** = file name, config key, metric label, log field, README row. */
  readonly name: string;
  /** One sentence for the README row. */
  readonly doc: string;
  /** Promise ids (REQUIREMENTS) this check keeps. */
  readonly promises: readonly string[];
  readonly tokens: readonly TokenDoc[];
  /** True: the mode is always `enforce` (law 1). */
  readonly alwaysEnforced?: boolean;
  /** JSON schema (TypeBox) of the options, without the mode. */
  readonly options: object;
  readonly defaults: O;
  create(options: O, needs: N): Check;
}

/** Names the types of a definition; the definition is otherwise left alone. */
export function defineCheck<O extends object, N extends object>(definition: CheckDefinition<O, N>): CheckDefinition<O, N> {
  return definition;
}

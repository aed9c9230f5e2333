/** The words of what comes back: what a message is (a Finding), and what was known of it before it was read (Circumstances). */
import type { IsOurs } from '../mail/footer.ts';
import type { Message } from '../mail/message.ts';

/** In the order in which they are tried; `review`: a human's, in doubt; `unknown`: machine mail that means nothing to the lists. */
export const KINDS = ['bounce', 'complaint', 'unsubscribe', 'opt-out', 'request', 'auto-reply', 'reply', 'review', 'unknown'] as const;
export type Kind = (typeof KINDS)[number];

/** Somebody whom a bounce or a complaint names. */
export interface NamedRecipient {
  /** As the report says, with SRS, BATV and xtext undone; as written, so that parseAddress has the last word. */
  readonly address: string;
  /** Enhanced status code, `5.1.1`; undefined where the report has none and none can be told from its text. */
  readonly status: string | undefined;
  /** True where nothing will ever be delivered there: 5.1.1–3, 5.1.6, 5.1.10, 5.2.1 or equivalent text; never policy, spam, full, system. */
  readonly permanent: boolean;
  /** The address that was mailed (Original-Recipient), where the one that failed stands behind it: an alias, a forward. */
  readonly mailed?: string;
}

/** What a report returned of the message that it is about. */
export interface Returned {
  /** With angle brackets, as in the field. */
  readonly messageId: string | undefined;
  /** Return-Path, Original-Mail-From or X-Postfix-Sender: where our token may stand. */
  readonly reversePath: string | undefined;
  /** The To field's addresses. */
  readonly to: readonly string[];
}

export interface Finding {
  readonly kind: Kind;
  /** Of a bounce or a complaint; empty where the report was redacted, or where it is a delay (which is no failure). */
  readonly recipients: readonly NamedRecipient[];
  /** The person's own words: no quotes, no header blocks, no lines of ours. Empty for machine mail. */
  readonly ownText: string;
  /** Why: the name of the rule (`opt-out/en/remove-me`), and the words it matched. */
  readonly matched: { readonly rule: string; readonly span: string } | undefined;
  /** ISO 639-1, where a rule of one language matched. */
  readonly language: string | undefined;
  /** Of a bounce or complaint. */
  readonly returned?: Returned;
  /** Of a request; and of an opt-out whose words ask for erasure, too. */
  readonly request?: 'access' | 'erasure';
  /** Of an auto-reply: the person is no longer there, so the address is dead. */
  readonly left?: true;
  /** Of a bounce: a delivery report that this gate itself sent, or a refusal that it gave; it means nothing to the lists. */
  readonly ours?: true;
}

/** What the address is for that a message came to. */
export const ROLES = ['reply', 'unsubscribe', 'return-path', 'feedback', 'privacy'] as const;
export type Role = (typeof ROLES)[number];

/** What is known of a message beside its octets. */
export interface Circumstances {
  /** Undefined where nobody knows: a file, a salesperson's mailbox. */
  readonly role?: Role | undefined;
  /** Whether a line (as it stands in the reply) is one that we sent this person: Outlook returns our footer unquoted. */
  readonly sent?: IsOurs | undefined;
  /** The names under which this gate sends its own delivery reports (RFC 3464 Reporting-MTA, and the domain of their Message-IDs). */
  readonly ourNames?: readonly string[] | undefined;
}

/** One message while it is classified. What is costly is read on first use and kept. */
export interface Reading {
  readonly message: Message;
  readonly circumstances: Circumstances;
  /** The Subject, decoded, without `Re:` and its kin of any language; empty where there is none. */
  readonly subject: string;
  /** The person's own words (see own-text.ts). */
  readonly ownText: string;
  /** What may be own words, where there are none: it stands below what we sent. */
  readonly below: string;
}

/** One kind of classifier: a Finding where it recognises the message, else undefined. Pure, bounded in time, never throws. */
export type Classify = (reading: Reading) => Finding | undefined;

/** A Finding with nothing but its kind. */
export function finding(kind: Kind, more: Partial<Omit<Finding, 'kind'>> = {}): Finding {
  return { kind, recipients: [], ownText: '', matched: undefined, language: undefined, ...more };
}

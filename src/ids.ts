/** Branded identifiers: a client id cannot be passed where a campaign id is meant. Nothing more. */

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** Id of a client (the data controller): 1–64 of `a-z 0-9 - _ .`, begins with a letter or digit; never `global`. */
export type ClientId = Branded<string, 'ClientId'>;
/** Id of a campaign, unique within its client; same alphabet as a client id. */
export type CampaignId = Branded<string, 'CampaignId'>;
/** Username of a credential: unique across all clients. */
export type CredentialId = Branded<string, 'CredentialId'>;
/** Id of a recorded decision: the `ref=` of a reply. Sorts by time. */
export type DecisionId = Branded<string, 'DecisionId'>;

const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** The reserved name of the scope that covers every client. */
export const GLOBAL = 'global';

/** The client id in `text`, or undefined where the text is no id (wrong alphabet, too long, or the reserved `global`). */
export function clientId(text: string): ClientId | undefined {
  return ID.test(text) && text !== GLOBAL ? (text as ClientId) : undefined;
}

/** The campaign id in `text`, or undefined where the text is none. */
export function campaignId(text: string): CampaignId | undefined {
  return ID.test(text) ? (text as CampaignId) : undefined;
}

/** The username in `text`: 1–128 printable ASCII characters without spaces, or undefined. */
export function credentialId(text: string): CredentialId | undefined {
  return /^[\x21-\x7e]{1,128}$/.test(text) ? (text as CredentialId) : undefined;
}

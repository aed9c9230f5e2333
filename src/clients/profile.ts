/** A client, its campaigns and credentials, as the rest of the house reads them. */
import type { CampaignId, ClientId, CredentialId } from '../ids.ts';

export interface Campaign {
  readonly id: CampaignId;
  /** A-labels; each covers its subdomains. Empty: no such limit. */
  readonly targetDomains: readonly string[];
}

export interface Profile {
  readonly id: ClientId;
  readonly name: string;
  /** The client's own https privacy policy URLs, at least one. */
  readonly privacyUrls: readonly string[];
  /** A-labels; each covers its subdomains. */
  readonly fromDomains: readonly string[];
  /** Domains the reverse-path may have beside fromDomains (platforms bounce to their own). */
  readonly returnPathDomains: readonly string[];
  /** Hosts (`host` or `host:port`) whose links are the platform's click-tracking. */
  readonly trackingHosts: readonly string[];
  readonly policy: string;
  /** Overrides upstream.url. Holds a secret where it has a password: never logged, never shown. */
  readonly upstream: string | undefined;
  /** Transactions a minute and sessions at once; undefined: the configured default. */
  readonly maxRate: number | undefined;
  readonly maxSessions: number | undefined;
  /** Where its replies arrive, as they may be relayed and without a tag; no other client has one of them. */
  readonly replyAddresses: readonly string[];
  /** The domain of the reverse-path that its mail is relayed with, `bounce+TOKEN@` it; undefined: the platform's own stays. */
  readonly returnPath: string | undefined;
  /** Whether mail without a Reply-To gets one with a token: the From's own where that is a reply address, else the first of these. */
  readonly tagReplyTo: boolean;
  /** Who gets a copy of what came back, once it is applied. */
  readonly forwardTo: string | undefined;
  readonly campaigns: ReadonlyMap<CampaignId, Campaign>;
  readonly disabled: boolean;
  readonly createdAt: number;
  /** The head record's version that this was read under. */
  readonly version: number;
  /** The version of the global head record that this was read under: the policies of that version bind. */
  readonly globalVersion: number;
}

export interface Credential {
  readonly id: CredentialId;
  readonly client: ClientId;
  readonly campaign: CampaignId | undefined;
  /** Overrides the client's policy; `transactional` only ever here. */
  readonly policy: string | undefined;
  /** CIDR blocks; empty: any address (then a password is needed). */
  readonly ips: readonly string[];
  /** False: the IP alone is the credential. */
  readonly password: boolean;
  readonly disabled: boolean;
  readonly createdAt: number;
}

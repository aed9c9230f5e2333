/** The words of lists: scope, reason, source, and what the lists say of one recipient (DESIGN §5). */
import type { CampaignId, ClientId } from '../ids.ts';
import type { Address } from '../mail/address.ts';

/** A person, or a domain (as parseDomain gives it) with its subdomains. */
export type Target = Address | { readonly domain: string; readonly local?: undefined };

/** Where an entry binds. `global` ⊃ client ⊃ client/campaign. */
export interface Scope {
  readonly owner: 'global' | ClientId;
  readonly campaign?: CampaignId;
}

/** `review`: somebody may have objected, and is left alone until a person has decided. */
export const REASONS = ['opt-out', 'objection', 'complaint', 'reply', 'review', 'bounce', 'erasure', 'manual', 'import', 'policy'] as const;
export type Reason = (typeof REASONS)[number];

export const SOURCES = ['recipient', 'platform', 'operator', 'import', 'inbound', 'one-click'] as const;
export type Source = (typeof SOURCES)[number];

/** Why somebody is listed. An entry holds one act per reason; the earliest of a reason stays. */
export interface Act {
  readonly reason: Reason;
  readonly source: Source;
  /** Milliseconds since 1970 UTC. */
  readonly at: number;
}

/** One list entry that binds a recipient. */
export interface Hit {
  readonly list: 'exclusion' | 'suppression';
  /** `hash`: an imported legacy digest matched. */
  readonly match: 'address' | 'domain' | 'hash';
  readonly scope: Scope;
  /** Empty where the value could not be opened: it still counts as listed. */
  readonly acts: readonly Act[];
}

/** All entries that bind a recipient, widest scope first. */
export type Standing = readonly Hit[];

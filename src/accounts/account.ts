/** An account: a person with a login of their own, as the rest of the house reads it (A31: nobody shares one). */
import type { ClientId } from '../ids.ts';

/**
 * `admin`: everything. `operator`: clients, lists, imports, decisions; no accounts. `officer` (the data protection officer): reads
 * everything, lifts objections, audits, exports. `client`: its own client's lists, imports, decisions and replies, and nothing else.
 */
export const ROLES = ['admin', 'operator', 'officer', 'client'] as const;
export type Role = (typeof ROLES)[number];

export interface Account {
  /** Random, never given twice. */
  readonly id: string;
  /** What the person logs in with; unique, lower case, never an address: it stands in URLs and in audit trails. */
  readonly name: string;
  readonly role: Role;
  /** Set for the role `client` and for no other. */
  readonly client: ClientId | undefined;
  /** CIDR blocks; empty: from anywhere. */
  readonly ips: readonly string[];
  readonly disabled: boolean;
  /** Whether a code is asked for beside the password. */
  readonly totp: boolean;
  /** Which version of the security policy the person agreed to, and when, in ms since 1970 UTC (A32). */
  readonly accepted: { readonly version: string; readonly at: number } | undefined;
  readonly createdAt: number;
  /** When the person last logged in with the password, and from where; API tokens note their own use. */
  readonly lastLogin: { readonly at: number; readonly from: string } | undefined;
  /** Grows by one with every change: what an ETag holds. */
  readonly version: number;
}

/** Who asks, as every route reads it. */
export interface Actor {
  /** The account's name. */
  readonly account: string;
  readonly role: Role;
  /** Whom the actor may act for, and nobody else; undefined for those who act for all. */
  readonly client: ClientId | undefined;
  /** Where the request came from, without a zone or the IPv4-mapped form. */
  readonly ip: string;
  readonly via: 'token' | 'session';
}

/** The name in `text`, lower case, or undefined: 1–64 of `a-z 0-9 . _ -`, begins with a letter or digit. */
export function accountName(text: string): string | undefined {
  const name = text.toLowerCase();
  return /^[a-z0-9][a-z0-9._-]{0,63}$/.test(name) ? name : undefined;
}

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

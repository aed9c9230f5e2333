/** What an audit trail says of one act: who, from where, when, what and why (law 6, A18). */

/** Who acts, from where, and why where they say so. */
export interface Who {
  /** Account, or the operating system's user; a person's name where they gave one. */
  readonly by: string;
  /** IP address, `cli`, or `postern` where nobody asked for it. */
  readonly from: string;
  readonly why?: string | undefined;
}

export interface AuditAct extends Who {
  /** What was done to what kind of thing: `client.update`, `exclusion.remove`, `export`. */
  readonly what: string;
  /** Which one, and how: ids, names, counts. No address, no password, no token: of a person the keyed digest, in hexadecimal digits. */
  readonly about?: Readonly<Record<string, unknown>>;
}

export interface AuditLine extends AuditAct {
  /** Counts from 1 for each owner, without a gap. */
  readonly n: number;
  /** Milliseconds since 1970 UTC; never less than the line's before it. */
  readonly at: number;
}

/** What the software does of its own accord. */
export const OURSELVES: Who = { by: 'postern', from: 'postern' };

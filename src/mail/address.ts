/** Addresses: parseAddress is the only maker, so octets to relay and keys to look up come from one parse. */

/** A mailbox as it may be relayed and looked up. */
export interface Address {
  /** Exactly what goes between `<` and `>` upstream. */
  readonly relayed: string;
  /** Local part as the person is known by: unquoted, NFC, lower case, without `+tag`. */
  readonly local: string;
  /** The same with its `+tag` (equal to `local` where there is none): legacy hash lists hold either spelling. */
  readonly taggedLocal: string;
  /** A-labels, lower case, no final dot. */
  readonly domain: string;
  /** True where `relayed` holds non-ASCII characters, so that the upstream must speak SMTPUTF8. */
  readonly utf8: boolean;
}

/** A message as the checks see it: the octets as received and what one strict reading makes of them. */

/** One header field, in order of appearance. `name` lower case; `value` unfolded, undecoded, trimmed. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

/** A decoded text leaf that a reader may be shown: never an attachment's, never one inside a nested message/rfc822. */
export interface TextPart {
  readonly type: 'text/plain' | 'text/html';
  /** Decoded: transfer encoding, charset, and for text/plain format=flowed (RFC 3676). */
  readonly text: string;
}

export interface Message {
  /** CRLF line ends, exactly as received. */
  readonly octets: Buffer;
  readonly fields: readonly Field[];
  /** All values of a field, in order; `name` in lower case. */
  all(name: string): readonly string[];
  /** Why two readers would see different messages (LIBRARIES 16 and its kin), or undefined where they agree. */
  readonly ambiguity: string | undefined;
  /** The alternatives a reader may be shown. Decoded on first use, kept. Empty where there is nothing to read. */
  texts(): readonly TextPart[];
}

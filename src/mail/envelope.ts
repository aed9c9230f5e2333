/** What SMTP says of a message, as against what its header says. */
import type { Address } from './address.ts';

export interface Envelope {
  /** The reverse-path; null for the null reverse-path `<>`. */
  readonly reversePath: Address | null;
  readonly recipients: readonly Address[];
  /** MAIL carried SMTPUTF8 (RFC 6531). */
  readonly utf8: boolean;
  readonly body: '7bit' | '8bitmime';
}

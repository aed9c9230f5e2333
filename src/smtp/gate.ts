/** What the listener asks of whoever decides: submission and inbound each are a Gate. Expected outcomes are Replies; a throw is a fault → 451. */
import type { Reply } from '../mail/reply.ts';

/** One connection. `secure` is the TLS description (`TLSv1.3 TLS_AES_256_GCM_SHA384`) or undefined. */
export interface Peer {
  readonly id: string;
  /** Address of the true client (after PROXY or XCLIENT from a listed address), IPv4-mapped form removed. */
  readonly remoteAddress: string;
  readonly helo: string;
  readonly secure: string | undefined;
  /** `ESMTP`, `ESMTPS`, `ESMTPSA` … (RFC 3848). */
  readonly protocol: string;
}

export interface MailParameters {
  readonly size: number | undefined;
  readonly utf8: boolean;
  readonly body: '7bit' | '8bitmime';
}

/** The message could not be taken whole: the listener says why, the transaction is over. */
export interface Gate<Login> {
  /** Asked at connect; a Reply refuses the session (421 or 554). */
  connect(peer: Peer): Reply | undefined;
  /** Asked for AUTH, under TLS only. A Reply refuses. */
  authenticate(peer: Peer, username: string, password: string): Promise<{ readonly login: Login } | Reply>;
  /** `path` is the text between `<` and `>` exactly as received (UTF-8 decoded), possibly empty. `login` is absent without AUTH. */
  mail(peer: Peer, login: Login | undefined, path: string, parameters: MailParameters): Promise<Transaction | Reply>;
  /** The connection is over; called once for each connect that was not refused. */
  closed(peer: Peer): void;
}

/** From MAIL to the final dot, RSET, or a lost connection. */
export interface Transaction {
  /** `path` as in Gate.mail. A 2xx reply takes the recipient. */
  rcpt(path: string): Promise<Reply>;
  /** Asked at DATA, before 354: a Reply refuses. */
  data(): Promise<Reply | undefined>;
  /** The whole message, CRLF line ends, dot-stuffing removed, without the final dot. Bare CR or LF never get here. */
  message(octets: Buffer): Promise<Reply>;
  /** Called exactly once when the transaction is over, however it ended. */
  end(): void;
}

export function isReply(value: object): value is Reply {
  return 'code' in value && 'status' in value;
}

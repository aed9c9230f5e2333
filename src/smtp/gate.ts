/** What the listener asks of whoever decides: submission and inbound each are a Gate. Expected outcomes are Replies; a throw is a fault → 451. */
import type { Reply } from '../mail/reply.ts';

/** One connection: the same object in every call from `connect` to `closed`; its values are those of the moment. */
export interface Peer {
  /** Random; the same after XCLIENT. */
  readonly id: string;
  /** Address of the true client (after PROXY or XCLIENT from a listed address), IPv4-mapped form removed. */
  readonly remoteAddress: string;
  /** As the client named itself, printable ASCII; empty until HELO or EHLO, and again after STARTTLS. */
  readonly helo: string;
  /** `TLSv1.3 TLS_AES_256_GCM_SHA384`, or undefined without TLS. */
  readonly secure: string | undefined;
  /** `ESMTP`, `ESMTPS`, `ESMTPSA` … (RFC 3848). */
  readonly protocol: string;
}

export interface MailParameters {
  readonly size: number | undefined;
  readonly utf8: boolean;
  readonly body: '7bit' | '8bitmime';
}

/** Calls of one connection never overlap. A Reply of 421, to whatever question, closes the connection once it is sent. */
export interface Gate<Login> {
  /** Asked at connect; a Reply refuses the session (421 or 554). XCLIENT ADDR asks again, after `closed`, with a new Peer. */
  connect(peer: Peer): Reply | undefined;
  /** Asked for AUTH, under TLS only. A Reply refuses. */
  authenticate(peer: Peer, username: string, password: string): Promise<{ readonly login: Login } | Reply>;
  /** `path` is the text between `<` and `>` exactly as received (UTF-8 decoded), possibly empty. `login` is absent without AUTH. */
  mail(peer: Peer, login: Login | undefined, path: string, parameters: MailParameters): Promise<Transaction | Reply>;
  /** The connection is over; called once for each connect that was not refused, after the end of its transaction. */
  closed(peer: Peer): void;
}

/** From MAIL to the final dot, RSET, or a lost connection. */
export interface Transaction {
  /** `path` as in Gate.mail. A 2xx reply takes the recipient. */
  rcpt(path: string): Promise<Reply>;
  /** Asked at DATA, before 354: a Reply refuses and ends the transaction. */
  data(): Promise<Reply | undefined>;
  /** The whole message, CRLF line ends, dot-stuffing removed, without the final dot. Bare CR, bare LF and NUL never get here. */
  message(octets: Buffer): Promise<Reply>;
  /** Called exactly once when the transaction is over, however it ended, and never while one of its other calls runs. */
  end(): void;
}

export function isReply(value: object): value is Reply {
  return 'code' in value && 'status' in value;
}

/** What a test may tell the sink to do, and what the sink tells a test. */

/** Where a script is asked. `body`: each time body octets arrive; `dot`: the final dot is in. */
export type SinkStage =
  | 'connect'
  | 'ehlo'
  | 'helo'
  | 'starttls'
  | 'auth'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'body'
  | 'dot'
  | 'rset'
  | 'noop'
  | 'quit'
  | 'other';

/** One connection as a test sees it. */
export interface SinkPeer {
  /** Every command line, in order. */
  readonly commands: readonly string[];
  /** True once a command had arrived before the one before it was answered. */
  readonly pipelined: boolean;
  readonly secure: boolean;
  /** The user name that AUTH verified. */
  readonly user: string | undefined;
  readonly closed: boolean;
  /** Sends octets out of turn: an unasked reply. */
  say(text: string): void;
  /** Closes the connection as an idle server would. */
  end(): void;
}

export interface SinkEvent {
  readonly stage: SinkStage;
  /** The command line without CRLF; empty for connect, body and dot. */
  readonly line: string;
  /** What stands between `<` and `>` (MAIL, RCPT). */
  readonly path: string;
  readonly session: SinkPeer;
  /** The running transaction, from an accepted MAIL on. */
  readonly transaction: SinkTransaction | undefined;
  /** Body octets received so far. */
  readonly received: number;
}

/**
 * `string`: the reply, lines parted by `\n`, sent with CRLF ends. `raw`: octets sent as they are, after `reply`.
 * `end`: what follows: `close` (FIN), `reset` (RST), `stall` (never answers again, connection stays).
 * `upgrade: false`: no TLS handshake after the answer to STARTTLS.
 */
export type SinkAnswer =
  | string
  | { readonly reply?: string; readonly raw?: string; readonly end?: 'close' | 'reset' | 'stall'; readonly upgrade?: false };

export interface SinkOptions {
  readonly host?: string;
  readonly port?: number;
  /** EHLO keywords, or `helo` for a server that refuses EHLO. STARTTLS and AUTH are added by `tls` and `login`. */
  readonly extensions?: readonly string[] | 'helo';
  readonly tls?: 'starttls' | 'implicit';
  /** Asked for by AUTH PLAIN or LOGIN; MAIL without it gets 530. AUTH is announced under TLS only, where there is TLS. */
  readonly login?: { readonly user: string; readonly password: string; readonly mechanisms?: string };
  /** undefined: the usual answer. */
  readonly script?: (event: SinkEvent) => SinkAnswer | undefined | Promise<SinkAnswer | undefined>;
  /** A slow reader: after each chunk of body octets it reads nothing for so many milliseconds. */
  readonly pauseMs?: number;
}

export interface SinkTransaction {
  readonly session: SinkPeer;
  /** The reverse-path between the angle brackets. */
  readonly from: string;
  readonly mailLine: string;
  readonly secure: boolean;
  /** Every RCPT with the reply it got. */
  readonly rcpts: { readonly path: string; readonly line: string; readonly reply: string }[];
  /** Paths of accepted recipients. */
  readonly to: string[];
  /** The message, dot-stuffing removed, without the final dot. Filled at the final dot. */
  octets: Buffer;
  /** The same as it came over the wire, still dot-stuffed, without the final `.` line. */
  wire: Buffer;
  /** True once the final dot was seen. */
  complete: boolean;
  /** The reply to the final dot, undefined where none was given. */
  reply: string | undefined;
}

export const DEFAULT_EXTENSIONS = ['PIPELINING', 'SIZE 52428800', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES'] as const;

/** The replies that the listener itself gives; each carries the enhanced status that RFC 2034 asks for. */
import { accept, defer, type Reply, reject } from '../mail/reply.ts';

export const FAULT = defer(451, '4.3.0', 'Local fault, try again later');

/** Intermediate replies have no enhanced status (RFC 2034 §4). */
export const GO_AHEAD = '354 End with a dot alone on a line\r\n';

// Success (RFC 3463 §3.2: X.1.0 for an address taken, X.0.0 otherwise).
export const BYE = accept(221, '2.0.0', 'Bye');
export const OK = accept(250, '2.0.0', 'OK');
export const SENDER_OK = accept(250, '2.1.0', 'OK');
export const HELP = accept(214, '2.0.0', 'See RFC 5321');
export const NOT_VERIFIED = accept(252, '2.0.0', 'Not verified, RCPT will tell');
export const LOGGED_IN = accept(235, '2.7.0', 'Authentication successful');
export const START_TLS = accept(220, '2.0.0', 'Ready to start TLS');

// The connection ends with these.
export const STOPPING = defer(421, '4.3.2', 'Service is stopping');
export const TOO_MANY_SESSIONS = defer(421, '4.7.0', 'Too many connections');
export const TOO_MANY_ERRORS = defer(421, '4.7.0', 'Too many errors');
export const TOO_MANY_COMMANDS = defer(421, '4.7.0', 'Too many commands without mail');
export const TOO_MANY_FAILURES = defer(421, '4.7.0', 'Too many failed authentications');
export const NO_WEB = defer(421, '4.7.0', 'This is no web server');
export const TIMED_OUT = defer(421, '4.4.2', 'Timed out');
export const FLOOD = defer(421, '4.7.0', 'Line far too long');
export const NOT_ANSWERING = defer(421, '4.3.0', 'Service cannot answer');
export const EARLY = reject(554, '5.5.1', 'Wait for the greeting');

// Syntax and sequence (RFC 5321 §4.2.4, RFC 3463 §3.6).
export const UNKNOWN = reject(500, '5.5.2', 'Command not recognized');
export const BAD_LINE = reject(500, '5.5.2', 'Lines end in CRLF and hold neither CR, LF nor NUL');
export const LONG_LINE = reject(500, '5.5.2', 'Line too long');
export const LONG_SASL = reject(500, '5.5.6', 'Authentication line too long');
export const ARGUMENTS = reject(501, '5.5.4', 'Wrong arguments');
export const DUPLICATE = reject(501, '5.5.4', 'Parameter given twice');
export const PARAMETER_VALUE = reject(501, '5.5.4', 'Wrong parameter value');
export const PARAMETER = reject(555, '5.5.4', 'Parameter not recognized');
export const NOT_UTF8_SENDER = reject(501, '5.1.7', 'Sender address is not valid UTF-8');
export const NOT_UTF8_RECIPIENT = reject(501, '5.1.3', 'Recipient address is not valid UTF-8');
export const NOT_OFFERED = reject(502, '5.5.1', 'Command not implemented');
export const GREET_FIRST = reject(503, '5.5.1', 'Send EHLO first');
export const NESTED = reject(503, '5.5.1', 'MAIL was already given');
export const NEED_MAIL = reject(503, '5.5.1', 'Send MAIL first');
export const NEED_RCPT = reject(503, '5.5.1', 'Send RCPT first');
export const NO_RECIPIENTS = reject(554, '5.5.1', 'No valid recipients');
export const IN_TRANSACTION = reject(503, '5.5.1', 'Not during a mail transaction');
export const TLS_ACTIVE = reject(503, '5.5.1', 'TLS is already active');
export const PIPELINED_TLS = reject(503, '5.5.1', 'Nothing may follow STARTTLS unencrypted');

// AUTH (RFC 4954 §4, §6).
export const NEEDS_TLS = reject(538, '5.7.11', 'Authentication needs TLS, send STARTTLS first');
export const LOGGED_IN_ALREADY = reject(503, '5.5.1', 'Already authenticated');
export const MECHANISM = reject(504, '5.5.4', 'Authentication mechanism not offered');
export const CANCELLED = reject(501, '5.5.2', 'Authentication cancelled');
export const BAD_BASE64 = reject(501, '5.5.2', 'Authentication data cannot be read');
export const NO_PROXY_LOGIN = reject(535, '5.7.8', 'Authorization identity must equal the username');
export const XCLIENT_REFUSED = reject(550, '5.7.0', 'XCLIENT is not for this address');

// Size and content.
export const TOO_MANY_RECIPIENTS = defer(452, '4.5.3', 'Too many recipients');
export const NO_ROOM = defer(452, '4.3.1', 'No room at the moment, try again later');
export const TOO_LARGE = reject(552, '5.3.4', 'Message too large');
export const BARE_LINE_END = reject(550, '5.5.2', 'Message holds a bare CR or LF');
export const NUL_OCTET = reject(554, '5.6.0', 'Message holds a NUL octet');

/** A client that collects these does not speak SMTP. Sequence errors are not among them: a pipelined batch whose MAIL was refused gets many. */
export const CLUMSY: ReadonlySet<Reply> = new Set([
  UNKNOWN,
  BAD_LINE,
  LONG_LINE,
  LONG_SASL,
  ARGUMENTS,
  DUPLICATE,
  PARAMETER_VALUE,
  PARAMETER,
  NOT_OFFERED,
  NESTED,
  TLS_ACTIVE,
  NEEDS_TLS,
  LOGGED_IN_ALREADY,
  MECHANISM,
  CANCELLED,
  BAD_BASE64,
  NO_PROXY_LOGIN,
  XCLIENT_REFUSED,
]);

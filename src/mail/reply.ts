/** SMTP replies as values. Made only here, so that basic code and enhanced status class cannot disagree (RFC 5321 §4.2, RFC 3463 §2). */

export type Status = `${2 | 4 | 5}.${number}.${number}`;

/** One SMTP reply. `text` is one line of printable ASCII, without the enhanced status. */
export interface Reply {
  readonly code: number;
  readonly status: Status;
  readonly text: string;
}

/** A 2xx reply. */
export function accept(code: number, status: `2.${number}.${number}`, text: string): Reply {
  return make(code, status, text, 2);
}

/** A 4xx reply: the sender may try again. */
export function defer(code: number, status: `4.${number}.${number}`, text: string): Reply {
  return make(code, status, text, 4);
}

/** A 5xx reply: refused for good. */
export function reject(code: number, status: `5.${number}.${number}`, text: string): Reply {
  return make(code, status, text, 5);
}

/**
 * A reply that another server gave, as it is handed on: multi-line text joined, enhanced status taken from the text or, where
 * the server gave none of its code's class, `N.0.0`. A code outside 2xx, 4xx, 5xx becomes 451 4.3.0: it cleared nothing.
 */
export function fromServer(code: number, lines: readonly string[]): Reply {
  const group = Math.floor(code / 100);
  if (group !== 2 && group !== 4 && group !== 5) return defer(451, '4.3.0', `Unexpected upstream reply ${code}`);
  const given = new RegExp(`^${group}\\.\\d{1,3}\\.\\d{1,3}(?=\\s|$)`).exec(lines[0] ?? '')?.[0];
  const status = (given ?? `${group}.0.0`) as Status;
  const text = lines
    .map(line => (given !== undefined && line.startsWith(given) ? line.slice(given.length) : line).trim())
    .filter(line => line !== '')
    .join(' ');
  return make(code, status, text, group);
}

/** The reply as one line without CRLF: `550 5.7.1 Recipient may not be mailed`. */
export function replyLine(reply: Reply): string {
  return `${reply.code} ${reply.status} ${reply.text}`;
}

export const isAccepted = (reply: Reply): boolean => reply.code < 400;
export const isDeferred = (reply: Reply): boolean => reply.code >= 400 && reply.code < 500;
export const isRejected = (reply: Reply): boolean => reply.code >= 500;

function make(code: number, status: Status, text: string, group: number): Reply {
  if (Math.floor(code / 100) !== group || Number(status[0]) !== group) {
    throw new RangeError(`reply ${code} and status ${status} are not both of class ${group}`);
  }
  // RFC 5321 §4.2: reply text is printable ASCII; 512 octets a line at most (§4.5.3.1.5). A stranger's text must not split a reply.
  const safe = text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 480);
  return Object.freeze({ code, status, text: safe });
}

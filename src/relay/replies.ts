/** Reads a server's reply lines (RFC 5321 §4.2) out of whatever pieces the socket delivers. */

/** One whole reply; `lines` without the code. */
export interface ServerReply {
  readonly code: number;
  readonly lines: readonly string[];
}

/** RFC 5321 §4.5.3.1.5 says 512 octets a line; real servers go beyond it. */
const LINE_LIMIT = 4096;
/** Lines of one reply: an EHLO answer is the longest there is. */
const LINES_LIMIT = 200;

export class ReplyReader {
  #rest = '';
  #code = 0;
  #lines: string[] = [];
  #garbled = false;

  /** True where a reply has begun that has not ended. */
  get partial(): boolean {
    return this.#rest !== '' || this.#lines.length > 0;
  }

  /** True once something came that is no reply; nothing is read after that. */
  get garbled(): boolean {
    return this.#garbled;
  }

  /** The replies that this chunk completes, in order. */
  read(chunk: Buffer): ServerReply[] {
    const replies: ServerReply[] = [];
    if (this.#garbled) return replies;
    const text = this.#rest + chunk.toString('latin1');
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const reply = this.#line(text.slice(start, text[end - 1] === '\r' && end > start ? end - 1 : end));
      if (this.#garbled) return replies;
      if (reply !== undefined) replies.push(reply);
      start = end + 1;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > LINE_LIMIT) this.#garbled = true;
    return replies;
  }

  #line(line: string): ServerReply | undefined {
    const [, digits, mark] = /^([2-5]\d\d)([ -]|$)/.exec(line) ?? [];
    const code = Number(digits);
    if (
      digits === undefined ||
      line.length > LINE_LIMIT ||
      this.#lines.length >= LINES_LIMIT ||
      (this.#lines.length > 0 && code !== this.#code)
    ) {
      this.#garbled = true;
      return undefined;
    }
    this.#code = code;
    this.#lines.push(line.slice(4));
    if (mark === '-') return undefined;
    const reply = { code, lines: this.#lines };
    this.#lines = [];
    return reply;
  }
}

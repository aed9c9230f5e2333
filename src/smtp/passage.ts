/** The mail transactions of one session, one after another: MAIL, RCPT, DATA, and the end of each, once. */
import { isAccepted, type Reply } from '../mail/reply.ts';
import type { ByteBudget } from './budget.ts';
import { parseMail, parseRcpt } from './command.ts';
import { type Gate, isReply, type Peer, type Transaction } from './gate.ts';
import { MessageReader } from './message-reader.ts';
import * as say from './replies.ts';

/** What a passage needs of its connection. */
export interface MessageChannel {
  /** Whole lines, CRLF included. */
  send(text: string): void;
  /** False: the connection went before the message ended. */
  read(reader: MessageReader): Promise<boolean>;
}

export interface PassageNeeds<Login> {
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  readonly budget: ByteBudget;
  readonly gate: Gate<Login>;
}

interface Open {
  readonly transaction: Transaction;
  readonly size: number | undefined;
  asked: boolean;
  recipients: number;
}

/** Room for a message whose size was not declared. */
const FIRST_BYTES = 16_384;

export class Passage<Login> {
  readonly #needs: PassageNeeds<Login>;
  readonly #channel: MessageChannel;
  readonly #fault: (error: unknown) => void;
  #open: Open | undefined;
  #strays = 0;
  #judging = false;

  /** `fault` is told what the gate's `end` throws: by then the client has its answer, or is owed another. */
  constructor(needs: PassageNeeds<Login>, channel: MessageChannel, fault: (error: unknown) => void) {
    this.#needs = needs;
    this.#channel = channel;
    this.#fault = fault;
  }

  get open(): boolean {
    return this.#open !== undefined;
  }

  /** True while the gate judges a whole message, which may be on its way upstream already. */
  get judging(): boolean {
    return this.#judging;
  }

  /** Ends the transaction, if there is one. */
  end(): void {
    const open = this.#open;
    this.#open = undefined;
    try {
      open?.transaction.end();
    } catch (error) {
      this.#fault(error);
    }
  }

  async mail(peer: Peer, login: Login | undefined, argument: string): Promise<Reply> {
    if (this.#open !== undefined) return say.NESTED;
    this.#strays = 0;
    const parsed = parseMail(argument, this.#needs.maxMessageBytes);
    if (isReply(parsed)) return parsed;
    const answer = await this.#needs.gate.mail(peer, login, parsed.path, parsed.parameters);
    if (isReply(answer)) return answer;
    this.#open = { transaction: answer, size: parsed.parameters.size, asked: false, recipients: 0 };
    return say.SENDER_OK;
  }

  async rcpt(argument: string): Promise<Reply> {
    const open = this.#open;
    if (open === undefined) return ++this.#strays > this.#needs.maxRecipients ? say.TOO_MANY_COMMANDS : say.NEED_MAIL;
    const parsed = parseRcpt(argument);
    if (isReply(parsed)) return parsed;
    open.asked = true;
    if (open.recipients >= this.#needs.maxRecipients) return say.TOO_MANY_RECIPIENTS;
    const reply = await open.transaction.rcpt(parsed.path);
    if (isAccepted(reply)) open.recipients++;
    return reply;
  }

  /** Reads the message and has it judged. Undefined: the connection went first. */
  async data(): Promise<Reply | undefined> {
    const open = this.#open;
    if (open === undefined) return say.NEED_MAIL;
    if (open.recipients === 0) return open.asked ? say.NO_RECIPIENTS : say.NEED_RCPT;
    const share = this.#needs.budget.open();
    try {
      const expected = Math.min(open.size ?? FIRST_BYTES, this.#needs.maxMessageBytes);
      if (!share.atLeast(expected)) return say.NO_ROOM;
      const refusal = await open.transaction.data();
      if (refusal !== undefined) return refusal;
      const reader = new MessageReader(this.#needs.maxMessageBytes, share, expected);
      this.#channel.send(say.GO_AHEAD);
      if (!(await this.#channel.read(reader))) return undefined;
      this.#judging = true;
      return reader.fault ?? (await open.transaction.message(reader.octets()));
    } finally {
      this.#judging = false;
      share.free();
      this.end();
    }
  }
}

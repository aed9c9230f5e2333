/** What a failure means for the address: nothing will ever be delivered there, or not this time (STANDARDS, "Standards → behaviour", 3464). */
import type { NamedRecipient } from '../finding.ts';
import { type BounceRules, type Meaning, plainWords } from './bounce-rules.ts';

export interface Verdict {
  readonly status: string | undefined;
  readonly permanent: boolean;
  /** The words that decided; undefined where only codes did, or nothing. */
  readonly meaning: Meaning | undefined;
}

/** RFC 3463 and the registry of RFC 5248: bad mailbox, bad system, bad syntax, moved, null MX, mailbox disabled. Nothing else is for ever. */
const PERMANENT = ['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1'];

/** The sender's address or the message is meant, whatever the words. */
const SENDER = /^\d\.(?:1\.[78]|6\.\d+)$/;
/** What the server refused: the recipient, or the message after it had taken the recipient. */
const AT_RCPT = /\bRCPT[ _-]?TO\b|does not like recipient|requested action not taken/i;
const AFTER_DATA =
  /in reply to end of DATA|after end of data|>>> (?:DATA|\.)\s|failed after I sent the message|did not like our final DATA/i;
/** An SMTP reply, as opposed to what a report says in its own words. */
const REPLY = /(?<![\d.:/-])5\d\d[\s-]/;
/** RFC 3463 §3.2: about the address; .7 and .8 are about the sender's. */
const ADDRESS = /^5\.1\.(?![78]$)/;

/** Of what is said about one recipient. */
const MAX_WORDS = 2000;

const ABOUT_MAILBOX = ['no-mailbox', 'gone', 'moved'];
/** Of a report's text, where it is told what the server refused. */
const MAX_CONTEXT = 16 * 1024;

type Phase = 'rcpt' | 'data';

/** Judges what is said about recipients; what one message may cost is bounded: beyond it, codes alone decide. */
export class Judge {
  readonly #rules: BounceRules;
  readonly #phase: Phase | undefined;
  #words = 32 * 1024;

  /** `context`: the whole text of the report. */
  constructor(rules: BounceRules, context: string) {
    this.#rules = rules;
    this.#phase = phaseIn(context.slice(0, MAX_CONTEXT));
  }

  /** `status`: the report's own, `5.1.1`; `said`: what the server said, as it stands. */
  judge(status: string | undefined, said: string): Verdict {
    const text = said.slice(0, MAX_WORDS);
    const meaning = this.#meaning(text);
    const inText = enhanced(text);
    const codes = [status, inText].filter(code => code !== undefined);
    const specific = codes.filter(code => !code.endsWith('.0.0'));
    const dead = specific.length > 0 && specific.every(code => PERMANENT.includes(code));
    const sure = dead || inText !== undefined || (status !== undefined && ADDRESS.test(status)) || this.#isSure(meaning, text);
    const permanent =
      !isTransient(status ?? inText, text) &&
      !codes.some(code => SENDER.test(code)) &&
      (meaning === undefined ? dead : meaning.permanent === true ? sure : meaning.permanent === 'by-code' && dead);
    return { status: specific[0] ?? codes[0] ?? meaning?.status, permanent, meaning };
  }

  /**
   * Whether words alone make a mailbox dead. "550 unknown user" without a code of its own is also what filters and some carriers say to a
   * message that they dislike, after they have taken the recipient: then it is counted, and only what repeats suppresses.
   */
  #isSure(meaning: Meaning | undefined, text: string): boolean {
    if (meaning === undefined || !ABOUT_MAILBOX.includes(meaning.class)) return true;
    const phase = phaseIn(text) ?? this.#phase;
    return phase === 'rcpt' || meaning.span.includes('recipient') || (phase === undefined && !REPLY.test(text));
  }

  #meaning(text: string): Meaning | undefined {
    if (this.#words < text.length) return undefined;
    this.#words -= text.length;
    return this.#rules.meaning(plainWords(text));
  }
}

/** Whether a verdict rests on anything: on words, or on a code that says more than what it is about (RFC 3463 §3: x.y.0 is "other"). */
export function isFounded({ status, meaning }: Verdict): boolean {
  return meaning !== undefined || (status !== undefined && !/^\d\.\d\.0$/.test(status));
}

export function namedRecipient(address: string, { status, permanent }: Verdict): NamedRecipient {
  return { address, status, permanent };
}

function phaseIn(text: string): Phase | undefined {
  if (AT_RCPT.test(text)) return 'rcpt';
  return AFTER_DATA.test(text) ? 'data' : undefined;
}

/** The first enhanced status code in text; an IP address has four numbers. */
function enhanced(text: string): string | undefined {
  return /(?<![\d.])[45]\.\d\.\d{1,3}(?![\d.]*\d)/.exec(text)?.[0];
}

/** Given up after tries: the last answer, though final for this message, was "later". */
function isTransient(status: string | undefined, text: string): boolean {
  const code = /(?<![\d.:/-])([45])\d\d(?=[\s-])/.exec(text)?.[1] ?? status?.[0];
  return code === '4';
}

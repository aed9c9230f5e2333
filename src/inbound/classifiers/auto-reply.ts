/** Recognises: what nobody wrote: absences, acknowledgements, requests to prove oneself human, answers to invitations, mail of people gone. */
import type { Message } from '../../mail/message.ts';
import type { Automatic } from '../automatic.ts';
import { type Classify, finding } from '../finding.ts';
import { readWords } from '../own-words.ts';
import { writtenSubject } from '../subject.ts';

/** The header, and a first part's, stand within so many octets. */
const MAX_HEAD = 65_536;
/** RFC 5546 §3.2.3, RFC 6047 §2.4. */
const CALENDAR_ANSWER = /^content-type:[ \t]*text\/calendar\b(?:[^\r\n]|\r\n[ \t])*\bmethod="?(?:reply|counter)\b/im;

/**
 * By the tables auto-replies. A header that proves it suffices, and so does a text that names itself automatic; a subject that begins as one wants a
 * word of the header or the text beside it, and an absence a word of the header or such a subject: people say too that they are away.
 */
export function loadAutoReply(automatic: Automatic): Classify {
  return reading => {
    const { message } = reading;
    const words = readWords(reading.ownText);
    const title = writtenSubject(message);
    const left = automatic.text('left', words) ?? automatic.text('left', readWords(title));
    const found = (rule: string, span: string, language?: string) =>
      finding('auto-reply', {
        matched: { rule, span },
        language: language ?? left?.language,
        ...(left === undefined ? {} : { left: true }),
      });

    const proof = automatic.proof(message);
    if (proof !== undefined) return found(`auto-reply/field/${proof}`, left?.span ?? (message.all(proof)[0] ?? '').slice(0, 100));
    if (CALENDAR_ANSWER.test(message.octets.toString('latin1', 0, MAX_HEAD))) return found('auto-reply/calendar', 'method=reply');
    const machine = automatic.text('machine', words);
    if (machine !== undefined && !asks(machine.span, words.text))
      return found(`auto-reply/${machine.language}/machine`, machine.span, machine.language);
    const subject = automatic.subject(title);
    const absent = automatic.text('absent', words);
    const hint = automatic.hint(message) ?? (subject === undefined ? undefined : suppress(message));
    if (subject !== undefined && (absent ?? left ?? hint) !== undefined) {
      return found(`auto-reply/${subject.language}/subject`, subject.span, subject.language);
    }
    if (absent !== undefined && hint !== undefined) return found(`auto-reply/${absent.language}/absent`, absent.span, absent.language);
    if (left !== undefined && (hint ?? automatic.text('polite', words)) !== undefined) {
      return found(`auto-reply/${left.language}/left`, left.span, left.language);
    }
    return undefined;
  };
}

/** MS-OXCMAIL: it asks others not to answer, and stands in people's mail too; beside an automatic subject it is Exchange's. */
function suppress(message: Message): string | undefined {
  return message.all('x-auto-response-suppress')[0];
}

/** "Is this an automatic message?" asks a person. */
function asks(span: string, text: string): boolean {
  const at = text.indexOf(span);
  return /^[^.!\n]{0,80}\?/.test(text.slice(at + span.length));
}

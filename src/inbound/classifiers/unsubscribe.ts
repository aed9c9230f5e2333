/** Recognises: mail to an address that is there to unsubscribe, and what mail programs send for their users who press a button. */
import { fold } from '../../mail/phrases.ts';
import { type Classify, type Finding, finding, type Reading } from '../finding.ts';
import { writtenSubject } from '../subject.ts';

/** Local parts that List-Unsubscribe fields name, with whatever token behind. */
const LOCAL_PART =
  /(?:^|[<\s,;:"])((?:list-)?(?:unsubscribe|unsub|optout|opt-out|opt_out|abmelden|abmeldung|desinscription|uitschrijven)(?:[+\-_.=][^@\s<>,]{0,200})?)@/i;
/** A subject as programs make it of a mailto address. */
const COMMAND = /^(?:list[ -])?(?:unsubscribe|unsub|opt[ -]?out|remove)(?: me)?[.!]?$/;
/** The texts that Gmail, Outlook, Yahoo and Apple put below it; or nothing, or the subject once more. */
const PROGRAM_TEXT =
  /^(?:this (?:message|e-?mail|mail) (?:was|is|has been) automatically (?:generated|sent)(?: by [a-z .!]{1,40})?\.?|apple mail sent this e-?mail to unsubscribe[^\n]{0,200}|please unsubscribe(?: me)?[.!]?|)$/;

const TO = ['delivered-to', 'x-original-to', 'envelope-to', 'to'];
/** Longest field value that is looked at. */
const MAX_VALUE = 2000;

export const unsubscribe: Classify = reading => {
  const { message, circumstances } = reading;
  // Before any look at Auto-Submitted: Apple Mail sends both.
  if (/^\s*true\b/i.test(message.all('x-apple-unsubscribe')[0] ?? '')) return found(reading, 'apple', 'X-Apple-Unsubscribe');
  const program = byProgram(reading);
  if (circumstances.role === 'unsubscribe')
    return isAutomatic(reading) && program === undefined ? undefined : found(reading, 'address', '');
  const address = circumstances.role === undefined ? addressed(reading) : undefined;
  if (address !== undefined && !isAutomatic(reading)) return found(reading, 'address', address);
  return program;
};

/** An absence that answers a mail from there is no wish of anybody's. */
function isAutomatic({ message }: Reading): boolean {
  return message.all('auto-submitted').some(value => !/^\s*no\b/i.test(value)) || message.all('x-autoreply').length > 0;
}

function addressed({ message }: Reading): string | undefined {
  for (const name of TO) {
    for (const value of message.all(name)) {
      const match = LOCAL_PART.exec(value.slice(0, MAX_VALUE));
      // Without what stands behind: a token is nobody's to read in a log.
      if (match?.[1] !== undefined) return match[1].replace(/[+\-_.=].*$/, '');
    }
  }
  return undefined;
}

/** A subject that is a command as it stands, and below it nothing that a person wrote: "Re: unsubscribe" is one's answer. */
function byProgram(reading: Reading): Finding | undefined {
  const subject = fold(writtenSubject(reading.message).slice(0, 200)).trim();
  if (!COMMAND.test(subject)) return undefined;
  const text = fold(reading.ownText.slice(0, 500)).trim();
  return PROGRAM_TEXT.test(text) || COMMAND.test(text) ? found(reading, 'program', subject) : undefined;
}

function found({ ownText }: Reading, rule: string, span: string): Finding {
  return finding('unsubscribe', { ownText, matched: { rule: `unsubscribe/${rule}`, span } });
}

/** The subject of a reply as its writer meant it: decoded, and without the marks that mail programs and gates put before it. */
import { decodeWords } from '../mail/header.ts';
import type { Message } from '../mail/message.ts';
import { INVISIBLE } from '../mail/phrases.ts';

/** RFC 5322 §2.1.1: a line has at most 998 characters; a longer subject is cut there. */
const MAX_SUBJECT = 998;
/** Threads gather marks; beyond so many nobody meant anything by it. */
const MAX_MARKS = 50;

/** What mail programs put before a colon when they reply or forward, by language. */
const REPLY_MARKS = [
  're|fw|fwd', // en, and most of them in any language
  'aw|antw|antwort|wg', // de
  'ref|réf|rép|rep|tr', // fr
  'rv|rm|resp|reenv', // es
  'r|i|rif|ri', // it
  'antw\\.?|doorst|betr|beantw', // nl
  'res|enc', // pt
  'odp|pd|pdk', // pl
  'sv|vs|vb|vid|vl|vbs', // sv, da, nb, fi
  'vá|tovább|továbbítás|továbbítva|válasz', // hu
  'на|отв|отг|ответ|пер|прен', // ru, bg
  'απ|πρθ|σχετ', // el
  'ynt|yan|[iİ]lt|[iİ]let', // tr
  'pret|prep|odg|prosl', // cs, hr, sl
  'atsakymas|ats|persiųsta|vast|edasi|edastus', // lt, et
  'trả lời|chuyển tiếp', // vi
  '回复|回覆|答复|答覆|转发|轉寄|轉發|返信|転送|회신|답장|전달', // zh, ja, ko
  'תשובה|הועבר|השב|رد|إعادة توجيه', // he, ar
].join('|');

const MARK = new RegExp(`^(?:${REPLY_MARKS}) ?(?:\\[\\d{1,4}\\]|\\(\\d{1,4}\\)|\\^\\d{1,4}|\\d{1,3})? ?[:：]\\s*`, 'iu');
/** What gates of companies put before the subject of mail from outside, and filters before what they suspect. */
const GATE =
  /^(?:[[({<*#]{1,3}\s*(?:external|extern|externe|externo|esterno|ext|outside|caution|suspected spam|spam|possible spam|probable spam|junk)[^\])}>*#]{0,30}[\])}>*#]{1,3}|(?:external|extern|ext)\s?[:：])\s*[:-]?\s*/i;

/** Empty where there is none. Never throws; time is bounded. */
export function subjectOf(message: Message): string {
  let subject = writtenSubject(message);
  for (let marks = 0; marks < MAX_MARKS; marks += 1) {
    const rest = subject.replace(MARK, '').replace(GATE, '');
    if (rest === subject) break;
    subject = rest;
  }
  return subject;
}

/** As subjectOf, with the marks. */
export function writtenSubject(message: Message): string {
  const raw = message.all('subject')[0] ?? '';
  return decodeWords(raw.slice(0, 4 * MAX_SUBJECT))
    .replace(INVISIBLE, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_SUBJECT);
}

/** Addresses in running text, and how likely the place of each makes it the one that a report is about. */
import { unwrapped } from '../../mail/rewritten.ts';

export interface Occurrence {
  /** With SRS and BATV undone. */
  readonly address: string;
  readonly start: number;
  readonly end: number;
}

/** Addresses that are looked at, at most. */
const MAX_ADDRESSES = 500;
const MAX_LOCAL = 128;
const MAX_DOMAIN = 255;
const LOCAL = /[^\s<>()[\]{},;:"'`|\\@\u201c\u201d\u300c\u300d]/;
const DOMAIN = /[A-Za-z0-9.\-\u00a1-\u1fff\u3040-\ud7ff]/;

/** The addresses in order of appearance. Linear. */
export function findAddresses(text: string): readonly Occurrence[] {
  const found: Occurrence[] = [];
  for (let at = text.indexOf('@'); at >= 0 && found.length < MAX_ADDRESSES; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < MAX_LOCAL && LOCAL.test(text[start - 1] as string)) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at < MAX_DOMAIN && DOMAIN.test(text[end] as string)) end += 1;
    while (/[.-]/.test(text[end - 1] as string)) end -= 1;
    const domain = text.slice(at + 1, end);
    if (start === at || !/^[^.]+(?:\.[^.]+)+$/.test(domain)) continue;
    const address = unwrapped(text.slice(start, end));
    if (address !== undefined) found.push({ address, start, end });
  }
  return found;
}

/** The address is what the line is about: it opens the line, or a label names it as the recipient. */
const OPENS = /^[\s*\u2022\u00b7>#-]*(?:\d{1,3}[.)]\s+)?[<'"\u201c(]{0,2}(?:mailto:|smtp:)?$/i;
const LABELLED =
  /(?:final-recipient|original-recipient|failed-recipients?|recipients?|rcpt[ -]?to|intended for|addressee|address|mailbox|user|empf(?:\u00e4|ae?)nger|destinataires?|destinat[aá]rios?|destinatari[oi]?|ontvanger|mottagare|odbiorca|receiver|\u5b9b\u5148|\u30a2\u30c9\u30ec\u30b9|\u6536\u4ef6\u4eba)[^\w\n]{0,12}(?:rfc822[;:])?[^\w\n]{0,8}$/i;
const TO = /(?:^|\W)(?:to|for|an|at|vers|para|per|zu)\W{0,6}$/i;
const FAILURE = /(?:^|\D)[45]\d\d(?:\D|$)|deliver|fail|unknown|reject|refus|error|invalid|not |n't|zustell|remis|entreg|recapit/i;
/** Somebody else: who sent, who reports, who helps. */
const OTHER =
  /(?:^|[\s(])(?:message-?id|from|sender|sent by|reply-to|return-path|mail[ -]from|contact|please|helpdesk|questions?|write to|via|cc|generated from|expanded from|by|forwarded|von|de|da)[^\w\n@]{0,8}$/i;
const REPORTER = /^(?:post_?master|mailer-?daemon|mail-?daemon|abuse|support|help|helpdesk|hostmaster|webmaster)@/i;

/**
 * How likely this occurrence names the recipient that failed: 4 its line is about it, 3 it stands where failures are told, 2 mail went to it, 1 it is
 * there, 0 it is somebody else's.
 */
export function weight(text: string, { address, start, end }: Occurrence): number {
  const from = Math.max(text.lastIndexOf('\n', start - 1) + 1, start - 300);
  const until = text.indexOf('\n', end);
  const before = text.slice(from, start);
  const after = text.slice(end, until < 0 ? end + 300 : Math.min(until, end + 300));
  if (REPORTER.test(address) || OTHER.test(before)) return 0;
  if (OPENS.test(before) || LABELLED.test(before)) return 4;
  if (FAILURE.test(before) || FAILURE.test(after)) return 3;
  return TO.test(before) ? 2 : 1;
}

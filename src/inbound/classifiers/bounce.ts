/** Recognises bounces: delivery status reports (RFC 3464, 6533), and failures that servers tell in free text. */
import { type DeliveryStatus, type RecipientStatus, readDeliveryStatus } from '../../mail/delivery-status.ts';
import { decodeWords } from '../../mail/header.ts';
import type { Message } from '../../mail/message.ts';
import { type Part, readParts } from '../../mail/parts.ts';
import { fold } from '../../mail/phrases.ts';
import { verpRecipient } from '../../mail/rewritten.ts';
import { type Circumstances, type Classify, type Finding, finding, type NamedRecipient, type Returned } from '../finding.ts';
import { addressesOf, returnedFields, returnedOf } from './bounce-returned.ts';
import { type BounceRules, loadBounceRules, plainWords } from './bounce-rules.ts';
import { namedIn, type ReportText, reportText } from './bounce-text.ts';
import { isFounded, Judge, namedRecipient, type Verdict } from './bounce-verdict.ts';

const STATUS_TYPES = ['message/delivery-status', 'message/global-delivery-status'];
/** RFC 3464 §2.3.3: what is no failure. Anything else that is said of a recipient is one. */
const NO_FAILURE = ['delayed', 'delivered', 'relayed', 'expanded'];
/** Recipients of one report that are reported, at most. */
const MAX_RECIPIENTS = 1000;
/** Of a report in free text, the words that tell that it is one stand within its first characters. */
const MAX_OPENING = 4000;
/** This gate's own refusal, as another server quotes it: `550 5.7.1 Recipient may not be mailed (excluded) ref=…`. */
const OUR_REFUSAL =
  /5\.7\.1 Recipient may not be mailed \([a-z-]{1,40}\)[^\n]{0,80} ref=[0-9a-hjkmnp-tv-z]{16}|554[ -]5\.6\.0 [^\n]{1,400} ref=[0-9a-hjkmnp-tv-z]{16}/;

/** A report, read. */
interface Report {
  readonly message: Message;
  readonly parts: readonly Part[];
  readonly text: ReportText;
  readonly status: DeliveryStatus | undefined;
  readonly subject: string;
}

/** @throws Error where config/bounce-rules.yaml, or that of `folder`, is damaged */
export function loadBounce(folder?: string): Classify {
  const rules = loadBounceRules(folder);
  return ({ message, circumstances }) => {
    const parts = readParts(message);
    const types = parts.map(part => part.type);
    if (types.includes('message/feedback-report')) return undefined;
    // RFC 8098: somebody's program tells that the message was seen, or deleted unseen.
    if (types.includes('message/disposition-notification')) return nothing('bounce/read-receipt');
    const report = readReport(message, parts, rules);
    return report === undefined ? undefined : judged(report, rules, circumstances);
  };
}

function readReport(message: Message, parts: readonly Part[], rules: BounceRules): Report | undefined {
  const text = reportText(parts, rules);
  const statusPart = parts.find(part => STATUS_TYPES.includes(part.type));
  const subject = fold(decodeWords((message.all('subject')[0] ?? '').slice(0, 1000)));
  if (statusPart === undefined && !isReport(message, text, subject, rules)) return undefined;
  const pasted =
    statusPart?.text() ?? (/^[ \t]*final-recipient[ \t]*:/im.test(text.said) ? text.said.replace(/^[ \t]+(?=[a-z-]+:)/gim, '') : undefined);
  return { message, parts, text, subject, status: pasted === undefined ? undefined : readDeliveryStatus(pasted) };
}

/** Whether free text is a report: by who sent it, and what its subject and its first words say. One sign alone is none. */
function isReport(message: Message, { said }: ReportText, subject: string, rules: BounceRules): boolean {
  if (message.all('x-failed-recipients').length > 0) return true;
  const from = fold(decodeWords((message.all('from')[0] ?? '').slice(0, 1000)));
  const sender = rules.senders(from) !== undefined;
  const nobody = /^\s*<\s*>\s*$/.test(message.all('return-path')[0] ?? '') || /^\s*(?:<\s*>)?\s*$/.test(from);
  const named = rules.subjects(subject) !== undefined;
  // A person's reply quotes reports; the report itself quotes with more than one sign, or not at all.
  const opening = rules.openings(plainWords(said.slice(0, MAX_OPENING).replace(/^>(?!>)[^\n]*$/gm, ''))) !== undefined;
  const declared = /report-type\s*=\s*"?delivery-status/i.test(message.all('content-type')[0] ?? '');
  // "Re: Undelivered mail" answers a report; "Re: Offer: delivery failed" is one on an answer.
  const answered = /^\s*(?:(?:re|aw|fw|fwd|wg|sv|vs|antw|rv|tr|odp)\s*:\s*)+(.*)/s.exec(subject)?.[1];
  // A postmaster is a person too: one who answers, and names nobody that could not be reached, is no report.
  if (sender && answered !== undefined && !nobody && namedIn(said, new Set()).length === 0) return false;
  if (declared || sender) return declared || named || opening;
  const answer = answered?.startsWith(rules.subjects(answered) ?? ' ') === true;
  return named && (nobody || (opening && !answer && message.all('in-reply-to').length === 0));
}

function judged(report: Report, rules: BounceRules, circumstances: Circumstances): Finding {
  const { parts, text, status, subject } = report;
  const groups = status?.recipients ?? [];
  const failed = groups.filter(({ action, status }) => !NO_FAILURE.includes(action ?? '') && status?.[0] !== '2');
  const fields = returnedFields(parts, text.behind);
  const returned = returnedOf(fields, status?.sender);
  if (groups.length > 0 && failed.length === 0) return nothing(`bounce/${groups[0]?.action ?? 'delivered'}`, returned);
  const delay = failed.length > 0 ? undefined : (rules.delays(plainWords(text.said.slice(0, MAX_OPENING))) ?? rules.delays(subject));
  if (delay !== undefined) return nothing('bounce/delayed', returned);
  const judge = new Judge(rules, text.said);
  const found = failed.some(({ final, original }) => (final ?? original) !== undefined)
    ? fromStatus(failed, report, judge)
    : fromText(report, returned, judge, failed[0]);
  const [first] = found;
  const ours = isOurs(report, circumstances) ? { ours: true as const } : {};
  return finding('bounce', {
    recipients: found.map(({ recipient }) => recipient),
    matched: {
      rule: `bounce/${first?.verdict.meaning?.class ?? 'status'}`,
      span: (first?.verdict.meaning?.span ?? first?.verdict.status ?? '').slice(0, 200),
    },
    ...(returned === undefined ? {} : { returned }),
    ...ours,
  });
}

interface Found {
  readonly recipient: NamedRecipient;
  readonly verdict: Verdict;
}

/** The recipients of a delivery status report; where its codes say little, the text for people beside it may say more. */
function fromStatus(failed: readonly RecipientStatus[], report: Report, judge: Judge): readonly Found[] {
  const said = new Map(namedIn(report.text.said, new Set()).map(named => [named.address.toLowerCase(), named.said]));
  const found = new Map<string, Found>();
  for (const { final, original, status, diagnostic } of failed.slice(0, MAX_RECIPIENTS)) {
    const address = final ?? original;
    if (address === undefined || found.has(address.toLowerCase())) continue;
    const own = judge.judge(status, diagnostic ?? '');
    const about = said.get(address.toLowerCase()) ?? (failed.length === 1 ? report.text.said : '');
    const verdict = isFounded(own) || about === '' ? own : judge.judge(status, about);
    const mailed = original === undefined || original.toLowerCase() === address.toLowerCase() ? {} : { mailed: original };
    found.set(address.toLowerCase(), { recipient: { ...namedRecipient(address, verdict), ...mailed }, verdict });
  }
  return [...found.values()];
}

/** The recipients that the text names; failing that the header, the returned message, the address to which the report came. */
function fromText(report: Report, returned: Returned | undefined, judge: Judge, group: RecipientStatus | undefined): readonly Found[] {
  const { message, text, subject } = report;
  const to = addressesOf(message.all('to')[0]);
  const author = addressesOf(message.all('from')[0]);
  const lower = (addresses: readonly string[]): ReadonlySet<string> => new Set(addresses.map(address => address.toLowerCase()));
  const failedField = message.all('x-failed-recipients').flatMap(addressesOf);
  const listed =
    failedField.length > 0 ? failedField.map(address => ({ address, said: '' })) : namedIn(text.said, lower([...to, ...author]));
  const saidBeside = new Map(namedIn(text.said, lower(author)).map(named => [named.address.toLowerCase(), named.said]));
  const named = [
    () => listed,
    () => returned?.to.map(address => ({ address, said: '' })) ?? [],
    () => to.flatMap(address => verpRecipient(address) ?? []).map(address => ({ address, said: '' })),
    () => namedIn(text.said, lower(author)),
  ]
    .map(list => list())
    .find(list => list.length > 0);
  return (named ?? []).slice(0, MAX_RECIPIENTS).map(({ address, said }) => {
    const about = said === '' ? (saidBeside.get(address.toLowerCase()) ?? '') : said;
    let verdict = judge.judge(group?.status, about);
    for (const words of [text.said, subject]) {
      const wider = isFounded(verdict) ? verdict : judge.judge(group?.status, words);
      if (isFounded(wider)) verdict = wider;
    }
    return { recipient: namedRecipient(address, verdict), verdict };
  });
}

/** A report that this gate composed (src/mail/dsn.ts), or a refusal of its own that a server on the way reports. */
function isOurs({ message, text, status }: Report, { ourNames = [] }: Circumstances): boolean {
  const names = ourNames.map(name => name.toLowerCase());
  const domainOf = (value: string | undefined): string => /@([^\s>@]+)>?\s*$/.exec(value ?? '')?.[1]?.toLowerCase() ?? '';
  // All three: a mail server on the same host has the name too, but reports as MAILER-DAEMON.
  const composed =
    names.includes(status?.reportingMta ?? '') &&
    names.includes(domainOf(message.all('message-id')[0])) &&
    /\bpostmaster@/i.test(message.all('from')[0] ?? '');
  return (
    composed || OUR_REFUSAL.test(text.said) || (status?.recipients.some(({ diagnostic }) => OUR_REFUSAL.test(diagnostic ?? '')) ?? false)
  );
}

function nothing(rule: string, returned?: Returned): Finding {
  return finding('unknown', { matched: { rule, span: '' }, ...(returned === undefined ? {} : { returned }) });
}

/** Recognises complaints: abuse reports (ARF, RFC 5965) of mailbox providers, and the forms that came before it or leave it out. */
import { type FeedbackReport, isRedacted, readFeedbackReport } from '../../mail/feedback-report.ts';
import type { Field } from '../../mail/fields.ts';
import { type Part, readParts } from '../../mail/parts.ts';
import { type Classify, type Finding, finding } from '../finding.ts';
import { addressesOf, isReturned, returnedFields, returnedOf } from './bounce-returned.ts';

/**
 * What is no person's complaint: a vote for the message (RFC 6430), and what machines tell of how mail was authenticated (RFC 6591). All else
 * is one (abuse, fraud, virus, other, opt-out, and types of no registry): bias to the person.
 */
const NO_COMPLAINT = ['not-spam', 'auth-failure', 'dmarc'];

/** Microsoft's JMRP: From staff@hotmail.com, the message within a multipart/mixed, and no report part. */
const JMRP_SUBJECT = /^complaint about message from\b/i;
/** RFC 7489 §7.2.1.1. */
const AGGREGATE_SUBJECT = /^(?:\[[^\]]{0,80}\]\s*)?report domain:/i;
const ARCHIVES = [
  'application/gzip',
  'application/x-gzip',
  'application/zip',
  'application/x-zip-compressed',
  'application/xml',
  'text/xml',
  'application/octet-stream',
];
/** Reports of other makes that only attach the message: the mailbox that sends them, and what they say. */
const REPORTER = /\b(?:fbl|feedback(?:-?loop)?|complaints?|abuse|scomp|spam-?reports?)[\w.+-]*@/i;
const REPORT_SUBJECT =
  /\b(?:abuse report|spam report|spam complaint|complaint about|feedback[- ]loop|fbl report|email feedback report|reported as spam)\b/i;

export const complaint: Classify = ({ message }) => {
  const parts = readParts(message);
  const reportPart = parts.find(part => part.type === 'message/feedback-report');
  if (reportPart !== undefined) return fromReport(readFeedbackReport(reportPart.text()), parts);
  const subject = message.all('subject')[0] ?? '';
  // DMARC aggregate reports: counts by day, of no person.
  if (AGGREGATE_SUBJECT.test(subject) && parts.some(part => ARCHIVES.includes(part.type))) {
    return finding('unknown', { matched: { rule: 'complaint/dmarc-aggregate', span: '' } });
  }
  if (!parts.some(isReturned)) return undefined;
  const from = message.all('from')[0] ?? '';
  if (JMRP_SUBJECT.test(subject)) return found('complaint/jmrp', subject, parts, undefined);
  return REPORTER.test(from) && REPORT_SUBJECT.test(subject) ? found('complaint/attached', subject, parts, undefined) : undefined;
};

function fromReport(report: FeedbackReport, parts: readonly Part[]): Finding {
  const rule = `complaint/${report.type}`;
  if (NO_COMPLAINT.includes(report.type)) return finding('unknown', { matched: { rule, span: '' } });
  return found(rule, '', parts, report);
}

function found(rule: string, span: string, parts: readonly Part[], report: FeedbackReport | undefined): Finding {
  const fields = returnedFields(parts, '');
  const returned = returnedOf(fields, report?.originalMailFrom);
  const recipients = recipientsOf(report, fields);
  return finding('complaint', {
    recipients: recipients.map(address => ({ address, status: undefined, permanent: false })),
    matched: { rule, span: span.slice(0, 200) },
    ...(returned === undefined ? {} : { returned }),
  });
}

/**
 * Who complained: whom the report names, else to whom the message went. Of several in a To field nobody knows which one it was: none is
 * named. Where the provider took the recipient out, what it overlooked is not used either.
 */
function recipientsOf(report: FeedbackReport | undefined, fields: readonly Field[]): readonly string[] {
  if (report !== undefined && report.recipients.length > 0) return report.recipients;
  if (report?.redacted === true) return [];
  for (const name of ['x-hmxmroriginalrecipient', 'x-original-to', 'delivered-to', 'to']) {
    const values = fields.filter(field => field.name === name).map(field => field.value);
    const named = [...new Set(values.flatMap(addressesOf))];
    if (named.length > 0) return named.length === 1 && !named.some(isRedacted) ? named : [];
  }
  return [];
}

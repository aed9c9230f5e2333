/** Reads abuse reports (ARF, RFC 5965; redacted by RFC 6590). */
import { typedAddress } from './delivery-status.ts';

export interface FeedbackReport {
  /** Lower case; `other` where it is missing (RFC 5965 §3.1 requires it, but reports without it are complaints all the same). */
  readonly type: string;
  /** Every Original-Rcpt-To that names somebody; empty where they were redacted. */
  readonly recipients: readonly string[];
  /** A recipient was named and taken out: what else in the report looks like one is not to be trusted either. */
  readonly redacted: boolean;
  readonly originalMailFrom: string | undefined;
}

/** Recipient fields that are read, at most. */
const MAX_RECIPIENTS = 100;

/** The report in the body of a message/feedback-report part. Never throws; linear. */
export function readFeedbackReport(text: string): FeedbackReport {
  const fields = text
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .flatMap(line => {
      const [, name, value] = /^([A-Za-z][A-Za-z0-9-]{0,60})[ \t]*:(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [{ name: name.toLowerCase(), value: value.trim() }];
    });
  const all = (...names: readonly string[]): readonly string[] =>
    fields.filter(({ name }) => names.includes(name)).map(({ value }) => value);
  const named = all('original-rcpt-to', 'removal-recipient').slice(0, MAX_RECIPIENTS);
  const recipients = named.filter(value => !isRedacted(value)).flatMap(value => typedAddress(value) ?? []);
  return {
    type: /^[a-z0-9-]+/.exec(all('feedback-type')[0]?.toLowerCase() ?? '')?.[0] ?? 'other',
    recipients: [...new Set(recipients)],
    redacted: all('redacted-address').length > 0 || named.some(isRedacted),
    originalMailFrom: all('original-mail-from')[0],
  };
}

/**
 * Whether an address has had its local part (or all of it) taken out: a word for it in place of the name, or what RFC 6590 §4 puts there,
 * a digest in hexadecimal or base64 that no person's name is as long as.
 */
export function isRedacted(value: string): boolean {
  const local = value
    .replace(/^.*</s, '')
    .replace(/@[^@]*$/, '')
    .trim();
  return (
    local === '' ||
    /redact|^hashed$|^\[?(?:removed|suppressed|anonymi[sz]ed|hidden|xxx+|\*+)\]?$/i.test(local) ||
    /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[A-Za-z0-9+/]{27}=|[A-Za-z0-9+/]{43}=)$/.test(local)
  );
}

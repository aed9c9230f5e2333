/** Which objection a recipient's mail meets at the final dot, where both the recipient and the message were judged. */
import { isRejected } from '../mail/reply.ts';
import type { Finding, Ruling } from '../policy/policy.ts';

/** A refusal is certain, whoever gave no answer beside it; the recipient's own comes first, as it was asked about first at RCPT. */
export function findingOf(recipient: Ruling, message: Ruling): Finding | undefined {
  const findings = [recipient.objection, message.objection].filter(finding => finding !== undefined);
  return findings.find(({ reply }) => isRejected(reply)) ?? findings[0];
}

/** Refuses senders that are not the client's own: the From header's domains, the Sender header's, and the reverse-path's. */
import { Type } from 'typebox';
import type { Profile } from '../clients/profile.ts';
import { coveredByAny } from '../mail/domain.ts';
import { mailboxes } from '../mail/header.ts';
import type { Message } from '../mail/message.ts';
import { type Reply, reject } from '../mail/reply.ts';
import { defineCheck, type Submission, type Verdict } from '../policy/check.ts';

const TOKEN = 'sender';

export const sender = defineCheck({
  name: 'sender',
  doc: "The From header's domain is the client's; the reverse-path's (and the Sender header's) too, or one registered for it.",
  promises: ['A1', 'A33'],
  tokens: [{ token: TOKEN, meaning: "The message's From, Sender or reverse-path is missing, unclear or not this client's." }],
  options: Type.Object({}, { additionalProperties: false }),
  defaults: {},
  create() {
    return {
      rcpt: (_rcpt, submission) => judgeReversePath(submission),
      endOfData: (message, submission) =>
        judgeReversePath(submission) ?? judgeFrom(message, submission.profile) ?? judgeSender(message, submission.profile),
    };
  },
});

/** The null reverse-path names nobody: bounces and auto-replies carry it (RFC 5321 §4.5.5). */
function judgeReversePath({ envelope: { reversePath }, profile }: Submission): Verdict {
  if (reversePath === null || isOwnOrRegistered(profile, reversePath.domain)) return undefined;
  return foreign("the reverse-path's domain is none of the client's from-domains or return-path-domains");
}

/** RFC 5322 §3.6: exactly one From field. With two, readers differ in which they show. */
function judgeFrom(message: Message, profile: Profile): Verdict {
  const fields = message.all('from');
  if (fields.length !== 1) return unclear(fields.length === 0 ? 'no From field' : `${fields.length} From fields`);
  const found = mailboxes(fields[0] ?? '');
  if (found === undefined) return unclear('the From field cannot be read in one way only');
  if (found.length === 0) return unclear('the From field names no mailbox');
  return found.every(({ address: { domain } }) => coveredByAny(domain, profile.fromDomains))
    ? undefined
    : foreign("a From mailbox's domain is none of the client's from-domains");
}

/** RFC 5322 §3.6.2: Sender is one mailbox; mail readers show it ("on behalf of"), so it must be as much the client's as a reverse-path. */
function judgeSender(message: Message, profile: Profile): Verdict {
  const fields = message.all('sender');
  if (fields.length === 0) return undefined;
  const found = fields.length === 1 ? mailboxes(fields[0] ?? '') : undefined;
  if (found?.length !== 1) return unclear('the Sender field is not one mailbox');
  return found.every(({ address: { domain } }) => isOwnOrRegistered(profile, domain))
    ? undefined
    : foreign("the Sender field's domain is none of the client's");
}

function isOwnOrRegistered(profile: Profile, domain: string): boolean {
  return coveredByAny(domain, profile.fromDomains) || coveredByAny(domain, profile.returnPathDomains);
}

function foreign(reason: string): Verdict {
  return refusal(reject(550, '5.7.1', 'Message may not be sent (sender)'), reason);
}

function unclear(reason: string): Verdict {
  return refusal(reject(554, '5.6.0', 'Message may not be sent (sender)'), reason);
}

function refusal(reply: Reply, reason: string): Verdict {
  return { reply, token: TOKEN, reason };
}

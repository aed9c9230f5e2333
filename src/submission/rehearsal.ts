/** Rehearsal: what would be told to a sender, asked of the same checks, with nothing relayed, recorded or counted. */
import type { Credential, Profile } from '../clients/profile.ts';
import { isAddress, parseAddress } from '../mail/address.ts';
import { parseMessage } from '../mail/message.ts';
import { accept, isDeferred, type Reply, reject, replyLine } from '../mail/reply.ts';
import type { Submission } from '../policy/check.ts';
import type { Policy } from '../policy/policy.ts';
import { type Bound, campaignsAtDot, campaignsAtRcpt } from './campaigns.ts';
import { findingOf } from './finding.ts';
import { fitness } from './fitness.ts';

export interface Question {
  readonly profile: Profile;
  readonly policy: Policy;
  readonly campaign: Credential['campaign'];
  /** As in MAIL and RCPT, without the angle brackets; an empty reverse-path is the null one. */
  readonly from: string;
  readonly to: string;
  /** CRLF line ends. Without it the message's own checks are not asked, and it counts as one that names no campaign. */
  readonly octets?: Buffer | undefined;
  readonly campaignHeader: string;
}

export interface Rehearsed {
  readonly verdict: 'pass' | 'reject' | 'defer';
  /** As on the wire, without the ref= of a decision. */
  readonly reply: string;
  readonly objections: readonly { readonly check: string; readonly token: string; readonly reason: string; readonly mode: string }[];
}

const PASS = accept(250, '2.0.0', 'Passes every check; the upstream has the last word');

/** Asks every check, at RCPT and (with a message) at the final dot. A check that cannot answer defers, as on the mail path. */
export async function rehearse(question: Question): Promise<Rehearsed> {
  const { profile, policy, campaign, from, to, octets, campaignHeader } = question;
  const reversePath = from === '' ? null : parseAddress(from, { utf8: true });
  if (reversePath !== null && !isAddress(reversePath)) return told(reject(501, '5.1.7', `Bad reverse-path syntax: ${reversePath.detail}`));
  const rcpt = parseAddress(to, { utf8: true });
  if (!isAddress(rcpt)) return told(reject(501, '5.1.3', `Bad recipient address syntax: ${rcpt.detail}`));
  const message = octets === undefined ? undefined : parseMessage(octets);
  const bound =
    message === undefined
      ? campaignsOf(profile, campaign)
      : fitness(message, campaignsAtDot({ campaign }, profile, message, campaignHeader));
  if ('unfit' in bound) return told(bound.unfit.reply, [{ ...bound.unfit, mode: 'enforce' }]);
  const submission: Submission = {
    id: 'rehearsal',
    envelope: { reversePath, recipients: [rcpt], utf8: true, body: '8bitmime' },
    client: profile.id,
    credential: undefined,
    profile,
    campaigns: bound.campaigns,
    campaignNamed: bound.named,
    policy: policy.name,
    ...(message === undefined ? {} : { message }),
  };
  const [ofRcpt, ofMessage] = await Promise.all([
    policy.askRcpt(rcpt, submission),
    message === undefined ? undefined : policy.askMessage(message, submission),
  ]);
  const finding = ofMessage === undefined ? ofRcpt.objection : findingOf(ofRcpt, ofMessage);
  return told(finding?.reply ?? PASS, [...ofRcpt.all, ...(ofMessage?.all ?? [])]);
}

/** Of a message not seen yet: what the dot would make of one that names no campaign, lest its recipient seem free until then. */
function campaignsOf(profile: Profile, campaign: Question['campaign']): Bound {
  if (campaign !== undefined) return campaignsAtRcpt({ campaign });
  return { campaigns: [...profile.campaigns.keys()], named: false };
}

function told(reply: Reply, objections: Rehearsed['objections'] = []): Rehearsed {
  const verdict = reply.code < 400 ? 'pass' : isDeferred(reply) ? 'defer' : 'reject';
  return {
    verdict,
    reply: replyLine(reply),
    objections: objections.map(({ check, token, reason, mode }) => ({ check, token, reason, mode })),
  };
}

/** Whose campaign a message is: the credential's, and any that a header names. A header can only add restrictions (law 5). */

import type { Credential, Profile } from '../clients/profile.ts';
import { type CampaignId, campaignId } from '../ids.ts';
import { feedbackCampaign } from '../mail/header.ts';
import type { Message } from '../mail/message.ts';

export interface Bound {
  readonly campaigns: readonly CampaignId[];
  readonly named: boolean;
}

/** At RCPT only the credential's campaign is known. */
export function campaignsAtRcpt(credential: Pick<Credential, 'campaign'>): Bound {
  return credential.campaign === undefined ? { campaigns: [], named: false } : { campaigns: [credential.campaign], named: true };
}

/**
 * At the final dot: the credential's and every header's; all of the client's where none is named, so that leaving the header
 * out gains nothing. Undefined: a header names a campaign that the client has not registered.
 */
export function campaignsAtDot(
  credential: Pick<Credential, 'campaign'>,
  profile: Profile,
  message: Message,
  header: string,
): Bound | undefined {
  const campaigns = new Set<CampaignId>(credential.campaign === undefined ? [] : [credential.campaign]);
  for (const value of message.all(header.toLowerCase())) {
    const text = header.toLowerCase() === 'feedback-id' ? feedbackCampaign(value) : value.trim();
    // A Feedback-ID without a campaign field names none (it is there for the mailbox provider); our own header always means one.
    if (text === undefined) continue;
    const id = campaignId(text);
    if (id === undefined || !profile.campaigns.has(id)) return undefined;
    campaigns.add(id);
  }
  if (campaigns.size > 0) return { campaigns: [...campaigns], named: true };
  return { campaigns: [...profile.campaigns.keys()], named: false };
}

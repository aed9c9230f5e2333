/** Refuses recipients outside the campaign's target company domains. */
import { Type } from 'typebox';
import type { Campaign, Profile } from '../clients/profile.ts';
import type { CampaignId } from '../ids.ts';
import { coveredByAny } from '../mail/domain.ts';
import { reject } from '../mail/reply.ts';
import { defineCheck, type Verdict } from '../policy/check.ts';

export const targetDomain = defineCheck({
  name: 'target-domain',
  doc: "The recipient's domain is one of the campaign's target domains or a subdomain of one; a campaign without target domains has no such limit.",
  promises: ['A10'],
  tokens: [{ token: 'off-target', meaning: "The recipient's domain is none of the campaign's target domains." }],
  options: Type.Object({}, { additionalProperties: false }),
  defaults: {},
  create() {
    return {
      rcpt(rcpt, { campaigns, campaignNamed, profile }) {
        const limited = campaigns.map(id => campaignOf(profile, id)).filter(({ targetDomains }) => targetDomains.length > 0);
        const outside = limited.filter(({ targetDomains }) => !coveredByAny(rcpt.domain, targetDomains));
        if (campaignNamed) return outside.length === 0 ? undefined : offTarget(outside);
        // Mail without a campaign may be any campaign's (law 5: naming none gains nothing), so some campaign's targets must hold it.
        return limited.length === 0 || outside.length < limited.length ? undefined : offTarget(outside);
      },
    };
  },
});

function offTarget(outside: readonly Campaign[]): Verdict {
  return {
    reply: reject(550, '5.7.1', 'Recipient may not be mailed (off-target)'),
    token: 'off-target',
    reason: `recipient's domain is no target domain of campaign ${outside.map(({ id }) => id).join(', ')}`,
  };
}

/** @throws Error where the campaign is not the client's: whoever made the submission must refuse that before (451 here). */
function campaignOf(profile: Profile, id: CampaignId): Campaign {
  const campaign = profile.campaigns.get(id);
  if (campaign === undefined) throw new Error(`campaign ${id} is not registered for client ${profile.id}`);
  return campaign;
}

/** Refuses recipients whom an operator, an import or a reply put on an exclusion list: the address, or its domain with subdomains. */
import { reject } from '../mail/reply.ts';
import { defineCheck } from '../policy/check.ts';
import {
  counting,
  describeHits,
  mayBeErased,
  type StandingNeeds,
  type StandingOptions,
  standingDefaults,
  standingOptions,
} from './standing.ts';

export const exclusion = defineCheck({
  name: 'exclusion',
  doc: 'The recipient is on no exclusion list (address or domain with subdomains) of the campaign, the client or all clients.',
  promises: ['A1', 'A17', 'A18', 'A19'],
  tokens: [{ token: 'excluded', meaning: 'The recipient, or their domain, is on an exclusion list.' }],
  alwaysEnforced: true,
  options: standingOptions,
  defaults: standingDefaults,
  create(options: StandingOptions, { standing }: StandingNeeds) {
    const counts = counting('exclusion', options);
    return {
      async rcpt(rcpt, submission) {
        const all = await standing(rcpt, submission);
        const hits = all.filter(counts);
        if (hits.length === 0) return undefined;
        return {
          reply: reject(550, '5.7.1', 'Recipient may not be mailed (excluded)'),
          token: 'excluded',
          reason: describeHits(hits),
          // Whoever is erased is told of as excluded first, and must stay unnamed here too.
          ...(mayBeErased(all) ? { erased: true as const } : {}),
        };
      },
    };
  },
});

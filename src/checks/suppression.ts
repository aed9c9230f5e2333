/** Refuses recipients who objected, complained, hard-bounced or were erased. */
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

export const suppression = defineCheck({
  name: 'suppression',
  doc: 'Nobody is mailed who opted out, objected, complained, bounced for good or was erased; matched by keyed digest, imported SHA-1, SHA-256 and MD5 lists included.',
  promises: ['A1', 'A17', 'A19', 'A21', 'A23'],
  tokens: [{ token: 'suppressed', meaning: 'The recipient objected, complained, bounced for good or was erased.' }],
  alwaysEnforced: true,
  options: standingOptions,
  defaults: standingDefaults,
  create(options: StandingOptions, { standing }: StandingNeeds) {
    const counts = counting('suppression', options);
    return {
      async rcpt(rcpt, submission) {
        const all = await standing(rcpt, submission);
        const hits = all.filter(counts);
        if (hits.length === 0) return undefined;
        return {
          reply: reject(550, '5.7.1', 'Recipient may not be mailed (suppressed)'),
          token: 'suppressed',
          reason: describeHits(hits),
          ...(mayBeErased(all) ? { erased: true as const } : {}),
        };
      },
    };
  },
});

/** Refuses recipients who objected, complained, hard-bounced or were erased. */
import { Type } from 'typebox';
import { type Hit, REASONS, type Reason } from '../lists/standing.ts';
import { reject } from '../mail/reply.ts';
import { defineCheck } from '../policy/check.ts';
import { describeHits, mayBeErased, type StandingNeeds } from './standing.ts';

export interface SuppressionOptions {
  readonly reasons: readonly Reason[];
}

export const suppression = defineCheck({
  name: 'suppression',
  doc: 'Nobody is mailed who opted out, objected, complained, bounced for good or was erased; matched by keyed digest, imported SHA-1, SHA-256 and MD5 lists included.',
  promises: ['A1', 'A17', 'A19', 'A21', 'A23'],
  tokens: [{ token: 'suppressed', meaning: 'The recipient objected, complained, bounced for good or was erased.' }],
  alwaysEnforced: true,
  options: Type.Object(
    {
      reasons: Type.Array(Type.Enum([...REASONS]), {
        description: 'which reasons of a suppression count; set by the built-in policies only',
        default: [...REASONS],
      }),
    },
    { additionalProperties: false },
  ),
  defaults: { reasons: REASONS } as SuppressionOptions,
  create({ reasons }, { standing }: StandingNeeds) {
    const counted = new Set(reasons);
    const counts = ({ list, acts }: Hit) => list === 'suppression' && (acts.length === 0 || acts.some(({ reason }) => counted.has(reason)));
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

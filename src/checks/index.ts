/** The ordered list of checks: order decides which reason is told. Each is handed just what it needs. */
import type { CheckDefinition } from '../policy/check.ts';
import type { WiredCheck } from '../policy/policy.ts';
import { type ConversationNeeds, conversation } from './conversation.ts';
import { exclusion } from './exclusion.ts';
import { optOut } from './opt-out.ts';
import { personalAddress } from './personal-address.ts';
import { loadPersonalDomains } from './personal-domains.ts';
import { loadOptOutWords, loadPolicyNames } from './phrase-tables.ts';
import { type PrivacyLinkNeeds, privacyLink } from './privacy-link.ts';
import { sender } from './sender.ts';
import { type StandingSource, sharedStanding } from './standing.ts';
import { suppression } from './suppression.ts';
import { targetDomain } from './target-domain.ts';
import { loadReader } from './views.ts';

export interface ChecksNeeds {
  /** Who may be mailed. */
  readonly lists: StandingSource;
  /** Where tracked links lead. */
  readonly tracked: PrivacyLinkNeeds['tracked'];
  /** Who wrote which reply. */
  readonly replies: ConversationNeeds['replies'];
}

/** Every check there is, in the order in which objections are told. */
export const registry: readonly CheckDefinition[] = [
  exclusion,
  suppression,
  personalAddress,
  targetDomain,
  sender,
  privacyLink,
  optOut,
  conversation,
];

/** The checks with their needs, in registry order. Reads the data tables; throws Error where one is damaged. */
export function createChecks({ lists, tracked, replies }: ChecksNeeds): readonly WiredCheck[] {
  const standing = sharedStanding(lists);
  const reader = loadReader();
  return [
    wire(exclusion, { standing }),
    wire(suppression, { standing }),
    wire(personalAddress, { provider: loadPersonalDomains() }),
    wire(targetDomain, {}),
    wire(sender, {}),
    wire(privacyLink, { reader, namesPolicy: loadPolicyNames(), tracked }),
    wire(optOut, { reader, words: loadOptOutWords() }),
    wire(conversation, { replies }),
  ];
}

function wire<O extends object, N extends object>(definition: CheckDefinition<O, N>, needs: N): WiredCheck {
  // The policy's settings were read against this very definition's schema.
  return { definition, create: options => definition.create(options as O, needs) };
}

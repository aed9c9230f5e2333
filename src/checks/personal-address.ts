/** Refuses recipients at free-mail and consumer internet providers: marketing is for companies. */
import { Type } from 'typebox';
import { parseDomain, suffixes } from '../mail/domain.ts';
import { reject } from '../mail/reply.ts';
import { defineCheck } from '../policy/check.ts';
import type { FindProvider } from './personal-domains.ts';

export interface PersonalAddressOptions {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface PersonalAddressNeeds {
  readonly provider: FindProvider;
}

const domainName = Type.Refine(
  Type.String(),
  (name: string) => parseDomain(name) !== undefined,
  () => 'must be a domain name',
);
const domains = (description: string) => Type.Array(domainName, { description, default: [] });

export const personalAddress = defineCheck({
  name: 'personal-address',
  doc: "The recipient's domain is no free-mail or consumer internet provider's.",
  promises: ['A4', 'A10'],
  tokens: [{ token: 'personal', meaning: "The recipient's domain is a provider's of personal mailboxes." }],
  options: Type.Object(
    {
      allow: domains('list of domains, with their subdomains, that are not personal here'),
      deny: domains('list of further domains, with their subdomains, that are personal'),
    },
    { additionalProperties: false },
  ),
  defaults: { allow: [], deny: [] } as PersonalAddressOptions,
  create({ allow, deny }, { provider }: PersonalAddressNeeds) {
    const own = new Map([...allow.map(name => [canonical(name), false] as const), ...deny.map(name => [canonical(name), true] as const)]);
    /** The policy's own word comes first, its most specific name foremost; deny wins over allow of the same name. */
    const personal = (domain: string): string | undefined => {
      if (own.size > 0) {
        const decisive = suffixes(domain).find(suffix => own.has(suffix));
        if (decisive !== undefined) return own.get(decisive) === true ? decisive : undefined;
      }
      return provider(domain);
    };
    return {
      rcpt({ domain }) {
        const matched = personal(domain);
        if (matched === undefined) return undefined;
        return {
          reply: reject(550, '5.7.1', 'Recipient may not be mailed (personal)'),
          token: 'personal',
          reason: `${matched} gives mailboxes to private persons`,
        };
      },
    };
  },
});

/** The schema lets domain names in only. */
function canonical(name: string): string {
  return parseDomain(name) as string;
}

/** What a check is asked with: addresses, messages and submissions, made by the real parsers. */
import type { Campaign, Profile } from '../../src/clients/profile.ts';
import type { CampaignId, ClientId } from '../../src/ids.ts';
import { type Address, isAddress, parseAddress } from '../../src/mail/address.ts';
import { type Message, parseMessage } from '../../src/mail/message.ts';
import { replyLine } from '../../src/mail/reply.ts';
import type { Submission, Verdict } from '../../src/policy/check.ts';

export const ACME = 'acme' as ClientId;
export const OTHER = 'other' as ClientId;

export function address(text: string): Address {
  const parsed = parseAddress(text, { utf8: true });
  if (!isAddress(parsed)) throw new Error(`${text} does not parse: ${parsed.detail}`);
  return parsed;
}

/** A message of these header lines. */
export function message(...header: readonly string[]): Message {
  return parseMessage(Buffer.from([...header, '', 'Hello', ''].join('\r\n')));
}

export interface Asked {
  readonly client?: ClientId;
  /** The client's campaigns, with their target domains. */
  readonly campaigns?: Readonly<Record<string, readonly string[]>>;
  /** The campaigns that bind; all of the client's, none of them named, where absent. */
  readonly named?: readonly string[];
  /** `<>` for the null reverse-path. */
  readonly from?: string;
  readonly profile?: Partial<Profile>;
}

export function submission({ client = ACME, campaigns = {}, named, from = 'bounce@acme.example', profile = {} }: Asked = {}): Submission {
  const known = new Map(
    Object.entries(campaigns).map(([id, targetDomains]) => [id as CampaignId, { id: id as CampaignId, targetDomains } satisfies Campaign]),
  );
  return {
    id: 'tx1',
    envelope: { reversePath: from === '<>' ? null : address(from), recipients: [], utf8: false, body: '7bit' },
    client,
    credential: undefined,
    profile: {
      id: client,
      name: 'Acme',
      privacyUrls: ['https://www.acme.example/privacy'],
      fromDomains: ['acme.example'],
      returnPathDomains: [],
      trackingHosts: [],
      policy: 'basic',
      upstream: undefined,
      maxRate: undefined,
      maxSessions: undefined,
      replyAddresses: [],
      returnPath: undefined,
      tagReplyTo: false,
      forwardTo: undefined,
      campaigns: known,
      disabled: false,
      createdAt: 0,
      globalVersion: 1,
      version: 1,
      ...profile,
    },
    campaigns: (named ?? [...known.keys()]) as CampaignId[],
    campaignNamed: named !== undefined,
    policy: 'basic',
  };
}

/** `550 5.7.1 … | token`, or `pass`. */
export function told(verdict: Verdict): string {
  return verdict === undefined ? 'pass' : `${replyLine(verdict.reply)} | ${verdict.token}`;
}

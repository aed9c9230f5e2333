/** Reads what an operator says of a client, a campaign or a credential; every problem names the field and the fix. */
import { isIP } from 'node:net';
import { type CampaignId, type ClientId, campaignId, clientId } from '../ids.ts';
import { type Address, basePerson, isAddress, parsePerson } from '../mail/address.ts';
import { isPublicSuffix, parseDomain } from '../mail/domain.ts';
import { type Block, isVast, parseBlock } from './addresses.ts';
import type { Profile } from './profile.ts';

/** A client as an operator describes it. What is left out keeps its default. */
export interface ClientInput {
  readonly id: string;
  readonly name: string;
  readonly privacyUrls: readonly string[];
  readonly fromDomains: readonly string[];
  readonly returnPathDomains?: readonly string[];
  readonly trackingHosts?: readonly string[];
  readonly policy?: string;
  /** Overrides the configured upstream. */
  readonly upstream?: string | undefined;
  /** Transactions a minute; undefined: the configured default; 0: no limit. */
  readonly maxRate?: number | undefined;
  readonly maxSessions?: number | undefined;
  readonly replyAddresses?: readonly string[];
  readonly returnPath?: string | undefined;
  readonly tagReplyTo?: boolean;
  readonly forwardTo?: string | undefined;
}

/** What a client is apart from its campaigns and its history. */
export type ClientSettings = Omit<Profile, 'campaigns' | 'disabled' | 'createdAt' | 'version' | 'globalVersion'>;

export interface Rules {
  /** Names of all policies there are. */
  readonly policies: readonly string[];
  /** Those that a client may not have, only a credential. */
  readonly credentialOnly: readonly string[];
  /** What is wrong with an upstream URL, in words that repeat no secret of it; undefined where nothing is. */
  readonly upstreamProblem: (url: string) => string | undefined;
}

type Read<T> = T | { readonly texts: readonly string[] };

const ID_ADVICE = 'use 1 to 64 of a-z, 0-9, ".", "_" and "-", beginning with a letter or digit';

/** The settings in `input`, or every problem with them. */
export function readClient(input: ClientInput, rules: Rules): Read<ClientSettings> {
  const texts: string[] = [];
  const id = clientId(input.id);
  if (id === undefined) texts.push(input.id === 'global' ? 'id: "global" is reserved; choose another' : `id: ${ID_ADVICE}`);
  const name = input.name.trim();
  if (name === '' || name.length > 200 || /[\x00-\x1f\x7f]/.test(name)) texts.push('name: 1 to 200 characters on one line');
  if (input.privacyUrls.length === 0) texts.push('privacy-url: at least one is needed');
  if (input.fromDomains.length === 0) texts.push('from-domain: at least one is needed');
  const each = (values: readonly string[], read: (value: string) => Read<string>): readonly string[] => [
    ...new Set(
      values.flatMap(value => {
        const read_ = read(value);
        if (typeof read_ === 'string') return [read_];
        texts.push(...read_.texts);
        return [];
      }),
    ),
  ];
  const settings = {
    id: id as ClientId,
    name,
    privacyUrls: each(input.privacyUrls, readPrivacyUrl),
    fromDomains: each(input.fromDomains, value => readDomain('from-domain', value)),
    returnPathDomains: each(input.returnPathDomains ?? [], value => readDomain('return-path-domain', value)),
    trackingHosts: each(input.trackingHosts ?? [], readTrackingHost),
    policy: input.policy ?? 'basic',
    upstream: input.upstream,
    maxRate: input.maxRate,
    maxSessions: input.maxSessions,
    ...readReturn(input, texts),
  };
  texts.push(...policyProblems(settings.policy, rules, { forClient: true }));
  const upstream = input.upstream === undefined ? undefined : rules.upstreamProblem(input.upstream);
  if (upstream !== undefined) texts.push(`upstream: ${upstream}`);
  for (const [field, limit] of [['max-rate', input.maxRate] as const, ['max-sessions', input.maxSessions] as const]) {
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) texts.push(`${field}: a whole number, 0 for no limit`);
  }
  return texts.length > 0 ? { texts } : settings;
}

/** What the client says of the way back; problems go to `texts`. */
function readReturn(
  { replyAddresses = [], returnPath, tagReplyTo = false, forwardTo }: ClientInput,
  texts: string[],
): Pick<ClientSettings, 'replyAddresses' | 'returnPath' | 'tagReplyTo' | 'forwardTo'> {
  const keep = <T>(read: Read<T>): T | undefined => {
    if (!isProblem(read)) return read;
    texts.push(...read.texts);
    return undefined;
  };
  const replies = new Map(
    replyAddresses.flatMap(text => {
      const address = keep(readReplyAddress(text));
      return address === undefined ? [] : [[basePerson(address), address.relayed] as const];
    }),
  );
  const forward = forwardTo === undefined ? undefined : keep(readMailbox('forward-to', forwardTo));
  if (forward !== undefined && replies.has(basePerson(forward)))
    texts.push(`forward-to: ${forwardTo} is a reply address, so that copies would come back; name the mailbox behind it`);
  if (tagReplyTo && replyAddresses.length === 0) texts.push('tag-reply-to: needs a reply-address to put the token into');
  return {
    replyAddresses: [...replies.values()],
    returnPath: returnPath === undefined ? undefined : keep(readDomain('return-path', returnPath)),
    tagReplyTo,
    forwardTo: forward?.relayed,
  };
}

function isProblem(read: unknown): read is { readonly texts: readonly string[] } {
  return typeof read === 'object' && read !== null && 'texts' in read;
}

function readMailbox(field: string, text: string): Read<Address> {
  const address = parsePerson(text);
  return isAddress(address) ? address : { texts: [`${field}: ${text} is no address (${address.detail}); write it like sales@example.com`] };
}

function readReplyAddress(text: string): Read<Address> {
  const address = readMailbox('reply-address', text);
  if (isProblem(address) || address.local === address.taggedLocal) return address;
  return { texts: [`reply-address: ${text} has a tag; name the address without what stands from the plus on, every tag is taken there`] };
}

/** Problems with the name of a policy. */
export function policyProblems(policy: string, rules: Rules, { forClient }: { readonly forClient: boolean }): readonly string[] {
  const allowed = rules.policies.filter(name => !forClient || !rules.credentialOnly.includes(name));
  if (allowed.includes(policy)) return [];
  const why = rules.credentialOnly.includes(policy) ? 'only a credential may have it' : 'there is no such policy';
  return [`policy: ${policy}: ${why}; use ${allowed.join(', ')}, or make it first: postern policy set`];
}

/** A campaign's id and target domains, or every problem with them. */
export function readCampaign(id: string, targetDomains: readonly string[]): Read<{ id: CampaignId; targetDomains: readonly string[] }> {
  const read = campaignId(id);
  const domains = targetDomains.map(value => readDomain('target-domain', value));
  const texts = [
    ...(read === undefined ? [`campaign: ${ID_ADVICE}`] : []),
    ...domains.flatMap(domain => (typeof domain === 'string' ? [] : domain.texts)),
  ];
  if (read === undefined || texts.length > 0) return { texts };
  return { id: read, targetDomains: [...new Set(domains.filter(domain => typeof domain === 'string'))] };
}

/** IP blocks, or every problem with them. `alone`: they are all there is, no password guards them. */
export function readBlocks(ips: readonly string[], { alone }: { readonly alone: boolean }): Read<readonly Block[]> {
  if (alone && ips.length === 0) return { texts: ['ip: a credential without a password needs at least one'] };
  const blocks = ips.map(text => ({ text, block: parseBlock(text) }));
  const texts = blocks.flatMap(({ text, block }) => {
    if (block === undefined) return [`ip: ${text} is no IP address or block; write it like 192.0.2.7 or 192.0.2.0/24`];
    // Default-deny (A33): whole continents are not a credential.
    return alone && isVast(block) ? [`ip: ${text} is too wide to do without a password; name the servers' own blocks`] : [];
  });
  return texts.length > 0 ? { texts } : blocks.flatMap(({ block }) => (block === undefined ? [] : [block]));
}

function readDomain(field: string, text: string): Read<string> {
  const domain = parseDomain(text.trim());
  if (domain === undefined) return { texts: [`${field}: ${text} is no domain name; write it like example.com`] };
  if (isPublicSuffix(domain))
    return { texts: [`${field}: ${text} is a public suffix, which covers everybody's domains; name one below it`] };
  return domain;
}

/** A13: the client's own https URL. A userinfo or a port of numbers is how look-alikes are made. */
function readPrivacyUrl(text: string): Read<string> {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (url === undefined || url.protocol !== 'https:') return { texts: ['privacy-url: must be a whole URL that begins with https://'] };
  if (url.username !== '' || url.password !== '') return { texts: ['privacy-url: must hold no user name or password before the host'] };
  const host = parseDomain(url.hostname);
  if (host === undefined || isPublicSuffix(host))
    return { texts: [`privacy-url: ${url.hostname} is no domain of a company; use the site's own name`] };
  return url.href;
}

function readTrackingHost(text: string): Read<string> {
  const [, name, port] = /^([^:/@\s]+)(?::(\d{1,5}))?$/.exec(text.trim()) ?? [];
  const wrong = { texts: [`tracking-host: ${text} is no host; write it like links.example.com or links.example.com:8443`] };
  if (name === undefined || (port !== undefined && (Number(port) === 0 || Number(port) > 65_535))) return wrong;
  // By its address: a tracking host in the operator's own network, which by a name would not be asked where its links lead.
  const host = isIP(name) === 4 ? name : readDomain('tracking-host', name);
  if (typeof host !== 'string') return host;
  return port === undefined ? host : `${host}:${Number(port)}`;
}

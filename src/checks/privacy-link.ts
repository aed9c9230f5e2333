/** Refuses a message in which some reader does not see a link to the client's own privacy policy. */
import { Type } from 'typebox';
import { httpsUrl, isOnHost, isPage, type Page, parsePages, wrappedUrls } from '../mail/links.ts';
import { fold } from '../mail/phrases.ts';
import { defer, reject } from '../mail/reply.ts';
import type { Link, Reader } from '../mail/visible.ts';
import { defineCheck, type Objection, type Submission, type Verdict } from '../policy/check.ts';
import type { Resolution, TrackedLink } from '../watch/tracked-links.ts';
import type { NamesPolicy } from './phrase-tables.ts';
import { type View, viewsOf } from './views.ts';

const TOKEN = 'privacy-link';

export interface PrivacyLinkNeeds {
  readonly reader: Reader;
  readonly namesPolicy: NamesPolicy;
  /** Where a campaign's opaque tracking links lead, as far as it is known. */
  readonly tracked: { judge(link: TrackedLink): Promise<Resolution> };
}

export interface PrivacyLinkOptions {
  /** Whether links on the client's registered click-tracking hosts may count. */
  readonly tracking: boolean;
}

export const privacyLink = defineCheck<PrivacyLinkOptions, PrivacyLinkNeeds>({
  name: TOKEN,
  doc: "Every text and HTML alternative visibly holds a link to the client's own https privacy policy.",
  promises: ['A13'],
  tokens: [
    {
      token: TOKEN,
      meaning:
        "Some reader of the message does not see a link to the client's privacy policy (554), or a tracked link's target is being looked up (451).",
    },
  ],
  options: Type.Object(
    { tracking: Type.Boolean({ default: true, description: "whether links on the client's registered click-tracking hosts may count" }) },
    { additionalProperties: false },
  ),
  defaults: { tracking: true },
  create({ tracking }, { reader, namesPolicy, tracked }) {
    return {
      endOfData(message, submission) {
        const { privacyUrls, trackingHosts } = submission.profile;
        const asked: Asked = { pages: parsePages(privacyUrls), hosts: tracking ? trackingHosts : [], namesPolicy };
        if (asked.pages.length === 0) return refusal('the client has no https privacy policy address');
        const views = viewsOf(message, reader);
        if (views.length === 0) return refusal('the message has no text that a reader is shown');
        const opaque: (readonly [View, readonly Opaque[]])[] = [];
        for (const view of views) {
          if (view.links.some(link => leads(link, asked))) continue;
          const candidates = view.links.flatMap(link => opaqueLink(link, asked));
          if (candidates.length === 0) return refusal(`${view.title}: ${explain(view, asked)}`);
          opaque.push([view, candidates]);
        }
        return opaque.length === 0 ? undefined : judgeOpaque(opaque, submission, tracked);
      },
    };
  },
});

interface Asked {
  readonly pages: readonly Page[];
  readonly hosts: readonly string[];
  readonly namesPolicy: NamesPolicy;
}

/** A link on a tracking host whose words name the policy and whose target cannot be read. */
interface Opaque {
  readonly url: URL;
  readonly label: string;
}

function leads(link: Link, { pages, hosts }: Asked): boolean {
  const url = link.hiddenBy === undefined ? httpsUrl(link.href) : undefined;
  if (url === undefined) return false;
  if (pages.some(page => isPage(url, page))) return true;
  if (!isOnHost(url, hosts)) return false;
  const wrapped = wrappedUrls(url);
  // With two addresses in it, nobody can say which the tracking host takes.
  return wrapped.length > 0 && wrapped.every(text => isAnyPage(text, pages));
}

function isAnyPage(text: string, pages: readonly Page[]): boolean {
  const url = httpsUrl(text);
  return url !== undefined && pages.some(page => isPage(url, page));
}

function opaqueLink(link: Link, { pages, hosts, namesPolicy }: Asked): readonly Opaque[] {
  const url = link.hiddenBy === undefined ? httpsUrl(link.href) : undefined;
  if (url === undefined || !isOnHost(url, hosts)) return [];
  // A link whose target can be read, and is another, needs no sample.
  const wrapped = wrappedUrls(url);
  if (wrapped.length > 0 && !wrapped.some(text => isAnyPage(text, pages))) return [];
  const label = link.label.trim();
  return namesPolicy(label) || isAnyPage(label, pages) || isAnyPage(`https://${label}`, pages) ? [{ url, label: fold(label) }] : [];
}

/** One link that leads to the policy is enough in each view; law 1: while that is not known, the message waits. */
async function judgeOpaque(
  opaque: readonly (readonly [View, readonly Opaque[]])[],
  { client, campaigns, profile: { privacyUrls, trackingHosts } }: Submission,
  tracked: PrivacyLinkNeeds['tracked'],
): Promise<Verdict> {
  let waits: Objection | undefined;
  for (const [{ title }, candidates] of opaque) {
    const known = await Promise.all(
      candidates.map(({ url, label }) => tracked.judge({ client, campaigns, url, label, privacyUrls, trackingHosts })),
    );
    if (known.includes('resolves')) continue;
    if (!known.includes('unknown'))
      return refusal(`${title}: its tracked links that name the policy lead elsewhere, as a sample of them shows`);
    waits ??= {
      reply: defer(451, '4.3.0', `Message cannot be verified yet, try again (${TOKEN})`),
      token: TOKEN,
      reason: `${title}: where its tracked link leads is not known yet; a sample is being followed`,
    };
  }
  return waits;
}

function explain({ links, unreadable, source }: View, { pages, hosts }: Asked): string {
  if (unreadable !== undefined) return unreadable;
  const toPage = links.find(({ href, hiddenBy }) => hiddenBy !== undefined && isAnyPage(href, pages));
  if (toPage !== undefined) return `link present but nobody sees it: ${toPage.hiddenBy}`;
  const urls = links.flatMap(({ href }) => (URL.canParse(href) ? [new URL(href)] : []));
  const near = urls.find(({ hostname }) => pages.some(page => page.url.hostname === hostname));
  if (near !== undefined) {
    if (near.protocol !== 'https:') return "link to the policy's host, but not by https";
    if (near.username !== '' || near.password !== '') return 'link with a user name in its address';
    return "link to the policy's host, but to another page or port";
  }
  if (urls.some(url => isOnHost(url, hosts))) return 'no tracked link names the privacy policy, or its address can be read and is another';
  const mentioned = pages.some(({ url }) => source.toLowerCase().includes(url.hostname));
  return mentioned
    ? 'the address is there, but not as a link that is seen (in a comment, an attribute, the head, another address)'
    : 'no link to the privacy policy';
}

function refusal(reason: string): Objection {
  return { reply: reject(554, '5.6.0', `Message may not be sent (${TOKEN})`), token: TOKEN, reason };
}

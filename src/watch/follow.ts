/** Follows one tracking link, request by request, to see whether it leads to the policy page. */
import { type RequestOptions, request } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { httpsUrl, isOnHost, isPage, type Page } from '../mail/links.ts';
import { publicLookup } from '../ops/private-addresses.ts';

/** Where a link leads. `elsewhere`: to another page; `host` is that page's. `no answer`: it could not be seen. */
export type Destination =
  | { readonly kind: 'resolves' }
  | { readonly kind: 'elsewhere'; readonly host: string }
  | { readonly kind: 'no answer'; readonly why: string };

export interface FollowOptions {
  /** Tracking hosts, the only ones that are asked. */
  readonly hosts: readonly string[];
  readonly pages: readonly Page[];
  /** Limit for each request, in milliseconds. */
  readonly timeoutMs: number;
  readonly tls: Pick<SecureContextOptions, 'ca'>;
  readonly signal: AbortSignal;
}

/** Requests for one link, at most. */
const MAX_HOPS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Asks the link's host where it leads, and each tracking host after it, until a redirect names one of the pages or another host. The page itself
 * is not asked, no body is read, and a host that resolves to a private address is not connected to, unless it was registered as that very
 * address. Never throws.
 */
export async function follow(link: URL, options: FollowOptions): Promise<Destination> {
  let url = link;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    // An address in figures never gets to the look-up: it is asked because an operator registered just that.
    if (httpsUrl(url.href) === undefined || !isOnHost(url, options.hosts)) return { kind: 'elsewhere', host: url.host };
    let answer: Answer;
    try {
      answer = await ask(url, options);
    } catch (error) {
      return { kind: 'no answer', why: error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : 'unknown' };
    }
    if (answer.status >= 200 && answer.status < 300) return { kind: 'elsewhere', host: url.host };
    if (!REDIRECTS.has(answer.status) || answer.location === undefined) return { kind: 'no answer', why: `status ${answer.status}` };
    if (!URL.canParse(answer.location, url.href)) return { kind: 'no answer', why: 'a redirect to no address' };
    url = new URL(answer.location, url);
    const target = httpsUrl(url.href);
    if (target !== undefined && options.pages.some(page => isPage(target, page))) return { kind: 'resolves' };
  }
  return { kind: 'no answer', why: `more than ${MAX_HOPS} redirects` };
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
}

function ask(url: URL, { timeoutMs, tls, signal }: FollowOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options: RequestOptions = {
      ...tls,
      method: 'GET',
      agent: false,
      lookup: publicLookup,
      headers: { accept: 'text/html', 'user-agent': 'Postern link check' },
      signal,
    };
    const asking = request(url, options, response => {
      resolve({ status: response.statusCode ?? 0, location: response.headers.location });
      asking.destroy();
    });
    const limit = setTimeout(() => asking.destroy(new Error('no answer in time')), timeoutMs);
    asking.on('close', () => clearTimeout(limit));
    // Stays for what a destroyed request still reports.
    asking.on('error', reject);
    asking.end();
  });
}

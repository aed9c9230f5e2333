/** One request to an endpoint: signed by Standard Webhooks, to public addresses only, no redirect followed, the answer's body unread. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { isPrivateAddress, publicLookup } from '../ops/private-addresses.ts';

const MAX_URL = 2_000;
const LOOPBACK = /^(127\.0\.0\.1|\[::1\]|localhost)$/;

/** The endpoint in `text`, or what is wrong with it. `loopback`: http:// on this machine is one, too. */
export function parseEndpoint(text: string, loopback: boolean): URL | { readonly problem: string } {
  if (text.length > MAX_URL || !URL.canParse(text)) return { problem: 'is no URL; write https://host/path' };
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return { problem: 'names a user; leave it out: requests are signed' };
  if (url.hash !== '') return { problem: 'has a fragment; leave it out' };
  if (loopback && url.protocol === 'http:' && LOOPBACK.test(url.hostname)) return url;
  if (url.protocol !== 'https:') return { problem: 'is not https; write https://host/path' };
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (LOOPBACK.test(url.hostname) || (isIP(host) !== 0 && isPrivateAddress(host)))
    return { problem: 'is a private address; name a public one: events go to no other' };
  return url;
}

export interface Delivery {
  readonly url: URL;
  /** The same for every attempt: by it the receiver knows what it has already. */
  readonly id: string;
  /** `whsec_…`, the newest first; each signs. */
  readonly secrets: readonly string[];
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The status of the answer, or in a few words why there was none. Never throws. */
export function post({ url, id, secrets, body, timeoutMs, signal }: Delivery): Promise<number | string> {
  const now = new Date();
  const plain = url.protocol === 'http:';
  const options = {
    method: 'POST',
    agent: false,
    // A name that is public when it is registered may lead elsewhere by now.
    ...(plain ? {} : { lookup: publicLookup }),
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Postern webhooks',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': secrets.map(secret => new Webhook(secret).sign(id, now, body)).join(' '),
    },
    signal,
  } as const;
  return new Promise(resolve => {
    const asking = (plain ? requestHttp : requestHttps)(url, options, response => {
      resolve(response.statusCode ?? 0);
      asking.destroy();
    });
    const limit = setTimeout(() => asking.destroy(new Error('no answer in time')), timeoutMs);
    asking.on('close', () => clearTimeout(limit));
    // Stays for what a destroyed request still reports. Messages of network errors may name hosts, codes do not.
    asking.on('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message));
    asking.end(body);
  });
}

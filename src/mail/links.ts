/** Where links lead: whether an address is a given page, on a click-tracking host, and what address a tracking link wraps. */

/** A page that links may lead to, made ready for comparison. */
export interface Page {
  readonly url: URL;
  readonly origin: string;
  readonly path: string;
}

/** Levels of encoding or wrapping that are looked through. */
const MAX_DEPTH = 4;
const MAX_CANDIDATES = 50;

/** The pages of these https addresses; what is no https address is left out. */
export function parsePages(urls: readonly string[]): readonly Page[] {
  return urls.flatMap(text => {
    const url = httpsUrl(text);
    return url === undefined ? [] : [{ url, origin: url.origin, path: samePath(url.pathname) }];
  });
}

/**
 * The address as the WHATWG URL standard reads it (blanks around it, tabs and line ends within it removed, host as A-labels), or undefined where
 * it is not an absolute https address in plain form: other schemes, user names (`https://client.example@other.example/`), backslashes and
 * missing slashes are read differently by different readers.
 */
export function httpsUrl(text: string): URL | undefined {
  const bare = text.replace(/[\t\n\r]/g, '').replace(/^[\0- ]+|[\0- ]+$/g, '');
  if (!/^https:\/\/[^/\\?#@]+(?:[/?#][^\\]*)?$/i.test(bare)) return undefined;
  return URL.canParse(bare) ? new URL(bare) : undefined;
}

/**
 * Whether the address is that page: scheme, host and port, and path are the same. Query and fragment may differ, except that what the page's own
 * address asks for (`?page=privacy`) must be asked for. A slash at the end of the path makes no difference, nor do needless percent signs.
 */
export function isPage(url: URL, page: Page): boolean {
  if (url.origin !== page.origin || url.username !== '' || url.password !== '' || samePath(url.pathname) !== page.path) return false;
  return [...page.url.searchParams].every(([name, value]) => url.searchParams.getAll(name).includes(value));
}

function samePath(path: string): string {
  const plain = path.replace(/%([0-9a-f]{2})/gi, (whole, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : whole.toUpperCase();
  });
  return plain.endsWith('/') ? plain.slice(0, -1) : plain;
}

/** Whether the address is on one of these hosts: `host`, or `host:port` for a port that is not https's own. */
export function isOnHost(url: URL, hosts: readonly string[]): boolean {
  return hosts.some(host => host.toLowerCase().replace(/:443$/, '') === url.host);
}

/**
 * The addresses that can be read from a tracking link: in a query parameter or a path segment, percent-encoded or in base64 (also within JSON),
 * or as the rest of the path. Empty where it is opaque.
 */
export function wrappedUrls(url: URL): readonly string[] {
  const found = new Set<string>();
  for (const value of url.searchParams.values()) unwrap(value, MAX_DEPTH, found);
  const segments = url.pathname.split('/').map(decoded);
  for (const [index, segment] of segments.entries()) {
    // `/3s/host%2Fpath/…`: the scheme is a segment of its own there.
    if (segments[index - 1] === '3s' && /^[a-z0-9.-]+\.[a-z0-9-]+(?::\d+)?(?:[/?]|$)/i.test(segment)) found.add(`https://${segment}`);
    else unwrap(segment, MAX_DEPTH, found);
  }
  const plain = /\/(https?:\/\/?)([^/].*)$/i.exec(url.pathname);
  if (plain !== null) found.add(`${plain[1]?.replace(/\/+$/, '')}//${plain[2]}${url.search}`);
  return [...found];
}

function unwrap(value: string, depth: number, found: Set<string>): void {
  if (depth === 0 || found.size >= MAX_CANDIDATES) return;
  if (/^https?:\/\/./i.test(value)) {
    found.add(value);
    return;
  }
  const plain = decoded(value);
  if (plain !== value) {
    unwrap(plain, depth - 1, found);
    return;
  }
  if (/^\s*[{[]/.test(value)) {
    for (const text of stringsIn(value)) unwrap(text, depth - 1, found);
  } else if (/^[A-Za-z0-9+/_-]{12,}={0,2}$/.test(value)) {
    const text = Buffer.from(value, 'base64').toString('utf8');
    if (/^\s*(?:https?:\/\/|[{[]|https?%3a)/i.test(text)) unwrap(text.trim(), depth - 1, found);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function stringsIn(json: string): readonly string[] {
  let content: unknown;
  try {
    content = JSON.parse(json);
  } catch {
    return [];
  }
  const found: string[] = [];
  const pending: unknown[] = [content];
  while (pending.length > 0 && found.length < MAX_CANDIDATES) {
    const value = pending.pop();
    if (typeof value === 'string') found.push(value);
    else if (typeof value === 'object' && value !== null) pending.push(...Object.values(value).slice(0, MAX_CANDIDATES));
  }
  return found;
}

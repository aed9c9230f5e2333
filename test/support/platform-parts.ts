/** What campaign messages are built from: the policy link, honest or twisted, and the encodings in which platforms put it. */

/**
 * `honest`: every reader sees the client's link. All others must be refused. `removed`; `hidden` by style; `foreign`: another client's policy;
 * `comment`: only in an HTML comment; `partial`: missing from one alternative of several. A twist that a lone text part cannot have is played
 * there with what text has: a file beside it, an address that is no link.
 */
export const TWISTS = ['honest', 'removed', 'hidden', 'foreign', 'comment', 'partial'] as const;
export type Twist = (typeof TWISTS)[number];

export const POLICY = 'https://www.acme.example/privacy';
export const FOREIGN_POLICY = 'https://www.other.example/privacy';
export const UNSUBSCRIBE = 'https://www.acme.example/unsubscribe?r=8f2c41';

export const ANN = 'ann@acme.example';
export const OPT_OUT = `<a href="${UNSUBSCRIBE}">Unsubscribe</a>`;
export const OPT_OUT_TEXT = `Unsubscribe: ${UNSUBSCRIBE}`;
export const ONE_CLICK = [
  `List-Unsubscribe: <${UNSUBSCRIBE}>, <mailto:leave@acme.example?subject=8f2c41>`,
  'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
];

export interface Shape {
  readonly name: string;
  /** The envelope's sender: many platforms bounce to a domain of their own. */
  readonly reversePath: string;
  build(twist: Twist): Buffer;
}

/** A header from Ann to Bob; `id` makes the Message-ID. */
export function header(id: string, more: readonly string[] = [], subject = 'Half an hour less per order'): string[] {
  return [
    `From: Ann Archer <${ANN}>`,
    'To: bob@there.example',
    `Subject: ${subject}`,
    'Date: Tue, 17 Nov 2026 10:00:00 +0000',
    `Message-ID: <${id}.8f2c41@acme.example>`,
    ...more,
  ];
}

/** How HTML shows the policy link. `wrap`: as the platform's click-tracking rewrites it; `hide`: the style that `hidden` uses. */
export interface HtmlLink {
  readonly wrap?: (url: string) => string;
  readonly label?: string;
  readonly style?: string;
  readonly hide?: string;
}

export function htmlPolicy(twist: Twist, { wrap = same, label = 'Privacy policy', style, hide = 'display:none' }: HtmlLink = {}): string {
  const target = (url: string) => wrap(url).replaceAll('&', '&amp;');
  const styles = [style, twist === 'hidden' ? hide : undefined].filter(text => text !== undefined).join(';');
  const anchor = (url: string) => `<a href="${target(url)}"${styles === '' ? '' : ` style="${styles}"`} target="_blank">${label}</a>`;
  switch (twist) {
    case 'honest':
      return anchor(POLICY);
    case 'foreign':
      return anchor(FOREIGN_POLICY);
    case 'hidden':
      return `<span style="${hide}">${anchor(POLICY)}</span>`;
    case 'comment':
      return `<!-- ${anchor(POLICY)} -->`;
    case 'removed':
    case 'partial':
      return '';
  }
}

/** The same in a message that is HTML alone: in place of `partial`, an address that only looks like the client's. */
export function htmlAlone(twist: Twist, link: HtmlLink = {}): string {
  if (twist !== 'partial') return htmlPolicy(twist, link);
  return htmlPolicy('honest', { ...link, wrap: url => url.replace('acme.example/', 'acme.example@policies.example/') });
}

/** The policy in a text part that stands beside an HTML one: honest unless the whole message lacks it. */
export function textBeside(twist: Twist, line: (url: string) => string = url => `Privacy policy: ${url}`): string {
  if (twist === 'removed') return '';
  return line(twist === 'foreign' ? FOREIGN_POLICY : POLICY);
}

/** The policy in a message that is text alone. */
export function textAlone(twist: Twist, line: (url: string) => string = url => `Privacy policy: ${url}`): string {
  switch (twist) {
    case 'honest':
      return line(POLICY);
    case 'foreign':
      return line(FOREIGN_POLICY);
    // An address that readers do not link, or link by http; and one of a look-alike host.
    case 'hidden':
      return line(POLICY.replace('https:', 'http:'));
    case 'comment':
      return line('www.acme.example/privacy');
    case 'partial':
      return line('https://www.acme.example.policies.example/privacy');
    case 'removed':
      return '';
  }
}

function same(url: string): string {
  return url;
}

export interface Part {
  /** Content-Type, with parameters. */
  readonly type: string;
  readonly encoding: '7bit' | '8bit' | 'quoted-printable' | 'base64';
  readonly content: string | Buffer;
  readonly fields?: readonly string[];
}

/** One leaf as lines: its fields, an empty line, its encoded content. `line` limits quoted-printable lines. */
export function leaf({ type, encoding, content, fields = [] }: Part, line = 76): string {
  const octets = typeof content === 'string' ? Buffer.from(content.replace(/\r?\n/g, '\r\n')) : content;
  const head = [`Content-Type: ${type}`, `Content-Transfer-Encoding: ${encoding}`, ...fields].join('\r\n');
  return `${head}\r\n\r\n${encoded(octets, encoding, line)}`;
}

/** A multipart of finished parts. */
export function multipart(kind: string, boundary: string, parts: readonly string[], more = ''): string {
  const body = parts.map(part => `--${boundary}\r\n${part}\r\n`).join('');
  return `Content-Type: multipart/${kind}; boundary="${boundary}"${more}\r\n\r\n${body}--${boundary}--\r\n`;
}

/** The whole message: header fields, then an entity (leaf or multipart) whose own fields are the header's last. */
export function message(fields: readonly string[], entity: string): Buffer {
  const text = `${[...fields, 'MIME-Version: 1.0'].join('\r\n')}\r\n${entity}`;
  return Buffer.from(text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
}

function encoded(octets: Buffer, encoding: Part['encoding'], line: number): string {
  if (encoding === 'base64') return octets.toString('base64').replace(/.{76}(?=.)/g, '$&\r\n');
  if (encoding === 'quoted-printable') return quotedPrintable(octets, line);
  return octets.toString('latin1');
}

/** RFC 2045 §6.7, breaking lines as late as `line` allows: in the middle of addresses, too. */
function quotedPrintable(octets: Buffer, line: number): string {
  return octets
    .toString('latin1')
    .split('\r\n')
    .map(text => {
      const safe = text.replace(
        /[^\t\x20-\x3c\x3e-\x7e]|[\t ]$/g,
        sign => `=${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
      );
      let [broken, rest] = ['', safe];
      while (rest.length > line) {
        const cut = rest.slice(line - 3, line - 1).indexOf('=');
        const at = cut < 0 ? line - 1 : line - 3 + cut;
        broken += `${rest.slice(0, at)}=\r\n`;
        rest = rest.slice(at);
      }
      return broken + rest;
    })
    .join('\r\n');
}

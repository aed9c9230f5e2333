/** What an upstream's EHLO announces (RFC 5321 §4.1.1.1), as far as relaying needs to know. */

export interface Capabilities {
  /** RFC 2920: commands may be sent without waiting for each reply. */
  readonly pipelining: boolean;
  /** RFC 6152. */
  readonly eightBit: boolean;
  /** RFC 6531. */
  readonly utf8: boolean;
  /** RFC 1870: undefined where not announced, 0 where announced without a limit. */
  readonly size: number | undefined;
  readonly starttls: boolean;
  /** SASL mechanisms of AUTH, upper case. */
  readonly auth: readonly string[];
}

/** What a server without EHLO can do. */
export const NONE: Capabilities = { pipelining: false, eightBit: false, utf8: false, size: undefined, starttls: false, auth: [] };

/** `lines`: the text of the 250 reply's lines; the first is the greeting. */
export function readCapabilities(lines: readonly string[]): Capabilities {
  const found = new Map<string, readonly string[]>();
  for (const line of lines.slice(1)) {
    // Some servers still write AUTH=LOGIN for clients of the last century.
    const [keyword = '', ...parameters] = line
      .trim()
      .toUpperCase()
      .replace(/^AUTH=/, 'AUTH ')
      .split(/\s+/);
    found.set(keyword, [...(found.get(keyword) ?? []), ...parameters]);
  }
  const size = found.get('SIZE');
  return {
    pipelining: found.has('PIPELINING'),
    eightBit: found.has('8BITMIME'),
    // RFC 6531 §3.1: SMTPUTF8 comes with 8BITMIME.
    utf8: found.has('SMTPUTF8') && found.has('8BITMIME'),
    size: size === undefined ? undefined : /^\d{1,15}$/.test(size[0] ?? '') ? Number(size[0]) : 0,
    starttls: found.has('STARTTLS'),
    auth: found.get('AUTH') ?? [],
  };
}

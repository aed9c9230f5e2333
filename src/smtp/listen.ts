/** What a `listen` value says: host, port, and whether TLS begins at once. */

export interface Endpoint {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly implicitTls: boolean;
}

const ENDPOINT = /^(?:(smtps?):\/\/)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):([0-9]{1,5})$/;

/**
 * `host:port`, `[::1]:port` or `smtps://host:port` (implicit TLS, RFC 8314 §3.3).
 * @throws RangeError that names `key` and the fix.
 */
export function parseListen(text: string, key = 'submission.listen'): Endpoint {
  const match = ENDPOINT.exec(text.trim());
  const host = match?.[2] ?? match?.[3];
  const port = Number(match?.[4]);
  if (host === undefined || port > 65535) {
    throw new RangeError(
      `${key}: "${text}" is no listening address; write host:port, [::1]:port or smtps://host:port, such as 127.0.0.1:2525`,
    );
  }
  return { host, port, implicitTls: match?.[1] === 'smtps' };
}

/** One value or a list; a text may hold several, parted by commas, as an environment variable does. @throws RangeError as parseListen does. */
export function parseListens(value: string | readonly string[], key?: string): readonly Endpoint[] {
  const texts = typeof value === 'string' ? value.split(',') : value;
  return texts.map(text => parseListen(text, key));
}

/** Reads the URL of a Redis store: one server, Sentinels that know the master, or a Cluster. */

export interface RedisAddress {
  readonly form: 'single' | 'sentinel' | 'cluster';
  readonly tls: boolean;
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  /** Name of the master that the Sentinels watch; empty for the other forms. */
  readonly master: string;
  readonly sentinelPassword?: string;
  /** The URL without credentials, for messages. */
  readonly label: string;
}

const URL = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;

/**
 * ```
 * redis://[user:password@]host[:port][/db]                        rediss:// for TLS
 * redis+sentinel://[user:password@]host[:port],…/master[/db]      ?sentinelPassword=… for the Sentinels themselves
 * redis+cluster://[user:password@]host[:port],…
 * ```
 * @throws RangeError that names the form, never the credentials.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = URL.exec(url);
  if (!parts) throw new RangeError('A Redis URL has the form redis://[user:password@]host[:port][/db]');
  const [, scheme = '', mode, login, hostList = '', path = '', query = ''] = parts;
  const form = mode === undefined ? 'single' : (mode.toLowerCase() as 'sentinel' | 'cluster');
  const hosts = hostList.split(',').map(text => parseHost(text, form === 'sentinel' ? 26379 : 6379));
  if (form === 'single' && hosts.length > 1)
    throw new RangeError('redis:// takes one host; use redis+sentinel:// or redis+cluster:// for more');
  const [master = '', dbAfterMaster = ''] = form === 'sentinel' ? path.split('/') : [];
  if (form === 'sentinel' && !master)
    throw new RangeError('redis+sentinel:// needs the name of the master: redis+sentinel://host,host/master');
  const dbText = form === 'sentinel' ? dbAfterMaster : path;
  if (!/^\d{0,4}$/.test(dbText) || (form === 'cluster' && dbText))
    throw new RangeError('The database in a Redis URL is a number (a Cluster has only one)');
  const sentinelPassword = new URLSearchParams(query).get('sentinelPassword');
  return {
    form,
    tls: scheme.toLowerCase() === 'rediss',
    hosts,
    ...credentials(login),
    db: Number(dbText || 0),
    master,
    ...(sentinelPassword ? { sentinelPassword } : {}),
    label: `${scheme}${mode ? `+${mode}` : ''}://${hostList}${path ? `/${path}` : ''}`,
  };
}

function parseHost(text: string, port: number): { host: string; port: number } {
  const parts = HOST.exec(text);
  const host = parts?.[1]?.replace(/^\[|\]$/g, '');
  const given = parts?.[2] === undefined ? port : Number(parts[2]);
  if (!host || given < 1 || given > 65_535) throw new RangeError('A host in a Redis URL is host or host:port');
  return { host, port: given };
}

/** `user:password`, `:password`, or nothing; percent-encoded. */
function credentials(login = ''): { username?: string; password?: string } {
  const colon = login.indexOf(':');
  const [user, password] = colon < 0 ? [login, ''] : [login.slice(0, colon), login.slice(colon + 1)];
  try {
    return { ...(user ? { username: decodeURIComponent(user) } : {}), ...(password ? { password: decodeURIComponent(password) } : {}) };
  } catch {
    throw new RangeError('The user and password in a Redis URL must be percent-encoded');
  }
}

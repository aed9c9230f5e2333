/** The options of the admin API, as they stand under `admin` in the configuration. */
import { isIP } from 'node:net';
import { type Static, Type } from 'typebox';
import { isVast, parseBlock } from '../clients/addresses.ts';
import { type Endpoint, parseListen } from '../smtp/listen.ts';

const strict = { additionalProperties: false } as const;

export const adminOptions = Type.Object(
  {
    listen: Type.String({ default: '127.0.0.1:8025', description: 'host:port or [::1]:port; off: there is no admin API' }),
    tls: Type.Object(
      {
        cert: Type.Optional(Type.String({ minLength: 1, description: 'PEM file: the certificate and its chain' })),
        key: Type.Optional(Type.String({ minLength: 1, description: 'PEM file: the private key' })),
      },
      { ...strict, default: {}, description: 'required unless admin.listen is a loopback address' },
    ),
    trustedProxies: Type.Array(Type.String(), {
      default: [],
      description: 'reverse proxies, as addresses or CIDR blocks, whose X-Forwarded-For is believed',
    }),
    patienceSeconds: Type.Integer({
      minimum: 1,
      maximum: 600,
      default: 30,
      description: 'how long the other side may send or take next to nothing before it is cut off',
    }),
    requestsPerMinute: Type.Integer({
      minimum: 10,
      maximum: 1_000_000,
      default: 6_000,
      description: 'how many requests one account may make in a minute, in one gate',
    }),
    policyVersion: Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]{1,64}$',
        description: 'version of the security policy that everybody with a login must have agreed to; without it nobody is asked',
      }),
    ),
    policyFile: Type.Optional(Type.String({ minLength: 1, description: 'the text of that policy, plain text' })),
  },
  { ...strict, default: {}, description: 'the admin API' },
);

export type AdminOptions = Static<typeof adminOptions>;

/** Where the admin API listens; undefined for `off`. @throws RangeError that names the key and the fix */
export function adminListen(listen: string): Endpoint | undefined {
  return listen === 'off' ? undefined : parseListen(listen, 'admin.listen');
}

/** What cannot be: passwords and other people's data would pass in clear (A29). */
export function adminProblems({
  listen,
  tls,
  trustedProxies,
  policyVersion,
  policyFile,
}: Omit<AdminOptions, 'patienceSeconds' | 'requestsPerMinute'>): readonly string[] {
  let endpoint: Endpoint | undefined;
  try {
    endpoint = adminListen(listen);
  } catch (error) {
    return [error instanceof Error ? error.message : 'admin.listen: no listening address'];
  }
  if (endpoint?.implicitTls === true)
    return ['admin.listen: write host:port without smtps://; TLS is switched on by admin.tls.cert and admin.tls.key'];
  const problems: string[] = [];
  if ((tls.cert === undefined) !== (tls.key === undefined)) problems.push('admin.tls: cert and key belong together; set both or neither');
  if (endpoint !== undefined && !isLoopback(endpoint.host) && tls.cert === undefined) {
    problems.push(
      'admin.tls: required where admin.listen is no loopback address; set admin.tls.cert and admin.tls.key, or listen on 127.0.0.1',
    );
  }
  problems.push(...trustedProxies.flatMap(proxyProblem));
  if (policyFile !== undefined && policyVersion === undefined)
    problems.push('admin.policyVersion: required with admin.policyFile; name the version of that text');
  return problems;
}

function proxyProblem(text: string): readonly string[] {
  const block = parseBlock(text);
  const key = `admin.trustedProxies: "${text.slice(0, 50)}"`;
  if (block === undefined) return [`${key} is no address and no network; write the proxy's, such as 127.0.0.1 or 10.1.2.0/24`];
  // Whoever is trusted says who it is, so everybody would.
  return isVast(block) ? [`${key} is too wide: whoever comes from there may say that it is anybody; name the proxies alone`] : [];
}

const LOOPBACK = ['127.0.0.0/8', '::1'].map(text => parseBlock(text));

/** Whether what is said there stays on this machine (RFC 6890 §2.2.2; localhost: RFC 6761 §6.3). */
export function isLoopback(host: string): boolean {
  return isIP(host) === 0 ? /^localhost\.?$/i.test(host) : LOOPBACK.some(block => block?.contains(host) === true);
}

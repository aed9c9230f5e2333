/** The options of everything that comes back, as they stand under `inbound` in the configuration. */
import { type Static, Type } from 'typebox';
import { clientId } from '../ids.ts';
import { parseDomain } from '../mail/domain.ts';
import { type Endpoint, parseListens } from '../smtp/listen.ts';
import { listenerOptions } from '../smtp/options.ts';
import { parseMailboxUrl } from './mailbox-url.ts';

const strict = { additionalProperties: false } as const;

const { tls, maxMessageBytes, maxRecipients, proxyProtocol, xclient } = listenerOptions.properties;

/** The listener's part of `inbound`. What is not said here (name, certificate, how long a stop waits) is as under `submission`. */
export const inboundListenerOptions = Type.Object(
  {
    listen: Type.Union([Type.String(), Type.Array(Type.String())], {
      default: '127.0.0.1:2526',
      description: 'host:port, [::1]:port, or smtps://host:port for implicit TLS; one or a list; off: nothing is taken by SMTP',
    }),
    hostname: Type.Optional(Type.String({ minLength: 1, maxLength: 253, pattern: '^[A-Za-z0-9._-]+$' })),
    tls,
    maxMessageBytes,
    maxRecipients,
    byteBudget: Type.Integer({
      minimum: 1_048_576,
      default: 134_217_728,
      description: 'octets that all messages in work may hold in memory together',
    }),
    maxSessions: Type.Integer({ minimum: 1, default: 500, description: 'connections open at once' }),
    proxyProtocol,
    xclient,
  },
  strict,
);

export const inboundOptions = Type.Object(
  {
    domains: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: 'domains whose unsubscribe@, bounce@, feedback@ and privacy@ addresses are taken here',
    }),
    rules: Type.Optional(
      Type.String({ minLength: 1, description: 'a folder with tables of your own, named as those in config/, added to ours' }),
    ),
    tokenDays: Type.Integer({ minimum: 60, default: 400, description: 'how long a token in an address counts' }),
    sendDays: Type.Integer({ minimum: 1, default: 90, description: 'how long relayed messages are remembered, to tell whose a reply is' }),
    softBounces: Type.Object(
      {
        limit: Type.Integer({ minimum: 2, default: 5 }),
        days: Type.Integer({ minimum: 1, default: 30 }),
      },
      { ...strict, default: {}, description: 'so many temporary failures on different days within so many days suppress an address' },
    ),
    rate: Type.Object(
      {
        perMinute: Type.Integer({ minimum: 0, default: 120 }),
      },
      { ...strict, default: {}, description: 'messages a minute from one sender address; beyond it 450 4.7.0 and an alarm; 0 = no limit' },
    ),
    mailboxes: Type.Array(
      Type.Object(
        {
          name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$' }),
          url: Type.String({ minLength: 1, description: 'imaps://user:password@host[:port], or imap:// for STARTTLS' }),
          client: Type.Optional(Type.String({ minLength: 1, description: 'whose mailbox it is' })),
          folders: Type.Array(Type.String({ minLength: 1 }), { default: ['INBOX'], minItems: 1 }),
          pollSeconds: Type.Integer({ minimum: 5, maximum: 1800, default: 60 }),
          sinceDays: Type.Integer({
            minimum: 0,
            default: 30,
            description: 'what was received earlier than so long before the first reading is left',
          }),
          addresses: Type.Array(Type.String({ minLength: 3 }), {
            default: [],
            description: 'addresses its owner writes from beside the user name: mail from them is no reply',
          }),
        },
        strict,
      ),
      { default: [], description: 'IMAP mailboxes in which replies land' },
    ),
  },
  strict,
);

export type InboundOptions = Static<typeof inboundOptions>;

/** Where mail is taken by SMTP; empty for `off`. @throws RangeError that names the key and the fix */
export function inboundListens(listen: string | readonly string[]): readonly Endpoint[] {
  return listen === 'off' ? [] : parseListens(listen, 'inbound.listen');
}

/** What is of the right type and yet cannot be used; each names its key. Passwords of mailboxes are not repeated. */
export function inboundProblems({
  listen,
  domains,
  mailboxes,
}: InboundOptions & { readonly listen: string | readonly string[] }): readonly string[] {
  const problems: string[] = [];
  try {
    inboundListens(listen);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.push(error.message);
  }
  for (const domain of domains) {
    if (parseDomain(domain) === undefined)
      problems.push(`inbound.domains: "${domain}" is no domain name; write it as in replies.example.com`);
  }
  const names = new Set<string>();
  for (const { name, url, client } of mailboxes) {
    if (names.has(name)) problems.push(`inbound.mailboxes: two are called ${name}; what was read is remembered by name`);
    names.add(name);
    const target = parseMailboxUrl(url);
    if ('problem' in target) problems.push(`inbound.mailboxes.${name}.url: ${target.problem}`);
    if (client !== undefined && clientId(client) === undefined) problems.push(`inbound.mailboxes.${name}.client: no client id`);
  }
  return problems;
}

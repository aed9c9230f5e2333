/** The options of `upstream.*` in the configuration: where mail goes, over how many connections, and how long an answer may take. */
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

const strict = { additionalProperties: false } as const;

const seconds = (fallback: number, description: string) =>
  Type.Number({ exclusiveMinimum: 0, maximum: 86_400, default: fallback, description });

/** All in seconds. The defaults of greeting, mail, rcpt, data, block and dot are the least that RFC 5321 §4.5.3.2 asks for. */
const timeouts = Type.Object(
  {
    connect: seconds(30, 'TCP connection, and the TLS handshake'),
    greeting: seconds(300, 'the 220 greeting'),
    mail: seconds(300, 'the reply to MAIL, and to EHLO, AUTH, RSET and NOOP'),
    rcpt: seconds(300, 'each reply to RCPT'),
    data: seconds(120, 'the 354 to DATA'),
    block: seconds(180, 'each 256 KiB of the message'),
    dot: seconds(600, 'the reply to the final dot'),
    idle: seconds(30, 'how long an unused connection is kept'),
    wait: seconds(30, 'how long a message waits for a free connection'),
  },
  { ...strict, default: {}, description: 'Seconds to wait for the upstream before the sender is told 451' },
);

export const upstreamOptions = Type.Object(
  {
    url: Type.String({
      minLength: 1,
      default: 'smtp://127.0.0.1:25',
      description: 'The smarthost: smtp://host:port?starttls=require|may|off, or smtps://user:pass@host:port',
    }),
    connections: Type.Integer({ minimum: 1, maximum: 1000, default: 20, description: 'Connections to one upstream at most' }),
    messagesPerConnection: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      default: 100,
      description: 'Messages sent before a connection is renewed',
    }),
    timeouts,
  },
  { ...strict, default: {}, description: 'the smarthost that relayed mail is handed to' },
);

export type UpstreamOptions = Static<typeof upstreamOptions>;

/** Milliseconds, by the names of `upstream.timeouts`. */
export type Timeouts = Readonly<Record<keyof UpstreamOptions['timeouts'], number>>;

/** The configured seconds as milliseconds. */
export function inMilliseconds(configured: UpstreamOptions['timeouts']): Timeouts {
  return Object.fromEntries(Object.entries(configured).map(([name, value]) => [name, value * 1000])) as unknown as Timeouts;
}

/** What holds where nothing is configured; milliseconds. */
export const DEFAULT_TIMEOUTS: Timeouts = inMilliseconds(Value.Default(timeouts, {}) as UpstreamOptions['timeouts']);

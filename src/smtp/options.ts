/** The options of a listener, as they stand under `submission` in the configuration. */
import { hostname } from 'node:os';
import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false } as const;

const addresses = (description: string) => Type.Array(Type.String(), { default: [], description });

export const listenerOptions = Type.Object(
  {
    listen: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
      default: '127.0.0.1:2525',
      description: 'host:port, [::1]:port, or smtps://host:port for implicit TLS; one or a list',
    }),
    hostname: Type.String({
      minLength: 1,
      maxLength: 253,
      pattern: '^[A-Za-z0-9._-]+$',
      default: hostname(),
      description: 'the name in the greeting, and in the certificate made at first start',
    }),
    tls: Type.Object(
      {
        cert: Type.Optional(Type.String({ minLength: 1, description: 'PEM file: the certificate and its chain' })),
        key: Type.Optional(Type.String({ minLength: 1, description: 'PEM file: the private key' })),
      },
      { ...strict, default: {}, description: 'without both, a self-signed pair is made at first start' },
    ),
    maxMessageBytes: Type.Integer({ minimum: 1024, default: 26_214_400, description: 'octets a message may have' }),
    maxRecipients: Type.Integer({ minimum: 100, default: 1000, description: 'recipients one transaction may have; never below 100' }),
    byteBudget: Type.Integer({
      minimum: 1_048_576,
      default: 536_870_912,
      description: 'octets that all messages in work may hold in memory together',
    }),
    maxSessions: Type.Integer({ minimum: 1, default: 2000, description: 'connections open at once' }),
    proxyProtocol: addresses('IP addresses of load balancers whose PROXY header (version 1) is believed, and required'),
    xclient: addresses('IP addresses of proxies that may use XCLIENT'),
    stopSeconds: Type.Integer({ minimum: 0, default: 30, description: 'how long a stop waits for running transactions' }),
  },
  strict,
);

export type ListenerOptions = Static<typeof listenerOptions>;

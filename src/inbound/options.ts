/** The options of everything that comes back, as they stand under `inbound` in the configuration beside the listener's. */
import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false } as const;

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
          pollSeconds: Type.Integer({ minimum: 5, default: 60 }),
        },
        strict,
      ),
      { default: [], description: 'IMAP mailboxes in which replies land' },
    ),
  },
  strict,
);

export type InboundOptions = Static<typeof inboundOptions>;

/** The options of webhooks. */
import { type Static, Type } from 'typebox';

export const webhookOptions = Type.Object(
  {
    loopback: Type.Boolean({ default: false, description: 'whether an endpoint may be http:// on this machine, for tests' }),
    timeoutSeconds: Type.Integer({ minimum: 1, maximum: 60, default: 15, description: 'longest wait for an answer of an endpoint' }),
    deadDays: Type.Integer({ minimum: 1, maximum: 90, default: 30, description: 'how long events that could not be delivered are kept' }),
  },
  { additionalProperties: false, default: {}, description: 'events told to the platforms of clients' },
);

export type WebhookOptions = Static<typeof webhookOptions>;

/** The options of webhooks. */
import { type Static, Type } from 'typebox';

export const webhookOptions = Type.Object(
  {
    loopback: Type.Boolean({ default: false, description: 'whether an endpoint may be http:// on this machine, for tests' }),
    timeoutSeconds: Type.Integer({ minimum: 1, maximum: 60, default: 15, description: 'longest wait for an answer of an endpoint' }),
    deadDays: Type.Integer({
      minimum: 1,
      maximum: 90,
      default: 30,
      description: 'how long events that could not be delivered are kept, and those that wait at a webhook that is switched off',
    }),
    maxQueued: Type.Integer({
      minimum: 100,
      maximum: 10_000_000,
      default: 100_000,
      description: 'how many events are kept for one webhook, waiting and dead together; of more the oldest are dropped, and counted',
    }),
    failingDays: Type.Integer({
      minimum: 1,
      maximum: 90,
      default: 5,
      description: 'after so many days without one attempt that succeeded a webhook is switched off',
    }),
  },
  { additionalProperties: false, default: {}, description: 'events told to the platforms of clients' },
);

export type WebhookOptions = Static<typeof webhookOptions>;

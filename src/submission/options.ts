/** The options of submission that concern the gate, not the listener. */
import { type Static, Type } from 'typebox';

export const submissionOptions = Type.Object(
  {
    campaignHeader: Type.Union([Type.Literal('Feedback-ID'), Type.String({ pattern: '^[Xx]-[A-Za-z0-9-]{1,60}$' })], {
      default: 'X-Campaign-ID',
    }),
    workers: Type.Integer({
      minimum: 1,
      maximum: 64,
      default: 1,
      description: 'processes that share the ports and the work; limits of byteBudget, maxSessions and rate are shared out among them',
    }),
    retryMinutes: Type.Integer({ minimum: 1, maximum: 240, default: 10 }),
    rate: Type.Object(
      {
        perMinute: Type.Integer({ minimum: 0, default: 0 }),
        sessions: Type.Integer({ minimum: 0, default: 0 }),
      },
      { additionalProperties: false, default: {} },
    ),
  },
  { additionalProperties: false },
);

export type SubmissionOptions = Static<typeof submissionOptions>;

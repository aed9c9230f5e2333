/** The options of the alarms that watch for misuse. */
import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false, default: {} } as const;
const threshold = (count: number) => Type.Integer({ minimum: 0, default: count, description: '0 for no alarm' });
const minutes = (count: number) => Type.Integer({ minimum: 1, maximum: 1440, default: count });

export const alertsOptions = Type.Object(
  {
    refusals: Type.Object({ count: threshold(5_000), minutes: minutes(10) }, strict),
    listProbing: Type.Object(
      {
        listed: threshold(500),
        share: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 0.5 }),
        minutes: minutes(10),
        answer: Type.Union([Type.Literal('none'), Type.Literal('slow'), Type.Literal('hang-up')], {
          default: 'none',
          description: 'one of none, slow (450 4.7.0) or hang-up (421 4.7.0)',
        }),
      },
      strict,
    ),
    failedLogins: Type.Object({ perAddress: threshold(20), total: threshold(200), minutes: minutes(5) }, strict),
    exports: Type.Object({ count: threshold(20), entries: threshold(1_000_000), minutes: minutes(60) }, strict),
  },
  strict,
);

export type AlertsOptions = Static<typeof alertsOptions>;

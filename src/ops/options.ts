/** The options of log and metrics. */
import { type Static, Type } from 'typebox';
import { LOG_LEVELS } from './log.ts';

export const logOptions = Type.Object(
  {
    level: Type.Union(
      LOG_LEVELS.map(level => Type.Literal(level)),
      { default: 'info', description: `one of ${LOG_LEVELS.join(', ')}` },
    ),
  },
  { additionalProperties: false, default: {}, description: 'what is written to stderr' },
);

export type LogOptions = Static<typeof logOptions>;

export const metricsOptions = Type.Object(
  {
    from: Type.Array(Type.String(), {
      default: ['127.0.0.1/32', '::1/128'],
      description: 'networks that may read /metrics without a token',
    }),
    perClient: Type.Boolean({ default: false, description: 'whether decisions are counted by client, too' }),
  },
  { additionalProperties: false, default: {}, description: 'what /metrics shows, and to whom' },
);

export type MetricsOptions = Static<typeof metricsOptions>;

/** The options of the log. */
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

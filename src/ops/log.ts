/** The log: one JSON line an event on stderr, with anything that looks like an address taken out before it is written (law 7). */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * A pino logger whose every line is scrubbed: `local@domain` becomes `<address>`, and the user part of a URL is cut.
 * The fields are chosen so that no address gets here; the scrubbing is for what other people's error messages carry.
 * `alarmed` is told the name of every line that is written and has an `alarm` field.
 */
export function createLog(
  level: LogLevel,
  destination: DestinationStream = pino.destination({ fd: 2, sync: true }),
  alarmed: (alarm: string) => void = () => undefined,
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      hooks: {
        logMethod(line, write) {
          const [fields] = line as unknown[];
          if (typeof fields === 'object' && fields !== null && 'alarm' in fields) alarmed(String(fields.alarm));
          write.apply(this, line);
        },
      },
    },
    { write: line => destination.write(scrub(line)) },
  );
}

/** The text without addresses and without credentials of URLs. */
export function scrub(text: string): string {
  if (!text.includes('@')) return text;
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]+@/gi, '$1')
    .replace(/[^\s"'<>()[\]{},;:=\\/]+@[^\s"'<>()[\]{},;:=\\/]+/g, '<address>');
}

/** Exit codes, and the failures that carry them: 0 answered, 2 usage, 75 unavailable, 1 other. */

export const EXIT = { ok: 0, other: 1, usage: 2, unavailable: 75 } as const;

/** A command that cannot go on; the message is for a person and names the fix. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.other) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The arguments are off: exit code 2. */
export function usage(message: string): CommandFailure {
  return new CommandFailure(message, EXIT.usage);
}

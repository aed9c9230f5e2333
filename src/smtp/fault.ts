/** What a log may say of a thrown error: enough to find the place, nothing that could be an address. */

export interface Fault {
  readonly name: string;
  readonly code: string | undefined;
  /** Undefined where it might hold an address. */
  readonly message: string | undefined;
  readonly at: readonly string[];
}

/** Name, code, message and the nearest frames of whatever was thrown. */
export function describeFault(error: unknown): Fault {
  if (!(error instanceof Error)) return { name: typeof error, code: undefined, message: undefined, at: [] };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const frames = error.stack?.split('\n').filter(line => line.startsWith('    at ')) ?? [];
  return {
    name: error.name,
    code,
    message: error.message.includes('@') ? undefined : error.message,
    at: frames.slice(0, 4).map(line => line.trim()),
  };
}

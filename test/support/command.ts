/** The built command line, run as a process of its own. */
import { execFile } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `npm test` builds it before it runs any test. */
export const MAIN = resolve(dirname(fileURLToPath(import.meta.url)), '../../dist/main.js');

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What stdout holds, parsed. */
  json<T = unknown>(): T;
}

export interface Surroundings {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on its standard input. */
  readonly input?: string | Buffer;
  /** Of node, such as --max-old-space-size. */
  readonly node?: readonly string[];
}

/** Runs one command to its end, with nothing of the caller's settings. */
export function postern(args: readonly string[], { cwd, env = {}, input, node = [] }: Surroundings): Promise<Answer> {
  return new Promise(done => {
    const child = execFile(
      process.execPath,
      [...node, MAIN, ...args],
      { env: environment(env), cwd, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code ?? -1);
        done({ code, stdout, stderr, json: () => JSON.parse(stdout) });
      },
    );
    // Whoever fails before reading it all closes the pipe.
    child.stdin?.on('error', () => undefined).end(input ?? '');
  });
}

/** The settings of whoever runs the tests are not the test's. */
export function environment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('POSTERN_'))), ...env };
}

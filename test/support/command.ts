/** The built command line, run as a process of its own. */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `npm test` builds it before it runs any test. */
export const MAIN = resolve(dirname(fileURLToPath(import.meta.url)), '../../dist/main.js');

const CHILD = fileURLToPath(new URL('./shell-child.mjs', import.meta.url));

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

export interface Shell {
  /** Runs one command to its end; one at a time. */
  run(args: readonly string[], surroundings: Pick<Surroundings, 'cwd' | 'env'>): Promise<Answer>;
}

/**
 * The built command line in one process that runs many commands: a command alone takes most of its time to start. What a process of
 * its own does (exit code, standard input, a closed pipe) is seen with `postern`.
 */
export function startShell(t: { teardown(done: () => void): unknown }): Shell {
  const child = fork(CHILD, { env: environment({}), stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] });
  const ended = once(child, 'exit').then(([code, signal]) => Promise.reject(new Error(`the shell ended with ${code ?? signal}`)));
  ended.catch(() => undefined);
  t.teardown(() => void child.kill());
  return {
    async run(args, { cwd, env = {} }) {
      const answer = new Promise<Omit<Answer, 'json'>>(resolve => child.once('message', message => resolve(message as Answer)));
      child.send({ args, cwd, env });
      const answered = await Promise.race([answer, ended]);
      return { ...answered, json: () => JSON.parse(answered.stdout) };
    },
  };
}

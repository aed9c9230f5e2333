/** A Postern of the test's own: a fresh folder with its config, the real command line on it, and the real gate as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { type Answer, environment, MAIN, postern } from './command.ts';

export type { Answer } from './command.ts';

export interface RunningGate {
  /** Submission ports, in the order of `submission.listen`. */
  readonly ports: readonly number[];
  readonly port: number;
  /** Where mail that comes back is taken; 0 where nothing is. */
  readonly inboundPort: number;
  /** Of the admin API. */
  readonly adminPort: number;
  readonly child: ChildProcess;
  /** Everything it logged so far. */
  log(): string;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export interface Site {
  readonly dir: string;
  readonly configFile: string;
  /** Runs one command to its end; `--config` is added. */
  cli(...args: readonly string[]): Promise<Answer>;
  /** The same with more of the environment, or other. */
  cliWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Answer>;
  serve(env?: Readonly<Record<string, string>>): Promise<RunningGate>;
  /** Client `acme` (from acme.example, policy https://www.acme.example/privacy), and user `acme`: its password. */
  addAcme(...more: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** A fresh site. `settings` are laid over a config that listens on free ports. */
export function newSite(settings: Readonly<Record<string, unknown>> = {}): Site {
  const dir = mkdtempSync(join(tmpdir(), 'postern-site-'));
  const configFile = join(dir, 'postern.yaml');
  const { submission, inbound, admin, ...rest } = settings;
  writeFileSync(
    configFile,
    stringify({
      submission: { listen: '127.0.0.1:0', hostname: 'gate.example', ...(submission as object | undefined) },
      inbound: { listen: '127.0.0.1:0', ...(inbound as object | undefined) },
      admin: { listen: '127.0.0.1:0', ...(admin as object | undefined) },
      ...rest,
    }),
  );
  const gates: RunningGate[] = [];
  const cliWith: Site['cliWith'] = (env, ...args) => postern([...args, '--config', configFile], { cwd: dir, env });
  return {
    dir,
    configFile,
    cli: (...args) => cliWith({}, ...args),
    cliWith,
    async serve(env = {}) {
      const child = spawn(process.execPath, [MAIN, 'serve', '--json', '--config', configFile], { env: environment(env), cwd: dir });
      const gate = await running(child);
      gates.push(gate);
      return gate;
    },
    async addAcme(...more) {
      const client = ['client', 'add', 'acme', '--name', 'Acme', '--privacy-url', 'https://www.acme.example/privacy'];
      mustAnswer(await cliWith({}, ...client, '--from-domain', 'acme.example', ...more));
      const added = mustAnswer(await cliWith({}, 'credential', 'add', 'acme', 'acme', '--json'));
      return added.json<{ password: string }>().password;
    },
    async close() {
      for (const gate of gates) await gate.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Fails with what the command said unless its exit code is 0. */
export function mustAnswer(answer: Answer): Answer {
  if (answer.code !== 0) throw new Error(`exit code ${answer.code}: ${answer.stderr}`);
  return answer;
}

/** The gate says on stdout where it listens, once it does. */
async function running(child: ChildProcess): Promise<RunningGate> {
  let log = '';
  child.stderr?.on('data', chunk => {
    log += chunk;
  });
  const exited = once(child, 'exit');
  // Only then all that it said is read.
  const ended = once(child, 'close');
  const ready = (async () => {
    if (child.stdout === null) throw new Error('no stdout');
    for await (const line of createInterface({ input: child.stdout })) {
      return JSON.parse(line) as Record<'listening' | 'inbound' | 'admin', { port: number }[]>;
    }
    const [code] = await ended;
    throw new Error(`postern serve ended with ${code}: ${log}`);
  })();
  const { listening, inbound, admin } = await ready;
  child.stdout?.resume();
  const ports = listening.map(({ port }) => port);
  return {
    ports,
    port: ports[0] ?? 0,
    inboundPort: inbound[0]?.port ?? 0,
    adminPort: admin[0]?.port ?? 0,
    child,
    log: () => log,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
    async kill() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

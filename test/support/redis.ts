/** A real redis-server of a test's own: private port, private folder, killed, frozen and restarted at will. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './ports.ts';

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** Where its AOF is. */
  readonly folder: string;
  /** SIGKILL: whatever was not on disk is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay, answers stop. */
  freeze(): void;
  thaw(): void;
  /** False: it goes on answering, and refuses every write. */
  takeWrites(yes: boolean): Promise<void>;
  /** Kills it if it runs, and starts it on the same port and folder, with other arguments if given. */
  restart(args?: readonly string[]): Promise<void>;
  /** Restarts it with an empty folder. */
  empty(): Promise<void>;
  /** Kills it, keeps a copy of what it had written, and restarts it. */
  keepCopy(): Promise<void>;
  /** Kills it, and restarts it on the copy kept: everything since is forgotten. */
  restoreCopy(): Promise<void>;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
}

/** The reason to skip a test with, or false where redis-server is installed. */
export const noRedis: false | string = spawnSync('redis-server', ['--version']).status === 0 ? false : 'redis-server is not installed';

const DURABLE = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction'];
const START_MS = 10_000;

/** Starts a Redis with AOF and noeviction, unless `args` (added last) say otherwise; with `t`, stops it at the end of the test. */
export async function startRedis(
  t?: { teardown(done: () => Promise<void>): unknown },
  options: { readonly args?: readonly string[] } = {},
): Promise<TestRedis> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'postern-redis-'));
  let server = await start(port, folder, options.args ?? []);

  const aof = join(folder, 'appendonlydir');
  const wipe = async () => {
    await redis.kill();
    await rm(aof, { recursive: true, force: true });
    await rm(join(folder, 'dump.rdb'), { force: true });
  };

  const redis: TestRedis = {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    async kill() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const exit = once(server, 'exit');
      server.kill('SIGKILL');
      await exit;
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    async takeWrites(yes) {
      const admin = new Redis({ port, host: '127.0.0.1', protocol: 2 });
      await admin.config('SET', 'min-replicas-to-write', yes ? 0 : 1);
      admin.disconnect();
    },
    async restart(args = options.args ?? []) {
      await redis.kill();
      server = await start(port, folder, args);
    },
    async empty() {
      await wipe();
      await redis.restart();
    },
    async keepCopy() {
      await redis.kill();
      await cp(aof, join(folder, 'copy'), { recursive: true });
      await redis.restart();
    },
    async restoreCopy() {
      await wipe();
      await cp(join(folder, 'copy'), aof, { recursive: true });
      await redis.restart();
    },
    async stop() {
      await redis.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  t?.teardown(() => redis.stop());
  return redis;
}

async function start(port: number, folder: string, args: readonly string[]): Promise<ChildProcess> {
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--daemonize', 'no'];
  const server = spawn('redis-server', [...fixed, ...DURABLE, ...args], { stdio: 'ignore' });
  const probe = new Redis({ port, host: '127.0.0.1', protocol: 2, retryStrategy: () => 20, maxRetriesPerRequest: null });
  probe.on('error', () => undefined); // refused until it listens
  try {
    await Promise.race([
      probe.ping(),
      sleep(START_MS, undefined, { ref: false }).then(() => Promise.reject(new Error('redis-server did not start'))),
    ]);
  } catch (error) {
    server.kill('SIGKILL');
    throw error;
  } finally {
    probe.disconnect();
  }
  return server;
}

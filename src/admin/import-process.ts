/** Runs one import in a process of its own, so that reading and sealing millions of rows keeps nobody waiting at the gate. */
import { fork } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { constants, setPriority, tmpdir } from 'node:os';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { HashAlgorithm } from '../keys/digest.ts';
import type { ImportReport } from '../lists/import.ts';
import type { Reason, Scope } from '../lists/standing.ts';

/** What is to be imported, and how. */
export interface ImportOrder {
  readonly scope: Scope;
  readonly hash?: HashAlgorithm;
  readonly reason?: Reason;
  /** A client's own account sends it. */
  readonly platform: boolean;
  readonly dryRun: boolean;
  readonly strict: boolean;
}

/** What the process is told. `complete`: the file ended where its sender ended it, so it may go in. */
export type ToProcess = { readonly order: ImportOrder; readonly file: string | undefined; readonly cwd: string } | 'complete' | 'cancel';

export interface Merging {
  readonly done: number;
  readonly total: number;
  readonly added: number;
  readonly existing: number;
}

/** What the process tells. */
export type FromProcess = { readonly merging: Merging } | { readonly report: ImportReport } | { readonly failed: string };

export interface RunningImport {
  /** Hands the file over, to its end. False: it was cut off, and nothing of it goes in. */
  read(file: Readable): Promise<boolean>;
  /** What is being written still goes in. */
  cancel(): void;
  /** Ends it at once. */
  kill(): void;
  /** What came of it; a text where it failed, or undefined where it was killed. Never rejects. */
  readonly done: Promise<ImportReport | string | undefined>;
}

/** Starts an import; `told` hears how far it is. */
export type Importer = (order: ImportOrder, told: (merging: Merging) => void) => RunningImport;

/** How this gate was started: an import must open the same house. */
export interface ProcessOptions {
  readonly file?: string | undefined;
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** Octets, and the share of a smaller disk, that imports leave to others where they put aside what memory does not hold. */
const ROOM = { octets: 512 * 1024 * 1024, share: 0.1 };

/** Whether the disk of temporary files has room for more. One that cannot be asked shows it when it is written to. */
export async function hasSpoolRoom(): Promise<boolean> {
  const disk = await statfs(tmpdir()).catch(() => undefined);
  return disk === undefined || isRoomy(disk);
}

/** `bavail` of `blocks` are free, each of `bsize` octets. */
export function isRoomy({ bavail, blocks, bsize }: { readonly bavail: number; readonly blocks: number; readonly bsize: number }): boolean {
  return bavail * bsize >= Math.min(ROOM.octets, blocks * bsize * ROOM.share);
}

/** Young objects are all that an import makes; with the default of 16 MB it spends a fifth of its time on collecting them. */
const YOUNG_MB = 64;

export function processImporter({ file, cwd = process.cwd(), env = process.env }: ProcessOptions): Importer {
  // TypeScript where this file is, JavaScript where it was built.
  const path = fileURLToPath(new URL(`../import-main${extname(import.meta.url)}`, import.meta.url));
  return (order, told) => {
    const child = fork(path, {
      env: { ...env },
      execArgv: [...process.execArgv, `--max-semi-space-size=${YOUNG_MB}`],
      stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
    });
    // The gate goes first. Said from here, before there is any other thread of it: on Linux those take after the one that makes them.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    const send = (message: ToProcess): void => void (child.connected && child.send(message, () => undefined));
    const done = new Promise<ImportReport | string | undefined>(resolve => {
      child.on('message', (message: FromProcess) => {
        if ('merging' in message) told(message.merging);
        else resolve('report' in message ? message.report : message.failed);
      });
      child.once('error', () => resolve('the process of the import cannot be started'));
      child.once('close', () => resolve(undefined));
    });
    send({ order, file, cwd });
    return {
      done,
      async read(upload) {
        try {
          await pipeline(upload, child.stdin as NonNullable<typeof child.stdin>);
          send('complete');
          return true;
        } catch {
          child.kill('SIGKILL');
          return false;
        }
      },
      cancel: () => send('cancel'),
      kill: () => void child.kill('SIGKILL'),
    };
  };
}

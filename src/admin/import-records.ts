/** Import jobs as they are kept: what was asked for, how far it is, what came of it, and the bad rows by their lines. */
import { randomBytes } from 'node:crypto';
import type { CampaignId } from '../ids.ts';
import type { HashAlgorithm } from '../keys/digest.ts';
import type { Vault } from '../keys/vault.ts';
import type { RowError } from '../lists/import.ts';
import type { Reason, Scope } from '../lists/standing.ts';
import { type Change, isEntryKey, type RecordKey, type Store } from '../store/store.ts';

/**
 * `receiving` the file; `importing` what it holds; then `finished`, or `refused` (strict, and a row is bad: nothing went in), `cancelled` or
 * `failed` (what the counts say went in stays), or `interrupted`: whoever ran it is gone, or the upload was cut off.
 */
export const JOB_STATES = ['receiving', 'importing', 'finished', 'refused', 'cancelled', 'failed', 'interrupted'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Whose lists an import goes into. */
export type Owner = Scope['owner'];

export interface ImportJob {
  readonly id: string;
  readonly state: JobState;
  readonly list: 'exclusion' | 'suppression';
  readonly campaign?: CampaignId;
  readonly hash?: HashAlgorithm;
  readonly reason?: Reason;
  readonly dryRun: boolean;
  readonly strict: boolean;
  /** Account. */
  readonly by: string;
  /** Whether that is an account of the client's own; absent in old records: nobody knows. */
  readonly own?: boolean;
  /** Milliseconds since 1970 UTC. */
  readonly createdAt: number;
  readonly endedAt?: number;
  /** When it was last known to run. */
  readonly seenAt: number;
  /** Of the file, received so far. */
  readonly octets: number;
  readonly read: number;
  readonly added: number;
  readonly existing: number;
  readonly invalid: number;
  /** Rows to put in, and how many of them are done. */
  readonly merged: { readonly done: number; readonly total: number };
  /** Bad rows of which line and problem are kept. */
  readonly errors: number;
  /** Why it failed, or was interrupted. */
  readonly problem?: string;
}

export const isOver = ({ state }: Pick<ImportJob, 'state'>): boolean => state !== 'receiving' && state !== 'importing';

const JOBS = 'imports';
const ERRORS = 'import-errors';
/** Bad rows in one record. */
const CHUNK = 500;
/** Records of one apply. */
const TOGETHER = 50;

export class ImportRecords {
  readonly #store: Store;
  readonly #vault: Vault;

  constructor({ store, vault }: { readonly store: Store; readonly vault: Vault }) {
    this.#store = store;
    this.#vault = vault;
  }

  /** Sorted by time. */
  newId(now: number): string {
    return now.toString(16).padStart(12, '0') + randomBytes(4).toString('hex');
  }

  async save(owner: Owner, job: ImportJob): Promise<void> {
    await this.#store.apply([await this.#change(jobKey(owner, job.id), job)]);
  }

  async find(owner: Owner, id: string): Promise<ImportJob | undefined> {
    const key = jobKey(owner, id);
    const [value] = await this.#store.find([key]);
    return value === undefined ? undefined : this.#open<ImportJob>(key, value);
  }

  /** Newest first, those before `before`. */
  async list(owner: Owner, limit: number, before?: string): Promise<readonly ImportJob[]> {
    const jobs: ImportJob[] = [];
    const to = before === undefined ? {} : { to: before };
    for await (const [key, value] of this.#store.scan({ owner, log: JOBS, ...to, reverse: true })) {
      if (jobs.length >= limit) break;
      const job = isEntryKey(key) ? undefined : await this.#open<ImportJob>(key, value);
      if (job !== undefined) jobs.push(job);
    }
    return jobs;
  }

  async saveErrors(owner: Owner, id: string, errors: readonly RowError[]): Promise<void> {
    let changes: Change[] = [];
    for (let at = 0; at < errors.length; at += CHUNK) {
      changes.push(await this.#change(errorsKey(owner, id, at / CHUNK), errors.slice(at, at + CHUNK)));
      if (changes.length >= TOGETHER) {
        await this.#store.apply(changes);
        changes = [];
      }
    }
    if (changes.length > 0) await this.#store.apply(changes);
  }

  /** `limit` of the bad rows, from the one at `from` (counted from 0) on. */
  async errors(owner: Owner, id: string, from: number, limit: number): Promise<readonly RowError[]> {
    const first = Math.floor(from / CHUNK);
    const keys = Array.from({ length: Math.floor((from + limit - 1) / CHUNK) - first + 1 }, (_, i) => errorsKey(owner, id, first + i));
    const values = await this.#store.find(keys);
    const chunks = await Promise.all(
      values.map(async (value, i) => (value === undefined ? [] : ((await this.#open<RowError[]>(keys[i] as RecordKey, value)) ?? []))),
    );
    return chunks.flat().slice(from - first * CHUNK, from - first * CHUNK + limit);
  }

  async #change(key: RecordKey, said: unknown): Promise<Change> {
    const sealer = await this.#vault.sealer(key.owner);
    if (sealer === undefined) throw new Error(`${key.owner} has no data key in the vault; restore the vault`);
    return { key, value: sealer.seal(JSON.stringify(said), aadOf(key)) };
  }

  async #open<T>(key: RecordKey, value: Buffer): Promise<T | undefined> {
    const plain = (await this.#vault.sealer(key.owner))?.open(value, aadOf(key));
    return plain === undefined ? undefined : (JSON.parse(plain.toString()) as T);
  }
}

function jobKey(owner: Owner, id: string): RecordKey {
  return { owner, log: JOBS, id };
}

function errorsKey(owner: Owner, id: string, chunk: number): RecordKey {
  return { owner, log: ERRORS, id: `${id}-${String(chunk).padStart(4, '0')}` };
}

function aadOf({ owner, log, id }: RecordKey): string {
  return `${owner}/${log}/${id}`;
}

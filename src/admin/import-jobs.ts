/** Import jobs: one running for each client, and one for all of them, bounded over all, kept as they go on so that nobody has to guess what went in. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Who } from '../audit/act.ts';
import type { Audit } from '../audit/audit.ts';
import type { Outbox } from '../hooks/outbox.ts';
import type { Vault } from '../keys/vault.ts';
import type { ImportReport, RowError } from '../lists/import.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import type { Store } from '../store/store.ts';
import { type Body, BodyRefused } from './body.ts';
import type { Importer, ImportOrder, RunningImport } from './import-process.ts';
import { type ImportJob, ImportRecords, isOver, type JobState, type Owner } from './import-records.ts';

export interface ImportJobsParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly audit: Audit;
  readonly outbox: Pick<Outbox, 'tell'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly importer: Importer;
  readonly hasSpoolRoom: () => Promise<boolean>;
}

/** At once, over all clients: each takes a core. */
const MAX_RUNNING = 2;
/** How often a running job is written down, and after how long a silence whoever ran it must be gone. */
const BEAT_MS = 5_000;
const GONE_MS = 30_000;

export const NO_ROOM = 'the disk of temporary files (TMPDIR) is nearly full, and nothing went in; make room and import the file again';

interface Running {
  job: ImportJob;
  readonly process: RunningImport;
  /** The upload, from when it is read. */
  file?: Body;
  /** What it ends as, where that was decided here. */
  ends?: { readonly state: JobState; readonly problem?: string };
  over: Promise<ImportJob>;
}

export interface BegunImport {
  readonly job: ImportJob;
  /** Takes the file to its end. Resolves to the job as it is then. */
  receive(file: Body): Promise<ImportJob>;
}

/** Who begins an import. */
export interface Importing {
  readonly who: Who;
  /** An account of the client's own: others of the client may know its name. */
  readonly own: boolean;
}

/** Every method throws StoreUnavailable where the store gave no answer. */
export class ImportJobs {
  readonly #parts: ImportJobsParts;
  readonly #records: ImportRecords;
  readonly #running = new Map<Owner, Running>();
  /** Clients whose import is just being begun. */
  readonly #beginning = new Set<Owner>();

  constructor(parts: ImportJobsParts) {
    this.#parts = parts;
    this.#records = new ImportRecords(parts);
  }

  /** `busy`: one of this owner's is running. `full`: too many are, of others. `no-room`: the disk is too full to put rows aside. */
  async begin(owner: Owner, order: ImportOrder, by: Importing): Promise<BegunImport | 'busy' | 'full' | 'no-room'> {
    if (this.#running.has(owner) || this.#beginning.has(owner)) return 'busy';
    if (this.#beginning.size >= MAX_RUNNING) return 'full';
    this.#beginning.add(owner);
    try {
      if (!(await this.#parts.hasSpoolRoom())) return 'no-room';
      if (!(await this.#makePlace())) return 'full';
      const [latest] = await this.list(owner, 1);
      if (latest !== undefined && !isOver(latest)) return 'busy';
      return await this.#start(owner, order, by);
    } finally {
      this.#beginning.delete(owner);
    }
  }

  /** Whether there is a place; where there is none, an upload that is slow gives its own. */
  async #makePlace(): Promise<boolean> {
    while (this.#running.size + this.#beginning.size > MAX_RUNNING) {
      const slow = [...this.#running.values()].find(({ job, file }) => job.state === 'receiving' && file?.isSlow === true);
      if (slow === undefined) return false;
      slow.file?.refuse('too-slow', 'others wait, and so slow an upload gives its place to them; send the file faster');
      await slow.over.catch(() => undefined);
    }
    return true;
  }

  async find(owner: Owner, id: string): Promise<ImportJob | undefined> {
    const running = this.#running.get(owner);
    if (running?.job.id === id) return running.job;
    const job = await this.#records.find(owner, id);
    return job && this.#asItIs(job);
  }

  /** Newest first, those before the job `before`. */
  async list(owner: Owner, limit: number, before?: string): Promise<readonly ImportJob[]> {
    const running = this.#running.get(owner)?.job;
    return (await this.#records.list(owner, limit, before)).map(job => (job.id === running?.id ? running : this.#asItIs(job)));
  }

  errors(owner: Owner, id: string, from: number, limit: number): Promise<readonly RowError[]> {
    return this.#records.errors(owner, id, from, limit);
  }

  /**
   * Ends a job; resolves to it when it is over. What is in stays in. `writing`: a strict import has its file, so
   * all of it goes in or nothing, and it is not stopped in between. `elsewhere`: another gate runs it.
   */
  async cancel(owner: Owner, id: string): Promise<ImportJob | 'absent' | 'writing' | 'elsewhere'> {
    const running = this.#running.get(owner);
    if (running?.job.id !== id) {
      const job = await this.find(owner, id);
      if (job === undefined) return 'absent';
      return isOver(job) ? job : 'elsewhere';
    }
    const { state, strict, dryRun } = running.job;
    if (state === 'importing' && strict && !dryRun) return 'writing';
    if (state === 'receiving') this.#cutOff(running, 'cancelled');
    else {
      running.ends = { state: 'cancelled' };
      running.process.cancel();
    }
    return running.over;
  }

  /** Ends what runs, as interrupted: it can be repeated. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#running.values()].map(running => {
        running.ends ??= { state: 'interrupted', problem: 'the gate was stopped; import the file again' };
        if (running.job.state === 'receiving') running.process.kill();
        else running.process.cancel();
        return running.over.catch(() => undefined);
      }),
    );
  }

  async #start(owner: Owner, order: ImportOrder, { who, own }: Importing): Promise<BegunImport> {
    const { clock, audit, importer } = this.#parts;
    const { scope, hash, reason, dryRun, strict } = order;
    const now = clock.now();
    const job: ImportJob = {
      id: this.#records.newId(now),
      state: 'receiving',
      list: hash === undefined ? 'exclusion' : 'suppression',
      ...(scope.campaign === undefined ? {} : { campaign: scope.campaign }),
      ...(hash === undefined ? {} : { hash }),
      ...(reason === undefined ? {} : { reason }),
      dryRun,
      strict,
      by: who.by,
      own,
      createdAt: now,
      seenAt: now,
      octets: 0,
      read: 0,
      added: 0,
      existing: 0,
      invalid: 0,
      merged: { done: 0, total: 0 },
      errors: 0,
    };
    const about = { job: job.id, list: job.list, ...(job.campaign === undefined ? {} : { campaign: job.campaign }), dryRun };
    await audit.record(owner, { ...who, what: 'import.start', about });
    await this.#records.save(owner, job);
    const process = importer(order, ({ done, total, added, existing }) => {
      running.job = { ...running.job, state: 'importing', added, existing, merged: { done, total } };
    });
    const running: Running = { job, process, over: Promise.resolve(job) };
    this.#running.set(owner, running);
    const settled = new AbortController();
    const beating = this.#beat(owner, running, settled.signal);
    running.over = process.done.then(async report => {
      // A beat that was on its way would be written over the end, and the import seem to run for ever.
      settled.abort();
      await beating;
      return this.#end(owner, running, report, who);
    });
    running.over.catch(error => this.#parts.log.error({ err: error, job: job.id }, 'the end of an import could not be written down'));
    return { job, receive: file => this.#receive(running, file) };
  }

  async #receive(running: Running, file: Body): Promise<ImportJob> {
    running.file = file;
    file.on('data', (chunk: Buffer) => {
      running.job = { ...running.job, octets: running.job.octets + chunk.length, seenAt: this.#parts.clock.now() };
    });
    if (await running.process.read(file)) {
      running.job = { ...running.job, state: 'importing' };
      return running.job;
    }
    const { errored } = file;
    const why = errored instanceof BodyRefused && errored.kind !== 'bad-request' ? `${errored.message}: ` : '';
    running.ends ??= { state: 'interrupted', problem: `${why}the upload was cut off, and nothing of it went in; import the file again` };
    return running.over;
  }

  #cutOff(running: Running, state: JobState, problem?: string): void {
    running.ends = { state, ...(problem === undefined ? {} : { problem }) };
    running.process.kill();
  }

  /** Writes down how far it is, so that another process can tell whether it runs; and leaves room on the disk. */
  async #beat(owner: Owner, running: Running, signal: AbortSignal): Promise<void> {
    const { clock, log, hasSpoolRoom } = this.#parts;
    for (;;) {
      await sleep(BEAT_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      if (running.job.state === 'receiving' && !(await hasSpoolRoom())) this.#cutOff(running, 'failed', NO_ROOM);
      running.job = { ...running.job, seenAt: clock.now() };
      await this.#records
        .save(owner, running.job)
        .catch(error => log.warn({ err: error }, 'how far an import is could not be written down'));
    }
  }

  async #end(owner: Owner, running: Running, report: ImportReport | string | undefined, who: Who): Promise<ImportJob> {
    const { clock, audit, outbox } = this.#parts;
    try {
      const counts = typeof report === 'object' ? countsOf(report) : {};
      const ended = {
        ...running.job,
        ...counts,
        ...this.#outcome(running, report),
        endedAt: clock.now(),
        seenAt: clock.now(),
      };
      if (typeof report === 'object') await this.#records.saveErrors(owner, ended.id, report.errors);
      await this.#records.save(owner, ended);
      const { id, campaign, dryRun, state, read, added, existing, invalid } = ended;
      const rehearsed = dryRun ? { dryRun } : {};
      await audit.record(owner, { ...who, what: 'import.end', about: { job: id, ...rehearsed, state, read, added, existing, invalid } });
      const data = { campaign, ref: id, state, counts: { read, added, existing, invalid } };
      // Whoever is told of an import takes its rows to be listed.
      if (!dryRun) await outbox.tell(owner, [{ type: 'import.finished', data }]);
      running.job = ended;
      return ended;
    } finally {
      this.#running.delete(owner);
    }
  }

  #outcome({ job, ends }: Running, report: ImportReport | string | undefined): Pick<ImportJob, 'state' | 'problem'> {
    if (typeof report === 'string') return { state: 'failed', problem: report };
    if (report === undefined) return ends ?? { state: 'interrupted', problem: 'its process ended early; import the file again' };
    if (report.cancelled === true) return ends ?? { state: 'interrupted', problem: 'its process was told to end; import the file again' };
    return { state: job.strict && !job.dryRun && report.invalid > 0 ? 'refused' : 'finished' };
  }

  /** A job that nobody has written of for long is run by nobody. */
  #asItIs(job: ImportJob): ImportJob {
    if (isOver(job) || this.#parts.clock.now() - job.seenAt < GONE_MS) return job;
    return { ...job, state: 'interrupted', problem: 'the gate that ran it is gone; import the file again' };
  }
}

function countsOf({
  read,
  added,
  existing,
  invalid,
  errors,
}: ImportReport): Pick<ImportJob, 'read' | 'added' | 'existing' | 'invalid' | 'errors'> {
  return { read, added, existing, invalid, errors: errors.length };
}

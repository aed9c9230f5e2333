/** Replies that land in somebody's IMAP mailbox: every configured mailbox is read, and nothing in it changed but a keyword. */
import type { ImapFlow } from 'imapflow';
import { type ClientId, clientId } from '../ids.ts';
import { ALARM_MS, mailboxSource, type Pending, SILENT_MS, waitingSince } from '../journal/pending.ts';
import type { Digests } from '../keys/digest.ts';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { hostAndPort } from '../ops/server-url.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { mailboxConnection } from './mailbox-connection.ts';
import { type FolderParts, LeaseLost, readFolder } from './mailbox-folder.ts';
import { baseForms } from './mailbox-mail.ts';
import { FolderStates, Lease } from './mailbox-state.ts';
import { type MailboxTarget, parseMailboxUrl } from './mailbox-url.ts';
import type { InboundOptions } from './options.ts';
import type { Processor } from './processor.ts';

type MailboxOptions = InboundOptions['mailboxes'][number];

/** Times in milliseconds. */
export interface MailboxTimings {
  /** For a connection, and for its greeting. */
  readonly connectMs: number;
  /** For an answer. */
  readonly answerMs: number;
  /** From a failure to the next attempt; twice that after the next, and so on. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
}

const TIMINGS: MailboxTimings = { connectMs: 20_000, answerMs: 60_000, retryMs: 5_000, longestRetryMs: 300_000 };
/** A connection may fail now and then; so many times in a row, somebody must look. */
const ALARM_AFTER = 3;

export interface MailboxesParts {
  readonly mailboxes: readonly MailboxOptions[];
  /** The longest message that is read whole. */
  readonly maxMessageBytes: number;
  readonly processor: Processor;
  readonly pending: Pending;
  readonly store: Store;
  readonly digests: Digests;
  readonly clock: Clock;
  readonly log: Logger;
  /** A client's reply addresses: mail from one of them in its mailbox is its own. */
  replyAddresses(client: ClientId): Promise<readonly string[]>;
  readonly timings?: Partial<MailboxTimings>;
}

/**
 * Reads the mailboxes until it is stopped. Of several processes with the same mailboxes one reads each. What a message asks for is durable
 * before it is marked; what cannot be read or processed is tried again and counts as pending (A17).
 */
export function startMailboxes(parts: MailboxesParts): { stop(): Promise<void> } {
  const readers = parts.mailboxes.map(options => new MailboxReader(options, parts));
  const running = readers.map(reader => reader.run());
  const sweep = (): void =>
    void forgetOthers(parts).catch(error => parts.log.warn({ err: error }, 'what waits of mailboxes that are gone could not be looked at'));
  sweep();
  const timer = setInterval(sweep, SILENT_MS);
  return {
    async stop() {
      clearInterval(timer);
      for (const reader of readers) reader.stop();
      await Promise.all(running);
    },
  };
}

/** A mailbox that was taken out of the configuration keeps nobody waiting. */
async function forgetOthers({ pending, mailboxes, clock, log }: MailboxesParts): Promise<void> {
  const configured = new Set(mailboxes.map(({ name }) => mailboxSource(name)));
  const silent = (await pending.read()).filter(({ source, notedAt }) => {
    return source.startsWith(mailboxSource('')) && !configured.has(source) && clock.now() - notedAt >= SILENT_MS;
  });
  for (const { source } of silent) log.warn({ source }, 'mailbox: is not configured any more and counts no more as pending');
  await pending.forget(silent.map(({ source }) => source));
}

type Alarm = 'mailbox-unreadable' | 'pending-12h';

class MailboxReader {
  readonly #options: MailboxOptions;
  readonly #parts: MailboxesParts;
  readonly #target: MailboxTarget;
  readonly #timings: MailboxTimings;
  readonly #states: FolderStates;
  readonly #lease: Lease;
  readonly #stop = new AbortController();
  readonly #alarmed = new Set<Alarm>();
  #connection: ImapFlow | undefined;
  #wake: (() => void) | undefined;
  /** Something arrived since the last round began. */
  #more = false;
  /** Rounds that failed in a row, and what they failed of. */
  #failures = 0;
  /** When all folders were last read through, by this process or the one before it; ms. */
  #lastRead: number | undefined;
  #oldestAt: number | undefined;

  constructor(options: MailboxOptions, parts: MailboxesParts) {
    const target = parseMailboxUrl(options.url);
    if ('problem' in target) throw new RangeError(`inbound.mailboxes.${options.name}.url: ${target.problem}`);
    this.#options = options;
    this.#parts = parts;
    this.#target = target;
    this.#timings = { ...TIMINGS, ...parts.timings };
    this.#states = new FolderStates(parts);
    // Renewed at every round and before every message, so a process that is silent for so long is dead or cut off.
    this.#lease = new Lease(parts, options.name, 2 * this.#pollMs + this.#timings.answerMs);
  }

  /** Resolves when it is stopped. Never rejects. */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) await this.#rest(await this.#round());
    this.#hangUp();
    // The next process need not wait until it runs out.
    await this.#lease.release().catch(() => undefined);
  }

  stop(): void {
    this.#stop.abort();
    this.#hangUp();
    this.#wake?.();
  }

  get #pollMs(): number {
    return this.#options.pollSeconds * 1_000;
  }

  /** How long to rest after it. */
  async #round(): Promise<number> {
    this.#more = false;
    try {
      await this.#keepLease();
      this.#lastRead ??= await this.#formerlyRead();
      await this.#readFolders();
      if (this.#stop.signal.aborted) return 0;
      this.#failures = 0;
      this.#lastRead = this.#parts.clock.now();
      await this.#note(undefined);
      this.#judge(undefined);
      return this.#pollMs;
    } catch (error) {
      this.#hangUpUnlessUsable();
      if (this.#stop.signal.aborted) return 0;
      if (error instanceof LeaseLost) {
        this.#hangUp();
        this.#lastRead = undefined;
        return this.#pollMs;
      }
      return this.#failed(error);
    }
  }

  async #failed(error: unknown): Promise<number> {
    const { clock, log } = this.#parts;
    const { retryMs, longestRetryMs } = this.#timings;
    const wait = Math.min(retryMs * 2 ** this.#failures, longestRetryMs);
    this.#failures += 1;
    const reason = this.#reasonOf(error);
    log.warn({ ...this.#named(), reason, attempts: this.#failures }, 'mailbox: could not be read to the end; tried again');
    this.#lastRead ??= clock.now();
    this.#judge(error instanceof StoreUnavailable ? undefined : reason);
    // With the store away nobody can be told; the log was.
    await this.#note(this.#lastRead).catch(() => undefined);
    return wait;
  }

  /** Ends where the first folder is, because that is the one the server then tells about (IDLE). @throws the last folder's trouble, once all were tried */
  async #readFolders(): Promise<void> {
    const { folders, name, sinceDays } = this.#options;
    const client = await this.#connected();
    const owner = this.#options.client === undefined ? undefined : clientId(this.#options.client);
    const replyAddresses = owner === undefined ? [] : await this.#parts.replyAddresses(owner);
    const own = new Set(baseForms([this.#target.user, ...this.#options.addresses, ...replyAddresses]));
    const { host, user } = this.#target;
    let oldest: number | undefined;
    let trouble: unknown;
    for (const folder of [...folders.slice(1), ...folders.slice(0, 1)]) {
      const parts: FolderParts = {
        ...this.#parts,
        name: { mailbox: name, host, user, folder },
        lying: { mailbox: name, client: owner, own },
        sinceDays,
        states: this.#states,
        signal: this.#stop.signal,
        keepLease: () => this.#keepLease(),
        waiting: async at => {
          this.#oldestAt = Math.min(at, oldest ?? at);
          await this.#note(this.#failures > 0 ? this.#lastRead : undefined);
        },
      };
      try {
        const open = await readFolder(client, parts);
        if (open !== undefined) oldest = Math.min(open, oldest ?? open);
      } catch (error) {
        // One folder that is not there must not keep the others from being read.
        if (!client.usable || error instanceof StoreUnavailable || error instanceof LeaseLost) throw error;
        trouble = error;
      }
    }
    this.#oldestAt = oldest;
    if (trouble !== undefined) throw trouble;
  }

  async #connected(): Promise<ImapFlow> {
    if (this.#connection?.usable) return this.#connection;
    this.#hangUp();
    const { connectMs, answerMs } = this.#timings;
    const client = await mailboxConnection(this.#target, { connectMs, answerMs, octets: this.#parts.maxMessageBytes + 1_048_576 });
    this.#connection = client;
    client.on('exists', ({ count, prevCount }) => {
      if (count <= prevCount) return;
      this.#more = true;
      this.#wake?.();
    });
    // Stopped while the files of its URL were read.
    if (this.#stop.signal.aborted) client.close();
    await client.connect();
    return client;
  }

  #hangUp(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #hangUpUnlessUsable(): void {
    if (this.#connection?.usable !== true) this.#hangUp();
  }

  async #keepLease(): Promise<void> {
    if (!(await this.#lease.take())) throw new LeaseLost('another process reads this mailbox');
  }

  /** When any process last read it: an incident that began before this one started did not begin anew. */
  async #formerlyRead(): Promise<number> {
    const source = mailboxSource(this.#options.name);
    const former = (await this.#parts.pending.read()).find(candidate => candidate.source === source);
    return former?.unreadableSince ?? former?.notedAt ?? this.#parts.clock.now();
  }

  async #note(unreadableSince: number | undefined): Promise<void> {
    await this.#parts.pending.note(mailboxSource(this.#options.name), { oldestAt: this.#oldestAt, unreadableSince });
  }

  /** Raises each alarm once an incident. `unreadable`: why, where the mailbox is to blame. */
  #judge(unreadable: string | undefined): void {
    const since = waitingSince({ oldestAt: this.#oldestAt, unreadableSince: this.#failures > 0 ? this.#lastRead : undefined });
    const late = since !== undefined && this.#parts.clock.now() - since >= ALARM_MS;
    this.#tell('pending-12h', late, { since: since === undefined ? undefined : new Date(since).toISOString() });
    if (this.#failures === 0) this.#tell('mailbox-unreadable', false, {});
    else if (unreadable !== undefined && this.#failures >= ALARM_AFTER) this.#tell('mailbox-unreadable', true, { reason: unreadable });
  }

  #tell(alarm: Alarm, holds: boolean, detail: object): void {
    const { log } = this.#parts;
    if (holds && !this.#alarmed.has(alarm)) {
      this.#alarmed.add(alarm);
      log.error(
        { alarm, ...this.#named(), ...detail },
        alarm === 'pending-12h' ? 'mailbox: mail waits for half a day' : 'mailbox: cannot be read',
      );
    } else if (!holds && this.#alarmed.delete(alarm)) {
      log.info({ over: alarm, ...this.#named() }, 'mailbox: well again');
    }
  }

  #named(): { readonly mailbox: string; readonly server: string } {
    return { mailbox: this.#options.name, server: hostAndPort(this.#target) };
  }

  /** For the log: what the server or the system said, and never the password, whoever repeats it. */
  #reasonOf(error: unknown): string {
    const { message, code, responseText } = error as { message?: string; code?: string; responseText?: string };
    const said = [message, code, responseText].filter(text => text !== undefined && text !== '');
    const text = [...new Set(said)].join(': ');
    return this.#target.password === undefined ? text : text.replaceAll(this.#target.password, '***');
  }

  /** Until so much time has passed, something arrives, or it is stopped. */
  async #rest(ms: number): Promise<void> {
    if (this.#more || this.#stop.signal.aborted) return;
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** One pass over a folder: what arrived since the last one is fetched, processed and then marked, in the order of its arrival. */
import type { FetchMessageObject, ImapFlow, MailboxObject, SearchObject } from 'imapflow';
import type { Clock } from '../ops/clock.ts';
import type { Logger } from '../ops/log.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { arrivalOf, type Lying } from './mailbox-mail.ts';
import type { FolderName, FolderState, FolderStates } from './mailbox-state.ts';
import type { Processor } from './processor.ts';

/** What is set on a message that was processed. */
export const KEYWORD = '$PosternProcessed';
/** Of a message longer than the limit, this much is read: header, text and more. */
const BEGINNING = 1_048_576;
/** Messages asked for at once; then read one by one. */
const BATCH = 100;
/** So many that cannot be processed are more than single bad messages: nothing behind them is read until they can be. */
const MAX_OPEN = 1_000;
const DAY_MS = 24 * 3_600_000;

/** Another process reads this mailbox now. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export interface FolderParts {
  readonly name: FolderName;
  readonly lying: Pick<Lying, 'mailbox' | 'client' | 'own'>;
  readonly sinceDays: number;
  readonly maxMessageBytes: number;
  readonly states: FolderStates;
  readonly processor: Processor;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called before each message. @throws LeaseLost */
  keepLease(): Promise<void>;
  /** Told when the oldest message was received that this folder still holds, of those looked at so far. */
  waiting(oldestAt: number): Promise<void>;
}

/**
 * Reads the folder until nothing is new, or the signal says stop.
 * @returns When the oldest message was received that could not be processed (ms), or undefined where all were.
 * @throws StoreUnavailable, LeaseLost, or whatever the connection throws; what was processed until then is remembered.
 */
export async function readFolder(client: ImapFlow, parts: FolderParts): Promise<number | undefined> {
  const box = await client.mailboxOpen(parts.name.folder);
  const pass = new Pass(client, box, parts, await parts.states.read(parts.name));
  return pass.run();
}

class Pass {
  readonly #client: ImapFlow;
  readonly #parts: FolderParts;
  readonly #marks: boolean;
  /** The folder was read under another numbering. */
  readonly #renumbered: boolean;
  #state: FolderState;

  constructor(client: ImapFlow, box: MailboxObject, parts: FolderParts, known: FolderState | undefined) {
    this.#client = client;
    this.#parts = parts;
    const { permanentFlags, readOnly } = box;
    this.#marks = readOnly !== true && (permanentFlags === undefined || permanentFlags.has('\\*') || permanentFlags.has(KEYWORD));
    const uidValidity = String(box.uidValidity);
    this.#renumbered = known !== undefined && known.uidValidity !== uidValidity;
    const since = known?.since ?? parts.clock.now() - parts.sinceDays * DAY_MS;
    this.#state = known === undefined || this.#renumbered ? { uidValidity, since, through: 0, open: [] } : known;
  }

  async run(): Promise<number | undefined> {
    const { name, log, signal, states } = this.#parts;
    if (this.#renumbered) log.warn({ mailbox: name.mailbox, folder: name.folder }, 'mailbox: the folder was renumbered and is read again');
    const todo = await this.#todo();
    if (todo.length === 0) await states.write(name, this.#state);
    let oldestOpen: number | undefined;
    for (let start = 0; start < todo.length && !signal.aborted; start += BATCH) {
      const uids = todo.slice(start, start + BATCH);
      const found = await this.#client.fetchAll(uids.join(','), { uid: true, size: true, internalDate: true }, { uid: true });
      const messages = new Map(found.map(message => [message.uid, message]));
      const times = found.map(message => this.#receivedAt(message));
      if (times.length > 0) await this.#parts.waiting(Math.min(...times, oldestOpen ?? Number.POSITIVE_INFINITY));
      await this.#confirmGone(uids.filter(uid => !messages.has(uid)));
      for (const uid of uids) {
        if (signal.aborted) break;
        const message = messages.get(uid);
        const handled = message === undefined || (await this.#handle(message));
        await this.#remember(uid, handled);
        if (!handled) oldestOpen = Math.min(this.#receivedAt(message), oldestOpen ?? Number.POSITIVE_INFINITY);
        else if (message !== undefined && this.#marks) await this.#mark(uid);
      }
    }
    return oldestOpen;
  }

  /**
   * Messages that could not be had may be passed over where they were expunged meanwhile; then nobody can read them any more. A lost connection
   * looks the same to whoever fetches, so the server has to say so itself.
   * @throws where they are still there, or nobody says
   */
  async #confirmGone(uids: readonly number[]): Promise<void> {
    if (uids.length > 0 && (await this.#search({ uid: uids.join(',') })).length > 0)
      throw new Error('the server does not give a message that it has');
  }

  /** @throws where there is no answer; an empty one is the server's own. */
  async #search(query: SearchObject): Promise<readonly number[]> {
    const found = await this.#client.search(query, { uid: true });
    if (!Array.isArray(found)) throw new Error('the server does not answer a search');
    return found;
  }

  /** UIDs in the order of arrival, those first that could not be processed before. */
  async #todo(): Promise<readonly number[]> {
    const { through, since, open } = this.#state;
    // SINCE knows days only, and the server's at that (RFC 3501 §6.4.4).
    const asked = { uid: `${through + 1}:*`, since: new Date(since - DAY_MS) };
    // Under a new numbering only our mark tells what was read; a store that was lost, too, but then all shall be read again.
    const found = await this.#search(this.#renumbered && this.#marks ? { ...asked, unKeyword: KEYWORD } : asked);
    // `N:*` is never empty: with nothing from N on it is the last message (RFC 3501 §6.4.8).
    return [...open, ...found.filter(uid => uid > through).sort((a, b) => a - b)];
  }

  /** False: it could not be processed, for a reason of its own. */
  async #handle(message: FetchMessageObject): Promise<boolean> {
    const { name, lying, processor, store, log } = this.#parts;
    await this.#parts.keepLease();
    const octets = await this.#octets(message);
    if (octets === undefined) {
      await this.#confirmGone([message.uid]);
      return true;
    }
    try {
      const arrival = await arrivalOf({ ...lying, octets, at: this.#receivedAt(message) });
      if (arrival !== 'own') await processor.process(arrival);
      return true;
    } catch (error) {
      // A store that is down keeps every message; one that answers has trouble with this one, which must not keep the others waiting.
      if (error instanceof StoreUnavailable) await store.ping();
      if (!this.#state.open.includes(message.uid)) {
        log.error({ mailbox: name.mailbox, uid: message.uid, err: error }, 'mailbox: a message could not be processed; it is tried again');
      }
      return false;
    }
  }

  /** Never sets \Seen: a partial fetch is a BODY.PEEK. Undefined: expunged, or the connection is lost. */
  async #octets({ uid, size = 0 }: FetchMessageObject): Promise<Buffer | undefined> {
    const { maxMessageBytes, log, name } = this.#parts;
    const long = size > maxMessageBytes;
    // A limit also where the size is below it: servers estimate it.
    const maxLength = long ? Math.min(BEGINNING, maxMessageBytes) : maxMessageBytes;
    const fetched = await this.#client.fetchOne(String(uid), { source: { start: 0, maxLength } }, { uid: true });
    const source = fetched ? fetched.source : undefined;
    if (source === undefined || !long) return source;
    log.warn({ mailbox: name.mailbox, uid, size, read: maxLength }, 'mailbox: a message beyond the size limit was read in part');
    return source.subarray(0, source.lastIndexOf('\n') + 1);
  }

  async #remember(uid: number, handled: boolean): Promise<void> {
    const { through } = this.#state;
    const others = this.#state.open.filter(other => other !== uid);
    if (!handled && others.length >= MAX_OPEN) throw new Error(`${MAX_OPEN} messages could not be processed`);
    this.#state = { ...this.#state, through: Math.max(through, uid), open: handled ? others : [...others, uid] };
    await this.#parts.states.write(this.#parts.name, this.#state);
  }

  /** For people and for a renumbered folder; a server that refuses it changes nothing of what is remembered. */
  async #mark(uid: number): Promise<void> {
    await this.#client.messageFlagsAdd(String(uid), [KEYWORD], { uid: true, silent: true });
  }

  #receivedAt({ internalDate }: FetchMessageObject): number {
    const at = new Date(internalDate ?? Number.NaN).getTime();
    return Number.isNaN(at) ? this.#parts.clock.now() : at;
  }
}

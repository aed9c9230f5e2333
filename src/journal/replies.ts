/** The reply log in the store: one line for each message that came back and each owner whom it concerns (A16). */
import { setImmediate as turn } from 'node:timers/promises';
import type { Audit } from '../audit/audit.ts';
import type { ClientId } from '../ids.ts';
import type { Digests } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Sealer } from '../keys/seal.ts';
import type { Vault } from '../keys/vault.ts';
import { VaultUnavailable } from '../keys/vault-shelf.ts';
import { type Address, isAddress, parsePerson } from '../mail/address.ts';
import {
  type Change,
  type EntryKey,
  type Expectation,
  isEntryKey,
  type RecordKey,
  type Store,
  StoreUnavailable,
  type Value,
} from '../store/store.ts';
import { keepMessage, keptMessage } from './kept-messages.ts';
import { OpenReviews } from './open-reviews.ts';
import { type Owner, Pseudonyms } from './pseudonyms.ts';
import { timePrefix } from './ref.ts';
import type { LoggedReply, ReplyDecision, ReplyLog, ReplyPage, ReplyQuery } from './reply.ts';
import { aad, fits, LINES, type Line, lineKey, put, type Words, wordsKey } from './reply-lines.ts';

/** Message-ID and writer of a human reply → its line. */
const WRITTEN = 'replies-written';
const TEXT_CHARACTERS = 4_096;
const ATTEMPTS = 50;
/** Lines of a page where nobody says, and of a listing of any length, read at once. */
const PAGE = 1_000;
/** Lines looked at for one page, and at a stretch, a few ms' worth: mail has its turn between them. */
const LOOKED_AT = 2_000;
const STRETCH = 100;
/** People of one line: a report may name thousands. */
const MAX_PEOPLE = 100;

export interface ReplyPlace {
  readonly owner: Owner;
  readonly id: string;
}

/** A message that came back, before it is written down. */
export interface NewReply extends Omit<LoggedReply, 'people' | 'decision' | 'forwarded' | 'enforcedAt' | 'state'> {
  readonly state: 'done' | 'open';
  /** Who wrote it. */
  readonly writers: readonly Address[];
  /** Whom it is about beside them. */
  readonly others: readonly Address[];
  /** With angle brackets; undefined where it has none. */
  readonly messageId: string | undefined;
}

/** What writes a line, to be applied as a whole with what follows from it, or not at all. */
export interface ReplyDraft {
  /** Pseudonyms of whom it is about. */
  readonly people: readonly string[];
  changes(enforcedAt: number): readonly Change[];
  readonly expect: readonly Expectation[];
}

export interface RepliesParts {
  readonly store: Store;
  readonly digests: Digests;
  readonly vault: Vault;
  readonly keyring: Keyring;
  readonly audit: Audit;
}

/** A line as it was found, with the people whose mapping still lives. */
interface Found {
  readonly key: RecordKey;
  readonly value: Value;
  readonly line: Line;
  readonly people: readonly Address[];
  readonly writers: readonly Address[];
}

export class StoredReplies implements ReplyLog {
  readonly #parts: RepliesParts;
  readonly #sealer: Sealer;
  readonly #pseudonyms: Pseudonyms;
  readonly #open: OpenReviews;

  constructor(parts: RepliesParts) {
    this.#parts = parts;
    this.#sealer = parts.keyring.sealer('replies');
    this.#pseudonyms = new Pseudonyms(parts.store, parts.digests, parts.vault);
    this.#open = new OpenReviews(parts.store, parts.digests);
  }

  /** Makes the line ready; writes nothing but the pseudonyms of new people. @throws StoreUnavailable */
  async draft(reply: NewReply): Promise<ReplyDraft> {
    const { id, owner, text, span, messageId, writers, others, ...rest } = reply;
    const people = [...writers, ...others].slice(0, MAX_PEOPLE);
    const sealer = await this.#owners(owner);
    const pseudonyms = await this.#pseudonymsOf(owner, people);
    const key = lineKey(owner, id);
    const words: Words = { text: text?.slice(0, TEXT_CHARACTERS), span, messageId };
    const { changes, expect } = reply.state === 'open' ? await this.#open.opened(owner, id, people) : { changes: [], expect: [] };
    const written = reply.kind === 'reply' && messageId !== undefined ? writers : [];
    return {
      people: pseudonyms,
      expect,
      changes: enforcedAt => {
        const line: Line = { ...rest, enforcedAt, people: pseudonyms, writers: writers.length, decision: undefined, forwarded: undefined };
        return [
          put(this.#sealer, key, line),
          put(sealer, wordsKey(owner, id), words),
          ...this.#written(owner, sealer, id, messageId, written),
          ...changes,
        ];
      },
    };
  }

  /** Notes what became of the copy for the client's own mailbox. @throws StoreUnavailable */
  async noteForwarded(place: ReplyPlace, result: 'done' | 'refused'): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.#find(place);
      if (found === undefined || found.line.forwarded === result) return;
      const { key, value, line } = found;
      if (await this.#parts.store.apply([put(this.#sealer, key, { ...line, forwarded: result })], [{ key, value }])) return;
    }
    throw new StoreUnavailable('The line keeps changing under us');
  }

  /** Keeps a whole message under the owner's key, because nobody else took it. The same again changes nothing. @throws StoreUnavailable */
  async keep({ owner, id }: ReplyPlace, octets: Buffer): Promise<void> {
    await keepMessage(this.#parts.store, await this.#owners(owner), { owner, id }, octets);
  }

  /**
   * Closes an open line: on record, and once. `closed`: it was not open, or decided otherwise before.
   * @throws StoreUnavailable
   */
  async decided(place: ReplyPlace, decision: ReplyDecision): Promise<'decided' | 'repeated' | 'closed' | 'missing'> {
    const { owner, id } = place;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await this.#find(place);
      if (found === undefined) return 'missing';
      const { key, value, line, people, writers } = found;
      if (line.state === 'decided' && line.decision?.as === decision.as) return 'repeated';
      if (line.state !== 'open') return 'closed';
      const sealer = await this.#owners(owner);
      const closed = await this.#open.closed(owner, id, people);
      const written = decision.as === 'reply' ? this.#written(owner, sealer, id, (await this.#words(place))?.messageId, writers) : [];
      const { by, from, why, as } = decision;
      const draft = await this.#parts.audit.append(owner, { by, from, why, what: 'reply.decide', about: { reply: id, as } });
      const changes = [put(this.#sealer, key, { ...line, state: 'decided', decision }), ...draft.changes, ...written, ...closed.changes];
      if (!(await this.#parts.store.apply(changes, [{ key, value }, ...closed.expect, ...draft.expect]))) continue;
      await draft.settle();
      return 'decided';
    }
    throw new StoreUnavailable('The line keeps changing under us');
  }

  /** Holds while no line about this person waits for a decision. */
  noneOpen(owner: Owner, person: Address): readonly Expectation[] {
    return this.#open.none(owner, person);
  }

  async *list(owner: Owner, { limit = Number.POSITIVE_INFINITY, before, ...query }: ReplyQuery = {}): AsyncIterable<LoggedReply> {
    let [next, left]: [string | undefined, number] = [before, limit];
    do {
      const page = await this.page(owner, { ...query, before: next, limit: Math.min(PAGE, left) });
      yield* page.items;
      next = page.next;
      left -= page.items.length;
    } while (next !== undefined && left > 0);
  }

  /** One page, of at most `limit` lines (PAGE where none is named). @throws StoreUnavailable, VaultUnavailable */
  async page(owner: Owner, query: ReplyQuery): Promise<ReplyPage> {
    const { state, person, from = 0, to, before, limit = PAGE } = query;
    const pseudonym = person === undefined ? undefined : await this.#pseudonyms.find(owner, person);
    if (person !== undefined && pseudonym === undefined) return { items: [], next: undefined };
    const log = state === 'open' ? this.#open.log : LINES;
    const items: LoggedReply[] = [];
    // Ids are of 0-9 and a-z.
    let until = [before ?? '~', to === undefined ? '~' : timePrefix(to)].sort()[0] as string;
    for (let lookedAt = 0; lookedAt < LOOKED_AT; lookedAt += STRETCH) {
      if (lookedAt > 0) await turn();
      let read = 0;
      for await (const [key, value] of this.#parts.store.scan({
        owner,
        log,
        from: timePrefix(from),
        to: until,
        reverse: true,
        limit: STRETCH,
      })) {
        if (isEntryKey(key)) continue;
        if (items.length === limit) return { items, next: until };
        read += 1;
        until = key.id;
        const line = log === LINES ? this.#line(key, value) : await this.#lineOf({ owner, id: key.id });
        if (line !== undefined && fits(line, query, pseudonym)) items.push(await this.#shown({ owner, id: key.id }, line));
      }
      if (read < STRETCH) return { items, next: undefined };
    }
    return { items, next: until };
  }

  async show(id: string, owners: readonly Owner[]): Promise<LoggedReply | undefined> {
    const keys = owners.map(owner => lineKey(owner, id));
    const values = await this.#parts.store.find(keys);
    for (const [i, key] of keys.entries()) {
      const value = values[i];
      if (value !== undefined) return this.#shown({ owner: owners[i] as Owner, id }, this.#line(key, value));
    }
    return undefined;
  }

  async wroteReply(client: ClientId, messageId: string, person: Address): Promise<boolean> {
    const keys = this.#writtenKeys(client, messageId, person);
    const values = await this.#parts.store.find(keys);
    const sealer = await this.#owners(client);
    return keys.some((key, i) => values[i] !== undefined && sealer.open(values[i] as Value, aad(key)) !== undefined);
  }

  async kept(owner: Owner, id: string): Promise<Buffer | undefined> {
    return keptMessage(this.#parts.store, await this.#owners(owner), { owner, id });
  }

  /** The people of a line whose mapping still lives, by their base form. @throws StoreUnavailable */
  async people(place: ReplyPlace): Promise<readonly Address[]> {
    return (await this.#find(place))?.people ?? [];
  }

  /** What makes `wroteReply` true. */
  #written(owner: Owner, sealer: Sealer, id: string, messageId: string | undefined, writers: readonly Address[]): readonly Change[] {
    if (messageId === undefined) return [];
    return writers.map(writer => {
      const key = this.#writtenKeys(owner, messageId, writer)[0] as EntryKey;
      return { key, value: sealer.seal(id, aad(key)) };
    });
  }

  #writtenKeys(owner: Owner, messageId: string, { local, domain }: Address): readonly EntryKey[] {
    return this.#parts.digests.name('reply', `${messageId}\0${local}@${domain}`).map(id => ({ owner, set: WRITTEN, id }));
  }

  async #find(place: ReplyPlace): Promise<Found | undefined> {
    const key = lineKey(place.owner, place.id);
    const [value] = await this.#parts.store.find([key]);
    if (value === undefined) return undefined;
    const line = this.#line(key, value);
    const known = await this.#addresses(place.owner, line.people);
    const alive = (people: readonly (Address | undefined)[]) => people.flatMap(person => person ?? []);
    return { key, value, line, people: alive(known), writers: alive(known.slice(0, line.writers)) };
  }

  async #lineOf({ owner, id }: ReplyPlace): Promise<Line | undefined> {
    const [value] = await this.#parts.store.find([lineKey(owner, id)]);
    return value && this.#line(lineKey(owner, id), value);
  }

  #line(key: RecordKey, value: Value): Line {
    const plain = this.#sealer.open(value, aad(key));
    if (plain === undefined) throw new StoreUnavailable(`A line of the reply log of ${key.owner} cannot be opened with this key ring`);
    return JSON.parse(plain.toString()) as Line;
  }

  async #shown({ owner, id }: ReplyPlace, { writers: _, ...line }: Line): Promise<LoggedReply> {
    const people = (await this.#addresses(owner, line.people)).flatMap(person =>
      person === undefined ? [] : `${person.local}@${person.domain}`,
    );
    const words = await this.#words({ owner, id });
    const { campaign, rule, language, decision, forwarded } = line;
    return { ...line, id, owner, campaign, rule, language, decision, forwarded, people, text: words?.text, span: words?.span };
  }

  async #words({ owner, id }: ReplyPlace): Promise<Words | undefined> {
    const key = wordsKey(owner, id);
    const [value] = await this.#parts.store.find([key]);
    if (value === undefined) return undefined;
    const plain = (await this.#vaultKey(owner))?.open(value, aad(key));
    return plain === undefined ? undefined : (JSON.parse(plain.toString()) as Words);
  }

  async #addresses(owner: Owner, pseudonyms: readonly string[]): Promise<readonly (Address | undefined)[]> {
    return Promise.all(
      pseudonyms.map(async pseudonym => {
        const parsed = parsePerson((await this.#pseudonyms.person(owner, pseudonym)) ?? '');
        return isAddress(parsed) ? parsed : undefined;
      }),
    );
  }

  async #pseudonymsOf(owner: Owner, people: readonly Address[]): Promise<readonly string[]> {
    const found = await this.#pseudonyms.of(people.map(person => ({ client: owner, person })));
    for (const error of found.failed.values()) throw new StoreUnavailable(error.message, { cause: error });
    return people.map(person => found.get(owner, person) as string);
  }

  async #owners(owner: Owner): Promise<Sealer> {
    const sealer = await this.#vaultKey(owner);
    if (sealer === undefined) throw new StoreUnavailable(`${owner} has no data key in the vault; restore the vault`);
    return sealer;
  }

  async #vaultKey(owner: Owner): Promise<Sealer | undefined> {
    try {
      return await this.#parts.vault.sealer(owner);
    } catch (error) {
      if (!(error instanceof VaultUnavailable)) throw error;
      throw new StoreUnavailable(error.message, { cause: error });
    }
  }
}

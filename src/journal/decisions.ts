/** Reading decisions: one by its id, or pages of them, newest first, by whatever they are asked for. */
import { setImmediate as turn } from 'node:timers/promises';
import type { CampaignId, ClientId, DecisionId } from '../ids.ts';
import type { Address } from '../mail/address.ts';
import { isEntryKey, type Value } from '../store/store.ts';
import type { Decision, Outcome } from './decision.ts';
import { DECISIONS, DecisionIndex, decisionKey, type Labels, readLabels, type Trail, wholeTrail } from './decision-index.ts';
import type { JournalParts } from './journal.ts';
import { Pseudonyms } from './pseudonyms.ts';
import { timePrefix } from './ref.ts';

/** Decisions looked at for one page: what keeps a page fast where few fit. */
const LOOKED_AT = 2_000;
/** Decisions read at a stretch, a few ms' worth: mail has its turn between them. */
const STRETCH = 200;
/** Trails that one page follows at once; of what more of them would lead to, most decisions fit anyway. */
const MAX_TRAILS = 256;
/** Records read ahead of each trail, at least and at most. */
const AHEAD = { least: 4, most: 256 };

export interface DecisionQuery {
  /** Whose: a page runs over all of them, by time. */
  readonly clients: readonly ClientId[];
  readonly campaign?: CampaignId | undefined;
  readonly check?: string | undefined;
  readonly token?: string | undefined;
  readonly outcome?: Outcome | undefined;
  readonly transaction?: string | undefined;
  /** Whoever is behind this address, however it is spelled. */
  readonly recipient?: Address | undefined;
  /** From this moment on, and before that one; ms since 1970 UTC. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Only what comes after this decision, which is older: where the page before ended. */
  readonly after?: DecisionId | undefined;
  /** From 1 to 1,000. */
  readonly limit: number;
}

/** Newest first. A page may hold fewer than its limit, or none, and still have a `next`: where few fit, one page looks at so many only. */
export interface DecisionPage {
  readonly items: readonly Decision[];
  /** The `after` of the next page; undefined where there is none. */
  readonly next: DecisionId | undefined;
}

type DecisionsParts = Pick<JournalParts, 'store' | 'digests' | 'vault' | 'sealer'>;

/** A decision as it is kept: without the person behind the pseudonym. */
type Line = Omit<Decision, 'recipient'>;

interface Place {
  readonly client: ClientId;
  readonly id: DecisionId;
  /** Where the trail's record is the decision itself. */
  readonly value: Value | undefined;
}

/** Reads decisions. `clients` are the owners to look under: an id says when, not whose. */
export class Decisions {
  readonly #parts: DecisionsParts;
  readonly #pseudonyms: Pseudonyms;
  readonly #index: DecisionIndex;

  constructor(parts: DecisionsParts) {
    this.#parts = parts;
    this.#pseudonyms = new Pseudonyms(parts.store, parts.digests, parts.vault);
    this.#index = new DecisionIndex(parts.digests);
  }

  /** The decision with that id, with its recipient where the person's mapping still lives. @throws StoreUnavailable, VaultUnavailable */
  async show(id: DecisionId, clients: readonly ClientId[]): Promise<Decision | undefined> {
    const lines = await this.#lines(clients.map(client => ({ client, id, value: undefined })));
    return (await this.#withRecipients(lines))[0];
  }

  /** One page. What arrives meanwhile is newer, so that it neither repeats nor hides anything on the pages that follow. @throws StoreUnavailable, VaultUnavailable */
  async list(query: DecisionQuery): Promise<DecisionPage> {
    const { limit } = query;
    const places = new Places(this.#parts.store, await this.#trails(query), query);
    const found: Line[] = [];
    let last: DecisionId | undefined;
    let lookedAt = 0;
    while (found.length < limit && lookedAt < LOOKED_AT) {
      const some = await places.take(Math.min(STRETCH, limit - found.length));
      if (some.length === 0) break;
      if (lookedAt > 0) await turn();
      const lines = await this.#lines(some);
      found.push(...lines.filter(line => fits(line, query)));
      last = some.at(-1)?.id;
      lookedAt += some.length;
    }
    const next = (await places.exhausted()) ? undefined : last;
    await turn();
    return { items: await this.#withRecipients(found), next };
  }

  /** What the decisions of these clients ever were told apart by. @throws StoreUnavailable */
  async labels(clients: readonly ClientId[]): Promise<readonly Labels[]> {
    const found: Labels[] = [];
    for (const client of clients) for await (const [, labels] of readLabels(this.#parts.store, client)) found.push(labels);
    return found;
  }

  /** The narrowest way to all that may fit. */
  async #trails(query: DecisionQuery): Promise<readonly Trail[]> {
    const { clients, recipient, transaction, campaign, check, token, outcome } = query;
    const of = async (trailsOf: (client: ClientId) => Promise<readonly Trail[]> | readonly Trail[]): Promise<readonly Trail[]> =>
      (await Promise.all(clients.map(trailsOf))).flat();
    if (recipient !== undefined) {
      return of(async client => {
        const pseudonym = await this.#pseudonyms.find(client, recipient);
        return pseudonym === undefined ? [] : this.#index.ofPerson(client, pseudonym);
      });
    }
    if (transaction !== undefined) return of(client => this.#index.ofTransaction(client, transaction));
    const whole = clients.map(wholeTrail);
    if ([campaign, check, token, outcome].every(filter => filter === undefined)) return whole;
    const labelled = await of(client => this.#index.ofLabels(this.#parts.store, client, labels => fits(labels, query)));
    return labelled.length > MAX_TRAILS && labelled.length > whole.length ? whole : labelled;
  }

  /** In the order of the places; whatever is gone meanwhile is left out. */
  async #lines(places: readonly Place[]): Promise<readonly Line[]> {
    const named = places.filter(({ value }) => value === undefined);
    const keys = named.map(({ client, id }) => decisionKey(client, id));
    const values = keys.length === 0 ? [] : await this.#parts.store.find(keys);
    const fetched = new Map(named.map((place, i) => [place, values[i]]));
    return places.flatMap(place => {
      const { client, id } = place;
      const value = place.value ?? fetched.get(place);
      if (value === undefined) return [];
      const { owner, log } = decisionKey(client, id);
      const opened = this.#parts.sealer.open(value, `${owner}/${log}/${id}`);
      if (opened === undefined) throw new Error(`decision ${id} is there but cannot be opened with this key`);
      return [{ ...(JSON.parse(opened.toString()) as Omit<Line, 'id'>), id }];
    });
  }

  async #withRecipients(lines: readonly Line[]): Promise<readonly Decision[]> {
    const people = await this.#pseudonyms.people(lines.map(({ client, pseudonym }) => ({ client, pseudonym })));
    return lines.map((line, i) => ({ ...line, recipient: people[i] }));
  }
}

/** Whether every one of these is as asked for, as far as it is asked for. */
function fits(line: Partial<Line>, { campaign, check, token, outcome, transaction }: DecisionQuery): boolean {
  return (
    (campaign === undefined || line.campaign === campaign) &&
    (check === undefined || line.check === check) &&
    (token === undefined || line.token === token) &&
    (outcome === undefined || line.outcome === outcome) &&
    (transaction === undefined || line.transaction === undefined || line.transaction === transaction)
  );
}

interface Source {
  readonly trail: Trail;
  /** Read ahead, newest first. */
  ahead: Place[];
  /** Where its next stretch ends, exclusive; undefined where nothing is left. */
  before: string | undefined;
}

/** Several trails as one, newest first. */
class Places {
  readonly #store: DecisionsParts['store'];
  readonly #sources: readonly Source[];
  readonly #from: string;
  readonly #step: number;

  constructor(store: DecisionsParts['store'], trails: readonly Trail[], { from = 0, to, after, limit }: DecisionQuery) {
    this.#store = store;
    this.#from = timePrefix(from);
    // One more than a page holds, so that its last is known to be the last.
    this.#step = Math.min(
      AHEAD.most,
      Math.max(AHEAD.least, Math.ceil((2 * limit) / Math.max(1, trails.length)), trails.length === 1 ? limit + 1 : 0),
    );
    const ends = [...(to === undefined ? [] : [timePrefix(to)]), ...(after === undefined ? [] : [after])];
    // Ids are of 0-9 and a-z.
    const before = ends.sort()[0] ?? '~';
    this.#sources = trails.map(trail => ({ trail, ahead: [], before }));
  }

  /** The next `n`, or fewer where there are no more. @throws StoreUnavailable */
  async take(n: number): Promise<readonly Place[]> {
    const taken: Place[] = [];
    while (taken.length < n) {
      await this.#fill();
      // Until the first source has been used up: then nobody knows what it has next.
      do {
        const newest = this.#newest();
        const place = newest?.ahead.shift();
        if (newest === undefined || place === undefined) return taken;
        if (taken.at(-1)?.id !== place.id || taken.at(-1)?.client !== place.client) taken.push(place);
        if (newest.ahead.length === 0) break;
      } while (taken.length < n);
    }
    return taken;
  }

  async exhausted(): Promise<boolean> {
    await this.#fill();
    return this.#newest() === undefined;
  }

  #newest(): Source | undefined {
    let newest: Source | undefined;
    for (const source of this.#sources) {
      const id = source.ahead[0]?.id;
      if (id !== undefined && (newest?.ahead[0] === undefined || id > newest.ahead[0].id)) newest = source;
    }
    return newest;
  }

  async #fill(): Promise<void> {
    const empty = this.#sources.filter(({ ahead, before }) => ahead.length === 0 && before !== undefined);
    await Promise.all(empty.map(source => this.#read(source)));
  }

  async #read(source: Source): Promise<void> {
    const { client, log, prefix } = source.trail;
    const range = { owner: client, log, from: prefix + this.#from, to: prefix + source.before, reverse: true, limit: this.#step };
    const ahead: Place[] = [];
    for await (const [key, value] of this.#store.scan(range)) {
      if (isEntryKey(key)) continue;
      const id = key.id.slice(prefix.length) as DecisionId;
      ahead.push({ client, id, value: log === DECISIONS ? value : undefined });
    }
    source.ahead = ahead;
    source.before = ahead.length < this.#step ? undefined : ahead.at(-1)?.id;
  }
}

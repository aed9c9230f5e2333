/** What follows, made durable: for each owner one apply with the line of the log, the list entries, the counters and the mark of what was seen. */

import type { EventType, NewEvent } from '../hooks/event.ts';
import type { Outbox } from '../hooks/outbox.ts';
import { type CampaignId, type ClientId, GLOBAL } from '../ids.ts';
import { anyShare, countedOnce, sharedCounter } from '../journal/counters.ts';
import { latencyNoted, latencyRecord } from '../journal/inbound-latency.ts';
import type { Owner } from '../journal/pseudonyms.ts';
import { newDecisionId } from '../journal/ref.ts';
import type { NewReply, StoredReplies } from '../journal/replies.ts';
import { clocksOf, type RequestKind, type Requests } from '../journal/requests.ts';
import type { SoftBounces, Threshold } from '../journal/soft-bounces.ts';
import type { Digests } from '../keys/digest.ts';
import type { Keyring } from '../keys/keyring.ts';
import type { Beside, Lists } from '../lists/lists.ts';
import { scopeName } from '../lists/scope.ts';
import type { Reason, Scope } from '../lists/standing.ts';
import { type Address, basePerson } from '../mail/address.ts';
import type { Clock } from '../ops/clock.ts';
import { checkHead, headKey } from '../store/head.ts';
import { type Change, type EntryKey, type Store, StoreUnavailable, type Value } from '../store/store.ts';
import type { Concern } from './concerns.ts';
import type { Listing } from './outcome.ts';
import type { LogPlace } from './processor.ts';

export interface ApplierParts {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly digests: Digests;
  readonly lists: Pick<Lists, 'enter'>;
  readonly replies: Pick<StoredReplies, 'draft'>;
  readonly requests: Pick<Requests, 'change'>;
  readonly softBounces: Pick<SoftBounces, 'tally'>;
  readonly threshold: Threshold;
  /** Tells clients' platforms; absent: nobody is told. */
  readonly outbox?: Pick<Outbox, 'changes'> | undefined;
  readonly clock: Clock;
}

/** What the lines of all owners share. */
export interface Received extends Omit<NewReply, 'id' | 'owner' | 'campaign' | 'actions' | 'state' | 'others' | 'request'> {
  /** By what it is known when it comes again: see identity.ts. */
  readonly identity: string;
  readonly request: RequestKind | undefined;
}

export interface Applied {
  /** Undefined: no line of it is kept. */
  readonly place: LogPlace | undefined;
  readonly outcome: 'applied' | 'repeated';
}

const SEEN = 'reply-seen';
/** Counted as this, and marked apart: what a mailbox made nothing of may come to a reply address as well, and counts there. */
const UNRELATED = 'unrelated';
const NOTHING: Value = Buffer.alloc(0);
/** Each lost race means that another message about these people was applied at this moment. */
const ATTEMPTS = 50;

export class Applier {
  readonly #parts: ApplierParts;

  constructor(parts: ApplierParts) {
    this.#parts = parts;
  }

  /** Durable and enforced when it resolves; once for each owner, however often it is asked. @throws StoreUnavailable */
  async apply(concern: Concern, received: Received): Promise<Applied> {
    const id = newDecisionId(received.receivedAt);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const applied = await this.#attempt(concern, received, id);
      if (applied !== undefined) return applied;
    }
    throw new StoreUnavailable('What came back keeps changing under us');
  }

  /** Undefined: something changed between reading and writing. */
  async #attempt(concern: Concern, received: Received, id: string): Promise<Applied | undefined> {
    const { store, keyring, replies, requests, softBounces, threshold, clock } = this.#parts;
    const { owner, campaign, outcome, others } = concern;
    const { identity, request, ...rest } = received;
    const seen = this.#seenKeys(owner, identity);
    const passed = outcome.logged ? [] : this.#seenKeys(owner, `${UNRELATED} ${identity}`);
    const now = clock.now();
    const share = anyShare();
    const [counter, latency] = [sharedCounter(owner, now, share), latencyRecord(owner, now, share)];
    const [head, counted, noted, ...marks] = await store.find([headKey(owner), counter, latency, ...seen, ...passed]);
    checkHead(head, keyring.fingerprint);
    const at = marks.findIndex(value => value !== undefined);
    if (at >= 0) return { place: at < seen.length ? { owner, id: `${marks[at]}` } : undefined, outcome: 'repeated' };
    const labels = { client: owner, campaign, outcome: 'received', check: 'inbound' } as const;
    const count = (token: string): Change => ({ key: counter, value: countedOnce(counted, { ...labels, token }) });
    if (!outcome.logged) {
      const mark: Change = { key: passed[0] as EntryKey, value: NOTHING };
      const expect = [mark.key, ...seen].map(key => ({ key, value: undefined }));
      const done = await store.apply([mark, count(UNRELATED)], [...expect, { key: counter, value: counted }]);
      return done ? { place: undefined, outcome: 'applied' } : undefined;
    }

    const tally = await softBounces.tally(owner, concern.failing, received.receivedAt, threshold);
    const listed = [...concern.listed, ...tally.over];
    const scope = scopeOf(owner, campaign, outcome.listing);
    const state = outcome.review ? 'open' : 'done';
    const actions = actionsOf(scope, outcome.listing, listed.length > 0, tally.changes.length > 0);
    const asked = request && { kind: request, dueAt: clocksOf(request, received.receivedAt).dueAt };
    const draft = await replies.draft({ ...rest, id, owner, campaign, actions, request: asked, state, others });
    const told = await this.#parts.outbox?.changes(owner, eventsOf(scope, outcome.listing, listed, id));
    const beside: Beside = {
      expect: [
        { key: seen[0] as EntryKey, value: undefined },
        { key: counter, value: counted },
        { key: latency, value: noted },
        ...tally.expect,
        ...draft.expect,
      ],
      changes: () => {
        // The ledger has the objection by now, and the store has it with this very write.
        const enforcedAt = clock.now();
        return [
          { key: seen[0] as EntryKey, value: Buffer.from(id) },
          count(received.kind),
          { key: latency, value: latencyNoted(noted, enforcedAt - received.receivedAt) },
          ...tally.changes,
          ...(told ?? []),
          ...draft.changes(enforcedAt),
          ...(request === undefined
            ? []
            : [requests.change({ id, owner, kind: request, receivedAt: received.receivedAt, people: draft.people })]),
        ];
      },
    };
    const written = await this.#write(scope, outcome.listing, listed, received.receivedAt, beside);
    return written ? { place: { owner, id }, outcome: 'applied' } : undefined;
  }

  async #write(scope: Scope, listing: Listing | undefined, listed: Concern['listed'], at: number, beside: Beside): Promise<boolean> {
    const { store, lists } = this.#parts;
    if (listing === undefined || listed.length === 0) return store.apply(beside.changes(), beside.expect);
    const { list, reason, source } = listing;
    return (await lists.enter(scope, list, listed, { reason, source, at }, beside)) === 'entered';
  }

  #seenKeys(owner: Owner, identity: string): readonly EntryKey[] {
    return this.#parts.digests.name('reply-seen', identity).map(id => ({ owner, set: SEEN, id }));
  }
}

/** Where a listing binds: the campaign only where that is what it is for, and certain. */
export function scopeOf(owner: ClientId | typeof GLOBAL, campaign: CampaignId | undefined, listing: Listing | undefined): Scope {
  return listing?.reach === 'campaign' && campaign !== undefined && owner !== GLOBAL ? { owner, campaign } : { owner };
}

/** What the client's platform is told of people who will not be mailed again, beside the suppression itself. */
export function eventsOf({ campaign }: Scope, listing: Listing | undefined, listed: readonly Address[], ref: string): readonly NewEvent[] {
  const type = listing?.list === 'suppression' ? EVENTS[listing.reason] : undefined;
  if (listing === undefined || type === undefined) return [];
  const { reason, source } = listing;
  return listed.map(person => ({ type, data: { campaign, ref, reason, source, recipient: basePerson(person) } }));
}

const EVENTS: Readonly<Partial<Record<Reason, EventType>>> = {
  'opt-out': 'email.unsubscribed',
  objection: 'email.unsubscribed',
  complaint: 'email.complained',
  bounce: 'email.bounced',
};

function actionsOf(scope: Scope, listing: Listing | undefined, listed: boolean, counted: boolean): readonly string[] {
  const actions = [
    ...(listing !== undefined && listed ? [`${listing.list} ${scopeName(scope)} ${listing.reason}`] : []),
    ...(counted ? [`counted ${scope.owner} bounce`] : []),
  ];
  return actions.length > 0 ? actions : ['none'];
}

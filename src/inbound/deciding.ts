/** A person decides what a line in doubt was: what follows is added, and of what the doubt had put on the lists no more than that is lifted. */
import type { Outbox } from '../hooks/outbox.ts';
import type { StoredReplies } from '../journal/replies.ts';
import type { ReplyDecision } from '../journal/reply.ts';
import type { Lists } from '../lists/lists.ts';
import type { Clock } from '../ops/clock.ts';
import { eventsOf, scopeOf } from './apply.ts';
import { DECISIONS } from './outcome.ts';
import type { LogPlace } from './processor.ts';

export interface DecidingParts {
  readonly lists: Pick<Lists, 'enter' | 'liftOnly'>;
  readonly replies: Pick<StoredReplies, 'show' | 'people' | 'decided' | 'noneOpen'>;
  /** Tells clients' platforms; absent: nobody is told. */
  readonly outbox?: Pick<Outbox, 'changes'> | undefined;
  readonly clock: Clock;
}

/** `repeated`: so it was decided before. `closed`: it was decided otherwise, or never in doubt. */
export type Decided = 'decided' | 'repeated' | 'closed' | 'missing';

/**
 * Decides a line of the review queue, on record. In this order a crash leaves a listing too many, which deciding again takes away.
 * @throws StoreUnavailable
 */
export async function decide(
  { lists, replies, outbox, clock }: DecidingParts,
  place: LogPlace,
  choice: Omit<ReplyDecision, 'at'>,
): Promise<Decided> {
  const { owner, id } = place;
  const line = await replies.show(id, [owner]);
  if (line === undefined) return 'missing';
  if (line.state === 'done' || (line.state === 'decided' && line.decision?.as !== choice.as)) return 'closed';
  const people = await replies.people(place);
  const listing = DECISIONS[choice.as];
  if (listing !== undefined && people.length > 0) {
    const act = { reason: listing.reason, source: listing.source, by: choice.by, at: line.receivedAt };
    const scope = scopeOf(owner, line.campaign, listing);
    // What was decided before was told before.
    const told = line.state === 'open' ? await outbox?.changes(owner, eventsOf(scope, listing, people, id)) : undefined;
    await lists.enter(scope, listing.list, people, act, { changes: () => told ?? [], expect: [] });
  }
  const decided = await replies.decided(place, { ...choice, at: clock.now() });
  if (decided === 'closed' || decided === 'missing') return decided;
  for (const person of people) {
    // Somebody in doubt twice stays so until both are decided.
    const only = { reasons: ['review'], expect: replies.noneOpen(owner, person) } as const;
    await lists.liftOnly({ owner }, person, { by: choice.by, from: choice.from, why: choice.why }, only);
  }
  return decided;
}

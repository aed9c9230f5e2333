/**
 * What follows from what came back: the one table, to be read by whoever answers for it. Each line says on which list whom it names is put,
 * for which reason, who caused it, and how far it reaches. docs/outcomes.md explains it, and a test holds the two together.
 */
import type { MatchedBy } from '../journal/reply.ts';
import type { RequestKind } from '../journal/requests.ts';
import type { ListName } from '../lists/entry.ts';
import type { Reason, Source } from '../lists/standing.ts';
import type { Finding, Kind, Role } from './finding.ts';

/** What a message amounts to: its kind, and of reports what they prove. */
export type Case = Exclude<Kind, 'bounce'> | 'failed' | 'failing' | 'delayed' | 'unproven' | 'unrelated';

export interface Listing {
  readonly list: ListName;
  readonly reason: Reason;
  readonly source: Source;
  /** `campaign`: the client where the campaign is not certain. */
  readonly reach: 'campaign' | 'client';
}

export interface Outcome {
  /** Undefined: it is logged and no more. */
  readonly listing: Listing | undefined;
  /** Waits in the review queue until a person has decided. */
  readonly review: boolean;
  /** It is a line of the log; else nothing of it is kept but that it came. */
  readonly logged: boolean;
}

const suppressed = (reason: Reason, source: Source): Outcome => ({
  listing: { list: 'suppression', reason, source, reach: 'client' },
  review: false,
  logged: true,
});
const LOGGED: Outcome = { listing: undefined, review: false, logged: true };
const DOUBT: Outcome = {
  listing: { list: 'exclusion', reason: 'review', source: 'recipient', reach: 'client' },
  review: true,
  logged: true,
};

export const OUTCOMES: Readonly<Record<Case, Outcome>> = {
  // A person wrote: the address that was mailed and the one that wrote.
  reply: { listing: { list: 'exclusion', reason: 'reply', source: 'recipient', reach: 'campaign' }, review: false, logged: true },
  'opt-out': suppressed('opt-out', 'recipient'),
  unsubscribe: suppressed('opt-out', 'recipient'),
  // Whoever asks for data or erasure is not mailed in between: bias to the person. It is registered with its clock, too.
  request: suppressed('objection', 'recipient'),
  review: DOUBT,
  // A server reported: only people whom this client mailed, by a token of ours or a logged send.
  complaint: suppressed('complaint', 'inbound'),
  // Nothing will ever be delivered there, or the person has left. It is no objection, yet nobody takes it back by accident.
  failed: suppressed('bounce', 'inbound'),
  // May pass: counted by person and day; this follows at the threshold of inbound.softBounces.
  failing: suppressed('bounce', 'inbound'),
  // A stranger cannot enter others: somebody looks, and until then nothing follows.
  unproven: { listing: undefined, review: true, logged: true },
  delayed: LOGGED,
  'auto-reply': LOGGED,
  unknown: LOGGED,
  // Somebody's mailbox holds all sorts of mail: what is about no mail of ours is none of our business (GDPR 5(1)(c)).
  unrelated: { listing: undefined, review: false, logged: false },
};

/**
 * What follows from what a person wrote. Where people are told to object, whatever is not understood is in doubt. Where no client is known who
 * ever wrote to that person (`known` false), an objection and a doubt hold for all, and a mere reply for nobody.
 */
export function outcomeOf(kind: Exclude<Kind, 'bounce'>, role: Role | undefined, known: boolean): Outcome {
  if (kind !== 'reply') return OUTCOMES[kind];
  if (role === 'privacy' || role === 'unsubscribe') return DOUBT;
  return known ? OUTCOMES.reply : LOGGED;
}

/**
 * Whether a message has nothing to do with any mail of ours: it lay in a mailbox, nothing tells of a message of ours, and its writer does not
 * object. Somebody who may object is heard wherever he writes.
 */
export function isUnrelated(kind: Kind, by: MatchedBy, role: Role | undefined): boolean {
  const isPlain = kind === 'reply' || kind === 'auto-reply' || kind === 'bounce' || kind === 'unknown';
  return role === undefined && isPlain && (by === 'address' || by === 'none');
}

/**
 * What goes into the register of requests. An objection is registered where it came to the address for requests; it is met at once. A bare
 * "delete my data" is met as an opt-out at once, and has the clock of an erasure besides (GDPR 12(3), 17).
 */
export function registered({ kind, request }: Finding, role: Role | undefined): RequestKind | undefined {
  if (kind === 'request' || request !== undefined) return request ?? 'access';
  return role === 'privacy' && (kind === 'opt-out' || kind === 'unsubscribe') ? 'objection' : undefined;
}

/** What a person's decision about a line in doubt puts on which list. */
export const DECISIONS: Readonly<Record<'opt-out' | 'reply' | 'nothing', Listing | undefined>> = {
  'opt-out': OUTCOMES['opt-out'].listing,
  reply: OUTCOMES.reply.listing,
  nothing: undefined,
};
